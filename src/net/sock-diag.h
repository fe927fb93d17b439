/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's sockets, sock_diag(7). */

#include "util/buf.h"

/* From fd, a NETLINK_SOCK_DIAG socket, those of a family and protocol that have the port as their own and are in one of the states (bits of TCP's), each a
 * struct inet_diag_msg with the extensions (bits 1 << (INET_DIAG_… - 1)). For netlink_next(). 0 or negative errno. */
int sock_diag_find(int fd, int family, int protocol, uint32_t states, uint16_t port, uint8_t extensions, Buf *ret);
