/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job of systemd's, asked for and waited for. */

#include "util/error.h"

/* method: StartUnit, StopUnit, RestartUnit, ReloadUnit. 0 when the job is done; negative errno with what systemd says. */
int job_run(const char *method, const char *unit, Error *reterr);
