/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/link.h"
#include "net/netlink.h"
#include "net/network-internal.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

#define SUBNETS_FILE "subnets" /* one a line */
#define SUBNETS_FILE_MAX 4096
#define SMALL_SUBNETS 256      /* of 10.76.0.0/16 */

/* Where others like to be is left to them: Podman's 10.88.0.0/16 and above, Docker's 172.17.0.0/16 and above. */
static const char *const default_subnets[] = {
        "10.77.0.0/16", "10.78.0.0/16", "10.79.0.0/16", "10.74.0.0/16", "10.75.0.0/16", "172.30.0.0/16", "172.29.0.0/16", "192.168.0.0/16",
};
static const char small_subnets[] = "10.76.0.0/16";

/* What is taken: the routes of the host, and the other networks of ours. */
typedef struct Taken {
        Subnet subnet;
        char *by; /* "a route through eth0", "network 'b'" */
} Taken;

struct SubnetWorld {
        Taken *items;
        size_t n;
};

SubnetWorld *subnet_world_free(SubnetWorld *w) {
        for (size_t i = 0; w && i < w->n; i++)
                free(w->items[i].by);
        if (w)
                free(w->items);
        free(w);
        return NULL;
}

/* Takes `by` over. */
static int taken_add(SubnetWorld *w, const Subnet *s, char *by) {
        Taken *p = by ? reallocarray(w->items, w->n + 1, sizeof(*p)) : NULL;

        if (!p) {
                free(by);
                return -ENOMEM;
        }
        w->items = p;
        p[w->n++] = (Taken){ .subnet = *s, .by = by };
        return 0;
}

int subnets_read(const char *network, Subnet ret[_NETWORK_FAMILY_MAX]) {
        _cleanup_close_ int dir = network_directory(network, false);
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r;

        for (int i = 0; i < _NETWORK_FAMILY_MAX; i++)
                ret[i] = (Subnet){ 0 };
        r = dir < 0 ? dir : read_file(dir, SUBNETS_FILE, SUBNETS_FILE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                Subnet s;

                if (subnet_parse(line, &s) >= 0)
                        ret[s.base.family == AF_INET6 ? NETWORK_IPV6 : NETWORK_IPV4] = s;
        }
        return 0;
}

int subnets_write(const char *network, const Subnet subnets[_NETWORK_FAMILY_MAX]) {
        _cleanup_close_ int dir = network_directory(network, true);
        char text[2 * sizeof(AddressText) + 2];
        int n = 0;

        if (dir < 0)
                return dir;
        for (int i = 0; i < _NETWORK_FAMILY_MAX; i++)
                if (subnets[i].base.family != 0)
                        n += snprintf(text + n, sizeof(text) - (size_t) n, "%s\n", subnet_text(&subnets[i]).text);
        return write_file(dir, SUBNETS_FILE, text, (size_t) n, 0644, false);
}

static int read_routes(SubnetWorld *w, const char *own_bridge) {
        _cleanup_close_ int fd = netlink_socket(NETLINK_ROUTE);
        _cleanup_free_ Route *routes = NULL;
        size_t n = 0;
        int r = fd < 0 ? fd : route_list(fd, &routes, &n);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                char name[IFNAMSIZ];

                /* A default route is there for what nobody else has. */
                if (routes[i].destination.prefix == 0 || !if_indextoname((unsigned) routes[i].index, name) || streq(name, own_bridge))
                        continue;
                r = taken_add(w, &routes[i].destination, str_format("the host has a route through '%s' to", name));
        }
        return r;
}

static int read_networks(SubnetWorld *w, const char *own, const NetworkEnv *env) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(AT_FDCWD, BERTH_NETWORK_DIR, &d);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (struct dirent *e; r >= 0 && (e = readdir(d));) {
                Subnet subnets[_NETWORK_FAMILY_MAX];

                if (e->d_name[0] == '.' || streq(e->d_name, own) || (!streq(e->d_name, NETWORK_DEFAULT) && !env->network_exists(e->d_name)))
                        continue;
                r = subnets_read(e->d_name, subnets);
                for (int i = 0; r >= 0 && i < _NETWORK_FAMILY_MAX; i++)
                        if (subnets[i].base.family != 0)
                                r = taken_add(w, &subnets[i], str_format("network '%s' has", e->d_name));
        }
        return r;
}

int subnet_world_read(const Network *n, const NetworkEnv *env, SubnetWorld **ret) {
        _cleanup_(subnet_world_freep) SubnetWorld *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        r = read_networks(w, n->name, env);
        if (r >= 0)
                r = read_routes(w, n->bridge);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

bool subnet_world_conflict(const SubnetWorld *w, const Subnet *s, const char *network, Error *reterr) {
        for (size_t i = 0; i < w->n; i++)
                if (subnet_overlaps(s, &w->items[i].subnet)) {
                        (void) error_set(reterr, -EADDRINUSE, "network '%s' cannot have subnet %s: %s %s", network, subnet_text(s).text,
                                w->items[i].by, subnet_text(&w->items[i].subnet).text);
                        return true;
                }
        return false;
}

/* A ULA, RFC 4193: 40 bits that are this machine's, 16 that are the network's. */
static int choose_ipv6(const SubnetWorld *w, const char *network, Subnet *ret) {
        _cleanup_free_ char *machine = NULL;
        uint64_t site, number;
        int r = read_file(AT_FDCWD, "/etc/machine-id", 128, &machine, NULL);

        if (r < 0 && r != -ENOENT)
                return r;
        site = hash_bytes(machine ? machine : "", machine ? strlen(machine) : 0);
        number = hash_bytes(network, strlen(network));
        for (unsigned i = 0; i <= UINT16_MAX; i++) {
                uint16_t part = (uint16_t) (number + i);

                *ret = (Subnet){ .base.family = AF_INET6, .prefix = 64 };
                ret->base.bytes[0] = 0xfd;
                memcpy(ret->base.bytes + 1, &site, 5);
                ret->base.bytes[6] = (uint8_t) (part >> 8);
                ret->base.bytes[7] = (uint8_t) part;
                if (!subnet_world_conflict(w, ret, network, NULL))
                        return 0;
        }
        return -EADDRNOTAVAIL;
}

static int choose_ipv4(const SubnetWorld *w, const char *network, Subnet *ret) {
        uint64_t start = hash_bytes(network, strlen(network));
        Subnet all;

        for (size_t i = 0; streq(network, NETWORK_DEFAULT) && i < ELEMENTSOF(default_subnets); i++)
                if (subnet_parse(default_subnets[i], ret) >= 0 && !subnet_world_conflict(w, ret, network, NULL))
                        return 0;
        (void) subnet_parse(small_subnets, &all);
        for (uint64_t i = 0; i < SMALL_SUBNETS; i++) {
                *ret = (Subnet){ .base = subnet_at(&all, (start + i) % SMALL_SUBNETS * 256), .prefix = 24 };
                if (!subnet_world_conflict(w, ret, network, NULL))
                        return 0;
        }
        return -EADDRNOTAVAIL;
}

int subnet_choose(const SubnetWorld *w, const char *network, int family, Subnet *ret, Error *reterr) {
        int r = family == AF_INET6 ? choose_ipv6(w, network, ret) : choose_ipv4(w, network, ret);

        return r < 0 ? error_set_errno(reterr, r, "cannot find a free subnet for network '%s'; Subnet= says one", network) : 0;
}
