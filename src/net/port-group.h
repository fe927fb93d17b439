/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The listeners of one port of the host: a SO_REUSEPORT group of each kind, in which a BPF program says who gets a connection
 * (BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, Linux 5.14). Each instance has listeners of its own, in its slot. In slot PORT_PARKED is the port's own,
 * where clients wait while no instance is live. When a listener stops, the kernel hands those who wait there to one of the others. */

#include "net/port.h"

/* A new group's map, or -errno where the kernel has no such thing for us. */
int port_group_open(void);

/* Is the fd such a map (an earlier supervisor's)? */
bool port_group_is_map(int fd);

/* Makes a bound socket of the group (TCP: one that listens) the one in slot; and takes it out. */
int port_group_put(const Port *p, PortKind kind, unsigned slot, int fd);
void port_group_remove(const Port *p, PortKind kind, unsigned slot);

/* From now on connections go to the live slots, and to the parked listener while there is none. Returns their number. A listener that was told of no new client may have got some: wake it. */
int port_group_steer(const Port *p, PortKind kind);

/* Makes who waits for clients look again: those that are handed over come without a word (inet_csk_listen_stop() in the kernel). */
void port_group_wake(int listener);

/* What a client's socket has to have for its connection to go to one slot, whatever that one's state: an address of 127.98.0.0/16, or, as IPv6
 * has no such addresses, a traffic class and flow label. Sets them, and connects without waiting. */
int port_group_connect(int fd, unsigned slot, const struct sockaddr_storage *to, socklen_t size);
