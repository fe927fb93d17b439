/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A published port on the host: the sockets that payloads get in place of their own when they bind(2) it. They outlive every
 * instance, so that clients wait while there is none. */

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

typedef struct Port {
        SpecPort spec; /* but for the container's port, which two processes may see differently */
        uint16_t host; /* spec.host, or the one that the kernel chose; in the host's byte order */
        int sockets[_PORT_KIND_MAX];
        bool serving[_PORT_KIND_MAX];  /* TCP: it listens */
        bool foreign[_PORT_KIND_MAX];  /* systemd listens, too: it is not ours to stop */
        unsigned held[_PORT_KIND_MAX]; /* instances that have it */
} Port;

#define PORT_BACKLOG 4096 /* until the payload says it with listen(2); the kernel takes somaxconn at most */

/* Takes the port of the host, or a free one. Nobody can come in between from then on. Errors: -EADDRINUSE, -EADDRNOTAVAIL: none
 * of the host's addresses, … */
int port_open(Port *p, const SpecPort *spec, Error *reterr);

/* A port without sockets, for those of an earlier port_open() or port_socket() of the same address, on this port of the host; or for
 * one of a .socket unit of systemd's, if it is for this address and port. 1: it is one and the port's now; 0: it is not. */
void port_init(Port *p, const SpecPort *spec);
int port_adopt(Port *p, int fd, uint16_t host);
int port_adopt_foreign(Port *p, int fd);
bool port_is_open(const Port *p);

/* The socket of that kind, which clients can reach from now on. 0: such a one cannot be had, for the published address is of
 * the other family. */
int port_socket(Port *p, PortKind kind, int *ret, Error *reterr);

/* Sockets of kinds that no instance has, while another kind has one, turn clients away. Once taken, a port is never closed to
 * all of them. */
void port_settle(Port *p);

/* "0.0.0.0:8080", "[::1]:8080", or "*:8080" where it is all addresses of both families. */
typedef struct PortText {
        char text[64];
} PortText;
PortText port_text(const Port *p);

/* Where the host itself finds it: an address of kind's family for connect(2). Returns its size. */
socklen_t port_destination(const Port *p, PortKind kind, struct sockaddr_storage *ret);

/* The unit of a process that has the port open, of which port_open() said -EADDRINUSE: "shop.service"; or "'PROGRAM' (PID n)". 0, or
 * -ESRCH: it cannot be told. */
int port_find_owner(const Port *p, char **ret);

void port_close(Port *p);
