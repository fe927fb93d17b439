/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>

#include "unit/text-internal.h"
#include "util/strv.h"

/* The socket unit of an app that a connection starts. */

char *unit_socket_name(const Spec *s) {
        return s->kind == SPEC_CONTAINER && s->activation == SPEC_ACTIVATION_SOCKET ? str_format("%s.socket", s->service) : NULL;
}

/* A port without an address listens for both families. */
static char *listen_address(const SpecPort *p) {
        char address[INET6_ADDRSTRLEN];

        if (*p->unknown)
                return strdup(p->unknown);
        if (p->family == 0)
                return str_format("%u", p->host);
        if (!inet_ntop(p->family, p->address, address, sizeof(address)))
                return NULL;
        return p->family == AF_INET6 ? str_format("[%s]:%u", address, p->host) : str_format("%s:%u", address, p->host);
}

static int put_port(Buf *b, const SpecPort *p, char ***done) {
        _cleanup_free_ char *address = listen_address(p), *line = NULL;

        if (address)
                line = str_format("%s=%s\n", p->protocol == SPEC_PROTOCOL_UDP ? "ListenDatagram" : "ListenStream", address);
        if (!line)
                return -ENOMEM;
        /* Two processes may publish one. */
        if (strv_contains(*done, line))
                return 0;
        return buf_puts(b, line) < 0 ? -ENOMEM : strv_consume(done, TAKE_PTR(line));
}

static int put_ports(Buf *b, const Spec *s) {
        _cleanup_strv_ char **done = NULL;
        int r = 0;

        for (size_t i = 0; r == 0 && i < s->n_processes; i++)
                for (size_t k = 0; r == 0 && k < s->processes[i].ports.n; k++)
                        r = put_port(b, &s->processes[i].ports.items[k], &done);
        return r;
}

bool unit_socket_is_wanted(const Spec *s) {
        return s->wanted_by.n > 0 || s->required_by.n > 0 || s->upheld_by.n > 0;
}

int unit_socket_text(const Spec *s, Buf *ret) {
        int r = unit_put_comment(ret);

        if (r == 0)
                r = unit_put_part_head(ret, s, "Sockets");
        if (r == 0)
                r = buf_puts(ret, "[Socket]\n");
        if (r == 0)
                r = put_ports(ret, s);
        /* Whatever net.ipv6.bindv6only is. */
        if (r == 0)
                r = buf_puts(ret, "BindIPv6Only=both\n");
        return r == 0 ? unit_put_install(ret, s, UNIT_INSTALL_SOCKET) : r;
}
