/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An instance that nobody new comes to and that does not handle its stop signal: whoever waits for its answer gets it before it is killed. */

#include "run/supervisor.h"

typedef struct Drain Drain;
typedef void (*drain_callback)(void *userdata);

/* Calls back once nobody waits any more, or the whole app is being stopped. 0: nobody waits, and there is no Drain; 1; or negative errno. */
int drain_begin(const Instance *i, drain_callback callback, void *userdata, Drain **ret);
Drain *drain_free(Drain *d);
