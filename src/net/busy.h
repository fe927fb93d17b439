/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Connections to a published port whose client waits for an answer, as far as TCP shows it (sock_diag(7), tcp_info of linux/tcp.h). */

#include <linux/tcp.h>

#include "net/port.h"

/* Inode numbers of the sockets that accept(2) gave for them. *ret_n 0: there is none, nor any at a UDP port. The caller frees. 0 or negative errno. */
int port_busy_sockets(const Port *p, uint64_t **ret, size_t *ret_n);

/* unread, unsent: bytes that wait in the socket's queues. The client waits when it was the last to say something, or has not said anything yet. */
bool connection_is_busy(const struct tcp_info *info, uint32_t unread, uint32_t unsent);
