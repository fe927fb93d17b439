/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Passes the bytes of one connection on to another, both ways, until both have ended; splice(2). */

#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "util/macro.h"

typedef struct Pump Pump;

/* All pumps of one owner: a listening socket that waits while there are too many. */
typedef struct PumpSet {
        sd_event *event;
        sd_event_source *listener; /* the owner's; off while there are PUMPS_MAX */
        Pump *first;
        unsigned n;
} PumpSet;

#define PUMPS_MAX 512

/* Between client and server, which may be connecting still; both are taken over. first is what was read from the client already, and at most PIPE_BUF bytes. */
int pump_new(PumpSet *set, int client, int server, const void *first, size_t n_first);
void pump_set_clear(PumpSet *set);
