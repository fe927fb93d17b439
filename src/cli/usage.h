/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an instance and an app use, as their control groups count it. */

#include "run/state.h"
#include "util/buf.h"

#define USAGE_UNKNOWN UINT64_MAX /* where the controller is not there */
#define USAGE_TEXT_MAX 32

typedef struct Usage {
        uint64_t memory;   /* bytes, with what is cached of files */
        uint64_t cpu_usec; /* of CPU time since the start */
        uint64_t pids;     /* processes and threads */
} Usage;

/* All unknown where it does not run. */
Usage usage_of(const char *app, const InstanceStatus *i);

/* Of all of an app: its instances, and but for an instance of a template its supervisor. */
Usage usage_of_app(const char *app);

/* ,"memory":N,"cpu_usec":N,"pids":N with null for what is not known. */
int usage_json(Buf *b, const Usage *u);

/* "12.3 MB", "1h 2min", "350ms", or NULL for what is not known. */
const char *usage_memory_text(const Usage *u, char text[static USAGE_TEXT_MAX]);
const char *usage_cpu_text(const Usage *u, char text[static USAGE_TEXT_MAX]);
