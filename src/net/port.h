/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A published port on the host: the sockets that payloads get in place of their own when they bind(2) it. Where the kernel can do it each gets
 * a listener of its own, of a group (port-group.h); else all share one. One of the port's outlives every instance, so that clients wait while
 * there is none. */

#include <sys/socket.h>

#include "spec/spec.h"
#include "util/error.h"

/* What a payload's socket can be. A socket of one kind cannot do another's work: its family is the payload's to know. */
typedef enum PortKind {
        PORT_IPV4,
        PORT_IPV6, /* IPV6_V6ONLY */
        PORT_DUAL, /* IPv6 with IPv4 in it, as ::ffff:a.b.c.d */
        _PORT_KIND_MAX,
        _PORT_KIND_INVALID = -EINVAL,
} PortKind;

/* Of the listeners in a group: each instance has one. */
#define PORT_SLOTS 1024U
#define PORT_PARKED 0U /* the slot of the port's own */

typedef struct PortSlot {
        bool used, live;
        int listeners[_PORT_KIND_MAX]; /* copies of what the instance has got */
} PortSlot;

typedef struct Port {
        SpecPort spec; /* but for the container's port, which two processes may see differently */
        uint16_t host; /* spec.host, or the one that the kernel chose; in the host's byte order */
        int sockets[_PORT_KIND_MAX];
        bool serving[_PORT_KIND_MAX];  /* TCP: it listens; UDP: it is there */
        bool foreign[_PORT_KIND_MAX];  /* systemd listens, too: it is not ours to stop */
        unsigned held[_PORT_KIND_MAX]; /* instances that have it */
        int map;                       /* of the group; -EBADF: all share the sockets above */
        PortSlot *slots;
        unsigned n_slots;
} Port;

#define PORT_BACKLOG 4096 /* until the payload says it with listen(2); the kernel takes somaxconn at most */

/* Is there a socket of that kind for the published address? Not where that is of the other family. */
bool port_can_serve(const Port *p, PortKind kind);

/* A port without sockets, and without a group. */
void port_init(Port *p, const SpecPort *spec);

/* Takes the port of the host, or a free one. Nobody can come in between from then on. grouped: instances get listeners of their own, where
 * the kernel can do it. Errors: -EADDRINUSE, -EADDRNOTAVAIL: none of the host's addresses, … */
int port_open(Port *p, bool grouped, Error *reterr);

/* For sockets of an earlier port_open() or port_socket() of the same address, on this port of the host; or for one of a .socket unit of systemd's,
 * if it is for this address and port. 1: it is one and the port's now; 0: it is not. An earlier port's map, if it had one, comes last. */
int port_adopt(Port *p, int fd, uint16_t host);
int port_adopt_foreign(Port *p, int fd);
int port_adopt_map(Port *p, int map);
bool port_is_open(const Port *p);
bool port_is_grouped(const Port *p);

/* The socket of that kind that all share, which clients can reach from now on. 0: such a one cannot be had, for the published address is of
 * the other family. */
int port_socket(Port *p, PortKind kind, int *ret, Error *reterr);

/* Likewise, in a group: the slot's own, which clients reach when the slot is live. */
int port_listener(Port *p, PortKind kind, unsigned slot, int *ret, Error *reterr);

/* A slot that nobody has, -ENOBUFS: all are taken; and that of an instance of an earlier supervisor, with its listener (taken over if it is one
 * of the port's: 1). */
int port_slot_new(Port *p);
int port_slot_claim(Port *p, unsigned slot);
int port_slot_adopt(Port *p, unsigned slot, int fd);

/* Says whether clients are to reach the slot, as it is at first not. What waited at the port's own goes to the live ones, too. */
int port_slot_set_live(Port *p, unsigned slot, bool live);

/* Nobody is left who could accept: what waits there goes to the live ones, or to the port's own. */
void port_slot_shut(Port *p, unsigned slot);
void port_slot_free(Port *p, unsigned slot);

/* Sockets of kinds that no instance has, while another kind has one, turn clients away. Once taken, a port is never closed to
 * all of them. */
void port_settle(Port *p);

/* "0.0.0.0:8080", "[::1]:8080", or "*:8080" where it is all addresses of both families. */
typedef struct PortText {
        char text[64];
} PortText;
PortText port_text(const Port *p);

/* A socket that connects from the host itself, without waiting: to the slot's listener whatever its state; PORT_PARKED: as any client. */
int port_connect(const Port *p, PortKind kind, unsigned slot);

/* The unit of a process that has the port open, of which port_open() said -EADDRINUSE: "shop.service"; or "'PROGRAM' (PID n)". 0, or
 * -ESRCH: it cannot be told. */
int port_find_owner(const Port *p, char **ret);

void port_close(Port *p);
