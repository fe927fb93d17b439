/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/flow.h"
#include "net/netlink.h"
#include "util/fd.h"

/* Linux 5.8, net/netfilter/nf_internals.h; older kernels tell of all flows. */
#define FILTER_PROTOCOL (1U << 3)
#define FILTER_PORT (1U << 5)

#define HEADER sizeof(struct nfgenmsg)

static void flow_begin(NetlinkBatch *b, unsigned type, uint16_t flags, int family) {
        const struct nfgenmsg header = { .nfgen_family = (uint8_t) family, .version = NFNETLINK_V0 };

        netlink_begin(b, (uint16_t) (NFNL_SUBSYS_CTNETLINK << 8 | type), flags, &header, sizeof(header));
}

static int flows_dump(int fd, int family, uint16_t port, Buf *ret) {
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        const uint8_t protocol = IPPROTO_UDP;
        const uint16_t number = htons(port);
        size_t tuple, proto, filter;

        flow_begin(&b, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
        tuple = netlink_open_nest(&b, CTA_TUPLE_ORIG);
        proto = netlink_open_nest(&b, CTA_TUPLE_PROTO);
        netlink_put(&b, CTA_PROTO_NUM, &protocol, sizeof(protocol));
        netlink_put(&b, CTA_PROTO_DST_PORT, &number, sizeof(number));
        netlink_close_nest(&b, proto);
        netlink_close_nest(&b, tuple);
        filter = netlink_open_nest(&b, CTA_FILTER);
        netlink_put_u32(&b, CTA_FILTER_ORIG_FLAGS, FILTER_PROTOCOL | FILTER_PORT);
        netlink_close_nest(&b, filter);
        return netlink_dump(fd, &b, ret);
}

static const void *nested(const void *outer, uint16_t type, size_t size) {
        return outer ? netlink_get_in(outer, netlink_size(outer), type, size) : NULL;
}

static bool is_to(const void *tuple, uint16_t port) {
        const void *proto = nested(tuple, CTA_TUPLE_PROTO, 1);
        const uint8_t *protocol = nested(proto, CTA_PROTO_NUM, sizeof(*protocol));
        const uint16_t *number = nested(proto, CTA_PROTO_DST_PORT, sizeof(*number));

        return protocol && *protocol == IPPROTO_UDP && number && *number == htons(port);
}

static bool address_get(const void *tuple, int family, bool source, Address *ret) {
        const void *ip = nested(tuple, CTA_TUPLE_IP, 1), *bytes;

        *ret = (Address){ .family = family };
        if (family == AF_INET)
                bytes = nested(ip, source ? CTA_IP_V4_SRC : CTA_IP_V4_DST, 4);
        else
                bytes = nested(ip, source ? CTA_IP_V6_SRC : CTA_IP_V6_DST, 16);
        if (bytes)
                memcpy(ret->bytes, bytes, address_size(ret));
        return bytes;
}

/* Only the host's own can be bound. */
static bool is_local(const Address *a) {
        struct sockaddr_storage at;
        socklen_t size = address_socket(a, 0, &at);
        _cleanup_close_ int fd = socket(a->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        return fd >= 0 && bind(fd, (struct sockaddr *) &at, size) == 0;
}

/* The answers come from where it leads. */
static bool leads_wrong(const struct nlmsghdr *m, int family, uint16_t port, const PortTarget *targets, size_t n) {
        const void *there = netlink_get(m, HEADER, CTA_TUPLE_ORIG, 1), *back = netlink_get(m, HEADER, CTA_TUPLE_REPLY, 1);
        Address to, from;

        if (!is_to(there, port) || !address_get(there, family, false, &to) || !address_get(back, family, true, &from))
                return false;
        for (size_t i = 0; i < n; i++)
                if (address_equal(&from, &targets[i].address))
                        return false;
        return (n > 0 || !address_equal(&from, &to)) && is_local(&to);
}

static int flow_delete(int fd, int family, const void *tuple) {
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        int r;

        flow_begin(&b, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, family);
        netlink_put(&b, CTA_TUPLE_ORIG | NLA_F_NESTED, tuple, netlink_size(tuple));
        r = netlink_call(fd, &b);
        return r == -ENOENT ? 0 : r; /* its time was over */
}

int flows_forget(uint16_t port, const PortTarget *targets, size_t n) {
        static const int families[] = { AF_INET, AF_INET6 };
        _cleanup_close_ int fd = netlink_socket(NETLINK_NETFILTER);
        int r = fd < 0 ? fd : 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(families); i++) {
                _cleanup_buf_ Buf answers = BUF_INIT;

                r = flows_dump(fd, families[i], port, &answers);
                for (const struct nlmsghdr *m = NULL; r >= 0 && (m = netlink_next(&answers, m));)
                        if (leads_wrong(m, families[i], port, targets, n))
                                r = flow_delete(fd, families[i], netlink_get(m, HEADER, CTA_TUPLE_ORIG, 1));
        }
        return r;
}
