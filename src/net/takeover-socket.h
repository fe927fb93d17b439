/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket of a payload, looked at from outside. */

#include <sys/types.h>

#include "net/port.h"

typedef struct PayloadSocket {
        int fd;        /* ours, of the same socket */
        bool cloexec;  /* of the payload's descriptor */
        bool reuse;    /* SO_REUSEPORT */
        bool bound;    /* already */
        SpecProtocol protocol;
        PortKind kind;
} PayloadSocket;

/* Descriptor number `number` of thread tid. 0, or -ENOTSOCK for what is no TCP or UDP socket, or another error. */
int payload_socket_open(pid_t tid, int number, PayloadSocket *ret);
void payload_socket_close(PayloadSocket *s);

/* What was set on from, and is inherited by the connections that come of it, is set on to; also whether it blocks. */
int socket_options_copy(int from, int to);

/* Does a process of the cgroup (a directory) have the socket open? */
bool socket_is_open_in(int cgroup, int fd);
