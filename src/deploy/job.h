/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs of systemd's, asked for and waited for. */

#include "util/error.h"

typedef struct UnitJob {
        const char *unit;
        const char *app; /* whose service it is; NULL: nobody's */
        int result;  /* of jobs_run(): 0, or negative errno with error saying why; -ENOENT: there is no such unit */
        Error error; /* what the unit itself says (STATUS= of sd_notify(3)), where it says something */
} UnitJob;

/* All at once. method: StartUnit, StopUnit, RestartUnit, ReloadUnit. 0 when all jobs are done, however they ended; else negative
 * errno with the reason in reterr, and no result counts. */
int jobs_run(const char *method, UnitJob *jobs, size_t n, Error *reterr);

/* One: 0 when it has ended well. */
int job_run(const char *method, const char *unit, Error *reterr);
