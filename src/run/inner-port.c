/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/netns.h"
#include "run/inner-port.h"
#include "util/fd.h"

#define CONNECTIONS_MAX 512 /* at once; more wait until one is over */
#define CHUNK_SIZE (64U << 10) /* bytes moved at once: what a pipe holds */

/* One direction: from a socket through a pipe to the other socket. */
typedef struct Flow {
        int pipe[2];
        size_t held;  /* bytes in the pipe */
        bool ended;   /* nothing more comes */
        bool closed;  /* and the other side knows */
} Flow;

typedef struct Connection Connection;
struct Connection {
        InnerPort *port;
        Connection *next, *previous;
        int fds[2]; /* 0: the client, 1: the payload */
        sd_event_source *sources[2];
        Flow flows[2]; /* 0: to the payload, 1: to the client */
};

struct InnerPort {
        sd_event *event;
        int listener;
        sd_event_source *source;
        struct sockaddr_storage destination;
        socklen_t destination_size;
        Connection *connections;
        unsigned n_connections;
};

static void connection_free(Connection *c) {
        InnerPort *p = c->port;

        for (int i = 0; i < 2; i++) {
                sd_event_source_disable_unref(c->sources[i]);
                fd_close(c->fds[i]);
                fd_close(c->flows[i].pipe[0]);
                fd_close(c->flows[i].pipe[1]);
        }
        if (c->next)
                c->next->previous = c->previous;
        if (c->previous)
                c->previous->next = c->next;
        else
                p->connections = c->next;
        p->n_connections--;
        free(c);
        if (p->source)
                (void) sd_event_source_set_enabled(p->source, SD_EVENT_ON);
}

/* 1: something was moved; 0: it has to wait; negative: the connection is broken. */
static int flow_move(Flow *f, int from, int to) {
        bool moved = false;
        ssize_t n;

        if (!f->ended && f->held == 0) {
                n = splice(from, NULL, f->pipe[1], NULL, CHUNK_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
                if (n < 0 && errno != EAGAIN)
                        return -errno;
                f->ended = n == 0;
                f->held += n > 0 ? (size_t) n : 0;
                moved = n >= 0;
        }
        if (f->held > 0) {
                n = splice(f->pipe[0], NULL, to, NULL, f->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
                if (n < 0 && errno != EAGAIN)
                        return -errno;
                f->held -= n > 0 ? (size_t) n : 0;
                moved = moved || n > 0;
        }
        if (f->ended && f->held == 0 && !f->closed) {
                (void) shutdown(to, SHUT_WR);
                f->closed = true;
        }
        return moved;
}

/* What each socket has to be asked for: room where the pipe to it holds something, else something new. */
static int connection_wait(Connection *c) {
        for (int i = 0; i < 2; i++) {
                const Flow *in = &c->flows[i], *out = &c->flows[1 - i];
                uint32_t events = (in->held == 0 && !in->ended ? EPOLLIN : 0U) | (out->held > 0 ? EPOLLOUT : 0U);
                /* One that is through would report its end again and again. */
                int r = sd_event_source_set_enabled(c->sources[i], events != 0 ? SD_EVENT_ON : SD_EVENT_OFF);

                if (r >= 0 && events != 0)
                        r = sd_event_source_set_io_events(c->sources[i], events);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int on_connection(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Connection *c = userdata;
        int r = 0;

        for (int i = 0; i < 2 && r >= 0; i++)
                r = flow_move(&c->flows[i], c->fds[i], c->fds[1 - i]);
        if (r >= 0)
                r = connection_wait(c);
        /* A reset shows as an error, and both ends closed as two flows at their end. */
        if (r < 0 || (events & EPOLLERR) || (c->flows[0].closed && c->flows[1].closed))
                connection_free(c);
        return 0;
}

static int connection_open(InnerPort *p, Connection *c, int client) {
        c->fds[0] = client;
        for (int i = 0; i < 2; i++)
                if (pipe2(c->flows[i].pipe, O_CLOEXEC | O_NONBLOCK) < 0)
                        return -errno;
        c->fds[1] = socket(p->destination.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (c->fds[1] < 0)
                return -errno;
        if (connect(c->fds[1], (struct sockaddr *) &p->destination, p->destination_size) < 0 && errno != EINPROGRESS)
                return -errno;
        for (int i = 0; i < 2; i++) {
                int r = sd_event_add_io(p->event, &c->sources[i], c->fds[i], EPOLLIN, on_connection, c);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int on_listener(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        InnerPort *p = userdata;
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        Connection *c;

        if (client < 0)
                return 0;
        c = calloc(1, sizeof(*c));
        if (!c) {
                fd_close(client);
                return 0;
        }
        *c = (Connection){ .port = p, .next = p->connections, .fds = { -EBADF, -EBADF } };
        for (int i = 0; i < 2; i++)
                c->flows[i] = (Flow){ .pipe = { -EBADF, -EBADF } };
        if (p->connections)
                p->connections->previous = c;
        p->connections = c;
        if (++p->n_connections >= CONNECTIONS_MAX)
                (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        if (connection_open(p, c, client) < 0)
                connection_free(c);
        return 0;
}

static int listener_open(int netns, uint16_t port) {
        struct sockaddr_in6 all6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
        struct sockaddr_in all = { .sin_family = AF_INET, .sin_port = htons(port) };
        _cleanup_close_ int fd = netns_socket(netns, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int yes = 1, no = 0, r;

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

int inner_port_new(sd_event *event, int pid, uint16_t port, const struct sockaddr_storage *destination, socklen_t size, InnerPort **ret) {
        _cleanup_close_ int netns = netns_of(pid);
        InnerPort *p;
        int r;

        if (netns < 0)
                return netns;
        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = (InnerPort){ .event = event, .destination = *destination, .destination_size = size };
        p->listener = listener_open(netns, port);
        r = p->listener < 0 ? p->listener : sd_event_add_io(event, &p->source, p->listener, EPOLLIN, on_listener, p);
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
        p->source = sd_event_source_disable_unref(p->source);
        while (p->connections)
                connection_free(p->connections);
        fd_close(p->listener);
        free(p);
        return NULL;
}
