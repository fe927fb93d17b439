/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Network devices, their addresses and routes, rtnetlink(7). fd: of netlink_socket(NETLINK_ROUTE); its network namespace is where it
 * all happens. */

#include <net/if.h>
#include <sys/types.h>

#include "util/address.h"

typedef struct Link {
        int index, master; /* master 0: it is in no bridge */
        uint32_t mtu;
        bool is_bridge;
        char name[IFNAMSIZ];
} Link;

/* -ENODEV: there is none. */
int link_find(int fd, const char *name, Link *ret);

/* All of them, or those in a bridge. */
int link_list(int fd, int master_or_zero, Link **ret, size_t *ret_n);

/* Done when all of them are gone, the other ends of pairs with them. 0 also when one was gone already. Each removal has the kernel wait
 * until no processor has it in use any more, some 30 ms, and removals at once wait once. */
int links_remove(int fd, const int *indexes, size_t n);

/* Makes a bridge, and brings it up. mtu 0: the kernel's. */
int bridge_make(int fd, const char *name, const char *alias, uint32_t mtu);

/* Makes a pair of which one end is in the bridge and up, and the other one, called inner, in the network namespace that netns is open on. */
typedef struct Pair {
        const char *name, *alias; /* of the end here */
        const char *inner;
        const Address *address;   /* of the inner end: its hardware address follows from it */
        int bridge;               /* index */
        uint32_t mtu;             /* 0: the kernel's */
        int netns;
} Pair;
int pair_make(int fd, const Pair *p);

int link_up(int fd, int index);
int link_add_address(int fd, int index, const Address *a, unsigned prefix);
int link_add_default_route(int fd, int index, const Address *gateway);

typedef struct Route {
        Subnet destination;
        int index; /* of the link */
} Route;

/* All unicast routes through links, of both families and all tables. */
int route_list(int fd, Route **ret, size_t *ret_n);
