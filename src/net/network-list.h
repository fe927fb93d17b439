/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The networks that are known on this machine, and whose their addresses are. */

#include "net/network.h"

typedef struct NetworkEntry {
        char *name;
        char *bridge;           /* while it is up; else NULL */
        Subnet subnets[_NETWORK_FAMILY_MAX]; /* base.family 0: none */
        char **holders;         /* "ADDRESS APP/INSTANCE", sorted; kept while the app exists */
} NetworkEntry;

/* Sorted by name. 0 or negative errno. */
int network_list(NetworkEntry **ret, size_t *ret_n);
void network_list_free(NetworkEntry *items, size_t n);
