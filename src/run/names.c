/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "net/name.h"
#include "net/netns.h"
#include "run/adopt.h"
#include "run/instance.h"
#include "run/names.h"
#include "run/resolver.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

typedef struct Names {
        char *network;
        Address addresses[_NETWORK_FAMILY_MAX];
        char **names;
        bool told;
        Resolver *resolver; /* NULL: it has none of ours */
} Names;

static Names *names_free(Names *n) {
        if (!n)
                return NULL;
        (void) resolver_free(n->resolver);
        free(n->network);
        strv_free(n->names);
        free(n);
        return NULL;
}
DEFINE_CLEANUP(Names *, names_free);

static bool has_network(const SpecProcess *p) {
        return p->network != SPEC_NETWORK_HOST && p->network != SPEC_NETWORK_NONE && p->network != SPEC_NETWORK_CONTAINER;
}

bool names_are_served(const SpecProcess *p) {
        return has_network(p) && !(p->network_spec && p->network_spec->net.disable_dns.value);
}

/* ---- the names ---- */

/* What is no name of the DNS, as a container name with a space, is nobody's name. */
static int add_name(Names *n, char *name) {
        char normal[NAME_SIZE_MAX];
        int r;

        if (!name)
                return -ENOMEM;
        r = name_normalize(name, normal) >= 0 && !strv_contains(n->names, normal) ? strv_append(&n->names, normal) : 0;
        free(name);
        return r;
}

/* The app is its process `web`, where it has one, and else its first. */
static bool stands_for_app(const Instance *i) {
        const Process *web = release_process(i->process->release, "web");

        return i->process == (web ? web : &i->process->release->processes[0]);
}

static int names_collect(Names *n, const Instance *i) {
        const SpecProcess *p = i->process->spec;
        int r = stands_for_app(i) ? add_name(n, strdup(i->sv->name)) : 0;

        if (r >= 0 && p->name)
                r = add_name(n, str_format("%s.%s", p->name, i->sv->name));
        if (r >= 0)
                r = add_name(n, strdup(i->container_name));
        if (r >= 0 && p->hostname.value)
                r = add_name(n, strdup(p->hostname.value));
        for (size_t k = 0; k < p->network_aliases.n && r >= 0; k++)
                r = add_name(n, strdup(p->network_aliases.items[k].value));
        return r;
}

static void names_tell(Names *n, bool up) {
        for (char **name = n->names; name && *name; name++)
                for (int k = 0; k < _NETWORK_FAMILY_MAX; k++)
                        if (n->addresses[k].family == 0)
                                continue;
                        else if (up)
                                (void) name_publish(BERTH_NAME_DIR, n->network, *name, &n->addresses[k]);
                        else
                                name_withdraw(BERTH_NAME_DIR, n->network, *name, &n->addresses[k]);
        n->told = up;
}

void names_update(Instance *i) {
        bool up = i->state == INSTANCE_READY;

        if (i->names && i->names->told != up)
                names_tell(i->names, up);
}

/* ---- the name server ---- */

static void store(const Instance *i) {
        _cleanup_free_ char *text = str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s" ADOPT_DNS_SUFFIX, i->key);
        const int fds[] = { resolver_udp(i->names->resolver), resolver_tcp(i->names->resolver) };

        if (text)
                (void) sd_pid_notify_with_fds(0, 0, text, fds, ELEMENTSOF(fds));
}

/* netns: of the instance, where the sockets are still to be made. */
static int resolver_begin(Instance *i, int netns, int udp, int tcp) {
        const SpecProcess *p = i->process->spec;
        const SpecNetworkFile *file = p->network_spec ? &p->network_spec->net : NULL;
        _cleanup_strv_ char **servers = NULL;
        ResolverSettings settings = {
                .network = i->names->network, .app = i->sv->name, .internal = file && file->internal.value,
        };
        const SpecText *dns = p->dns.n > 0 ? p->dns.items : file ? file->dns.items : NULL;
        size_t n = p->dns.n > 0 ? p->dns.n : file ? file->dns.n : 0;
        int r = 0;

        for (size_t k = 0; k < n && r >= 0; k++)
                r = strv_append(&servers, dns[k].value);
        settings.servers = servers;
        if (r >= 0 && udp < 0)
                r = resolver_sockets(netns, &udp, &tcp);
        return r < 0 ? r : resolver_new(i->sv->event, udp, tcp, &settings, &i->names->resolver);
}

static int names_new(Instance *i, Names **ret) {
        _cleanup_(names_freep) Names *n = calloc(1, sizeof(*n));
        int r;

        if (!n)
                return -ENOMEM;
        n->network = strdup(i->attachment.network.name);
        if (!n->network)
                return -ENOMEM;
        memcpy(n->addresses, i->attachment.addresses, sizeof(n->addresses));
        r = names_collect(n, i);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(n);
        return 0;
}

int names_begin(Instance *i, int netns, Error *reterr) {
        int r = names_new(i, &i->names);

        if (r >= 0 && names_are_served(i->process->spec)) {
                r = resolver_begin(i, netns, -EBADF, -EBADF);
                if (r >= 0)
                        store(i);
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot serve names") : 0;
}

int names_adopt(Instance *i, int udp, int tcp) {
        int r;

        r = names_new(i, &i->names);
        if (r >= 0 && names_are_served(i->process->spec)) {
                bool anew = udp < 0 || tcp < 0;
                _cleanup_close_ int netns = -EBADF;

                if (anew) {
                        udp = fd_close(udp);
                        tcp = fd_close(tcp);
                        netns = netns_of(i->pid);
                }
                r = anew && netns < 0 ? netns : resolver_begin(i, netns, udp, tcp);
                if (r >= 0 && anew)
                        store(i);
        }
        /* The earlier supervisor may have told of it and not have written down that it is ready, or the other way round. */
        if (r >= 0)
                names_tell(i->names, i->state == INSTANCE_READY);
        return r;
}

void names_end(Instance *i) {
        if (!i->names)
                return;
        names_tell(i->names, false);
        if (i->names->resolver)
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s" ADOPT_DNS_SUFFIX, i->key);
        i->names = names_free(i->names);
}

void names_forget(const InstanceStatus *status) {
        _cleanup_(attachment_clear) Attachment a = { 0 };

        if (!*status->addresses || attach_read(status, &a) < 0)
                return;
        for (int k = 0; k < _NETWORK_FAMILY_MAX; k++)
                if (a.addresses[k].family != 0)
                        name_withdraw_all(BERTH_NAME_DIR, a.network.name, &a.addresses[k]);
}
