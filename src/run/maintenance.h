/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Maintenance=: the supervisor itself answers what comes to the published TCP ports, with HTTP status 503 and a page. Instances go on, and nobody
 * new comes to them. */

#include "run/supervisor.h"

#define MAINTENANCE_PAGE_MAX (1024U * 1024) /* bytes */

typedef struct Maintenance Maintenance;

/* Begins to answer, with the page in that file of the host (NULL: one of berth's own). Where it already does: with that page from now on. -EOPNOTSUPP: a port
 * cannot be taken from the instances. */
int maintenance_begin(Supervisor *sv, const char *page, Error *reterr);

/* Ends it; clients go to the instances that are ready. */
void maintenance_end(Supervisor *sv);
