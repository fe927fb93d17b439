/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "net/connections.h"
#include "run/idle.h"
#include "run/rollout.h"
#include "run/translate.h"
#include "util/clock.h"
#include "util/log.h"

/* How often it is looked: often enough beside the time-out, and seldom enough beside what else there is to do. */
#define LOOKS 8
#define LOOK_USEC_MAX (15U * 1000 * 1000)

struct Idle {
        Supervisor *sv;
        sd_event_source *timer;
        uint64_t timeout_usec, since_usec; /* CLOCK_MONOTONIC of the last time that somebody was there */
};

/* What cannot be told is no reason to stop. */
static bool is_in_use(const Supervisor *sv) {
        if (sv->phase != PHASE_RUNNING || rollout_is_changing(sv) || rollout_next(sv))
                return true;
        for (size_t i = 0; i < sv->release->n_processes; i++)
                for (size_t k = 0; k < sv->release->processes[i].n_ports; k++)
                        if (port_has_connection(sv->release->processes[i].ports[k]) != 0)
                                return true;
        return translate_has_connection(sv) != 0;
}

static int arm(Idle *i);

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Idle *i = userdata;

        i->timer = sd_event_source_disable_unref(i->timer);
        if (is_in_use(i->sv))
                i->since_usec = clock_usec(CLOCK_MONOTONIC);
        else if (clock_usec(CLOCK_MONOTONIC) - i->since_usec >= i->timeout_usec) {
                log_notice("App '%s': nobody was connected to it for %.6g s, it stops (IdleTimeout=)", i->sv->name, (double) i->timeout_usec / 1e6);
                supervisor_stop(i->sv);
                return 0;
        }
        return arm(i);
}

static int arm(Idle *i) {
        return sd_event_add_time_relative(i->sv->event, &i->timer, CLOCK_MONOTONIC, MIN(i->timeout_usec / LOOKS, (uint64_t) LOOK_USEC_MAX), 0,
                on_timer, i);
}

int idle_watch(Supervisor *sv) {
        if (sv->idle && sv->idle->timeout_usec == sv->wanted.idle_timeout_usec)
                return 0;
        sv->idle = idle_free(sv->idle);
        if (sv->wanted.idle_timeout_usec == 0 || sv->wanted.idle_timeout_usec == SPEC_INFINITY)
                return 0;
        sv->idle = calloc(1, sizeof(*sv->idle));
        if (!sv->idle)
                return -ENOMEM;
        *sv->idle = (Idle){ .sv = sv, .timeout_usec = sv->wanted.idle_timeout_usec, .since_usec = clock_usec(CLOCK_MONOTONIC) };
        return arm(sv->idle);
}

Idle *idle_free(Idle *i) {
        if (!i)
                return NULL;
        sd_event_source_disable_unref(i->timer);
        free(i);
        return NULL;
}
