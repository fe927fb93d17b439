/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "net/network-internal.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

static const int families[_NETWORK_FAMILY_MAX] = { [NETWORK_IPV4] = AF_INET, [NETWORK_IPV6] = AF_INET6 };

void network_clear(Network *n) {
        free(n->name);
        strv_free(n->dns);
        *n = (Network){ 0 };
}

int network_lock(void) {
        _cleanup_close_ int fd = -EBADF;
        int r = mkdir_parents(AT_FDCWD, BERTH_BRIDGE_DIR, 0755);

        if (r < 0)
                return r;
        fd = open(BERTH_BRIDGE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;
        return TAKE_FD(fd);
}

int network_directory(const char *name, bool make) {
        _cleanup_free_ char *path = str_format(BERTH_NETWORK_DIR "/%s", name);
        int r = !path ? -ENOMEM : make ? mkdir_parents(AT_FDCWD, path, 0755) : 0;

        if (r < 0)
                return r;
        r = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return r < 0 ? -errno : r;
}

/* "berth-web" where that fits, else one with a hash in place of the name. */
static void bridge_name(Network *n) {
        if (*n->bridge)
                return;
        if (streq(n->name, NETWORK_DEFAULT))
                (void) snprintf(n->bridge, sizeof(n->bridge), "%s", NETWORK_BRIDGE_DEFAULT);
        else if (strlen("berth-") + strlen(n->name) < sizeof(n->bridge) && !strpbrk(n->name, ":\\@"))
                (void) snprintf(n->bridge, sizeof(n->bridge), "berth-%s", n->name);
        else
                (void) snprintf(n->bridge, sizeof(n->bridge), "br-%012llx",
                        (unsigned long long) (hash_bytes(n->name, strlen(n->name)) & 0xffffffffffff));
}

/* What was asked for, else what it had, else one that is free. */
static int side_settle(const Network *n, NetworkSide *side, int family, const Subnet *before, bool is_up, const SubnetWorld *w, Error *reterr) {
        if (side->given && is_up && before->base.family != 0 && (before->prefix != side->subnet.prefix || !address_equal(&before->base, &side->subnet.base)))
                return error_set(reterr, -EBUSY, "network '%s' is in use with its old subnet %s; stop the apps that are on it first", n->name,
                        subnet_text(before).text);
        if (side->given)
                return !is_up && subnet_world_conflict(w, &side->subnet, n->name, reterr) ? -EADDRINUSE : 0;
        if (before->base.family != 0 && (is_up || !subnet_world_conflict(w, before, n->name, NULL))) {
                side->subnet = *before;
                return 0;
        }
        return subnet_choose(w, n->name, family, &side->subnet, reterr);
}

static void side_complete(NetworkSide *side) {
        uint64_t n = subnet_addresses(&side->subnet);

        if (side->gateway.family == 0)
                side->gateway = subnet_at(&side->subnet, n > 1 ? 1 : 0);
        if (side->last == 0) {
                /* The first of a subnet is its own name, and the last of an IPv4 one means all. */
                side->first = n > 2 ? 1 : 0;
                side->last = n > 2 && side->subnet.base.family == AF_INET ? n - 2 : n - 1;
        }
}

static bool is_same(const Subnet *a, const Subnet *b) {
        return a->base.family == b->base.family && (a->base.family == 0 || (a->prefix == b->prefix && address_equal(&a->base, &b->base)));
}

int network_settle(Network *n, const NetworkEnv *env, Error *reterr) {
        Subnet before[_NETWORK_FAMILY_MAX], now[_NETWORK_FAMILY_MAX] = { 0 };
        _cleanup_(subnet_world_freep) SubnetWorld *w = NULL;
        _cleanup_close_ int lock = network_lock();
        bool is_up, changed = false;
        int r;

        bridge_name(n);
        is_up = if_nametoindex(n->bridge) != 0;
        r = lock < 0 ? lock : subnets_read(n->name, before);
        if (r >= 0 && !is_up)
                r = subnet_world_read(n, env, &w);
        /* A family that is new on a bridge that is there. */
        for (int i = 0; r >= 0 && is_up && !w && i < _NETWORK_FAMILY_MAX; i++)
                if (n->sides[i].wanted && before[i].base.family == 0)
                        r = subnet_world_read(n, env, &w);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read which subnets are in use");
        for (int i = 0; i < _NETWORK_FAMILY_MAX; i++) {
                NetworkSide *side = &n->sides[i];

                if (!side->given && !side->wanted)
                        continue;
                r = side_settle(n, side, families[i], &before[i], is_up, w, reterr);
                if (r < 0)
                        return r;
                side_complete(side);
                now[i] = side->subnet;
        }
        for (int i = 0; i < _NETWORK_FAMILY_MAX; i++)
                changed = changed || !is_same(&before[i], &now[i]);
        r = changed ? subnets_write(n->name, now) : 0;
        return r < 0 ? error_set_errno(reterr, r, "cannot keep the subnet of network '%s' below '" BERTH_NETWORK_DIR "'", n->name) : 0;
}

/* Does a bridge stand for the network? The files below BERTH_BRIDGE_DIR say whose each one is. */
static int network_is_up(int lock, const char *name) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(lock, ".", &d);

        for (struct dirent *e; r >= 0 && (e = readdir(d));) {
                _cleanup_free_ char *text = NULL;

                if (e->d_name[0] != '.' && read_file(lock, e->d_name, NAME_MAX, &text, NULL) >= 0 && streq(text, name))
                        return 1;
        }
        return r < 0 ? r : 0;
}

int network_forget(const char *name, Error *reterr) {
        _cleanup_free_ char *path = str_format(BERTH_NETWORK_DIR "/%s", name);
        _cleanup_close_ int lock = network_lock();
        int r = !path ? -ENOMEM : lock < 0 ? lock : network_is_up(lock, name);

        if (r > 0)
                return error_set(reterr, -EBUSY, "network '%s' is in use, stop the apps that are on it first", name);
        if (r >= 0)
                r = remove_tree(AT_FDCWD, path);
        return r < 0 ? error_set_errno(reterr, r, "cannot forget network '%s'", name) : 0;
}

int network_lease(const Network *n, const NetworkEnv *env, const char *app, const char *instance, const Address *fixed, Address *ret, Error *reterr) {
        _cleanup_close_ int lock = network_lock(), dir = network_directory(n->name, true);
        int r = lock < 0 ? lock : dir < 0 ? dir : 0;

        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the addresses of network '%s'", n->name);
        for (int i = 0; r >= 0 && i < _NETWORK_FAMILY_MAX; i++) {
                const NetworkSide *side = &n->sides[i];
                const LeaseWish w = {
                        .network = n->name, .app = app, .instance = instance, .subnet = &side->subnet, .gateway = &side->gateway,
                        .first = side->first, .last = side->last, .fixed = fixed[i].family != 0 ? &fixed[i] : NULL, .exists = env->app_exists,
                };

                ret[i] = (Address){ 0 };
                if (side->subnet.base.family == 0 && w.fixed)
                        return error_set(reterr, -ERANGE, "network '%s' has no %s, and no place for address %s", n->name,
                                i == NETWORK_IPV6 ? "IPv6" : "IPv4", address_text(w.fixed).text);
                if (side->subnet.base.family != 0)
                        r = lease_acquire(dir, &w, &ret[i], reterr);
        }
        return r;
}
