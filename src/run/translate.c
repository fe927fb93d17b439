/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "net/connections.h"
#include "net/flow.h"
#include "net/netlink.h"
#include "net/netns.h"
#include "net/port-rules.h"
#include "net/socket.h"
#include "run/health.h"
#include "run/instance.h"
#include "run/pump.h"
#include "run/translate.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/strv.h"

#define LOOK_FIRST_USEC (50U * 1000)     /* what is taken over mostly is so by then */
#define LOOK_FIRST_NAT_USEC (5U * 1000)  /* nothing is */
#define LOOK_LONGEST_USEC (1000U * 1000)

/* One instance's. */
struct Translation {
        Instance *instance;
        sd_event_source *timer;
        uint64_t delay_usec;
        uint8_t inside[]; /* by port: PORT_INSIDE_*; of each port of the container the main one has it */
};

/* Who comes to one of the host's sockets. */
typedef struct Passage {
        Supervisor *sv;
        Port *port;
        PortKind kind;
        int fd;
        sd_event_source *source; /* NULL: they wait, or are somebody else's */
        PumpSet pumps;
} Passage;

struct Translator {
        int socket;    /* that the rules belong to; -EBADF: there are none */
        Buf applied;   /* the rules, as they are compared */
        Passage **items;
        size_t n;
        unsigned next; /* of the instances */
        bool failed;   /* the kernel does not want the rules, and that has been said */
};

/* ---- who listens ---- */

static size_t main_port(const Instance *i, size_t port) {
        return spec_port_main(i->process->spec->ports.items, i->process->n_ports, port);
}

bool translate_has(const Instance *i, size_t port) {
        return i->translation && i->translation->inside[main_port(i, port)] != 0;
}

static bool is_internal(const Instance *i) {
        const Spec *network = i->process->spec->network_spec;

        return network && network->net.internal.value;
}

/* By which of its addresses; family 0: it has none that the payload listens on. */
static const Address *address_of(const Instance *i, size_t port, int family) {
        static const Address none;
        int bit = family == AF_INET6 ? PORT_INSIDE_IPV6 : PORT_INSIDE_IPV4;

        if (!translate_has(i, port) || !(i->translation->inside[main_port(i, port)] & bit))
                return &none;
        return &i->attachment.addresses[family == AF_INET6 ? NETWORK_IPV6 : NETWORK_IPV4];
}

static bool has_address(const Instance *i, size_t port) {
        return address_of(i, port, AF_INET)->family != 0 || address_of(i, port, AF_INET6)->family != 0;
}

/* What listens there, as far as anybody can come to it. */
static int look_at(Instance *i, int netns, size_t port) {
        const SpecPort *p = &i->process->spec->ports.items[port];
        int r = netns_listens(netns, p->protocol, p->container);

        if (r <= 0)
                return r;
        i->translation->inside[port] = (uint8_t) r;
        /* Without a network connections are made from within; datagrams come by rules alone. */
        if (!has_address(i, port) ? i->attachment.wanted || p->protocol == SPEC_PROTOCOL_UDP : p->protocol == SPEC_PROTOCOL_UDP && is_internal(i))
                i->translation->inside[port] = 0;
        return i->translation->inside[port] != 0;
}

/* 1: there is one more; *ret_left: some are still to come. */
static int look(Instance *i, bool *ret_left) {
        _cleanup_close_ int netns = netns_of(i->pid);
        int r = netns < 0 ? netns : 0, found = 0;

        *ret_left = false;
        for (size_t k = 0; r >= 0 && k < i->process->n_ports; k++) {
                if (main_port(i, k) != k || takeover_has(&i->takeover, k, _PORT_KIND_MAX) || i->translation->inside[k] != 0)
                        continue;
                r = look_at(i, netns, k);
                found = found || r > 0;
                *ret_left = *ret_left || r == 0;
        }
        return r < 0 ? r : found;
}

static int arm(struct Translation *t);

static void look_and_tell(Instance *i) {
        struct Translation *t = i->translation;
        bool left;
        int r = look(i, &left);

        if (r > 0) {
                if (i->process->spec->notify != SPEC_NOTIFY_YES && !health_gates(i))
                        instance_event(i, EVENT_READY);
                supervisor_changed(i->sv);
        }
        /* What comes after that is the payload's own business. */
        if (r < 0 || !left || (i->state != INSTANCE_STARTING && t->delay_usec >= LOOK_LONGEST_USEC))
                return;
        t->delay_usec = MIN(2 * t->delay_usec, (uint64_t) LOOK_LONGEST_USEC);
        (void) arm(t);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        struct Translation *t = userdata;

        t->timer = sd_event_source_disable_unref(t->timer);
        look_and_tell(t->instance);
        return 0;
}

static int arm(struct Translation *t) {
        return sd_event_add_time_relative(t->instance->sv->event, &t->timer, CLOCK_MONOTONIC, t->delay_usec, 1000, on_timer, t);
}

int translate_begin(Instance *i) {
        const SpecProcess *p = i->process->spec;
        struct Translation *t;

        if (i->process->n_ports == 0 || p->network == SPEC_NETWORK_HOST || p->publish_by == SPEC_PUBLISH_BY_TAKEOVER)
                return 0;
        t = calloc(1, sizeof(*t) + i->process->n_ports);
        if (!t)
                return -ENOMEM;
        t->instance = i;
        t->delay_usec = p->publish_by == SPEC_PUBLISH_BY_NAT ? LOOK_FIRST_NAT_USEC : LOOK_FIRST_USEC;
        i->translation = t;
        if (!i->adopted)
                return arm(t);
        look_and_tell(i);
        return 0;
}

void translate_end(Instance *i) {
        if (!i->translation)
                return;
        sd_event_source_disable_unref(i->translation->timer);
        free(i->translation);
        i->translation = NULL;
        supervisor_changed(i->sv);
}

int translate_has_connection(const Supervisor *sv) {
        int r = 0;

        for (size_t n = 0; r == 0 && n < sv->n_instances; n++) {
                const Instance *i = sv->instances[n];

                for (size_t k = 0; r == 0 && i->pid > 0 && k < i->process->n_ports; k++)
                        if (main_port(i, k) == k && translate_has(i, k)) {
                                _cleanup_close_ int netns = netns_of(i->pid);

                                r = netns < 0 ? netns : netns_has_connection(netns, i->process->spec->ports.items[k].container);
                        }
        }
        return r;
}

/* ---- which port ---- */

static bool is_live(const Instance *i) {
        return i->state == INSTANCE_READY && !i->sv->maintenance;
}

/* That port of the host, as the instance's spec counts; n_ports: it has none such. */
static size_t port_index(const Process *p, const Port *port) {
        size_t k = 0;

        while (k < p->n_ports && p->ports[k] != port)
                k++;
        return k;
}

/* The next of those that are live and listen inside; NULL: none is. */
static Instance *next_inside(Supervisor *sv, const Port *port, size_t *ret_port) {
        for (size_t n = 0; n < sv->n_instances; n++) {
                Instance *i = sv->instances[sv->translator->next++ % sv->n_instances];
                size_t k = port_index(i->process, port);

                if (k < i->process->n_ports && is_live(i) && translate_has(i, k)) {
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
                size_t k = port_index(i->process, port), main;

                if (k == i->process->n_ports || !is_live(i))
                        continue;
                main = main_port(i, k);
                if (main != k && !takeover_has(&i->takeover, k, _PORT_KIND_MAX) && takeover_has(&i->takeover, main, _PORT_KIND_MAX))
                        return i->process->ports[main];
        }
        return NULL;
}

/* ---- what is passed on ---- */

static int connect_address(const Address *a, uint16_t port, int netns) {
        struct sockaddr_storage to = { .ss_family = (sa_family_t) a->family };
        struct sockaddr_in *in = (struct sockaddr_in *) &to;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &to;
        socklen_t size = a->family == AF_INET ? sizeof(*in) : sizeof(*in6);
        _cleanup_close_ int fd = -EBADF;

        in->sin_port = htons(port); /* at the same place in both */
        memcpy(a->family == AF_INET ? (void *) &in->sin_addr : (void *) &in6->sin6_addr, a->bytes, address_size(a));
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
        bool ipv4 = i->translation->inside[main_port(i, port)] & PORT_INSIDE_IPV4;
        const Address *a = address_of(i, port, AF_INET);
        _cleanup_close_ int netns = -EBADF;

        if (a->family == 0)
                a = address_of(i, port, AF_INET6);
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

static Passage *passage_find(const struct Translator *t, const Port *port, PortKind kind) {
        for (size_t k = 0; k < t->n; k++)
                if (t->items[k]->port == port && t->items[k]->kind == kind)
                        return t->items[k];
        return NULL;
}

static int passage_open(Supervisor *sv, Port *port, PortKind kind) {
        struct Translator *t = sv->translator;
        Passage *p = passage_find(t, port, kind);
        int r;

        if (p && p->fd != port->sockets[kind])
                passage_shut(p);
        if (p && p->source)
                return 0;
        if (!p) {
                Passage **items = reallocarray(t->items, t->n + 1, sizeof(Passage *));

                if (items)
                        t->items = items;
                p = items ? calloc(1, sizeof(*p)) : NULL;
                if (!p)
                        return -ENOMEM;
                *p = (Passage){ .sv = sv, .port = port, .kind = kind, .pumps.event = sv->event };
                t->items[t->n++] = p;
        }
        p->fd = port->sockets[kind];
        r = sd_event_add_io(sv->event, &p->source, p->fd, EPOLLIN, on_client, p);
        if (r >= 0)
                p->pumps.listener = p->source;
        return r;
}

static void passage_close(struct Translator *t, const Port *port, PortKind kind) {
        Passage *p = passage_find(t, port, kind);

        if (p)
                passage_shut(p);
}

void translate_forget(Supervisor *sv, const Port *port) {
        struct Translator *t = sv->translator;
        size_t kept = 0;

        for (size_t k = 0; t && k < t->n; k++)
                if (t->items[k]->port != port)
                        t->items[kept++] = t->items[k];
                else
                        (void) passage_free(t->items[k]);
        if (t)
                t->n = kept;
}

static int passages_update(Supervisor *sv, Port *port) {
        size_t ignored;
        bool open = port->spec.protocol == SPEC_PROTOCOL_TCP && (next_inside(sv, port, &ignored) || main_taken(sv, port));
        int r = 0;

        for (PortKind kind = 0; r >= 0 && kind < _PORT_KIND_MAX; kind++)
                if (open && port->sockets[kind] >= 0 && port->serving[kind])
                        r = passage_open(sv, port, kind);
                else
                        passage_close(sv->translator, port, kind);
        return r;
}

/* ---- the rules ---- */

typedef struct Rules {
        PortRule *items;
        PortTarget *targets;
        size_t n, n_targets;
} Rules;

static void rules_clear(Rules *r) {
        free(r->items);
        free(r->targets);
}

/* The instances that are reached by an address. */
static void add_targets(const Supervisor *sv, const Port *port, Rules *r) {
        static const int families[_NETWORK_FAMILY_MAX] = { [NETWORK_IPV4] = AF_INET, [NETWORK_IPV6] = AF_INET6 };

        for (size_t n = 0; n < sv->n_instances; n++) {
                const Instance *i = sv->instances[n];
                size_t k = port_index(i->process, port);

                if (k == i->process->n_ports || !is_live(i) || is_internal(i))
                        continue;
                for (int f = 0; f < _NETWORK_FAMILY_MAX; f++) {
                        const Address *a = address_of(i, k, families[f]);

                        if (a->family != 0)
                                r->targets[r->n_targets++] = (PortTarget){
                                        .address = *a, .subnet = i->attachment.network.sides[f].subnet, .port = i->process->spec->ports.items[k].container,
                                };
                }
        }
}

/* Another port of the host for the same of the container, which the first is for. */
static const Port *port_behind(const Process *p, const Port *port) {
        size_t k = port_index(p, port), main;

        if (k == p->n_ports || p->spec->publish_by == SPEC_PUBLISH_BY_NAT)
                return NULL;
        main = spec_port_main(p->spec->ports.items, p->n_ports, k);
        return main != k && spec_port_is_within(&p->spec->ports.items[k], &p->spec->ports.items[main]) ? p->ports[main] : NULL;
}

static const Port *redirect_of(const Supervisor *sv, const Port *port) {
        const Port *main = NULL;

        /* What is to run comes first. */
        for (size_t i = 0; sv->release && !main && i < sv->release->n_processes; i++)
                main = port_behind(&sv->release->processes[i], port);
        for (size_t k = 0; !main && k < sv->n_releases; k++)
                for (size_t i = 0; !main && i < sv->releases[k]->n_processes; i++)
                        main = port_behind(&sv->releases[k]->processes[i], port);
        return main;
}

static void add_rule(const Supervisor *sv, const Port *port, Rules *r) {
        const Port *main;
        PortRule rule = { .spec = &port->spec, .host = port->host, .targets = r->targets + r->n_targets };
        size_t before = r->n_targets;

        add_targets(sv, port, r);
        rule.n_targets = r->n_targets - before;
        main = rule.n_targets == 0 ? redirect_of(sv, port) : NULL;
        if (main)
                rule.to = main->host;
        if (main || rule.n_targets > 0)
                r->items[r->n++] = rule;
}

static int rules_make(const Supervisor *sv, Rules *ret) {
        size_t n = port_pool_count(&sv->ports);

        *ret = (Rules){
                .items = calloc(n + 1, sizeof(PortRule)), .targets = calloc(n * sv->n_instances * _NETWORK_FAMILY_MAX + 1, sizeof(PortTarget)),
        };
        if (!ret->items || !ret->targets)
                return -ENOMEM;
        for (size_t k = 0; k < n; k++)
                add_rule(sv, port_pool_at(&sv->ports, k), ret);
        return 0;
}

/* What tells whether anything is new. */
static int rules_write(const Rules *r, Buf *b) {
        int q = 0;

        for (size_t i = 0; q >= 0 && i < r->n; i++) {
                const PortRule *p = &r->items[i];

                q = buf_append(b, p->spec, offsetof(SpecPort, host));
                if (q >= 0)
                        q = buf_printf(b, "%d %u %u:", p->spec->protocol, p->host, p->to);
                for (size_t k = 0; q >= 0 && k < p->n_targets; k++)
                        q = buf_printf(b, " %s/%u:%u", address_text(&p->targets[k].address).text, p->targets[k].subnet.prefix, p->targets[k].port);
        }
        return q;
}

static int socket_make(struct Translator *t) {
        int r;

        t->socket = netlink_socket(NETLINK_NETFILTER);
        if (t->socket < 0)
                return t->socket;
        r = sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDPOLL=0\nFDNAME=" ADOPT_RULES, &t->socket, 1);
        return r < 0 ? r : 0;
}

static void socket_drop(struct Translator *t) {
        (void) sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" ADOPT_RULES);
        t->socket = fd_close(t->socket);
}

/* What was sent to a port before is not to go on to where nobody is, or to a socket that nobody reads. */
static int flows_update(const Supervisor *sv, const Rules *rules) {
        int r = 0;

        for (size_t k = 0; r >= 0 && k < port_pool_count(&sv->ports); k++) {
                const Port *port = port_pool_at(&sv->ports, k);
                const PortRule *rule = NULL;

                for (size_t i = 0; !rule && i < rules->n; i++)
                        if (rules->items[i].spec == &port->spec)
                                rule = &rules->items[i];
                /* One that leads to another port of the host always did. */
                if (port->spec.protocol == SPEC_PROTOCOL_UDP && !(rule && rule->n_targets == 0))
                        r = flows_forget(port->host, rule ? rule->targets : NULL, rule ? rule->n_targets : 0);
        }
        return r;
}

static int rules_apply(Supervisor *sv, const Rules *rules) {
        struct Translator *t = sv->translator;
        _cleanup_buf_ Buf wanted = BUF_INIT;
        int r = rules_write(rules, &wanted);

        if (r < 0 || (t->socket >= 0 ? wanted.size == t->applied.size && memcmp(wanted.data, t->applied.data, wanted.size) == 0 && wanted.size > 0 : rules->n == 0))
                return r;
        r = t->socket < 0 ? socket_make(t) : 0;
        if (r >= 0)
                r = port_rules_apply(t->socket, sv->name, rules->items, rules->n);
        if (r >= 0)
                r = flows_update(sv, rules);
        if (r < 0 || rules->n == 0)
                socket_drop(t);
        buf_clear(&t->applied);
        if (r >= 0) {
                t->applied = wanted;
                wanted = BUF_INIT;
        }
        return r;
}

/* ---- all of it ---- */

static bool is_needed(const Supervisor *sv) {
        for (size_t n = 0; n < sv->n_instances; n++)
                if (sv->instances[n]->translation)
                        return true;
        for (size_t k = 0; k < port_pool_count(&sv->ports); k++)
                if (redirect_of(sv, port_pool_at(&sv->ports, k)))
                        return true;
        return false;
}

static int translator_make(Supervisor *sv) {
        if (sv->translator)
                return 0;
        sv->translator = calloc(1, sizeof(*sv->translator));
        if (!sv->translator)
                return -ENOMEM;
        sv->translator->socket = -EBADF;
        return 0;
}

void translate_update(Supervisor *sv) {
        _cleanup_(rules_clear) Rules rules = { 0 };
        int r;

        if (!sv->translator && !is_needed(sv))
                return;
        r = translator_make(sv);
        for (size_t k = 0; r >= 0 && k < port_pool_count(&sv->ports); k++)
                r = passages_update(sv, port_pool_at(&sv->ports, k));
        if (r >= 0)
                r = rules_make(sv, &rules);
        if (r >= 0)
                r = rules_apply(sv, &rules);
        if (r < 0 && sv->translator && !sv->translator->failed) {
                sv->translator->failed = true;
                log_warning("App '%s': the rules that lead to its published ports cannot be made, clients are passed on by the supervisor: %s", sv->name,
                        strerror(-r));
        }
}

void translate_adopt(Supervisor *sv, Adoption *a) {
        for (size_t k = 0; k < a->n_sockets; k++)
                if (a->sockets[k].fd >= 0 && streq(a->sockets[k].name, ADOPT_RULES) && translator_make(sv) >= 0) {
                        fd_close(sv->translator->socket);
                        sv->translator->socket = TAKE_FD(a->sockets[k].fd);
                }
}

const char *translate_way(const Instance *i, size_t port) {
        const SpecPort *ports = i->process->spec->ports.items;
        size_t main = main_port(i, port);
        bool rules = i->sv->translator && i->sv->translator->socket >= 0;

        if (translate_has(i, port))
                return rules && has_address(i, port) && !is_internal(i) ? "nat" : "relayed";
        if (main == port || !takeover_has(&i->takeover, main, _PORT_KIND_MAX))
                return NULL;
        return rules && spec_port_is_within(&ports[port], &ports[main]) ? "nat" : "relayed";
}

void translate_free(Supervisor *sv) {
        struct Translator *t = TAKE_PTR(sv->translator);

        if (!t)
                return;
        for (size_t k = 0; k < t->n; k++)
                (void) passage_free(t->items[k]);
        free(t->items);
        buf_clear(&t->applied);
        fd_close(t->socket);
        free(t);
}
