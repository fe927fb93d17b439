/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When an instance is asked whether it is well, and what its answers mean, as podman-run(1) has it: first the startup check, then the
 * regular one. Pure: the time comes from the caller, in microseconds of any clock that does not jump. */

#include "util/macro.h"

typedef enum HealthPhase {
        HEALTH_STARTUP,   /* the startup check has not passed yet */
        HEALTH_STARTING,  /* the regular check has neither passed yet nor failed for good */
        HEALTH_HEALTHY,
        HEALTH_UNHEALTHY,
        HEALTH_FAILED,    /* the startup check has failed for good */
        _HEALTH_PHASE_MAX,
        _HEALTH_PHASE_INVALID = -EINVAL,
} HealthPhase;

const char *health_phase_to_string(HealthPhase p); /* "starting", "healthy" or "unhealthy", as Podman says it */

/* Times are microseconds, UINT64_MAX for never. */
typedef struct HealthRules {
        uint64_t interval_usec;     /* from the end of an attempt to the next one */
        uint64_t start_period_usec; /* from the start; failures in it do not count */
        unsigned retries;           /* failures in a row that make it unhealthy */
        bool startup;               /* there is a startup check */
        uint64_t startup_interval_usec;
        unsigned startup_retries;   /* failures that end it; 0: never */
        unsigned startup_success;   /* how often it has to pass; 0 is as 1 */
        bool eager;                 /* somebody waits for the first success: there are attempts in between, whose failure does not count */
} HealthRules;

typedef struct HealthSchedule {
        HealthPhase phase;
        uint64_t began_usec;
        uint64_t due_usec;   /* of the next attempt that counts */
        uint64_t extra_usec; /* of the next one that does not, UINT64_MAX: none */
        uint64_t extra_delay_usec;
        unsigned failures, successes; /* in this phase; failures in a row */
} HealthSchedule;

typedef enum HealthNews {
        HEALTH_NEWS_NONE,
        HEALTH_NEWS_HEALTHY,   /* it was not before */
        HEALTH_NEWS_UNHEALTHY,
        HEALTH_NEWS_FAILED,    /* the startup check has failed for good: no attempt follows */
} HealthNews;

void health_schedule_begin(HealthSchedule *s, const HealthRules *rules, uint64_t now);

/* When the next attempt begins; UINT64_MAX: never. */
uint64_t health_schedule_next(const HealthSchedule *s) _pure_;

/* An attempt that had begun at `begun` ended now. */
HealthNews health_schedule_result(HealthSchedule *s, const HealthRules *rules, bool well, uint64_t begun, uint64_t now);
