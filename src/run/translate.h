/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Published ports that cannot be taken over: those whose payload listens in its own network namespace, and ports of the host beyond the first
 * for one port of the container. nftables leads clients on to them where it can (net/port-rules.h); who comes to the host's socket all the same
 * is passed on by the supervisor. */

#include "run/adopt.h"
#include "run/supervisor.h"

/* The instance has become its payload, or was adopted: looks now and then whether it listens on a port that it has not been given, until it is
 * ready and that is known. */
int translate_begin(Instance *i);
void translate_end(Instance *i);

/* Makes rules and what is passed on follow what has changed. */
void translate_update(Supervisor *sv);

/* The rules of an earlier supervisor stay until there are others. */
void translate_adopt(Supervisor *sv, Adoption *a);

/* The port is going to be closed. */
void translate_forget(Supervisor *sv, const Port *port);

/* Does the payload listen on the port in its own network namespace? */
bool translate_has(const Instance *i, size_t port);

/* "nat", "relayed": how clients come to a port that the instance has, and not by takeover; NULL: it has it not. */
const char *translate_way(const Instance *i, size_t port);

/* 1: somebody is connected to such a port of one of the instances; 0: nobody; or negative errno. */
int translate_has_connection(const Supervisor *sv);

void translate_free(Supervisor *sv);
