/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/connections.h"
#include "net/netlink.h"
#include "net/netns.h"
#include "net/sock-diag.h"
#include "util/fd.h"

#define OPEN (1U << TCP_ESTABLISHED | 1U << TCP_SYN_RECV | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | 1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | \
                1U << TCP_CLOSING)

#define WAITING (1U << TCP_LISTEN)
#define BOUND (1U << TCP_CLOSE) /* of a UDP socket that is not connected */

static int family_has_connection(int fd, int family, uint16_t port) {
        _cleanup_buf_ Buf answers = BUF_INIT;
        int r = sock_diag_find(fd, family, IPPROTO_TCP, OPEN, port, 0, &answers);

        return r < 0 ? r : netlink_next(&answers, NULL) != NULL;
}

int port_has_connection(const Port *p) {
        _cleanup_close_ int fd = -EBADF;
        int r = 0;

        if (p->spec.protocol != SPEC_PROTOCOL_TCP)
                return 0;
        fd = netlink_socket(NETLINK_SOCK_DIAG);
        if (fd < 0)
                return fd;
        if (p->spec.family != AF_INET6)
                r = family_has_connection(fd, AF_INET, p->host);
        return r == 0 && p->spec.family != AF_INET ? family_has_connection(fd, AF_INET6, p->host) : r;
}

int netns_has_connection(int netns, uint16_t port) {
        _cleanup_close_ int fd = netns_socket(netns, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
        int r = fd < 0 ? fd : family_has_connection(fd, AF_INET, port);

        return r == 0 ? family_has_connection(fd, AF_INET6, port) : r;
}

/* The families by which a socket is reached from elsewhere. */
static int reached_by(const struct nlmsghdr *m) {
        const struct inet_diag_msg *s = NLMSG_DATA(m);
        const struct in6_addr *a6 = (const struct in6_addr *) s->id.idiag_src;
        const uint8_t *only;

        if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*s)))
                return 0;
        if (s->idiag_family == AF_INET)
                return be32toh(s->id.idiag_src[0]) >> 24 == 127 ? 0 : PORT_INSIDE_IPV4;
        if (IN6_IS_ADDR_V4MAPPED(a6))
                return a6->s6_addr[12] == 127 ? 0 : PORT_INSIDE_IPV4;
        if (!IN6_IS_ADDR_UNSPECIFIED(a6))
                return IN6_IS_ADDR_LOOPBACK(a6) ? 0 : PORT_INSIDE_IPV6;
        only = netlink_get(m, sizeof(*s), INET_DIAG_SKV6ONLY, 1);
        return only && *only ? PORT_INSIDE_IPV6 : PORT_INSIDE_IPV4 | PORT_INSIDE_IPV6;
}

int netns_listens(int netns, SpecProtocol protocol, uint16_t port) {
        static const int families[] = { AF_INET, AF_INET6 };
        _cleanup_close_ int fd = netns_socket(netns, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
        bool udp = protocol == SPEC_PROTOCOL_UDP;
        int r = fd < 0 ? fd : 0, result = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(families); i++) {
                _cleanup_buf_ Buf answers = BUF_INIT;

                r = sock_diag_find(fd, families[i], udp ? IPPROTO_UDP : IPPROTO_TCP, udp ? BOUND : WAITING, port, 0, &answers);
                for (const struct nlmsghdr *m = NULL; r >= 0 && (m = netlink_next(&answers, m));)
                        result |= reached_by(m);
        }
        return r < 0 ? r : result;
}
