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

/* Limits as Memory=, CPUs=, PidsLimit= and the weights have them; SPEC_INFINITY: no limit. 0, -EINVAL, or -ERANGE of less than a hundredth of a
 * processor, for which microseconds a second are counted. */
int parse_limit_size(const char *s, uint64_t *ret); /* 0 is no size, and left to the caller */
int parse_limit_cpus(const char *s, uint64_t *ret);
int parse_limit_pids(const char *s, uint64_t *ret);
int parse_limit_weight(const char *s, uint64_t *ret); /* not "idle" */
#define LIMIT_PIDS_MAX 4194304 /* PID_MAX_LIMIT of 64-bit kernels */
#define LIMIT_WEIGHT_MAX 10000
#define LIMIT_CPU_USEC 1000000U /* of one processor in a second */

/* A time span of systemd.time(7), a bare number counts seconds: microseconds; SPEC_INFINITY. */
int parse_timespan(const char *s, uint64_t *ret);

