/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The health check of one instance while it runs: the spec's or its image's, by the schedule of health-schedule.h. */

#include "run/instance.h"

typedef struct Health Health;

/* Can the instance's readiness be told? -EINVAL: Notify=healthy, and there is no check. */
int health_verify(const Instance *i, Error *reterr);

/* Is it ready when its check first passes? */
bool health_gates(const Instance *i);

/* Begins with the attempts, if it has a check. What they come to is i's events. */
void health_begin(Instance *i);
void health_end(Instance *i);

/* "starting", "healthy" or "unhealthy"; NULL where there is no check, or none now. */
const char *health_status(const Instance *i);

/* What the last attempt came to, in one line: "HTTP 503"; "" before the first has ended, and where there is none. */
const char *health_answer(const Instance *i);
