/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "net/netlink.h"
#include "net/sock-diag.h"

int sock_diag_find(int fd, int family, int protocol, uint32_t states, uint16_t port, uint8_t extensions, Buf *ret) {
        const struct inet_diag_req_v2 request = {
                .sdiag_family = (uint8_t) family, .sdiag_protocol = (uint8_t) protocol, .idiag_ext = extensions, .idiag_states = states,
                .id.idiag_sport = htobe16(port),
        };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;

        netlink_begin(&b, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof(request));
        return netlink_dump(fd, &b, ret);
}
