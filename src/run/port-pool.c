/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
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

/* Those that are not there yet. */
static int port_store(const PooledPort *p) {
        _cleanup_free_ char *text = str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s%u", p->key, p->port.host);
        int fds[_PORT_KIND_MAX];
        unsigned n = 0;

        for (int k = 0; k < _PORT_KIND_MAX; k++)
                if (p->port.sockets[k] >= 0 && !p->port.foreign[k])
                        fds[n++] = p->port.sockets[k];
        if (!text)
                return -ENOMEM;
        return n > 0 ? sd_pid_notify_with_fds(0, 0, text, fds, n) : 0;
}

static void port_adopt_all(PooledPort *p, Adoption *a) {
        for (size_t i = 0; i < a->n_sockets; i++) {
                AdoptedSocket *s = &a->sockets[i];
                const char *host = str_after(s->name, p->key);
                uint64_t number;

                if (s->fd < 0 || strstr(s->name, ADOPT_INNER_INFIX))
                        continue;
                if (str_after(s->name, ADOPT_PORT_PREFIX) ?
                                host && parse_u64(host, UINT16_MAX, &number) >= 0 && port_adopt(&p->port, s->fd, (uint16_t) number) > 0 :
                                port_adopt_foreign(&p->port, s->fd) > 0)
                        s->fd = -EBADF;
        }
}

void port_pool_drop_left(const Adoption *a) {
        for (size_t i = 0; i < a->n_sockets; i++)
                if (a->sockets[i].fd >= 0 && str_after(a->sockets[i].name, ADOPT_PORT_PREFIX))
                        (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", a->sockets[i].name);
}

/* ---- ports ---- */

/* A payload that shuts the socket down, as some do when they end, has it shut for all. */
static int on_port_shut(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        if (listen(fd, PORT_BACKLOG) < 0)
                (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

/* All sockets that serve now, and no others: one that does not would report that it is shut for ever. */
static void port_watch(PooledPort *p) {
        for (int k = 0; k < _PORT_KIND_MAX; k++)
                if (!p->port.serving[k] || p->port.foreign[k])
                        p->watches[k] = sd_event_source_disable_unref(p->watches[k]);
                else if (!p->watches[k])
                        (void) sd_event_add_io(p->event, &p->watches[k], p->port.sockets[k], EPOLLHUP, on_port_shut, NULL);
}

static PooledPort *pooled_free(PooledPort *p) {
        if (!p)
                return NULL;
        for (int k = 0; k < _PORT_KIND_MAX; k++)
                sd_event_source_disable_unref(p->watches[k]);
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
                r = port_open(&p->port, spec, reterr);
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

static PooledPort *pool_find(const PortPool *pool, const char *key) {
        for (size_t i = 0; i < pool->n; i++)
                if (streq(pool->items[i]->key, key))
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
        p = pool_find(pool, key);
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

void port_pool_put(PortPool *pool, Port *port) {
        size_t at = pool_index(pool, port);
        PooledPort *p = pool->items[at];

        if (--p->users > 0)
                return;
        if (!pool->kept)
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s%u", p->key, p->port.host);
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
