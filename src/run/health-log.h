/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the last attempts of an instance's health check came to, as a JSON file of the form that Podman has for it. */

#include "run/health-schedule.h"
#include "run/probe.h"

#define HEALTH_LOG_BYTES_MAX (1024U * 1024) /* of all attempts together; the oldest go first */

typedef struct HealthLog {
        char *path;
        unsigned max; /* attempts; 0: all that have room */
        char **items; /* of JSON, the oldest first */
        size_t bytes;
} HealthLog;

/* Adds an attempt, times in microseconds of CLOCK_REALTIME, and replaces the file. 0 or negative errno. */
int health_log_add(HealthLog *l, const ProbeResult *result, uint64_t begun_usec, uint64_t ended_usec, const HealthSchedule *s);

void health_log_clear(HealthLog *l);
