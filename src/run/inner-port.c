/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/netns.h"
#include "net/socket.h"
#include "run/inner-port.h"
#include "run/pump.h"
#include "util/fd.h"

struct InnerPort {
        int listener;
        const Takeover *takeover;
        size_t port;
        PumpSet pumps;
};

static int on_listener(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        InnerPort *p = userdata;
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), server;

        if (client < 0)
                return 0;
        server = takeover_connect(p->takeover, p->port);
        if (server >= 0)
                (void) pump_new(&p->pumps, client, server, NULL, 0);
        else
                fd_close(client);
        return 0;
}

/* A socket on all addresses of a family, with IPv6 those of IPv4 in it or not. */
static int bound_socket(int netns, int family, bool only, uint16_t port) {
        struct sockaddr_in6 all6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
        struct sockaddr_in all = { .sin_family = AF_INET, .sin_port = htons(port) };
        _cleanup_close_ int fd = netns_socket(netns, family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int r = fd < 0 ? fd : 0;

        if (r >= 0 && family == AF_INET6)
                r = socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, only);
        if (r >= 0)
                r = socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (r >= 0 && bind(fd, family == AF_INET ? (struct sockaddr *) &all : (struct sockaddr *) &all6, family == AF_INET ? sizeof(all) : sizeof(all6)) < 0)
                r = -errno;
        if (r >= 0 && listen(fd, SOMAXCONN) < 0)
                r = -errno;
        return r < 0 ? r : TAKE_FD(fd);
}

int inner_port_listen(int pid, uint16_t port) {
        _cleanup_close_ int netns = netns_of(pid);
        int r = netns < 0 ? netns : bound_socket(netns, AF_INET6, false, port);

        /* The payload has one of the families, or there is no IPv6. */
        if (r == -EADDRINUSE || r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
                r = bound_socket(netns, AF_INET, false, port);
        if (r == -EADDRINUSE)
                r = bound_socket(netns, AF_INET6, true, port);
        return r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL ? -EADDRINUSE : r;
}

int inner_port_new(sd_event *event, int listener, const Takeover *t, size_t port, InnerPort **ret) {
        InnerPort *p = calloc(1, sizeof(*p));
        int r;

        if (!p) {
                fd_close(listener);
                return -ENOMEM;
        }
        *p = (InnerPort){ .listener = listener, .takeover = t, .port = port, .pumps.event = event };
        r = sd_event_add_io(event, &p->pumps.listener, p->listener, EPOLLIN, on_listener, p);
        if (r < 0) {
                (void) inner_port_free(p);
                return r;
        }
        *ret = p;
        return 0;
}

InnerPort *inner_port_free(InnerPort *p) {
        if (!p)
                return NULL;
        sd_event_source_disable_unref(p->pumps.listener);
        pump_set_clear(&p->pumps);
        /* Whoever else has it: PID 1 may let a thread of its own close it, some time. What does not listen is in nobody's way who sets
         * SO_REUSEADDR, as servers do. */
        (void) shutdown(p->listener, SHUT_RDWR);
        fd_close(p->listener);
        free(p);
        return NULL;
}
