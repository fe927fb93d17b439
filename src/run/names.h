/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The names of an instance on its network, told while it is ready, and the name server that it has itself. */

#include "run/supervisor.h"

/* Does the instance get a name server of ours? */
bool names_are_served(const SpecProcess *p);

/* Its network is there in the namespace that netns is open on, and the payload is not yet started. */
int names_begin(Instance *i, int netns, Error *reterr);

/* An earlier supervisor's instance that is on a network, with the sockets of its name server; without (-EBADF) they are made anew. Taken over. */
int names_adopt(Instance *i, int udp, int tcp);

/* Tells others of it, or no longer, as its state is. */
void names_update(Instance *i);

void names_end(Instance *i);

/* Nobody is told any longer of an instance that an earlier supervisor had, and that is not taken over. */
void names_forget(const InstanceStatus *status);
