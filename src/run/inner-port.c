/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/netns.h"
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

int inner_port_listen(int pid, uint16_t port) {
        struct sockaddr_in6 all6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
        struct sockaddr_in all = { .sin_family = AF_INET, .sin_port = htons(port) };
        _cleanup_close_ int netns = netns_of(pid), fd = -EBADF;
        int yes = 1, no = 0, r;

        if (netns < 0)
                return netns;
        fd = netns_socket(netns, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (fd >= 0) {
                (void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
                (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
                r = bind(fd, (struct sockaddr *) &all6, sizeof(all6)) < 0 ? -errno : 0;
        } else
                r = fd;
        if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL) { /* no IPv6 there */
                fd_close(fd);
                fd = netns_socket(netns, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                if (fd < 0)
                        return fd;
                (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
                r = bind(fd, (struct sockaddr *) &all, sizeof(all)) < 0 ? -errno : 0;
        }
        if (r < 0)
                return r;
        return listen(fd, SOMAXCONN) < 0 ? -errno : TAKE_FD(fd);
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
