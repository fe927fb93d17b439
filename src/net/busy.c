/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "net/busy.h"
#include "net/netlink.h"
#include "net/sock-diag.h"
#include "util/fd.h"

#define WAITING (1U << TCP_ESTABLISHED | 1U << TCP_CLOSE_WAIT)
#define TCP_ESTABLISHED 1 /* of the kernel's enum, which glibc's netinet/tcp.h has and linux/tcp.h has not */
#define TCP_CLOSE_WAIT 8

#define FIRST_WORD_MS 1000U /* a client that has connected has so long to say what it wants */
#define SAME_MOMENT_MS 200U /* what came and went in one tick: so long it may have come later */

typedef struct Sockets {
        uint64_t *inodes;
        size_t n;
} Sockets;

bool connection_is_busy(const struct tcp_info *info, uint32_t unread, uint32_t unsent) {
        if (unread > 0 || unsent > 0)
                return true;
        if (info->tcpi_bytes_sent == 0)
                return info->tcpi_bytes_received > 0 || info->tcpi_last_data_sent < FIRST_WORD_MS; /* since it is there */
        if (info->tcpi_last_data_recv == info->tcpi_last_data_sent)
                return info->tcpi_last_data_recv < SAME_MOMENT_MS;
        return info->tcpi_last_data_recv < info->tcpi_last_data_sent;
}

static int take(Sockets *s, const struct nlmsghdr *m) {
        const struct inet_diag_msg *c = NLMSG_DATA(m);
        const struct tcp_info *info = netlink_get(m, sizeof(*c), INET_DIAG_INFO, offsetof(struct tcp_info, tcpi_bytes_sent) + sizeof(info->tcpi_bytes_sent));
        uint64_t *more;

        if (!info || c->idiag_inode == 0 || !connection_is_busy(info, c->idiag_rqueue, c->idiag_wqueue))
                return 0;
        more = reallocarray(s->inodes, s->n + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        s->inodes = more;
        s->inodes[s->n++] = c->idiag_inode;
        return 0;
}

static int family_add(int fd, int family, uint16_t port, Sockets *s) {
        _cleanup_buf_ Buf answers = BUF_INIT;
        int r = sock_diag_find(fd, family, IPPROTO_TCP, WAITING, port, 1U << (INET_DIAG_INFO - 1), &answers);

        for (const struct nlmsghdr *m = NULL; r >= 0 && (m = netlink_next(&answers, m));)
                r = take(s, m);
        return r;
}

int port_busy_sockets(const Port *p, uint64_t **ret, size_t *ret_n) {
        _cleanup_close_ int fd = -EBADF;
        Sockets s = { 0 };
        int r = 0;

        if (p->spec.protocol == SPEC_PROTOCOL_TCP) {
                fd = netlink_socket(NETLINK_SOCK_DIAG);
                r = fd;
                if (r >= 0 && p->spec.family != AF_INET6)
                        r = family_add(fd, AF_INET, p->host, &s);
                if (r >= 0 && p->spec.family != AF_INET)
                        r = family_add(fd, AF_INET6, p->host, &s);
        }
        if (r < 0) {
                free(s.inodes);
                return r;
        }
        *ret = s.inodes;
        *ret_n = s.n;
        return 0;
}
