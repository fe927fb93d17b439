/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/link.h"
#include "net/nat.h"
#include "net/netlink.h"
#include "net/network-internal.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

/* Not "ve-", which systemd-networkd takes for a container of systemd-nspawn's. */
#define PAIR_PREFIX "bv-"

typedef struct PairName {
        char text[IFNAMSIZ];
} PairName;

static PairName pair_name(const char *app, const char *instance) {
        uint64_t parts[2] = { hash_bytes(app, strlen(app)), hash_bytes(instance, strlen(instance)) };
        PairName n;

        (void) snprintf(n.text, sizeof(n.text), PAIR_PREFIX "%012llx", (unsigned long long) (hash_bytes(parts, sizeof(parts)) & 0xffffffffffff));
        return n;
}

/* As large as what goes out by the default route. 0: there is none. */
static int host_mtu(int fd, uint32_t *ret) {
        _cleanup_free_ Route *routes = NULL;
        _cleanup_free_ Link *links = NULL;
        size_t n_routes, n_links;
        int r = route_list(fd, &routes, &n_routes);

        if (r >= 0)
                r = link_list(fd, 0, &links, &n_links);
        *ret = 0;
        for (size_t i = 0; r >= 0 && i < n_routes; i++)
                for (size_t k = 0; routes[i].destination.prefix == 0 && k < n_links; k++)
                        if (links[k].index == routes[i].index && (*ret == 0 || links[k].mtu < *ret))
                                *ret = links[k].mtu;
        return r;
}

/* What a router is, which stays: others may count on it by the time that nobody here does. */
static int forwarding_on(const Network *n) {
        static const char *const files[_NETWORK_FAMILY_MAX] = {
                [NETWORK_IPV4] = "/proc/sys/net/ipv4/ip_forward", [NETWORK_IPV6] = "/proc/sys/net/ipv6/conf/all/forwarding",
        };

        for (int i = 0; i < _NETWORK_FAMILY_MAX && !n->internal; i++) {
                _cleanup_free_ char *text = NULL;
                int r;

                if (n->sides[i].subnet.base.family == 0)
                        continue;
                r = read_file(AT_FDCWD, files[i], 64, &text, NULL);
                if (r >= 0 && text[0] == '0')
                        r = write_existing(AT_FDCWD, files[i], "1");
                if (r < 0)
                        return r;
        }
        return 0;
}

static int bridge_fill(const Network *n, int fd, int index, Error *reterr) {
        for (int i = 0; i < _NETWORK_FAMILY_MAX; i++) {
                const NetworkSide *side = &n->sides[i];
                int r = side->subnet.base.family != 0 ? link_add_address(fd, index, &side->gateway, side->subnet.prefix) : 0;

                if (r < 0)
                        return error_set_errno(reterr, r, "cannot give bridge '%s' its address %s", n->bridge, address_text(&side->gateway).text);
        }
        return 0;
}

/* The index of the bridge, which is there now, with its addresses. */
static int bridge_ensure(const Network *n, int lock, int fd, uint32_t *ret_mtu, Error *reterr) {
        int index = (int) if_nametoindex(n->bridge), r = 0;

        *ret_mtu = n->mtu;
        if (*ret_mtu == 0)
                r = host_mtu(fd, ret_mtu);
        if (index > 0 && faccessat(lock, n->bridge, F_OK, 0) < 0)
                return error_set(reterr, -EEXIST, "network '%s' cannot have bridge '%s': the host has such an interface, which is not of berth's making",
                        n->name, n->bridge);
        if (r >= 0 && index == 0) {
                _cleanup_free_ char *alias = str_format("network %s of berth", n->name);

                r = alias ? write_file(lock, n->bridge, n->name, strlen(n->name), 0644, false) : -ENOMEM;
                if (r >= 0)
                        r = bridge_make(fd, n->bridge, alias, *ret_mtu);
                if (r >= 0)
                        index = (int) if_nametoindex(n->bridge);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make bridge '%s' of network '%s'", n->bridge, n->name);
        r = bridge_fill(n, fd, index, reterr);
        return r < 0 ? r : index;
}

static int rules_ensure(const Network *n, Error *reterr) {
        Subnet subnets[_NETWORK_FAMILY_MAX];
        const Nat nat = {
                .bridge = n->bridge, .subnets = subnets, .n_subnets = ELEMENTSOF(subnets), .internal = n->internal, .isolated = n->isolated,
        };
        int r;

        for (int i = 0; i < _NETWORK_FAMILY_MAX; i++)
                subnets[i] = n->sides[i].subnet;
        r = nat_apply(&nat);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the nftables rules of network '%s'", n->name);
        r = forwarding_on(n);
        return r < 0 ? error_set_errno(reterr, r, "cannot let the host forward packets of network '%s'", n->name) : 0;
}

/* In the instance's own namespace. */
static int inside_fill(const Network *n, const Address *addresses, int route, Error *reterr) {
        Link inside;
        int r = link_find(route, NETWORK_LINK_INSIDE, &inside);

        for (int i = 0; r >= 0 && i < _NETWORK_FAMILY_MAX; i++)
                if (addresses[i].family != 0)
                        r = link_add_address(route, inside.index, &addresses[i], n->sides[i].subnet.prefix);
        if (r >= 0)
                r = link_up(route, inside.index);
        for (int i = 0; r >= 0 && !n->internal && i < _NETWORK_FAMILY_MAX; i++)
                if (addresses[i].family != 0)
                        r = link_add_default_route(route, inside.index, &n->sides[i].gateway);
        return r < 0 ? error_set_errno(reterr, r, "cannot give the instance its address on network '%s'", n->name) : 0;
}

int network_attach(const Network *n, const char *app, const char *instance, const Address *addresses, int netns, int route, Error *reterr) {
        _cleanup_free_ char *alias = str_format("instance %s of app %s", instance, app);
        _cleanup_close_ int lock = network_lock(), fd = netlink_socket(NETLINK_ROUTE);
        PairName name = pair_name(app, instance);
        Pair pair = {
                .name = name.text, .alias = alias, .inner = NETWORK_LINK_INSIDE, .netns = netns,
                .address = addresses[NETWORK_IPV4].family != 0 ? &addresses[NETWORK_IPV4] : &addresses[NETWORK_IPV6],
        };
        int r = !alias ? -ENOMEM : lock < 0 ? lock : fd < 0 ? fd : 0, old;

        if (r < 0)
                return error_set_errno(reterr, r, "cannot set network '%s' up", n->name);
        pair.bridge = bridge_ensure(n, lock, fd, &pair.mtu, reterr);
        if (pair.bridge < 0)
                return pair.bridge;
        r = rules_ensure(n, reterr);
        if (r < 0)
                return r;
        old = (int) if_nametoindex(name.text); /* of a predecessor whose namespace is still on its way out */
        r = links_remove(fd, &old, old > 0);
        if (r >= 0)
                r = pair_make(fd, &pair);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot connect the instance with bridge '%s'", n->bridge);
        lock = fd_close(lock);
        return inside_fill(n, addresses, route, reterr);
}

bool network_has_one(const Network *n) {
        _cleanup_close_ int fd = netlink_socket(NETLINK_ROUTE);
        _cleanup_free_ Link *links = NULL;
        int bridge = (int) if_nametoindex(n->bridge);
        size_t count = 0;

        return fd >= 0 && bridge > 0 && link_list(fd, bridge, &links, &count) >= 0 && count == 1;
}

/* ---- the end ---- */

/* Is nobody on the bridge but the link that goes? 1 also for one that is gone already. */
static int bridge_is_empty(int fd, int bridge, int going) {
        _cleanup_free_ Link *links = NULL;
        size_t n = 0;
        int r = bridge > 0 ? link_list(fd, bridge, &links, &n) : 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                if (links[i].index != going)
                        return 0;
        return r < 0 ? r : 1;
}

static int bridges_list(int lock, char ***ret) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(lock, ".", &d);

        for (struct dirent *e; r >= 0 && (e = readdir(d));)
                if (e->d_name[0] != '.')
                        r = strv_append(ret, e->d_name);
        return r;
}

/* Of the bridges, sorts those that nobody is on to the front: *ret_empty of them, with their links in indexes. */
static int bridges_find_empty(int fd, char **bridges, int going, int *indexes, size_t *n_indexes, size_t *ret_empty) {
        size_t empty = 0;

        for (char **b = bridges; b && *b; b++) {
                int index = (int) if_nametoindex(*b), r = bridge_is_empty(fd, index, going);
                char *name = *b;

                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                if (index > 0)
                        indexes[(*n_indexes)++] = index;
                *b = bridges[empty];
                bridges[empty++] = name;
        }
        *ret_empty = empty;
        return 0;
}

int network_detach(const char *app, const char *instance) {
        _cleanup_close_ int lock = network_lock(), fd = netlink_socket(NETLINK_ROUTE);
        PairName name = pair_name(app, instance);
        _cleanup_strv_ char **bridges = NULL;
        _cleanup_free_ int *indexes = NULL;
        int r = lock < 0 ? lock : fd < 0 ? fd : bridges_list(lock, &bridges), pair;
        size_t n = strv_length(bridges), n_indexes = 0, empty = 0;

        if (r >= 0 && !(indexes = calloc(n + 1, sizeof(*indexes))))
                r = -ENOMEM;
        if (r < 0)
                return r;
        pair = (int) if_nametoindex(name.text);
        if (pair > 0)
                indexes[n_indexes++] = pair;
        r = bridges_find_empty(fd, bridges, pair, indexes, &n_indexes, &empty);
        if (r >= 0)
                r = links_remove(fd, indexes, n_indexes);
        for (size_t i = 0; r >= 0 && i < empty; i++) {
                r = nat_remove(bridges[i], empty == n);
                if (r >= 0 && unlinkat(lock, bridges[i], 0) < 0)
                        r = -errno;
        }
        return r < 0 ? r : 0;
}
