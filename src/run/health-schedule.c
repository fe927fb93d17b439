/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/health-schedule.h"

#define EXTRA_FIRST_USEC (100U * 1000)
#define EXTRA_LAST_USEC (2U * 1000 * 1000)

/* What an attempt adds to those before it. */
typedef enum Answer {
        ANSWER_WELL,      /* but not often enough yet */
        ANSWER_PASSED,
        ANSWER_UNWELL,    /* does not count, or may come again */
        ANSWER_TOO_OFTEN, /* the last of those that are allowed */
        _ANSWER_MAX,
} Answer;

typedef struct Step {
        HealthPhase next;
        HealthNews news;
} Step;

#define TO(phase, news) { HEALTH_##phase, HEALTH_NEWS_##news }

static const Step steps[_HEALTH_PHASE_MAX][_ANSWER_MAX] = {
        [HEALTH_STARTUP]   = { [ANSWER_WELL]   = TO(STARTUP, NONE),   [ANSWER_PASSED]    = TO(STARTING, NONE),
                               [ANSWER_UNWELL] = TO(STARTUP, NONE),   [ANSWER_TOO_OFTEN] = TO(FAILED, FAILED)       },
        [HEALTH_STARTING]  = { [ANSWER_WELL]   = TO(STARTING, NONE),  [ANSWER_PASSED]    = TO(HEALTHY, HEALTHY),
                               [ANSWER_UNWELL] = TO(STARTING, NONE),  [ANSWER_TOO_OFTEN] = TO(UNHEALTHY, UNHEALTHY) },
        [HEALTH_HEALTHY]   = { [ANSWER_WELL]   = TO(HEALTHY, NONE),   [ANSWER_PASSED]    = TO(HEALTHY, NONE),
                               [ANSWER_UNWELL] = TO(HEALTHY, NONE),   [ANSWER_TOO_OFTEN] = TO(UNHEALTHY, UNHEALTHY) },
        [HEALTH_UNHEALTHY] = { [ANSWER_WELL]   = TO(UNHEALTHY, NONE), [ANSWER_PASSED]    = TO(HEALTHY, HEALTHY),
                               [ANSWER_UNWELL] = TO(UNHEALTHY, NONE), [ANSWER_TOO_OFTEN] = TO(UNHEALTHY, NONE)      },
        [HEALTH_FAILED]    = { [ANSWER_WELL]   = TO(FAILED, NONE),    [ANSWER_PASSED]    = TO(FAILED, NONE),
                               [ANSWER_UNWELL] = TO(FAILED, NONE),    [ANSWER_TOO_OFTEN] = TO(FAILED, NONE)         },
};

const char *health_phase_to_string(HealthPhase p) {
        static const char *const names[_HEALTH_PHASE_MAX] = {
                [HEALTH_STARTUP] = "starting",    [HEALTH_STARTING] = "starting", [HEALTH_HEALTHY] = "healthy",
                [HEALTH_UNHEALTHY] = "unhealthy", [HEALTH_FAILED] = "unhealthy",
        };

        return p >= 0 && p < _HEALTH_PHASE_MAX ? names[p] : NULL;
}

static uint64_t later(uint64_t now, uint64_t delay) {
        return delay > UINT64_MAX - now ? UINT64_MAX : now + delay;
}

static uint64_t interval(const HealthSchedule *s, const HealthRules *rules) {
        return s->phase == HEALTH_STARTUP ? rules->startup_interval_usec : rules->interval_usec;
}

void health_schedule_begin(HealthSchedule *s, const HealthRules *rules, uint64_t now) {
        *s = (HealthSchedule){ .phase = rules->startup ? HEALTH_STARTUP : HEALTH_STARTING, .began_usec = now, .extra_usec = now,
                .extra_delay_usec = EXTRA_FIRST_USEC };
        s->due_usec = later(now, interval(s, rules));
        if (s->due_usec == UINT64_MAX)
                s->extra_usec = UINT64_MAX;
}

uint64_t health_schedule_next(const HealthSchedule *s) {
        return MIN(s->due_usec, s->extra_usec);
}

static Answer startup_answer(HealthSchedule *s, const HealthRules *rules, bool well, bool counts) {
        if (well) {
                s->failures = 0;
                return ++s->successes >= rules->startup_success ? ANSWER_PASSED : ANSWER_WELL;
        }
        if (!counts)
                return ANSWER_UNWELL;
        s->successes = 0;
        s->failures++;
        return rules->startup_retries > 0 && s->failures >= rules->startup_retries ? ANSWER_TOO_OFTEN : ANSWER_UNWELL;
}

static Answer regular_answer(HealthSchedule *s, const HealthRules *rules, bool well, bool counts, uint64_t begun) {
        if (well) {
                s->failures = 0;
                return ANSWER_PASSED;
        }
        if (!counts || begun < later(s->began_usec, rules->start_period_usec))
                return ANSWER_UNWELL;
        s->failures++;
        return s->failures >= rules->retries ? ANSWER_TOO_OFTEN : ANSWER_UNWELL;
}

HealthNews health_schedule_result(HealthSchedule *s, const HealthRules *rules, bool well, uint64_t begun, uint64_t now) {
        bool counts = begun >= s->due_usec, waiting;
        Answer answer = s->phase == HEALTH_STARTUP ? startup_answer(s, rules, well, counts) : regular_answer(s, rules, well, counts, begun);
        const Step *step = &steps[s->phase][answer];
        bool passed_startup = s->phase == HEALTH_STARTUP && step->next == HEALTH_STARTING;

        s->phase = step->next;
        if (s->phase == HEALTH_FAILED) {
                s->due_usec = s->extra_usec = UINT64_MAX;
                return step->news;
        }
        waiting = rules->eager && (s->phase == HEALTH_STARTUP || s->phase == HEALTH_STARTING);
        if (passed_startup) {
                /* Nothing is to be waited for between the two checks. */
                s->failures = s->successes = 0;
                s->due_usec = later(now, rules->interval_usec);
                s->extra_usec = s->due_usec == UINT64_MAX ? UINT64_MAX : now;
                s->extra_delay_usec = EXTRA_FIRST_USEC;
                return step->news;
        }
        if (counts || !waiting)
                s->due_usec = later(now, interval(s, rules));
        s->due_usec = MAX(s->due_usec, now); /* one that does not count may have taken long */
        s->extra_usec = waiting ? later(now, s->extra_delay_usec) : UINT64_MAX;
        s->extra_delay_usec = MIN(2 * s->extra_delay_usec, (uint64_t) EXTRA_LAST_USEC);
        return step->news;
}
