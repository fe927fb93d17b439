/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network-run ROUNDS: what each part of a network costs, done by the same functions as the supervisor does it, in the network namespace that it
 * is started in. Prints "NAME MICROSECONDS" of each, medians. */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/link.h"
#include "net/nat.h"
#include "net/netlink.h"
#include "net/port-rules.h"
#include "util/clock.h"
#include "util/fd.h"

#define ROUNDS_MAX 10000
#define BRIDGE "bench-br"
#define PAIR "bench-pair"
#define INSIDE "eth0"

static const Subnet subnet = { .base = { .family = AF_INET, .bytes = { 10, 99 } }, .prefix = 16 };
static const Address gateway = { .family = AF_INET, .bytes = { 10, 99, 0, 1 } }, address = { .family = AF_INET, .bytes = { 10, 99, 0, 2 } };

/* What one round works with. */
typedef struct Bench {
        int home, inner;        /* namespaces */
        int route, route_inner; /* NETLINK_ROUTE sockets of them */
        int rules;              /* NETLINK_NETFILTER */
} Bench;

static int step_namespace(Bench *b) {
        Link lo;
        int r;

        if (unshare(CLONE_NEWNET) < 0)
                return -errno;
        b->inner = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        b->route_inner = netlink_socket(NETLINK_ROUTE);
        r = b->route_inner < 0 ? b->route_inner : link_find(b->route_inner, "lo", &lo);
        if (r >= 0)
                r = link_up(b->route_inner, lo.index);
        return setns(b->home, CLONE_NEWNET) < 0 ? -errno : r;
}

static int step_bridge(Bench *b) {
        int r = bridge_make(b->route, BRIDGE, "bench", 0);

        return r < 0 ? r : link_add_address(b->route, (int) if_nametoindex(BRIDGE), &gateway, subnet.prefix);
}

static int step_rules(Bench *b) {
        const Nat n = { .bridge = BRIDGE, .subnets = &subnet, .n_subnets = 1 };

        return nat_apply(&n);
}

/* With one more on the bridge. */
static int step_look(Bench *b) {
        return step_rules(b);
}

static int step_pair(Bench *b) {
        const Pair p = {
                .name = PAIR, .alias = "bench", .inner = INSIDE, .address = &address, .bridge = (int) if_nametoindex(BRIDGE), .netns = b->inner,
        };

        return pair_make(b->route, &p);
}

static int step_address(Bench *b) {
        Link inside;
        int r = link_find(b->route_inner, INSIDE, &inside);

        if (r >= 0)
                r = link_add_address(b->route_inner, inside.index, &address, subnet.prefix);
        if (r >= 0)
                r = link_up(b->route_inner, inside.index);
        return r < 0 ? r : link_add_default_route(b->route_inner, inside.index, &gateway);
}

static int step_port(Bench *b) {
        const SpecPort spec = { .host = 80 };
        const PortTarget target = { .address = address, .subnet = subnet, .port = 80 };
        const PortRule rule = { .spec = &spec, .host = 80, .targets = &target, .n_targets = 1 };

        return port_rules_apply(b->rules, "bench", &rule, 1);
}

static int step_port_end(Bench *b) {
        return port_rules_apply(b->rules, "bench", NULL, 0);
}

static int step_links_end(Bench *b) {
        int indexes[] = { (int) if_nametoindex(PAIR), (int) if_nametoindex(BRIDGE) };

        return links_remove(b->route, indexes, ELEMENTSOF(indexes));
}

static int step_rules_end(Bench *b) {
        return nat_remove(BRIDGE, true);
}

static const struct {
        const char *name;
        int (*run)(Bench *b);
} steps[] = {
        { "namespace with loopback",           step_namespace },
        { "bridge and its address",            step_bridge    },
        { "rules of the bridge",               step_rules     },
        { "rules that are there",              step_look      },
        { "veth pair",                         step_pair      },
        { "address and route inside",          step_address   },
        { "rules of a port that is translated", step_port     },
        { "their end",                         step_port_end  },
        { "end of pair and bridge",            step_links_end },
        { "end of the rules",                  step_rules_end },
};

static int compare(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static int round_run(Bench *b, uint64_t **times, unsigned round) {
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                uint64_t begin = clock_usec(CLOCK_MONOTONIC);
                int r = steps[i].run(b);

                if (r < 0) {
                        fprintf(stderr, "network-run: %s: %s\n", steps[i].name, strerror(-r));
                        return r;
                }
                times[i][round] = clock_usec(CLOCK_MONOTONIC) - begin;
        }
        b->inner = fd_close(b->inner);
        b->route_inner = fd_close(b->route_inner);
        return 0;
}

int main(int argc, char *argv[]) {
        unsigned rounds = argc == 2 ? (unsigned) atoi(argv[1]) : 0;
        uint64_t *times[ELEMENTSOF(steps)];
        Bench b = { .inner = -EBADF, .route_inner = -EBADF };

        if (rounds == 0 || rounds > ROUNDS_MAX) {
                fputs("usage: network-run ROUNDS\n", stderr);
                return 2;
        }
        b.home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        b.route = netlink_socket(NETLINK_ROUTE);
        b.rules = netlink_socket(NETLINK_NETFILTER);
        if (b.home < 0 || b.route < 0 || b.rules < 0)
                return 1;
        for (size_t i = 0; i < ELEMENTSOF(steps); i++)
                times[i] = calloc(rounds, sizeof(**times));
        for (unsigned k = 0; k < rounds; k++)
                if (round_run(&b, times, k) < 0)
                        return 1;
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                qsort(times[i], rounds, sizeof(**times), compare);
                printf("%-36s%8llu\n", steps[i].name, (unsigned long long) times[i][rounds / 2]);
        }
        return 0;
}
