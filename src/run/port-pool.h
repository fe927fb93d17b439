/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ports that an app has on the host. Its processes share them, also with those of another release of the app: one that the next release
 * publishes as well never closes in between. */

#include <systemd/sd-event.h>

#include "net/port.h"

struct Adoption;
typedef struct PooledPort PooledPort;

typedef struct PortPool {
        PooledPort **items;
        size_t n;
        bool kept; /* what is given back stays in the store, for the next supervisor */
} PortPool;

/* The port of the host that a process (NULL: the unnamed one) publishes by spec: one of the pool, one that an earlier supervisor or a .socket unit
 * left (a may be NULL), or a new one. Of the host's ports that were not asked for by number, each port of a process has its own. On an error
 * reterr says who has the port, where that is known. */
int port_pool_get(PortPool *pool, sd_event *event, const char *process, const SpecPort *spec, struct Adoption *a, Port **ret, Error *reterr);

/* Gives it back. One that nobody uses any more is closed, and leaves the store. */
void port_pool_put(PortPool *pool, Port *p);

/* The ports that are open, and whether the next port_pool_put() closes one of them. */
size_t port_pool_count(const PortPool *pool);
Port *port_pool_at(const PortPool *pool, size_t at);
bool port_pool_is_last(const PortPool *pool, const Port *p);

/* To be called when the sockets of a port, or which of them serve, may have changed. */
void port_pool_changed(PortPool *pool, Port *p);

/* Makes getsockname(2) tell the container's numbers; what stands in the way. */
int port_pool_translate(const PortPool *pool);

/* What an earlier supervisor left, of ports and of instances, and nobody has asked for. To be called when all that is known has been. */
void port_pool_drop_left(const struct Adoption *a);

void port_pool_clear(PortPool *pool);
