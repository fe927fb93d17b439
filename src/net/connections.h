/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether anybody is connected to a published port, as the kernel has it (sock_diag(7)). */

#include "net/port.h"

/* 1: a TCP connection to the port of the host is open, on either side; 0: none is, nor any to a UDP port; or negative errno. */
int port_has_connection(const Port *p);
