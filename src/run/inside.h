/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Published ports that a payload listens on in its own network namespace, by a socket that it was not given: the kernel tells nobody, so it is looked
 * now and then. */

#include "run/supervisor.h"

typedef struct Inside Inside;

/* The instance has become its payload, or was adopted: looks now and then whether it listens on a port that it has not been given, until it is
 * ready and that is known. */
int inside_begin(Instance *i);
void inside_end(Instance *i);

/* The first port of the host that is for the same port of the container. */
size_t inside_main(const Instance *i, size_t port);

/* Does the payload listen on the port in its own network namespace? By IPv4? */
bool inside_has(const Instance *i, size_t port);
bool inside_has_ipv4(const Instance *i, size_t port);

/* By which of the instance's addresses; family 0: it has none that the payload listens on. */
const Address *inside_address(const Instance *i, size_t port, int family);
bool inside_has_address(const Instance *i, size_t port);

/* 1: somebody is connected to such a port of one of the instances; 0: nobody; or negative errno. */
int inside_has_connection(const Supervisor *sv);
