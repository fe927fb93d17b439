/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/network.h"
#include "spec/document.h"
#include "util/paths.h"
#include "util/strv.h"

/* ---- who exists ---- */

static bool app_exists(const char *name) {
        _cleanup_free_ char *state = str_format(BERTH_RUN_DIR "/%s/state", name);
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_document_ SpecDocument d = { 0 };

        if (!state || access(state, F_OK) == 0 || spec_search_open(NULL, &search) < 0)
                return true;
        /* A masked one, or one that is wrong, exists all the same. */
        return spec_document_read(&search, SPEC_CONTAINER, name, NULL, &d) != -ENOENT;
}

/* NetworkName= may say that a file is about another network than its own name. */
static bool network_exists(const char *name) {
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_strv_ char **names = NULL;
        bool found = false;

        if (spec_search_open(NULL, &search) < 0 || spec_search_list_kind(&search, SPEC_NETWORK, &names) < 0)
                return true;
        for (char **n = names; !found && n && *n; n++) {
                _cleanup_(spec_freep) Spec *s = NULL;

                found = streq(*n, name) || (spec_read_kind_from(&search, SPEC_NETWORK, *n, SPEC_STATIC, NULL, &s) >= 0 && streq(spec_network_name(s), name));
        }
        return found;
}

const NetworkEnv network_env = { .app_exists = app_exists, .network_exists = network_exists };

/* ---- what a file says ---- */

/* The item of that family in a list of texts, or NULL. */
static const char *of_family(const SpecText *items, size_t n, int side) {
        for (size_t i = 0; i < n; i++)
                if ((strchr(items[i].value, ':') != NULL) == (side == NETWORK_IPV6))
                        return items[i].value;
        return NULL;
}

static int range_read(NetworkSide *side, const char *text) {
        const char *dash = strchr(text, '-');
        _cleanup_free_ char *from = dash ? strndup(text, (size_t) (dash - text)) : NULL;
        Address first, last;

        if (!from || address_parse(from, &first) < 0 || address_parse(dash + 1, &last) < 0)
                return -EINVAL;
        side->first = subnet_number(&side->subnet, &first);
        side->last = subnet_number(&side->subnet, &last);
        return side->first == UINT64_MAX || side->last == UINT64_MAX || side->last < side->first ? -EINVAL : 0;
}

static int side_read(const SpecNetworkFile *f, int i, NetworkSide *side) {
        const char *subnet = of_family(f->subnets.items, f->subnets.n, i), *gateway = of_family(f->gateways.items, f->gateways.n, i),
                   *range = of_family(f->ranges.items, f->ranges.n, i);
        int r = subnet ? subnet_parse(subnet, &side->subnet) : 0;

        side->given = subnet;
        /* Who names IPv6 subnets alone wants no IPv4. */
        side->wanted = !subnet && (i == NETWORK_IPV6 ? f->ipv6.value : f->subnets.n == 0 || f->ipv6.value);
        if (r >= 0 && gateway)
                r = address_parse(gateway, &side->gateway);
        return r >= 0 && range ? range_read(side, range) : r;
}

int network_of_spec(const Spec *file, Network *ret) {
        Network n = { .name = strdup(file ? spec_network_name(file) : NETWORK_DEFAULT), .sides[NETWORK_IPV4].wanted = !file };
        const SpecNetworkFile *f = file ? &file->net : NULL;
        int r = n.name ? 0 : -ENOMEM;

        for (int i = 0; r >= 0 && f && i < _NETWORK_FAMILY_MAX; i++)
                r = side_read(f, i, &n.sides[i]);
        for (size_t i = 0; r >= 0 && f && i < f->dns.n; i++)
                r = strv_append(&n.dns, f->dns.items[i].value);
        if (r < 0) {
                network_clear(&n);
                return r;
        }
        if (f && f->interface_name.value)
                (void) snprintf(n.bridge, sizeof(n.bridge), "%s", f->interface_name.value);
        n.internal = f && f->internal.value;
        n.isolated = f && f->isolate.value;
        n.mtu = f ? (uint32_t) f->mtu.value : 0;
        *ret = n;
        return 0;
}
