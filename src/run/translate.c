/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "net/flow.h"
#include "net/netlink.h"
#include "net/port-rules.h"
#include "run/inside.h"
#include "run/instance.h"
#include "run/translate.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/log.h"

struct Translator {
        int socket;    /* that the rules belong to; -EBADF: there are none */
        Buf applied;   /* the rules, as they are compared */
        bool failed;   /* the kernel does not want the rules, and that has been said */
};

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
                size_t k = process_port(i->process, port);

                if (k == i->process->n_ports || !passage_is_live(i) || attach_is_internal(i))
                        continue;
                for (int f = 0; f < _NETWORK_FAMILY_MAX; f++) {
                        const Address *a = inside_address(i, k, families[f]);

                        if (a->family != 0)
                                r->targets[r->n_targets++] = (PortTarget){
                                        .address = *a, .subnet = i->attachment.network.sides[f].subnet, .port = i->process->spec->ports.items[k].container,
                                };
                }
        }
}

/* Another port of the host for the same of the container, which the first is for. */
static const Port *port_behind(const Process *p, const Port *port) {
        size_t k = process_port(p, port), main;

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

/* Most apps have none of this, and are asked at each change of an instance. */
static bool is_needed(const Supervisor *sv) {
        for (size_t n = 0; n < sv->n_instances; n++)
                for (size_t k = 0; k < sv->instances[n]->process->n_ports; k++)
                        if (inside_has(sv->instances[n], k) || inside_main(sv->instances[n], k) != k)
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
        size_t main = inside_main(i, port);
        bool rules = i->sv->translator && i->sv->translator->socket >= 0;

        if (inside_has(i, port))
                return rules && inside_has_address(i, port) && !attach_is_internal(i) ? "nat" : "relayed";
        if (main == port || !takeover_has(&i->takeover, main, _PORT_KIND_MAX))
                return NULL;
        return rules && spec_port_is_within(&ports[port], &ports[main]) ? "nat" : "relayed";
}

void translate_free(Supervisor *sv) {
        struct Translator *t = TAKE_PTR(sv->translator);

        passages_clear(&sv->passages);
        if (!t)
                return;
        buf_clear(&t->applied);
        fd_close(t->socket);
        free(t);
}
