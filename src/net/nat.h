/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What nftables has to do for the bridges: one table "inet berth", with two chains for each bridge. No other table is touched, and
 * nobody else's rules are read. */

#include "util/address.h"

#define NAT_TABLE "berth"

typedef struct Nat {
        const char *bridge;
        const Subnet *subnets; /* base.family 0: not there */
        size_t n_subnets;
        bool internal;         /* nothing goes in or out; else it goes out under the host's addresses */
        bool isolated;         /* nothing goes to or comes from other bridges of ours */
} Nat;

/* Makes the table and the bridge's chains what they should be, at once or not at all. Does nothing where they are. */
int nat_apply(const Nat *n);

/* Takes the bridge's chains away; with all, the table. */
int nat_remove(const char *bridge, bool all);
