/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names that the kernel and systemd give to numbers, and the values that are written with them. */

#include "util/macro.h"

/* All return the number, or -EINVAL. Letter case is ignored, the prefix "SIG" may be left out. */
int signal_from_name(const char *name); /* also "SIGRTMIN+3", "15" */
int exit_status_from_name(const char *name); /* "SUCCESS", "DATAERR"; systemd.exec(5)'s table; or "0".."255" */

const char *signal_name(int signal); /* "SIGTERM"; NULL for real-time signals */

/* The nearest name of what the functions above did not know, or NULL where none is near. */
const char *signal_near(const char *name);

/* A time span of systemd.time(7), a bare number counts seconds: microseconds; SPEC_INFINITY. */
int parse_timespan(const char *s, uint64_t *ret);

