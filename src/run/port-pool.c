/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "net/sockname.h"
#include "run/adopt.h"
#include "run/cgroup.h"
#include "run/port-pool.h"
#include "util/fd.h"
#include "util/strv.h"

struct PooledPort {
        Port port;
        char *key;          /* FDNAME= of its sockets, but for the number that it has on the host */
        uint16_t container; /* for who asks last */
        unsigned users;
        sd_event *event;
        sd_event_source *watches[_PORT_KIND_MAX];
        char *stored[_PORT_KIND_MAX + 1]; /* the names of its sockets and, last, its map in the store */
};

/* What has to be the same for sockets to be of use. (They do not tell by themselves: see sockname.h.) */
static char *port_key(const char *process, const SpecPort *s) {
        _cleanup_free_ char *asker = NULL;
        char address[2 * sizeof(s->address) + 1];

        for (size_t i = 0; i < sizeof(s->address); i++)
                (void) snprintf(address + 2 * i, 3, "%02x", s->address[i]);
        asker = s->host == 0 ? str_format("%s/%u", process ?: "", s->container) : strdup("/");
        return asker ? str_format(ADOPT_PORT_PREFIX "%s/%s/%d/%s/", asker, s->protocol == SPEC_PROTOCOL_UDP ? "udp" : "tcp", s->family,
                               s->family != 0 ? address : "") :
                       NULL;
}

/* ---- the store ---- */

/* What follows the key: the port's number on the host, and what the descriptor is, for each has to be removed by itself. */
static char *stored_name(const PooledPort *p, int kind) {
        struct stat st;

        if (kind == _PORT_KIND_MAX)
                return str_format("%s%u/map", p->key, p->port.host);
        return fstat(p->port.sockets[kind], &st) < 0 ? NULL : str_format("%s%u/%ju", p->key, p->port.host, (uintmax_t) st.st_ino);
}

static void stored_drop(PooledPort *p, int which) {
        if (p->stored[which])
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", p->stored[which]);
        free(p->stored[which]);
        p->stored[which] = NULL;
}

static int stored_set(PooledPort *p, int which, int fd) {
        _cleanup_free_ char *name = stored_name(p, which), *text = NULL;
        int r;

        if (!name)
                return -ENOMEM;
        if (streq_ptr(name, p->stored[which]))
                return 0;
        stored_drop(p, which);
        text = str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
        if (!text)
                return -ENOMEM;
        r = sd_pid_notify_with_fds(0, 0, text, &fd, 1);
        if (r >= 0)
                p->stored[which] = TAKE_PTR(name);
        return r;
}

/* Those that are not there yet. */
static int port_store(PooledPort *p) {
        int r = 0;

        for (int k = 0; k < _PORT_KIND_MAX && r >= 0; k++)
                if (p->port.sockets[k] < 0)
                        stored_drop(p, k);
                else if (!p->port.foreign[k])
                        r = stored_set(p, k, p->port.sockets[k]);
        return r >= 0 && port_is_grouped(&p->port) ? stored_set(p, _PORT_KIND_MAX, p->port.map) : r;
}

/* The map comes after the sockets. */
static void port_adopt_all(PooledPort *p, Adoption *a) {
        for (size_t i = 0; i < 2 * a->n_sockets; i++) {
                AdoptedSocket *s = &a->sockets[i % a->n_sockets];
                _cleanup_free_ char *host = NULL;
                const char *rest = str_after(s->name, p->key);
                bool map = str_ends_with(s->name, "/map");
                uint64_t number;
                int r = 0;

                if (s->fd < 0 || strstr(s->name, ADOPT_INNER_INFIX) || strstr(s->name, ADOPT_LISTENER_INFIX) || map != (i >= a->n_sockets))
                        continue;
                host = rest ? strndup(rest, strcspn(rest, "/")) : NULL;
                if (!str_after(s->name, ADOPT_PORT_PREFIX))
                        r = port_adopt_foreign(&p->port, s->fd);
                else if (host && parse_u64(host, UINT16_MAX, &number) >= 0)
                        r = !map ? port_adopt(&p->port, s->fd, (uint16_t) number) : number == p->port.host ? port_adopt_map(&p->port, s->fd) : 0;
                if (r > 0)
                        s->fd = -EBADF;
        }
}

void port_pool_drop_left(const Adoption *a) {
        for (size_t i = 0; i < a->n_sockets; i++) {
                const AdoptedSocket *s = &a->sockets[i];

                if (s->fd < 0)
                        continue;
                /* Who waits there goes to those who are left, however many have it open. */
                if (strstr(s->name, ADOPT_LISTENER_INFIX))
                        (void) shutdown(s->fd, SHUT_RD);
                if (strstr(s->name, ADOPT_LISTENER_INFIX) || strstr(s->name, ADOPT_INNER_INFIX) || str_after(s->name, ADOPT_PORT_PREFIX))
                        (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", s->name);
        }
}

/* ---- ports ---- */

/* A payload that shuts a shared socket down, as some do when they end, has it shut for all. */
static int on_port_shut(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        if (listen(fd, PORT_BACKLOG) < 0)
                (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

/* All sockets that serve now, and no others: one that does not would report that it is shut for ever. */
static void port_watch(PooledPort *p) {
        for (int k = 0; k < _PORT_KIND_MAX; k++)
                if (!p->port.serving[k] || p->port.foreign[k] || port_is_grouped(&p->port) || p->port.spec.protocol != SPEC_PROTOCOL_TCP)
                        p->watches[k] = sd_event_source_disable_unref(p->watches[k]);
                else if (!p->watches[k])
                        (void) sd_event_add_io(p->event, &p->watches[k], p->port.sockets[k], EPOLLHUP, on_port_shut, NULL);
}

static PooledPort *pooled_free(PooledPort *p) {
        if (!p)
                return NULL;
        for (int k = 0; k < _PORT_KIND_MAX; k++)
                sd_event_source_disable_unref(p->watches[k]);
        for (size_t k = 0; k < ELEMENTSOF(p->stored); k++)
                free(p->stored[k]);
        port_close(&p->port);
        free(p->key);
        free(p);
        return NULL;
}

DEFINE_CLEANUP(PooledPort *, pooled_free);

static int pooled_new(sd_event *event, const char *process, const SpecPort *spec, Adoption *a, PooledPort **ret, Error *reterr) {
        _cleanup_(pooled_freep) PooledPort *p = calloc(1, sizeof(*p));
        _cleanup_free_ char *owner = NULL;
        char text[ERROR_TEXT_MAX];
        int r;

        if (!p)
                return -ENOMEM;
        p->event = event;
        port_init(&p->port, spec);
        p->key = port_key(process, spec);
        if (!p->key)
                return -ENOMEM;
        if (a)
                port_adopt_all(p, a);
        if (!port_is_open(&p->port)) {
                r = port_open(&p->port, true, reterr);
                if (r == -EADDRINUSE && port_find_owner(&p->port, &owner) >= 0)
                        (void) error_set(reterr, r, "%s by %s", (const char *) memcpy(text, reterr->text, sizeof(text)), owner);
                if (r < 0)
                        return r;
        }
        r = port_store(p);
        if (r < 0)
                return r;
        port_watch(p);
        *ret = TAKE_PTR(p);
        return 0;
}

static PooledPort *pool_find(const PortPool *pool, const char *key, uint16_t host) {
        for (size_t i = 0; i < pool->n; i++)
                if (streq(pool->items[i]->key, key) && pool->items[i]->port.spec.host == host)
                        return pool->items[i];
        return NULL;
}

static int pool_add(PortPool *pool, PooledPort *p) {
        PooledPort **items = reallocarray(pool->items, pool->n + 1, sizeof(PooledPort *));

        if (!items)
                return -ENOMEM;
        pool->items = items;
        items[pool->n++] = p;
        return 0;
}

int port_pool_get(PortPool *pool, sd_event *event, const char *process, const SpecPort *spec, Adoption *a, Port **ret, Error *reterr) {
        _cleanup_free_ char *key = port_key(process, spec);
        PooledPort *p;
        int r;

        if (!key)
                return -ENOMEM;
        p = pool_find(pool, key, spec->host);
        if (!p) {
                r = pooled_new(event, process, spec, a, &p, reterr);
                if (r < 0)
                        return r;
                r = pool_add(pool, p);
                if (r < 0) {
                        (void) pooled_free(p);
                        return r;
                }
        }
        p->users++;
        p->container = spec->container;
        *ret = &p->port;
        return 0;
}

static size_t pool_index(const PortPool *pool, const Port *p) {
        size_t i = 0;

        while (&pool->items[i]->port != p)
                i++;
        return i;
}

size_t port_pool_count(const PortPool *pool) {
        return pool->n;
}

Port *port_pool_at(const PortPool *pool, size_t at) {
        return &pool->items[at]->port;
}

bool port_pool_is_last(const PortPool *pool, const Port *p) {
        return pool->items[pool_index(pool, p)]->users == 1;
}

void port_pool_put(PortPool *pool, Port *port) {
        size_t at = pool_index(pool, port);
        PooledPort *p = pool->items[at];

        if (--p->users > 0)
                return;
        for (size_t k = 0; !pool->kept && k < ELEMENTSOF(p->stored); k++)
                stored_drop(p, (int) k);
        (void) pooled_free(p);
        pool->items[at] = pool->items[--pool->n];
}

void port_pool_changed(PortPool *pool, Port *port) {
        PooledPort *p = pool->items[pool_index(pool, port)];

        (void) port_store(p);
        port_watch(p);
}

/* The sockets are made here, and all that is made here is for the app. */
int port_pool_translate(const PortPool *pool) {
        _cleanup_free_ SocknamePort *ports = calloc(pool->n + 1, sizeof(*ports));
        _cleanup_close_ int cgroup = -EBADF;
        size_t n = 0;

        if (!ports)
                return -ENOMEM;
        for (size_t i = 0; i < pool->n; i++) {
                const PooledPort *p = pool->items[i];

                if (p->port.host != p->container)
                        ports[n++] = (SocknamePort){ .host = p->port.host, .container = p->container, .protocol = p->port.spec.protocol };
        }
        if (n == 0)
                return 0;
        cgroup = cgroup_open_of_pid(getpid(), NULL);
        return cgroup < 0 ? cgroup : sockname_translate(cgroup, ports, n);
}

void port_pool_clear(PortPool *pool) {
        free(pool->items);
        *pool = (PortPool){ 0 };
}
