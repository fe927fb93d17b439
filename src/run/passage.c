/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <stdlib.h>

#include "net/netns.h"
#include "net/socket.h"
#include "run/inside.h"
#include "run/instance.h"
#include "run/passage.h"
#include "util/fd.h"

struct Passage {
        Supervisor *sv;
        Port *port;
        PortKind kind;
        int fd;
        sd_event_source *source; /* NULL: they wait, or are somebody else's */
        PumpSet pumps;
};

bool passage_is_live(const Instance *i) {
        return i->state == INSTANCE_READY && !i->sv->maintenance;
}

/* The next of those that are live and listen inside; NULL: none is. */
static Instance *next_inside(Supervisor *sv, const Port *port, size_t *ret_port) {
        for (size_t n = 0; n < sv->n_instances; n++) {
                Instance *i = sv->instances[sv->passages.next++ % sv->n_instances];
                size_t k = process_port(i->process, port);

                if (k < i->process->n_ports && passage_is_live(i) && inside_has(i, k)) {
                        *ret_port = k;
                        return i;
                }
        }
        return NULL;
}

/* One that is live and has taken over, for that port, the main one of its port of the container; NULL: none has. */
static const Port *main_taken(const Supervisor *sv, const Port *port) {
        for (size_t n = 0; n < sv->n_instances; n++) {
                const Instance *i = sv->instances[n];
                size_t k = process_port(i->process, port), main;

                if (k == i->process->n_ports || !passage_is_live(i))
                        continue;
                main = inside_main(i, k);
                if (main != k && !takeover_has(&i->takeover, k, _PORT_KIND_MAX) && takeover_has(&i->takeover, main, _PORT_KIND_MAX))
                        return i->process->ports[main];
        }
        return NULL;
}

static int connect_address(const Address *a, uint16_t port, int netns) {
        struct sockaddr_storage to;
        socklen_t size = address_socket(a, port, &to);
        _cleanup_close_ int fd = -EBADF;

        if (netns < 0)
                return socket_connect(&to, size);
        fd = netns_socket(netns, a->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return fd;
        return connect(fd, (struct sockaddr *) &to, size) < 0 && errno != EINPROGRESS ? -errno : TAKE_FD(fd);
}

static int connect_inside(const Instance *i, size_t port) {
        static const Address loopback[] = {
                { .family = AF_INET, .bytes = { 127, 0, 0, 1 } }, { .family = AF_INET6, .bytes = { [15] = 1 } },
        };
        uint16_t number = i->process->spec->ports.items[port].container;
        bool ipv4 = inside_has_ipv4(i, port);
        const Address *a = inside_address(i, port, AF_INET);
        _cleanup_close_ int netns = -EBADF;

        if (a->family == 0)
                a = inside_address(i, port, AF_INET6);
        if (a->family != 0)
                return connect_address(a, number, -EBADF);
        netns = netns_of(i->pid);
        return netns < 0 ? netns : connect_address(&loopback[!ipv4], number, netns);
}

static int connect_main(const Port *main) {
        for (PortKind kind = 0; kind < _PORT_KIND_MAX; kind++)
                if (main->sockets[kind] >= 0 && main->serving[kind] && main->held[kind] > 0)
                        return port_connect(main, kind, PORT_PARKED);
        return -ECONNREFUSED;
}

static int on_client(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        struct pollfd waiting = { .fd = fd, .events = POLLIN };
        Passage *p = userdata;
        const Instance *i;
        const Port *main;
        size_t port;
        int client, server;

        /* An instance may have a copy of the socket, and then it must not be one that does not block. */
        client = poll(&waiting, 1, 0) > 0 ? accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -EAGAIN;
        if (client < 0)
                return 0;
        i = next_inside(p->sv, p->port, &port);
        main = i ? NULL : main_taken(p->sv, p->port);
        server = i ? connect_inside(i, port) : main ? connect_main(main) : -ECONNREFUSED;
        if (server >= 0)
                (void) pump_new(&p->pumps, client, server, NULL, 0);
        else
                fd_close(client);
        return 0;
}

/* Who is being served is served on. */
static void passage_shut(Passage *p) {
        p->pumps.listener = NULL;
        p->source = sd_event_source_disable_unref(p->source);
}

static Passage *passage_free(Passage *p) {
        passage_shut(p);
        pump_set_clear(&p->pumps);
        free(p);
        return NULL;
}

static Passage *passage_find(const Passages *all, const Port *port, PortKind kind) {
        for (size_t k = 0; k < all->n; k++)
                if (all->items[k]->port == port && all->items[k]->kind == kind)
                        return all->items[k];
        return NULL;
}

static int passage_open(Supervisor *sv, Port *port, PortKind kind) {
        Passages *all = &sv->passages;
        Passage *p = passage_find(all, port, kind);
        int r;

        if (p && p->fd != port->sockets[kind])
                passage_shut(p);
        if (p && p->source)
                return 0;
        if (!p) {
                Passage **items = reallocarray(all->items, all->n + 1, sizeof(Passage *));

                if (items)
                        all->items = items;
                p = items ? calloc(1, sizeof(*p)) : NULL;
                if (!p)
                        return -ENOMEM;
                *p = (Passage){ .sv = sv, .port = port, .kind = kind, .pumps.event = sv->event };
                all->items[all->n++] = p;
        }
        p->fd = port->sockets[kind];
        r = sd_event_add_io(sv->event, &p->source, p->fd, EPOLLIN, on_client, p);
        if (r >= 0)
                p->pumps.listener = p->source;
        return r;
}

static void passage_close(Passages *all, const Port *port, PortKind kind) {
        Passage *p = passage_find(all, port, kind);

        if (p)
                passage_shut(p);
}

void passages_forget(Supervisor *sv, const Port *port) {
        Passages *all = &sv->passages;
        size_t kept = 0;

        for (size_t k = 0; k < all->n; k++)
                if (all->items[k]->port != port)
                        all->items[kept++] = all->items[k];
                else
                        (void) passage_free(all->items[k]);
        all->n = kept;
}

int passages_update(Supervisor *sv, Port *port) {
        size_t ignored;
        bool open = port->spec.protocol == SPEC_PROTOCOL_TCP && (next_inside(sv, port, &ignored) || main_taken(sv, port));
        int r = 0;

        for (PortKind kind = 0; r >= 0 && kind < _PORT_KIND_MAX; kind++)
                if (open && port->sockets[kind] >= 0 && port->serving[kind])
                        r = passage_open(sv, port, kind);
                else
                        passage_close(&sv->passages, port, kind);
        return r;
}

void passages_clear(Passages *all) {
        for (size_t k = 0; k < all->n; k++)
                (void) passage_free(all->items[k]);
        free(all->items);
        *all = (Passages){ 0 };
}
