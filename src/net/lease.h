/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who has which address of a network: links named after the address in the network's directory that say "APP/INSTANCE". They outlive
 * instances, so that an app has the same address at each start. */

#include "util/address.h"
#include "util/error.h"

/* Does the app still exist? What it holds is given to nobody else then. */
typedef bool (*lease_app_exists)(const char *app);

typedef struct LeaseWish {
        const char *network; /* for the sentence of an error */
        const char *app, *instance;
        const Subnet *subnet;
        const Address *gateway; /* given to nobody */
        uint64_t first, last;   /* numbers of the subnet's addresses that may be chosen */
        const Address *fixed;   /* this one and no other; NULL: one that follows from the names, or the next that is free */
        lease_app_exists exists;
} LeaseWish;

#define LEASE_PROBES_MAX 65536

/* dir is the network's, which the caller has locked. What the same instance had of the same family before is given back where it is not
 * the one that it gets. */
int lease_acquire(int dir, const LeaseWish *w, Address *ret, Error *reterr);
