/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernel keeps of UDP (conntrack): who has sent to a port goes on to where that went the first time, whatever the rules say by now. */

#include "net/port-rules.h"

/* Forgets those to the port at addresses of this host that lead elsewhere than to one of the targets or, without targets, that lead on at all. */
int flows_forget(uint16_t port, const PortTarget *targets, size_t n);
