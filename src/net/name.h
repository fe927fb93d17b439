/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who is up on which network, by name: BERTH_NAME_DIR/NETWORK/NAME has an empty file for each address. Supervisors write it, resolvers
 * read it, and nobody has to run for it. */

#include "util/address.h"

#define NAME_DOMAIN "berth"    /* of all names: web.berth is web */
#define NAME_SIZE_MAX 254      /* with the NUL, RFC 1035 */
#define NAME_ADDRESSES_MAX 256 /* of one name that are told */

/* In lower case and without the domain or a dot at its end. -EINVAL: it is no host name. */
int name_normalize(const char *name, char ret[NAME_SIZE_MAX]);

/* dir is BERTH_NAME_DIR. Twice does no harm. */
int name_publish(const char *dir, const char *network, const char *name, const Address *address);
void name_withdraw(const char *dir, const char *network, const char *name, const Address *address);
/* Whatever names the address has on the network. */
void name_withdraw_all(const char *dir, const char *network, const Address *address);

/* The addresses of both families that the name (normalized) has, on one network or (network NULL) on any. Returns how many: 0 is a
 * name that is not there. The order changes from call to call. */
size_t name_lookup(const char *dir, const char *network, const char *name, Address ret[NAME_ADDRESSES_MAX]);
