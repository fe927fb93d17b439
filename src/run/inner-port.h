/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A published TCP port as seen from inside the instance. Its payload listens on a socket of the host's network namespace:
 * what connects to the port by way of the instance's own namespace, as a health check of its own does, is passed on from here, to the very
 * instance. */

#include <systemd/sd-event.h>

#include "net/takeover.h"

typedef struct InnerPort InnerPort;

/* A socket that listens on all addresses of the network namespace of process pid, or on those of the one family that nobody inside listens
 * on. -EADDRINUSE: somebody inside does on both, and wants no help. */
int inner_port_listen(int pid, uint16_t port);

/* listener is taken over; t, which has the port's number there, stays the caller's. */
int inner_port_new(sd_event *event, int listener, const Takeover *t, size_t port, InnerPort **ret);
InnerPort *inner_port_free(InnerPort *p);
