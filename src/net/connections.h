/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who is connected to a published port and who listens on it, as the kernel has it (sock_diag(7)). */

#include "net/port.h"

/* 1: a TCP connection to the port of the host is open, on either side; 0: none is, nor any to a UDP port; or negative errno. */
int port_has_connection(const Port *p);

/* The same of a port of the network namespace that netns is open on. */
int netns_has_connection(int netns, uint16_t port);

/* Whether a socket there listens on the port (UDP: is bound to it), on another address than loopback's: bits PORT_INSIDE_* of the families that
 * reach it; 0: none does; or negative errno. */
#define PORT_INSIDE_IPV4 1
#define PORT_INSIDE_IPV6 2
int netns_listens(int netns, SpecProtocol protocol, uint16_t port);
