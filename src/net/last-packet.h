/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When the last packet came to one of some TCP sockets: a socket filter that lets all pass and keeps the time. A connection has its listener's,
 * from its SYN to the last FIN or RST of the other side. socket(7), SO_ATTACH_BPF. */

#include <stdint.h>

typedef struct LastPacket {
        int map, program;
} LastPacket;
#define LAST_PACKET_INIT ((LastPacket){ .map = -EBADF, .program = -EBADF })

/* -EPERM, …: where bpf(2) is not to be had. */
int last_packet_open(LastPacket *ret);
void last_packet_close(LastPacket *l);

/* From now on; in place of another filter. */
int last_packet_attach(const LastPacket *l, int socket);

/* CLOCK_MONOTONIC in microseconds; 0: none came. */
int last_packet_usec(const LastPacket *l, uint64_t *ret);
