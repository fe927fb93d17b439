/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/resource.h>

#include "sandbox/helper.h"

static struct rlimit limit_value(const WorldLimit *l) {
        return (struct rlimit){ .rlim_cur = (rlim_t) l->soft, .rlim_max = (rlim_t) l->hard };
}

/* Only the hard limit, and only upwards: what is low would be in the way of the set-up. */
int limits_raise(const World *w, pid_t pid, Error *reterr) {
        for (size_t i = 0; i < w->n_limits; i++) {
                struct rlimit want = limit_value(w->limits + i), now;

                if (prlimit(pid, w->limits[i].resource, NULL, &now) < 0)
                        return error_set_errno(reterr, -errno, "cannot read resource limit %d", w->limits[i].resource);
                if (now.rlim_max >= want.rlim_max)
                        continue;
                now.rlim_max = want.rlim_max;
                if (prlimit(pid, w->limits[i].resource, &now, NULL) < 0)
                        return error_set_errno(reterr, -errno, "cannot raise resource limit %d to %llu",
                                w->limits[i].resource, (unsigned long long) want.rlim_max);
        }
        return 0;
}

int limits_apply(const World *w, Error *reterr) {
        for (size_t i = 0; i < w->n_limits; i++) {
                struct rlimit want = limit_value(w->limits + i);

                if (setrlimit(w->limits[i].resource, &want) < 0)
                        return error_set_errno(reterr, -errno, "cannot set resource limit %d to %llu:%llu",
                                w->limits[i].resource, (unsigned long long) w->limits[i].soft,
                                (unsigned long long) w->limits[i].hard);
        }
        return 0;
}
