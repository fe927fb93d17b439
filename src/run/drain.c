/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "net/busy.h"
#include "run/cgroup.h"
#include "run/drain.h"
#include "run/instance.h"

#define LOOK_USEC (25U * 1000) /* the kernel tells of no end of a request */

struct Drain {
        const Instance *instance;
        sd_event_source *timer;
        drain_callback callback;
        void *userdata;
};

/* What cannot be told is no reason to wait. */
static bool is_waited_for(const Instance *i) {
        for (size_t k = 0; k < i->process->n_ports; k++) {
                _cleanup_free_ uint64_t *inodes = NULL;
                size_t n = 0;

                if (port_busy_sockets(i->process->ports[k], &inodes, &n) >= 0 && n > 0 && cgroup_has_socket(i->cgroup, inodes, n) > 0)
                        return true;
        }
        return false;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Drain *d = userdata;

        d->timer = sd_event_source_disable_unref(d->timer);
        if (d->instance->sv->phase != PHASE_STOPPING && is_waited_for(d->instance) &&
                sd_event_add_time_relative(d->instance->sv->event, &d->timer, CLOCK_MONOTONIC, LOOK_USEC, 0, on_timer, d) >= 0)
                return 0;
        d->callback(d->userdata);
        return 0;
}

int drain_begin(const Instance *i, drain_callback callback, void *userdata, Drain **ret) {
        Drain *d;
        int r;

        if (i->cgroup < 0 || !is_waited_for(i))
                return 0;
        d = malloc(sizeof(*d));
        if (!d)
                return -ENOMEM;
        *d = (Drain){ .instance = i, .callback = callback, .userdata = userdata };
        r = sd_event_add_time_relative(i->sv->event, &d->timer, CLOCK_MONOTONIC, LOOK_USEC, 0, on_timer, d);
        if (r < 0) {
                free(d);
                return r;
        }
        *ret = d;
        return 1;
}

Drain *drain_free(Drain *d) {
        if (!d)
                return NULL;
        sd_event_source_disable_unref(d->timer);
        free(d);
        return NULL;
}
