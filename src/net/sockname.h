/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A payload that asks for the port of a socket that it was given in place of its own hears the one that it has bound, not
 * the host's: servers compare the two. */

#include "spec/spec.h"

/* A port of the host, and the one that its user has bound. */
typedef struct SocknamePort {
        uint16_t host, container;
        SpecProtocol protocol;
} SocknamePort;

/* For the sockets that processes of the cgroup (a directory fd) have made, and the connections that come of them, as long as they
 * are there and whoever has them: by a BPF program for getsockname(2), Linux 5.8. The makers hear the same. 0, or negative errno where
 * the kernel has no BPF for cgroups. */
int sockname_translate(int cgroup, const SocknamePort *ports, size_t n_ports);
