/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A network of ours: a bridge with its subnets, its addresses and its rules, and the instances that are on it. It has a directory for
 * what lasts, BERTH_NETWORK_DIR/NAME, and its bridge is there as long as an instance is on it. */

#include <net/if.h>
#include <sys/types.h>

#include "net/lease.h"
#include "spec/spec.h"

#define NETWORK_DEFAULT SPEC_NETWORK_DEFAULT_NAME
#define NETWORK_BRIDGE_DEFAULT "berth0"
#define NETWORK_LINK_INSIDE "eth0"

enum { NETWORK_IPV4, NETWORK_IPV6, _NETWORK_FAMILY_MAX };

/* One family of it. base.family 0: it has none. */
typedef struct NetworkSide {
        Subnet subnet;
        Address gateway;
        uint64_t first, last; /* numbers of addresses that are given out; 0, 0: all */
        bool given;           /* the subnet was asked for, and no other will do */
        bool wanted;          /* not given, and to be chosen */
} NetworkSide;

typedef struct Network {
        char *name;
        char bridge[IFNAMSIZ]; /* "": one that follows from the name */
        NetworkSide sides[_NETWORK_FAMILY_MAX];
        bool internal, isolated;
        uint32_t mtu; /* 0: that of the host's default route */
        char **dns;   /* name servers of the instances; NULL: those of the host */
} Network;

typedef struct NetworkEnv {
        lease_app_exists app_exists;
        bool (*network_exists)(const char *name);
} NetworkEnv;

/* By the specs of this machine, and by what runs. */
extern const NetworkEnv network_env;

/* What a file NAME.network asks for; the default network where it is NULL. */
int network_of_spec(const Spec *file, Network *ret);
void network_clear(Network *n);
#define _cleanup_network_ _cleanup_(network_clear)

/* Completes what was not asked for by what it was the last time or else by what is free on this host, and keeps it. */
int network_settle(Network *n, const NetworkEnv *env, Error *reterr);

/* Forgets subnets and addresses. -EBUSY: instances are on it. */
int network_forget(const char *name, Error *reterr);

/* The addresses of an instance, after network_settle(). fixed: by family; family 0: none is asked for. */
int network_lease(const Network *n, const NetworkEnv *env, const char *app, const char *instance, const Address *fixed, Address *ret, Error *reterr);

/* Puts the instance whose network namespace netns is open on, and route is a NETLINK_ROUTE socket of, on the network; bridge and rules are
 * made where they are missing. */
int network_attach(const Network *n, const char *app, const char *instance, const Address *addresses, int netns, int route, Error *reterr);

/* Is only one instance on it? */
bool network_has_one(const Network *n);

/* Takes it off again, and with the last one the bridge and its rules; and what others left who could not. Nothing if it is not on any. */
int network_detach(const char *app, const char *instance);
