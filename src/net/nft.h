/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* nftables by netlink: the messages that tables, chains and rules are made of (linux/netfilter/nf_tables.h). All tables here are of the
 * inet family. Numbers that are compared are in the byte order that the kernel has them in. */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "net/netlink.h"
#include "util/address.h"

#define NFT_PRIORITY_DSTNAT (-100)
#define NFT_PRIORITY_FILTER 0
#define NFT_PRIORITY_SRCNAT 100

/* All between the two is done at once or not at all. */
void nft_batch_begin(NetlinkBatch *b);
void nft_batch_end(NetlinkBatch *b);

/* Any other message of nftables. */
void nft_message(NetlinkBatch *b, unsigned type, uint16_t flags);
void nft_put_data(NetlinkBatch *b, uint16_t type, const void *data, size_t size);

/* flags: NFT_TABLE_F_OWNER (Linux 5.12), the table is gone when the socket that makes it is closed, and nobody else can change it; or 0. */
void nft_table_make(NetlinkBatch *b, const char *table, uint32_t flags);
void nft_table_delete(NetlinkBatch *b, const char *table);

/* The chain is there then, and has no rules, as after "flush chain" of nft(8). */
void nft_chain_make(NetlinkBatch *b, const char *table, const char *chain, const char *type, uint32_t hook, int32_t priority);
void nft_chain_delete(NetlinkBatch *b, const char *table, const char *chain);

/* ---- a rule: matches, and what is done with what they let pass ---- */

typedef struct NftRule {
        NetlinkBatch *batch;
        size_t expressions, element, data; /* nests */
} NftRule;

/* Behind the others of its chain. */
NftRule nft_rule_begin(NetlinkBatch *b, const char *table, const char *chain);
void nft_rule_end(NftRule *r);

/* A name of a link as the kernel compares it. */
typedef struct NftLinkName {
        char text[16];
} NftLinkName;
NftLinkName nft_link_name(const char *name);

typedef enum NftSide {
        NFT_SOURCE,
        NFT_DESTINATION,
} NftSide;

void nft_match_meta(NftRule *r, enum nft_meta_keys key, enum nft_cmp_ops op, const void *data, size_t size); /* `meta KEY == DATA` */
void nft_match_link(NftRule *r, enum nft_meta_keys key, enum nft_cmp_ops op, const char *name); /* `iifname "berth0"`, `oifname != "berth0"` */
void nft_match_link_set(NftRule *r, enum nft_meta_keys key, const char *set);                   /* `iifname @bridges` */
void nft_match_family(NftRule *r, int family);                                                  /* `meta nfproto ipv4` */
void nft_match_subnet(NftRule *r, NftSide side, enum nft_cmp_ops op, const Subnet *s);          /* `ip saddr 10.77.0.0/16`, after nft_match_family() */
void nft_match_local(NftRule *r);                                                               /* `fib daddr type local` */
void nft_match_port(NftRule *r, uint8_t protocol, uint16_t port);                               /* `tcp dport 80` */
void nft_match_translated(NftRule *r);                                                          /* `ct status dnat` */
void nft_match_one_of(NftRule *r, uint32_t n);                                                  /* `numgen random mod n == 0` */

void nft_masquerade(NftRule *r);
void nft_verdict(NftRule *r, uint32_t verdict); /* NF_DROP, NF_ACCEPT */

/* `dnat to ADDRESS:PORT`; address NULL: only the port is another one. */
void nft_translate(NftRule *r, int family, const Address *address, uint16_t port);
