/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Takes instances off their network beside the event loop: the kernel takes some 30 ms to remove a link, and the others must not wait for it. */

#include "util/macro.h"

typedef struct Detacher Detacher;

/* app stays the caller's. detach: network_detach(), called in a thread; what it returns as an error is logged. NULL when out of memory. */
Detacher *detacher_new(const char *app, int (*detach)(const char *app, const char *instance));

/* Where no thread can be had it is done here and now. */
void detacher_add(Detacher *d, const char *instance);

/* Until that instance is off, or with NULL all are. */
void detacher_wait(Detacher *d, const char *instance);

/* Waits, too. */
Detacher *detacher_free(Detacher *d);
DEFINE_CLEANUP(Detacher *, detacher_free);
