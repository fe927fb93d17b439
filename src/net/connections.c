/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/connections.h"
#include "net/netlink.h"
#include "util/fd.h"

#define OPEN (1U << TCP_ESTABLISHED | 1U << TCP_SYN_RECV | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | 1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | \
                1U << TCP_CLOSING)

static int family_has_connection(int fd, int family, uint16_t port) {
        const struct inet_diag_req_v2 request = {
                .sdiag_family = (uint8_t) family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = OPEN, .id.idiag_sport = htobe16(port),
        };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        _cleanup_buf_ Buf answers = BUF_INIT;
        int r;

        netlink_begin(&b, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof(request));
        r = netlink_dump(fd, &b, &answers);
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
