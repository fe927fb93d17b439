/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What nftables does for the published ports of one app that its payloads do not take over: a table of the app's own, "inet berth-APP". It
 * belongs to a socket (NFT_TABLE_F_OWNER, Linux 5.12), and is gone when the last copy of that is closed; nobody else's "flush ruleset"
 * concerns it. */

#include "spec/spec.h"
#include "util/address.h"

typedef struct PortTarget {
        Address address; /* of an instance, which is on */
        Subnet subnet;
        uint16_t port;
} PortTarget;

/* What comes to a port of the host, or is sent to it by the host itself, goes on to one of the targets, but for what is sent to a loopback address,
 * which no packet on a link may have; or, without targets, to another port of the same address of the host. */
typedef struct PortRule {
        const SpecPort *spec; /* its address and protocol */
        uint16_t host;        /* the port of the host */
        const PortTarget *targets; /* of both families */
        size_t n_targets;
        uint16_t to;          /* without targets */
} PortRule;

/* socket: netlink_socket(NETLINK_NETFILTER), the same one at each time. Makes the table what it should be, at once or not at all; without
 * rules there is none. 0, or negative errno: -EOPNOTSUPP, -EPERM, … where the kernel has no such thing for us. */
int port_rules_apply(int socket, const char *app, const PortRule *rules, size_t n);
