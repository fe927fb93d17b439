/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Published ports that cannot be taken over: those whose payload listens in its own network namespace (run/inside.h), and ports of the host beyond the
 * first for one port of the container. nftables leads clients on to them where it can (net/port-rules.h); who comes to the host's socket all the same
 * is passed on (run/passage.h). */

#include "run/adopt.h"
#include "run/supervisor.h"

/* Makes rules and what is passed on follow what has changed. */
void translate_update(Supervisor *sv);

/* The rules of an earlier supervisor stay until there are others. */
void translate_adopt(Supervisor *sv, Adoption *a);

/* "nat", "relayed": how clients come to a port that the instance has, and not by takeover; NULL: it has it not. */
const char *translate_way(const Instance *i, size_t port);

void translate_free(Supervisor *sv);
