/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdarg.h>

#include "spec/check.h"
#include "spec/names.h"
#include "spec/parse.h"
#include "util/address.h"
#include "util/capability.h"
#include "util/strv.h"

typedef struct Check {
        Spec *spec;
        const SpecDocument *document;
        SpecProcess *process;
        SpecDiags *diags;
        bool unknown;      /* some values are stand-ins: nothing follows from comparing them */
        bool wrong_before; /* a line was refused: what is missing now may be what that line said */
} Check;

/* origin line 0: the spec as a whole. The processes of a spec share lines, so what was said once is not said again. */
static int say(Check *c, SpecSeverity severity, SpecOrigin origin, const char *format, ...) _printf_(4, 5);
static int say(Check *c, SpecSeverity severity, SpecOrigin origin, const char *format, ...) {
        const char *path = c->spec->fragments[origin.file];
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = str_vformat(format, ap);
        va_end(ap);
        if (!text)
                return -ENOMEM;
        for (size_t i = 0; c->diags && i < c->diags->n; i++) {
                const SpecDiag *d = &c->diags->items[i];

                if (d->line == origin.line && d->column == origin.column && streq(d->text, text) && streq_ptr(d->path, path))
                        return 0;
        }
        return spec_diag_add(c->diags, severity, path, origin.line, origin.column, "%s", text);
}

#define complain(c, origin, ...) say(c, SPEC_ERROR, origin, __VA_ARGS__)
#define warn(c, origin, ...) say(c, SPEC_WARNING, origin, __VA_ARGS__)

/* Where a key is written last, for values that keep no place. */
static SpecOrigin last_of(const Check *c, const char *key) {
        SpecOrigin found = { 0 };

        for (size_t f = 0; f < c->document->n_sources; f++)
                for (size_t i = 0; i < c->document->sources[f].n_lines; i++) {
                        const SpecLine *l = &c->document->sources[f].lines[i];

                        if (l->key && streq(l->key, key))
                                found = (SpecOrigin){ .file = (uint32_t) f, .line = l->line, .column = l->column };
                }
        return found;
}

static int check_root(Check *c) {
        SpecProcess *p = c->process;

        if (p->image.value && p->rootfs.value)
                return complain(c, p->rootfs.origin, "Rootfs= and Image= exclude one another");
        if (!p->image.value && !p->rootfs.value && !c->wrong_before)
                return p->name ? complain(c, p->origin, "process '%s' has neither Image= nor Rootfs=", p->name) :
                                 complain(c, p->origin, "[Container] has neither Image= nor Rootfs=");
        if (p->image.value && p->rootfs_overlay)
                p->rootfs_overlay = p->rootfs_idmap = false;
        return 0;
}

static int check_user(Check *c) {
        const SpecProcess *p = c->process;

        if (p->group.value && !p->user.value)
                return complain(c, p->group.origin, "Group= needs User=");
        return 0;
}

/* MemorySwap= is memory and swap together; from here on it is swap alone. */
static int check_memory(Check *c) {
        SpecProcess *p = c->process;

        if (c->unknown || !p->swap.set || p->swap.value == SPEC_INFINITY)
                return 0;
        if (!p->memory.set || p->memory.value == SPEC_INFINITY)
                return complain(c, p->swap.origin, "MemorySwap= needs Memory=");
        if (p->swap.value < p->memory.value)
                return complain(c, p->swap.origin, "MemorySwap= counts memory and swap together, it cannot be less than Memory=");
        p->swap.value -= p->memory.value;
        return 0;
}

static int check_capabilities(Check *c) {
        const SpecProcess *p = c->process;
        uint64_t both = p->add_capabilities & p->drop_capabilities;

        if (p->add_capabilities == UINT64_MAX && p->drop_capabilities == UINT64_MAX)
                return complain(c, last_of(c, "DropCapability"), "AddCapability= and DropCapability= are both 'all'");
        if (both == 0 || p->add_capabilities == UINT64_MAX || p->drop_capabilities == UINT64_MAX)
                return 0;
        return complain(c, last_of(c, "DropCapability"), "capability '%s' is in AddCapability= and in DropCapability=",
                capability_name(__builtin_ctzll(both)));
}

static int check_namespaces(Check *c) {
        const SpecProcess *p = c->process;
        bool maps = p->uid_map.n > 0 || p->gid_map.n > 0;
        SpecOrigin at = p->uid_map.n > 0 ? p->uid_map.items[0].origin :
                p->gid_map.n > 0         ? p->gid_map.items[0].origin :
                                           p->origin;
        int r = 0;

        if (maps && p->userns == SPEC_USERNS_HOST)
                r = complain(c, at, "UIDMap= and GIDMap= need a user namespace, UserNS=host has none");
        else if (maps && p->userns == SPEC_USERNS_AUTO)
                r = complain(c, at, "UserNS=auto chooses the ids itself, UIDMap= and GIDMap= are something else");
        for (size_t i = 0; r == 0 && i < p->sysctls.n; i++)
                if (p->network == SPEC_NETWORK_HOST && str_after(p->sysctls.items[i].name, "net."))
                        r = complain(c, p->sysctls.items[i].origin, "kernel parameter '%s' is the host's with Network=host",
                                p->sysctls.items[i].name);
        return r;
}

/* All that is the other app's, which is the same as what Podman refuses. */
static int check_shared_network(Check *c) {
        const SpecProcess *p = c->process;
        const struct {
                const char *key;
                const SpecOrigin *origin;
        } keys[] = {
                { "PublishPort",  p->ports.n > 0 ? &p->ports.items[0].origin : NULL                     },
                { "IP",           p->ip.value ? &p->ip.origin : NULL                                    },
                { "IP6",          p->ip6.value ? &p->ip6.origin : NULL                                  },
                { "NetworkAlias", p->network_aliases.n > 0 ? &p->network_aliases.items[0].origin : NULL },
                { "DNS",          p->dns.n > 0 ? &p->dns.items[0].origin : NULL                         },
                { "DNSOption",    p->dns_option.n > 0 ? &p->dns_option.items[0].origin : NULL           },
                { "DNSSearch",    p->dns_search.n > 0 ? &p->dns_search.items[0].origin : NULL           },
                { "AddHost",      p->hosts.n > 0 ? &p->hosts.items[0].origin : NULL                     },
        };
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTSOF(keys); i++)
                if (keys[i].origin)
                        r = complain(c, *keys[i].origin, "%s= is for app '%s' to say, whose network this one shares", keys[i].key, p->network_app);
        for (size_t i = 0; r == 0 && i < p->sysctls.n; i++)
                if (str_after(p->sysctls.items[i].name, "net."))
                        r = complain(c, p->sysctls.items[i].origin, "kernel parameter '%s' is for app '%s' to set, whose network this one shares",
                                p->sysctls.items[i].name, p->network_app);
        return r;
}

/* What is said of the app's place on a network, where it is on none of its own. */
static int check_network_place(Check *c) {
        const SpecProcess *p = c->process;
        const SpecText *texts[] = {
                p->ip.value ? &p->ip : NULL, p->ip6.value ? &p->ip6 : NULL, p->network_aliases.n > 0 ? p->network_aliases.items : NULL,
        };
        static const char *const keys[] = { "IP", "IP6", "NetworkAlias" };
        int r = p->network == SPEC_NETWORK_CONTAINER ? check_shared_network(c) : 0;

        for (size_t i = 0; r == 0 && i < ELEMENTSOF(texts); i++)
                if (texts[i] && (p->network == SPEC_NETWORK_HOST || p->network == SPEC_NETWORK_NONE))
                        r = complain(c, texts[i]->origin, "%s= means nothing with Network=%s", keys[i],
                                p->network == SPEC_NETWORK_HOST ? "host" : "none");
        for (size_t i = 0; r == 0 && i < p->hosts.n; i++)
                if (!p->hosts.items[i].address && p->network == SPEC_NETWORK_NONE)
                        r = complain(c, p->hosts.items[i].origin, "host-gateway means nothing with Network=none");
        return r;
}

static int check_publish_by(Check *c) {
        const SpecProcess *p = c->process;

        if (p->publish_by != SPEC_PUBLISH_BY_NAT || (p->network != SPEC_NETWORK_HOST && p->network != SPEC_NETWORK_NONE))
                return 0;
        return complain(c, last_of(c, "PublishBy"), "PublishBy=nat needs a network with addresses, Network=%s has none of its own",
                p->network == SPEC_NETWORK_HOST ? "host" : "none");
}

static int check_life(Check *c) {
        const SpecProcess *p = c->process;

        if (p->reload_cmd.set && p->reload_signal.set)
                return complain(c, p->reload_signal.origin, "ReloadSignal= and ReloadCmd= exclude one another");
        if (p->stop_signal.set && p->stop_signal.value == SIGSTOP)
                return complain(c, p->stop_signal.origin, "SIGSTOP stops nothing for good");
        if (p->reload_cmd.set && !p->reload_cmd.words)
                return complain(c, p->reload_cmd.origin, "ReloadCmd= has no command");
        return 0;
}

static int check_instances(Check *c) {
        const SpecProcess *p = c->process;
        const SpecText *fixed = p->ip.value ? &p->ip : &p->ip6;
        const SpecShare *zero = p->max_surge.set ? &p->max_surge : &p->max_unavailable;

        if (fixed->value && p->update == SPEC_UPDATE_ROLLING)
                return complain(c, fixed->origin, "one address cannot be of two instances at once, as Update=rolling has them; "
                        "without Update= the old one ends first");
        if (fixed->value && p->instances.set && (p->instances_cpus || p->instances.value > 1))
                return complain(c, p->instances.origin, "%s= is the address of one instance, and there shall be more", p->ip.value ? "IP" : "IP6");
        if (p->max_surge.set && p->max_surge.value == 0 && p->max_unavailable.value == 0)
                return complain(c, zero->origin, "with MaxSurge= and MaxUnavailable= both 0 no instance could be replaced");
        return 0;
}

/* What an image brings is known when it is there. */
static int check_health(Check *c) {
        const SpecProcess *p = c->process;
        bool own = p->health.cmd.words || p->health_http.value;

        if (p->health.cmd.words && p->health_http.value)
                return complain(c, p->health_http.origin, "HealthHttp= and HealthCmd= exclude one another");
        if (p->health_http.value && spec_health_http_port(p) == 0 && !c->unknown)
                return complain(c, p->health_http.origin, "HealthHttp= needs a port, PORT%s, or PublishPort=", p->health_http.value);
        if (p->health_startup.cmd.words && !own && (p->health.cmd.set || p->rootfs.value))
                return complain(c, p->health_startup.cmd.origin, "HealthStartupCmd= comes before HealthCmd= or HealthHttp=, and there is none");
        if (p->notify == SPEC_NOTIFY_HEALTHY && !own && (p->health.cmd.set || p->rootfs.value))
                return complain(c, last_of(c, "Notify"), "Notify=healthy needs HealthCmd= or HealthHttp=");
        if (p->health.interval.set && p->health.interval.value == SPEC_INFINITY &&
                (p->notify == SPEC_NOTIFY_HEALTHY || (p->health_http.value && p->notify != SPEC_NOTIFY_YES)))
                return complain(c, p->health.interval.origin, "HealthInterval=disable, and readiness waits for the check (Notify=healthy, HealthHttp=)");
        return 0;
}

static void mount_remove(SpecProcess *p, size_t i) {
        SpecMount *m = &p->mounts.items[i];

        spec_mount_clear(m);
        memmove(m, m + 1, (p->mounts.n - i - 1) * sizeof(SpecMount));
        p->mounts.n--;
}

/* The later one of two mounts on one target counts. */
static int check_mounts(Check *c) {
        SpecProcess *p = c->process;
        int r = 0;

        for (size_t i = 0; r == 0 && !c->unknown && i < p->mounts.n; i++)
                for (size_t k = i + 1; k < p->mounts.n; k++) {
                        const SpecMount *first = &p->mounts.items[i], *later = &p->mounts.items[k];

                        if (!streq(first->target, later->target))
                                continue;
                        if (first->origin.file == later->origin.file && !p->name)
                                r = warn(c, later->origin, "takes the place of the mount on '%s' in line %u", later->target,
                                        first->origin.line);
                        mount_remove(p, i--);
                        break;
                }
        return r;
}

static int check_process(Check *c) {
        static int (*const checks[])(Check *) = { check_root, check_user, check_memory, check_capabilities, check_namespaces,
                check_network_place, check_publish_by, check_life, check_instances, check_health, check_mounts };
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTSOF(checks); i++)
                r = checks[i](c);
        return r;
}

/* Would the host have to listen twice on one address and port? */
static bool ports_clash(const SpecPort *a, const SpecPort *b) {
        if (a->host == 0 || a->host != b->host || a->protocol != b->protocol)
                return false;
        if (a->family != 0 && b->family != 0 && a->family != b->family)
                return false;
        return spec_port_is_any(a) || spec_port_is_any(b) || memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static bool is_again(const SpecPort *a, const SpecPort *b) {
        return a->host == 0 && b->host == 0 && a->container == b->container && a->protocol == b->protocol && a->family == b->family &&
                memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* Connections that no rule can send on are passed on by the supervisor, datagrams are not. */
static int check_shared_port(Check *c, const SpecProcess *process, size_t port) {
        const SpecPort *p = &process->ports.items[port],
                       *main = &process->ports.items[spec_port_main(process->ports.items, process->ports.n, port)];

        if (p->protocol != SPEC_PROTOCOL_UDP || spec_port_is_within(p, main))
                return 0;
        return complain(c, p->origin, "port %u/udp of the container is published by addresses of which none includes the others: this can be had for tcp alone",
                p->container);
}

/* What process `process` publishes against what it and those before it do. */
static int check_port(Check *c, size_t process, size_t port) {
        const SpecPort *p = &c->spec->processes[process].ports.items[port];

        for (size_t i = 0; i <= process; i++) {
                const SpecProcess *other = &c->spec->processes[i];
                size_t n = i == process ? port : other->ports.n;

                for (size_t k = 0; k < n; k++) {
                        if (i == process && is_again(p, &other->ports.items[k]))
                                return complain(c, p->origin, "port %u of the container is published twice by any port of the host that is free", p->container);
                        if (!ports_clash(p, &other->ports.items[k]))
                                continue;
                        return i == process ?
                                complain(c, p->origin, "port %u of the host is published twice", p->host) :
                                complain(c, p->origin, "port %u of the host is published by process '%s' and process '%s'; one of them can have it",
                                        p->host, other->name, c->spec->processes[process].name);
                }
        }
        return 0;
}

static int check_ports(Check *c) {
        int r = 0;

        for (size_t i = 0; r == 0 && !c->unknown && i < c->spec->n_processes; i++)
                for (size_t k = 0; r == 0 && k < c->spec->processes[i].ports.n; k++) {
                        r = check_port(c, i, k);
                        if (r == 0)
                                r = check_shared_port(c, &c->spec->processes[i], k);
                }
        return r;
}

static int check_start_timeouts(Check *c) {
        const Spec *s = c->spec;
        int r = 0;

        for (size_t i = 0; r == 0 && s->timeout_start.set && s->timeout_start.value != 0 && i < s->n_processes; i++) {
                const SpecNumber *own = &s->processes[i].start_timeout;

                if (own->set && (own->value == 0 || own->value > s->timeout_start.value))
                        r = warn(c, s->timeout_start.origin, "shorter than StartTimeout=: systemd will end a start before that");
        }
        return r;
}

/* Does a line stand in a drop-in of one instance alone, while the socket is made from the template? */
static bool is_of_instance(const Spec *s, SpecOrigin o) {
        _cleanup_free_ char *own = s->instance ? str_format("/%s.container.d/", s->name) : NULL;

        return own && str_ends_with(s->path, "@.container") && strstr(s->fragments[o.file], own);
}

/* How the app as a whole starts and stops by itself. */
static int check_activation(Check *c) {
        const Spec *s = c->spec;
        size_t n = 0;

        if (s->activation == SPEC_ACTIVATION_UNSET)
                return s->idle_timeout.set ? complain(c, s->idle_timeout.origin, "IdleTimeout= needs Activation=socket: nothing would start the app again") : 0;
        if (is_of_instance(s, last_of(c, "Activation")))
                return complain(c, last_of(c, "Activation"), "Activation= of one instance alone needs a file for it: a link %s.container to the template", s->name);
        if (s->oneshot)
                return complain(c, last_of(c, "Activation"), "Type=oneshot ends by itself, and no connection can wait for it");
        for (size_t i = 0; i < s->n_processes; i++)
                for (size_t k = 0; k < s->processes[i].ports.n; k++, n++)
                        if (s->processes[i].ports.items[k].host == 0 && !*s->processes[i].ports.items[k].unknown)
                                return complain(c, s->processes[i].ports.items[k].origin, "Activation=socket needs a port of the host that is known, "
                                        "HOST:CONTAINER");
        return n > 0 || c->wrong_before ? 0 : complain(c, last_of(c, "Activation"), "Activation=socket needs PublishPort=");
}

static int check_release_process(Check *c) {
        const Spec *s = c->spec;

        if (s->n_processes != 1 || !spec_is_release(&s->processes[0]))
                return 0;
        return complain(c, s->processes[0].origin, "the process '" SPEC_RELEASE_PROCESS "' runs before the others, and there are none");
}

static int check_service(Check *c) {
        Spec *s = c->spec;
        uint64_t longest = 0;
        int r;

        if (s->restart == _SPEC_RESTART_INVALID)
                s->restart = s->oneshot ? SPEC_RESTART_NO : SPEC_RESTART_ALWAYS;
        else if (s->oneshot && (s->restart == SPEC_RESTART_ALWAYS || s->restart == SPEC_RESTART_ON_SUCCESS))
                return complain(c, last_of(c, "Restart"), "Type=oneshot ends with success, Restart= would begin it again for ever");
        for (size_t i = 0; i < s->n_processes; i++)
                longest = MAX(longest, spec_stop_timeout(&s->processes[i]));
        r = check_start_timeouts(c);
        if (r == 0)
                r = check_activation(c);
        if (r == 0)
                r = check_release_process(c);
        if (r < 0)
                return r;
        if (s->timeout_stop.set && s->timeout_stop.value != 0 && s->timeout_stop.value < longest)
                return warn(c, s->timeout_stop.origin, "shorter than StopTimeout=: systemd will kill what is still stopping");
        return 0;
}

static bool has_section(const SpecDocument *d, const char *name, const char *start) {
        for (size_t f = 0; f < d->n_sources; f++)
                for (size_t i = 0; i < d->sources[f].n_lines; i++) {
                        const SpecLine *l = &d->sources[f].lines[i];

                        if (!l->key && (streq(l->value, name) || (start && str_after(l->value, start))))
                                return true;
                }
        return false;
}

static int check_oneshot(Check *c) {
        const Spec *s = c->spec;

        if (s->restart == SPEC_RESTART_ALWAYS || s->restart == SPEC_RESTART_ON_SUCCESS)
                return complain(c, last_of(c, "Restart"), "%s ends with success, Restart= would begin it again for ever",
                        s->kind == SPEC_IMAGE ? "a pull" : "the making of a network");
        return 0;
}

static int check_image(Check *c) {
        Spec *s = c->spec;
        int r = check_oneshot(c);

        if (r != 0)
                return r;
        if (!has_section(c->document, "Image", NULL) && !c->wrong_before)
                return complain(c, (SpecOrigin){ 0 }, "has no [Image] section");
        return s->image.name.value || c->wrong_before ? 0 : complain(c, (SpecOrigin){ 0 }, "[Image] has no Image=");
}

/* The subnet of the same family as text, an address or the first of a range. */
static bool find_subnet(const SpecNetworkFile *n, const char *text, Subnet *ret, Address *ret_first) {
        _cleanup_free_ char *first = strndup(text, strcspn(text, "-"));

        if (!first || address_parse(first, ret_first) < 0)
                return false;
        for (size_t i = 0; i < n->subnets.n; i++)
                if (subnet_parse(n->subnets.items[i].value, ret) >= 0 && ret->base.family == ret_first->family)
                        return true;
        return false;
}

static int check_inside(Check *c, const SpecText *t, const char *key) {
        const char *dash = strchr(t->value, '-');
        Address first, last;
        Subnet s;

        if (!find_subnet(&c->spec->net, t->value, &s, &first))
                return complain(c, t->origin, "%s= needs a Subnet= of its family", key);
        if (subnet_has(&s, &first) && (!dash || (address_parse(dash + 1, &last) >= 0 && subnet_has(&s, &last))))
                return 0;
        return complain(c, t->origin, "%s=%s is outside of the subnet %s", key, t->value, subnet_text(&s).text);
}

static int check_network(Check *c) {
        const SpecNetworkFile *n = &c->spec->net;
        int r = check_oneshot(c);

        if (r == 0 && !has_section(c->document, "Network", NULL) && !c->wrong_before)
                return complain(c, (SpecOrigin){ 0 }, "has no [Network] section");
        if (r == 0 && streq(spec_network_name(c->spec), SPEC_NETWORK_DEFAULT_NAME))
                r = complain(c, n->name.origin, "'" SPEC_NETWORK_DEFAULT_NAME "' is the name of the network that apps are on without a file");
        for (size_t i = 0; r == 0 && i < n->gateways.n; i++)
                r = check_inside(c, &n->gateways.items[i], "Gateway");
        for (size_t i = 0; r == 0 && i < n->ranges.n; i++)
                r = check_inside(c, &n->ranges.items[i], "IPRange");
        return r;
}

int spec_check(Spec *s, const SpecDocument *d, bool unknown, SpecDiags *diags) {
        Check c = { .spec = s, .document = d, .diags = diags, .unknown = unknown, .wrong_before = diags->n_errors > 0 };
        int r = 0;

        if (s->kind == SPEC_IMAGE)
                return check_image(&c);
        if (s->kind == SPEC_NETWORK)
                return check_network(&c);
        if (!has_section(d, "Container", "Process ") && !c.wrong_before) {
                c.wrong_before = true;
                r = complain(&c, (SpecOrigin){ 0 }, "has no [Container] section");
        }
        for (size_t i = 0; r == 0 && i < s->n_processes; i++) {
                c.process = &s->processes[i];
                r = check_process(&c);
        }
        if (r == 0)
                r = check_ports(&c);
        return r < 0 ? r : check_service(&c);
}
