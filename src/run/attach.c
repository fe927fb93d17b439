/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>
#include <unistd.h>

#include "net/firewall.h"
#include "net/netns.h"
#include "run/attach.h"
#include "run/detacher.h"
#include "run/instance.h"
#include "run/names.h"
#include "run/resolver.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/strv.h"

void attachment_clear(Attachment *a) {
        network_clear(&a->network);
        free(a->text);
        free(a->address);
        free(a->gateway);
        *a = (Attachment){ 0 };
}

static int text_make(Attachment *a) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = 0;

        for (int i = 0; r >= 0 && i < _NETWORK_FAMILY_MAX; i++) {
                const Address *address = &a->addresses[i];

                if (address->family == 0)
                        continue;
                if (!a->address) {
                        a->address = strdup(address_text(address).text);
                        a->gateway = strdup(address_text(&a->network.sides[i].gateway).text);
                        if (!a->address || !a->gateway)
                                return -ENOMEM;
                }
                r = buf_printf(&b, "%s%s/%u", b.size > 0 ? ", " : "", address_text(address).text, a->network.sides[i].subnet.prefix);
        }
        a->text = r < 0 ? NULL : buf_steal(&b);
        return a->text ? 0 : -ENOMEM;
}

/* IP= and IP6=, which the spec has found to be addresses. */
static void fixed_read(const SpecProcess *p, Address fixed[_NETWORK_FAMILY_MAX]) {
        const char *texts[_NETWORK_FAMILY_MAX] = { [NETWORK_IPV4] = p->ip.value, [NETWORK_IPV6] = p->ip6.value };

        for (int k = 0; k < _NETWORK_FAMILY_MAX; k++)
                if (!texts[k] || address_parse(texts[k], &fixed[k]) < 0)
                        fixed[k] = (Address){ 0 };
}

static int lease(Instance *i, Attachment *a, Error *reterr) {
        const SpecProcess *p = i->process->spec;
        Address fixed[_NETWORK_FAMILY_MAX];
        char origin[512];
        int r;

        r = network_of_spec(p->network_spec, &a->network);
        if (r >= 0)
                r = network_settle(&a->network, &network_env, reterr);
        if (r < 0)
                return r;
        fixed_read(p, fixed);
        r = network_lease(&a->network, &network_env, i->sv->name, i->key, fixed, a->addresses, reterr);
        if (r < 0 && (p->ip.value || p->ip6.value))
                return error_prefix(reterr, "%s", spec_origin_text(i->process->release->spec, p->ip.value ? p->ip.origin : p->ip6.origin, origin, sizeof(origin)));
        return r;
}

int attach_plan(Instance *i, const FilesNetwork **ret_files, Error *reterr) {
        const SpecProcess *p = i->process->spec;
        Attachment *a = &i->attachment;
        int r;

        attachment_clear(a);
        *ret_files = NULL;
        if (p->network == SPEC_NETWORK_NONE || p->network == SPEC_NETWORK_HOST || p->network == SPEC_NETWORK_CONTAINER)
                return 0;
        r = lease(i, a, reterr);
        if (r >= 0)
                r = text_make(a);
        if (r < 0)
                return r;
        a->files = (FilesNetwork){
                .address = a->address, .gateway = a->gateway, .dns = a->network.dns, .internal = a->network.internal,
                .resolver = names_are_served(p) ? RESOLVER_ADDRESS : NULL,
        };
        a->wanted = true;
        *ret_files = &a->files;
        return 0;
}

bool attach_is_sysctl(const SpecProcess *p, const char *name) {
        return p->network != SPEC_NETWORK_HOST && p->network != SPEC_NETWORK_NONE && strstr(name, "." NETWORK_LINK_INSIDE ".");
}

static int sysctl_write(const Instance *i, const SpecPair *pair, int netns, Error *reterr) {
        _cleanup_free_ char *path = str_format("/proc/sys/%s", pair->name);
        char origin[512];
        int r;

        if (!path)
                return -ENOMEM;
        for (char *c = path; *c; c++)
                *c = *c == '.' ? '/' : *c;
        r = netns_write(netns, path, pair->value);
        if (r >= 0)
                return 0;
        (void) error_set_errno(reterr, r, "cannot set kernel parameter '%s' to '%s'", pair->name, pair->value);
        return error_prefix(reterr, "%s", spec_origin_text(i->process->release->spec, pair->origin, origin, sizeof(origin)));
}

static int sysctls_write(const Instance *i, int netns, Error *reterr) {
        const SpecProcess *p = i->process->spec;
        int r = 0;

        for (size_t k = 0; k < p->sysctls.n && r >= 0; k++)
                if (attach_is_sysctl(p, p->sysctls.items[k].name))
                        r = sysctl_write(i, &p->sysctls.items[k], netns, reterr);
        return r;
}

/* With the first on the network: rules are read whole, of which there may be many. */
static void firewall_tell(const Instance *i) {
        const Network *n = &i->attachment.network;
        _cleanup_free_ char *chain = NULL;

        if (!n->internal && network_has_one(n) && firewall_find(n->bridge, &chain) >= 0 && chain)
                log_warning("App '%s': what goes through bridge '%s' of network '%s' is dropped by %s, which is not berth's, unless a "
                            "rule there lets it through: see Firewalls in berth.network(5)",
                        i->sv->name, n->bridge, n->name, chain);
}

int attach_begin(Instance *i, int netns, int route, Error *reterr) {
        Attachment *a = &i->attachment;
        int r;

        if (!a->wanted)
                return error_set(reterr, -EPROTO, "berth-helper asks for links that nobody wants");
        a->tried = true;
        detacher_wait(i->sv->detacher, i->key); /* its link has the same name as the last time */
        r = network_attach(&a->network, i->sv->name, i->key, a->addresses, netns, route, reterr);
        if (r >= 0)
                r = sysctls_write(i, netns, reterr);
        if (r >= 0)
                firewall_tell(i);
        a->done = r >= 0;
        return r;
}

bool attach_is_internal(const Instance *i) {
        const Spec *network = i->process->spec->network_spec;

        return network && network->net.internal.value;
}

bool attach_is_done(const Instance *i) {
        return !i->attachment.wanted || i->attachment.done;
}

/* What text_make() made. */
static int text_read(Attachment *a, const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy, *word;

        while (rest && (word = strsep(&rest, ", "))) {
                Address address;
                Subnet subnet;
                int family;

                if (subnet_parse(word, &subnet) < 0)
                        continue;
                family = subnet.base.family == AF_INET6 ? NETWORK_IPV6 : NETWORK_IPV4;
                word[strcspn(word, "/")] = 0;
                if (address_parse(word, &address) < 0)
                        continue;
                a->addresses[family] = address;
                a->network.sides[family].subnet = subnet;
        }
        return copy ? 0 : -ENOMEM;
}

int attach_read(const InstanceStatus *status, Attachment *ret) {
        ret->network.name = strdup(status->network);
        ret->text = strdup(status->addresses);
        return ret->network.name && ret->text ? text_read(ret, status->addresses) : -ENOMEM;
}

int attach_adopt(Instance *i, const InstanceStatus *status) {
        Attachment *a = &i->attachment;

        if (!*status->addresses)
                return 0;
        a->wanted = a->tried = a->done = true;
        return attach_read(status, a);
}

void attach_end(Instance *i) {
        if (i->attachment.tried)
                detacher_add(i->sv->detacher, i->key);
        attachment_clear(&i->attachment);
}
