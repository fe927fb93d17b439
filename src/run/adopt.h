/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a supervisor leaves to the next one when it dies: file descriptors in systemd's store (sd_notify(3), FDSTORE=1), the
 * state file, its releases, and, where all of that is of no use, scopes to be ended. */

#include "run/supervisor.h"

#define ADOPT_IMAGE_PREFIX "image/"    /* FDNAME= of image pins, and behind it the release */

#define ADOPT_PORT_PREFIX "port/"      /* FDNAME= of published ports' sockets and maps: port-pool.c */
#define ADOPT_RULES ADOPT_PORT_PREFIX "rules" /* of the socket whose nftables table leads to ports */
#define ADOPT_BINDS_SUFFIX "/binds"    /* and, behind the instance's, of what it takes its ports over by */

#define ADOPT_LISTENER_INFIX "/listen/" /* and, behind the instance's, of its own listener, and the port behind it */
#define ADOPT_INNER_INFIX "/inner/"    /* likewise, of what serves one of them inside, and the port behind it */
#define ADOPT_DNS_SUFFIX "/dns"        /* likewise, of the sockets of its name server */

/* The stored fds of one instance. */
typedef struct AdoptedFds {
        char *name;
        int pidfd, pipe, memory, notify;
        int binds, binds_memory;
        int dns_udp, dns_tcp;
} AdoptedFds;

/* A socket of the internet, from the store or from a .socket unit, or the map of a published port. */
typedef struct AdoptedSocket {
        char *name;
        int fd;
} AdoptedSocket;

typedef struct Adoption {
        AdoptedFds *items;
        size_t n;
        AdoptedSocket *sockets;
        size_t n_sockets;
} Adoption;

/* Takes the fds that systemd passed on, sorted by instance and kind. 0 also when there are none. */
int adoption_collect(Adoption *ret);
void adoption_clear(Adoption *a);

/* Takes sv->adoption over: releases, what is wanted, instances, each with its own; ends what belongs to none. Returns 1, or 0 where there is nothing that
 * can be taken over, and nothing of the app runs any more. */
int adopt_all(Supervisor *sv);

/* The cgroup of the app's slice. -ENOENT while the slice has nothing in it. */
int adopt_slice_open(const char *slice);

/* Ends all instances of the app whose cgroup is given, without a word. */
void adopt_kill_all(int slice_cgroup);
