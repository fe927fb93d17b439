/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "net/connections.h"
#include "net/last-packet.h"
#include "run/idle.h"
#include "run/inside.h"
#include "run/instance.h"
#include "run/rollout.h"
#include "util/clock.h"
#include "util/log.h"

/* A filter on the sockets of systemd's says when the last packet came, so that the app is idle from the very end of the last connection on
 * (or the last datagram), and nobody looks before the time is over. While a connection is open then, its end is yet to come, and the time
 * after it: the next look is a whole time-out later. A connection that ends without a packet, for the other side is gone, is known to be
 * gone at the next look, and the time begins there.
 *
 * Where the filter cannot see all, or bpf(2) is not to be had, it is looked now and then: often enough beside the time-out, and seldom
 * enough beside what else there is to do. What came and went in between is not seen. */
#define LOOKS 8
#define LOOK_USEC_MAX (15U * 1000 * 1000)

struct Idle {
        Supervisor *sv;
        sd_event_source *timer;
        LastPacket last;
        uint64_t timeout_usec, since_usec; /* CLOCK_MONOTONIC of the last time that somebody was there */
        bool open;                         /* at the last look, at since_usec */
};

/* What cannot be told is no reason to stop. */
static bool is_in_use(const Supervisor *sv) {
        if (sv->phase != PHASE_RUNNING || rollout_is_changing(sv) || rollout_next(sv))
                return true;
        for (size_t i = 0; i < sv->release->n_processes; i++)
                for (size_t k = 0; k < sv->release->processes[i].n_ports; k++)
                        if (port_has_connection(sv->release->processes[i].ports[k]) != 0)
                                return true;
        return inside_has_connection(sv) != 0;
}

/* ---- the filter ---- */

/* A group has listeners that come and go with the instances. */
static bool port_filter(const Idle *i, const Port *p) {
        bool any = false;

        for (int kind = 0; kind < _PORT_KIND_MAX; kind++) {
                if (p->sockets[kind] < 0)
                        continue;
                if (last_packet_attach(&i->last, p->sockets[kind]) < 0)
                        return false;
                any = true;
        }
        return any && !port_is_grouped(p);
}

/* On the sockets that there are now: a release may have brought others. Does it see all? Not what goes by other ways than those sockets. */
static bool filter_all(const Idle *i) {
        const Release *release = i->sv->release;

        if (i->last.map < 0 || !release)
                return false;
        for (size_t n = 0; n < i->sv->n_instances; n++)
                for (size_t k = 0; k < i->sv->instances[n]->process->n_ports; k++)
                        if (inside_has(i->sv->instances[n], k))
                                return false;
        for (size_t n = 0; n < release->n_processes; n++)
                for (size_t k = 0; k < release->processes[n].n_ports; k++)
                        if (!port_filter(i, release->processes[n].ports[k]))
                                return false;
        return true;
}

/* ---- the looks ---- */

/* Takes over what is known now. */
static void look(Idle *i, bool exact) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC), last = 0;
        bool was_open = i->open;

        if (exact && last_packet_usec(&i->last, &last) < 0)
                last = now;
        i->open = (last <= now - MIN(now, i->timeout_usec) || !exact) && is_in_use(i->sv);
        if (i->open || (exact && was_open && last <= i->since_usec))
                i->since_usec = now;
        else
                i->since_usec = MAX(i->since_usec, last);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata);

static int arm(Idle *i, bool exact) {
        uint64_t delay = MIN(i->timeout_usec / LOOKS, (uint64_t) LOOK_USEC_MAX);

        if (exact)
                return sd_event_add_time(i->sv->event, &i->timer, CLOCK_MONOTONIC, i->since_usec + i->timeout_usec, 1, on_timer, i);
        return sd_event_add_time_relative(i->sv->event, &i->timer, CLOCK_MONOTONIC, delay, 0, on_timer, i);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Idle *i = userdata;
        bool exact = filter_all(i);

        i->timer = sd_event_source_disable_unref(i->timer);
        look(i, exact);
        if (!i->open && clock_usec(CLOCK_MONOTONIC) - i->since_usec >= i->timeout_usec) {
                log_notice("App '%s': nobody was connected to it for %.6g s, it stops (IdleTimeout=)", i->sv->name, (double) i->timeout_usec / 1e6);
                supervisor_stop(i->sv);
                return 0;
        }
        return arm(i, exact);
}

int idle_watch(Supervisor *sv) {
        if (sv->idle && sv->idle->timeout_usec == sv->wanted.idle_timeout_usec) {
                (void) filter_all(sv->idle);
                return 0;
        }
        sv->idle = idle_free(sv->idle);
        if (sv->wanted.idle_timeout_usec == 0 || sv->wanted.idle_timeout_usec == SPEC_INFINITY)
                return 0;
        sv->idle = calloc(1, sizeof(*sv->idle));
        if (!sv->idle)
                return -ENOMEM;
        *sv->idle = (Idle){ .sv = sv, .last = LAST_PACKET_INIT, .timeout_usec = sv->wanted.idle_timeout_usec,
                .since_usec = clock_usec(CLOCK_MONOTONIC) };
        (void) last_packet_open(&sv->idle->last); /* looks will do */
        return arm(sv->idle, filter_all(sv->idle));
}

Idle *idle_free(Idle *i) {
        if (!i)
                return NULL;
        sd_event_source_disable_unref(i->timer);
        last_packet_close(&i->last);
        free(i);
        return NULL;
}
