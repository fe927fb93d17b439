/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of networks share. */

#include "net/network.h"

/* Whoever chooses, makes or removes does it alone. A new fd, whose end is the lock's, or negative errno. */
int network_lock(void);

/* The network's directory; made where it is missing and make says so. A new fd or negative errno. */
int network_directory(const char *name, bool make);

/* subnet.c: the subnets that it had the last time, base.family 0 where none; and those that it has from now on. */
int subnets_read(const char *network, Subnet ret[_NETWORK_FAMILY_MAX]);
int subnets_write(const char *network, const Subnet subnets[_NETWORK_FAMILY_MAX]);

/* What the subnet would be in the way of, as the end of a sentence: "10.0.0.0/8, which …". 1: of that; 0: of nothing. */
typedef struct SubnetWorld SubnetWorld;
int subnet_world_read(const Network *n, const NetworkEnv *env, SubnetWorld **ret);
SubnetWorld *subnet_world_free(SubnetWorld *w);
DEFINE_CLEANUP(SubnetWorld *, subnet_world_free);
bool subnet_world_conflict(const SubnetWorld *w, const Subnet *s, const char *network, Error *reterr);

/* One that is free, which follows from the network's name and what is there. */
int subnet_choose(const SubnetWorld *w, const char *network, int family, Subnet *ret, Error *reterr);
