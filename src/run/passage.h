/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who comes to one of the host's sockets that no instance has got, for a port that cannot be taken over: passed on by the supervisor to an instance
 * that listens inside, or that has taken over the same port of the container. */

#include "net/port.h"
#include "run/pump.h"

typedef struct Instance Instance;
typedef struct Supervisor Supervisor;
typedef struct Passage Passage;

typedef struct Passages {
        Passage **items; /* by port and kind of socket */
        size_t n;
        unsigned next;   /* of the instances */
} Passages;

/* Clients are to reach it. */
bool passage_is_live(const Instance *i);

/* Opens the port's, or closes them, as the instances are now. */
int passages_update(Supervisor *sv, Port *port);

/* The port is going to be closed. */
void passages_forget(Supervisor *sv, const Port *port);
void passages_clear(Passages *all);
