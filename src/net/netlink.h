/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages to the kernel's network stack and its answers, netlink(7). */

#include <linux/netlink.h>

#include "util/buf.h"

/* Messages that are sent at once, one after the other. What goes wrong while they are made shows in netlink_call(). */
typedef struct NetlinkBatch {
        Buf data;
        size_t message; /* where the last one begins */
        uint32_t n, last; /* how many, and which was the last with NLM_F_ACK */
        bool failed;
} NetlinkBatch;
#define NETLINK_BATCH_INIT ((NetlinkBatch){ .data = BUF_INIT })
void netlink_batch_clear(NetlinkBatch *b);
#define _cleanup_batch_ _cleanup_(netlink_batch_clear)

/* A message with its family's own header. The flags get NLM_F_REQUEST. */
void netlink_begin(NetlinkBatch *b, uint16_t type, uint16_t flags, const void *header, size_t size);

/* Attributes of the last message. */
void netlink_put(NetlinkBatch *b, uint16_t type, const void *data, size_t size);
void netlink_put_u32(NetlinkBatch *b, uint16_t type, uint32_t value);
void netlink_put_be32(NetlinkBatch *b, uint16_t type, uint32_t value);
void netlink_put_text(NetlinkBatch *b, uint16_t type, const char *text);
size_t netlink_open_nest(NetlinkBatch *b, uint16_t type);
void netlink_close_nest(NetlinkBatch *b, size_t nest);

/* protocol: NETLINK_ROUTE, NETLINK_NETFILTER. A new fd or negative errno. */
int netlink_socket(int protocol);

/* Sends all and waits until the last one that has NLM_F_ACK is answered. 0 or the first error. */
int netlink_call(int fd, const NetlinkBatch *b);

/* Sends one message with NLM_F_DUMP and takes all answers, whole and consistent. */
int netlink_dump(int fd, const NetlinkBatch *b, Buf *ret);

/* for (const struct nlmsghdr *m = NULL; (m = netlink_next(&answers, m));) */
const struct nlmsghdr *netlink_next(const Buf *answers, const struct nlmsghdr *m);

/* An attribute behind a message's own header, or in another attribute; NULL: it has none of that type of at least size bytes. */
const void *netlink_get(const struct nlmsghdr *m, size_t header, uint16_t type, size_t size);
const void *netlink_get_in(const void *attributes, size_t length, uint16_t type, size_t size);
size_t netlink_size(const void *payload); /* of what netlink_get() gave */
