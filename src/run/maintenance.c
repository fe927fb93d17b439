/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/instance.h"
#include "run/maintenance.h"
#include "run/publish.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/strv.h"

#define CLIENTS_MAX 512
#define REQUEST_MAX (64U * 1024)               /* bytes of a request that are read before it is answered */
#define CLIENT_USEC (10U * 1000 * 1000)        /* that a client has for all */
#define RETRY_AFTER "60"

static const char own_page[] =
        "<!DOCTYPE html>\n"
        "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Maintenance</title></head>\n"
        "<body><h1>Maintenance</h1><p>This service is being worked on, and will be back soon.</p></body></html>\n";

/* What answers at one kind of a port. */
typedef struct Listener {
        Maintenance *of;
        Port *port;
        unsigned slot;
        sd_event_source *source;
} Listener;

/* One that is being answered. */
typedef struct Client {
        Maintenance *of;
        sd_event_source *source, *timer;
        size_t read, sent;
        char begin[STRLEN("HEAD ")]; /* the first bytes of what was read: the method */
        char end[4];                 /* the last ones */
        bool answered;
        Buf answer;
} Client;

struct Maintenance {
        Supervisor *sv;
        const Release *release; /* whose ports these are */
        Listener *listeners;
        size_t n_listeners;
        Client *clients[CLIENTS_MAX];
        size_t n_clients;
        char *page;
        size_t page_size;
        const char *page_type; /* Content-Type */
};

static void client_free(Client *c) {
        Maintenance *m = c->of;

        for (size_t k = 0; k < m->n_clients; k++)
                if (m->clients[k] == c) {
                        m->clients[k] = m->clients[--m->n_clients];
                        break;
                }
        sd_event_source_disable_unref(c->source);
        sd_event_source_disable_unref(c->timer);
        buf_clear(&c->answer);
        free(c);
}

static int on_client_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        client_free(userdata);
        return 0;
}

static int answer_make(Client *c) {
        Maintenance *m = c->of;
        int r = buf_printf(&c->answer,
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                "Retry-After: " RETRY_AFTER "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", m->page_type, m->page_size);

        /* RFC 9110 9.3.2: the same head, and no more. */
        return r < 0 || memcmp(c->begin, "HEAD ", sizeof(c->begin)) == 0 ? r : buf_append(&c->answer, m->page, m->page_size);
}

/* The end of the head, RFC 9112 2.1: an empty line. What comes behind it nobody wants. */
static bool request_ends(Client *c, const char *data, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (c->read + i < sizeof(c->begin))
                        c->begin[c->read + i] = data[i];
                memmove(c->end, c->end + 1, sizeof(c->end) - 1);
                c->end[sizeof(c->end) - 1] = data[i];
                if (memcmp(c->end, "\r\n\r\n", 4) == 0 || memcmp(c->end + 2, "\n\n", 2) == 0)
                        return true;
        }
        c->read += n;
        return c->read > REQUEST_MAX;
}

static int client_write(Client *c, int fd) {
        while (c->sent < c->answer.size) {
                ssize_t n = send(fd, c->answer.data + c->sent, c->answer.size - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? sd_event_source_set_io_events(c->source, EPOLLOUT) : -errno;
                c->sent += (size_t) n;
        }
        /* What it still sends is read, until it has seen the end: a reset could take the answer from it. */
        (void) shutdown(fd, SHUT_WR);
        return sd_event_source_set_io_events(c->source, EPOLLIN);
}

static int on_client(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Client *c = userdata;
        char data[4096];
        int r = 0;

        if (events & EPOLLIN) {
                ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

                if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                        r = -ECONNRESET;
                else if (n > 0 && !c->answered && request_ends(c, data, (size_t) n)) {
                        c->answered = true;
                        r = answer_make(c);
                }
        } else if (events & (EPOLLHUP | EPOLLERR))
                r = -ECONNRESET;
        if (r >= 0 && c->answered && c->sent < c->answer.size)
                r = client_write(c, fd);
        if (r < 0)
                client_free(c);
        return 0;
}

static int client_new(Maintenance *m, int fd) {
        Client *c = calloc(1, sizeof(*c));
        int r;

        if (!c) {
                fd_close(fd);
                return -ENOMEM;
        }
        *c = (Client){ .of = m, .answer = BUF_INIT };
        m->clients[m->n_clients++] = c;
        r = sd_event_add_io(m->sv->event, &c->source, fd, EPOLLIN, on_client, c);
        if (r < 0)
                fd_close(fd);
        else
                r = sd_event_source_set_io_fd_own(c->source, true);
        if (r >= 0)
                r = sd_event_add_time_relative(m->sv->event, &c->timer, CLOCK_MONOTONIC, CLIENT_USEC, 0, on_client_timer, c);
        if (r < 0)
                client_free(c);
        return r;
}

static int on_listener(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Maintenance *m = ((Listener *) userdata)->of;
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client < 0)
                return 0;
        if (m->n_clients >= CLIENTS_MAX)
                client_free(m->clients[0]); /* the oldest, more or less */
        (void) client_new(m, client);
        return 0;
}

/* ---- the ports ---- */

static int listener_add(Maintenance *m, Port *p, PortKind kind, unsigned slot, Error *reterr) {
        Listener *l = &m->listeners[m->n_listeners];
        _cleanup_close_ int own = -EBADF;
        int fd, r;

        r = port_listener(p, kind, slot, &fd, reterr);
        if (r <= 0)
                return r;
        own = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* fd is the port's */
        if (own < 0 || set_nonblock(own, true) < 0)
                return -errno;
        *l = (Listener){ .of = m, .port = p, .slot = slot };
        r = sd_event_add_io(m->sv->event, &l->source, own, EPOLLIN, on_listener, l);
        if (r < 0)
                return r;
        (void) TAKE_FD(own);
        m->n_listeners++;
        return sd_event_source_set_io_fd_own(l->source, true);
}

static void listeners_drop(Maintenance *m, size_t first) {
        while (m->n_listeners > first)
                sd_event_source_disable_unref(m->listeners[--m->n_listeners].source);
}

/* All kinds that a client can reach now; where nobody serves yet, that of both families or of the address. */
static int port_take(Maintenance *m, Port *p, Error *reterr) {
        size_t first = m->n_listeners;
        bool any = false;
        int slot, r = 0;

        if (p->spec.protocol != SPEC_PROTOCOL_TCP)
                return 0;
        if (!port_is_grouped(p))
                return error_set(reterr, -EOPNOTSUPP, "port %s is shared with a .socket unit, or this kernel has no groups of listeners: Maintenance= cannot take it over",
                        port_text(p).text);
        slot = port_slot_new(p);
        if (slot < 0)
                return slot;
        for (int kind = 0; kind < _PORT_KIND_MAX && r >= 0; kind++)
                if (p->serving[kind]) {
                        any = true;
                        r = listener_add(m, p, (PortKind) kind, (unsigned) slot, reterr);
                }
        if (r >= 0 && !any)
                r = listener_add(m, p, p->spec.family == AF_INET ? PORT_IPV4 : p->spec.family == AF_INET6 ? PORT_IPV6 : PORT_DUAL, (unsigned) slot, reterr);
        if (r < 0) {
                listeners_drop(m, first);
                port_slot_free(p, (unsigned) slot);
                return r;
        }
        return port_slot_set_live(p, (unsigned) slot, true);
}

static size_t ports_count(const Supervisor *sv) {
        size_t n = 0;

        for (size_t i = 0; i < sv->release->n_processes; i++)
                n += sv->release->processes[i].n_ports;
        return n;
}

static void instances_live(Supervisor *sv) {
        for (size_t k = 0; k < sv->n_instances; k++)
                publish_set_live(sv->instances[k], sv->instances[k]->state == INSTANCE_READY);
}

/* By the end of its name. */
static const char *type_of(const char *path) {
        static const struct {
                const char *suffix, *type;
        } types[] = { { ".txt", "text/plain; charset=utf-8" }, { ".json", "application/json" } };

        for (size_t i = 0; path && i < ELEMENTSOF(types); i++)
                if (str_ends_with(path, types[i].suffix))
                        return types[i].type;
        return "text/html; charset=utf-8";
}

static int page_read(Maintenance *m, const char *path, Error *reterr) {
        char *page;
        size_t size;
        int r;

        if (path)
                r = read_file(AT_FDCWD, path, MAINTENANCE_PAGE_MAX, &page, &size);
        else {
                page = strdup(own_page);
                size = strlen(own_page);
                r = page ? 0 : -ENOMEM;
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read MaintenancePage= '%s'", path ? path : "");
        free(m->page);
        m->page = page;
        m->page_size = size;
        m->page_type = type_of(path);
        return 0;
}

int maintenance_begin(Supervisor *sv, const char *page, Error *reterr) {
        Maintenance *m = sv->maintenance;
        int r;

        if (m && m->release == sv->release)
                return page_read(m, page, reterr);
        maintenance_end(sv);
        m = calloc(1, sizeof(*m));
        if (m)
                m->listeners = calloc(ports_count(sv) * _PORT_KIND_MAX + 1, sizeof(*m->listeners));
        if (!m || !m->listeners) {
                free(m);
                return -ENOMEM;
        }
        m->sv = sv;
        m->release = sv->release;
        sv->maintenance = m;
        r = page_read(m, page, reterr);
        for (size_t i = 0; r >= 0 && i < sv->release->n_processes; i++)
                for (size_t k = 0; r >= 0 && k < sv->release->processes[i].n_ports; k++)
                        r = port_take(m, sv->release->processes[i].ports[k], reterr);
        if (r < 0) {
                maintenance_end(sv);
                return *reterr->text ? r : error_set_errno(reterr, r, "cannot answer for the app's ports");
        }
        instances_live(sv);
        return 0;
}

void maintenance_end(Supervisor *sv) {
        Maintenance *m = TAKE_PTR(sv->maintenance);

        if (!m)
                return;
        instances_live(sv); /* first: nobody is to find nobody */
        for (size_t i = 0; i < m->n_listeners; i++) {
                const Listener *l = &m->listeners[i];

                /* Those of one port come one behind the other, and have one slot. */
                if (i == 0 || l->port != l[-1].port)
                        port_slot_free(l->port, l->slot);
        }
        listeners_drop(m, 0);
        while (m->n_clients > 0)
                client_free(m->clients[0]);
        free(m->listeners);
        free(m->page);
        free(m);
}
