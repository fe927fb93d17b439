/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When an instance that has ended is started again: at once (or after RestartSec=), then after a pause that doubles with each end, up to a minute,
 * until it has been up for a while. Pure: time is given. */

#include "spec/spec.h"

typedef struct Backoff {
        unsigned ends;             /* one soon after another */
        uint64_t delay_usec;       /* before the next start */
        uint64_t limit_begin_usec; /* StartLimitIntervalSec=: when the interval began, and how many ends since */
        unsigned limit_ends;
} Backoff;

/* At now_usec (of any clock that does not go back) an instance has ended that was started ran_usec before. Sets delay_usec; false: it has ended too often
 * for StartLimitBurst= and is not to be started again. */
bool backoff_next(Backoff *b, const Spec *spec, uint64_t now_usec, uint64_t ran_usec);
