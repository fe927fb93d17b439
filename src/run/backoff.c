/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/backoff.h"
#include "util/macro.h"

#define FIRST_USEC (100U * 1000)
#define LAST_USEC (60U * 1000 * 1000)
#define QUIET_USEC (10U * 1000 * 1000) /* up for so long beyond the last pause, and it begins anew */

static bool limit_hit(Backoff *b, const Spec *spec, uint64_t now) {
        if (!spec->start_limit_interval.set || spec->start_limit_interval.value == 0 || !spec->start_limit_burst.set)
                return false;
        if (b->limit_begin_usec == 0 || now - b->limit_begin_usec > spec->start_limit_interval.value) {
                b->limit_begin_usec = now;
                b->limit_ends = 0;
        }
        return ++b->limit_ends >= spec->start_limit_burst.value;
}

bool backoff_next(Backoff *b, const Spec *spec, uint64_t now_usec, uint64_t ran_usec) {
        uint64_t least = spec->restart_sec.set ? spec->restart_sec.value : 0;

        if (limit_hit(b, spec, now_usec))
                return false;
        if (ran_usec >= QUIET_USEC + b->delay_usec)
                b->ends = 0;
        b->delay_usec = b->ends == 0 ? 0 : MIN(MAX(2 * b->delay_usec, (uint64_t) FIRST_USEC), (uint64_t) LAST_USEC);
        b->delay_usec = MAX(b->delay_usec, least);
        b->ends++;
        return true;
}
