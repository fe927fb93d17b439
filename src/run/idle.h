/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* IdleTimeout=: the app stops when nobody was connected to its published ports for so long. Its .socket unit goes on listening. */

#include "run/supervisor.h"

typedef struct Idle Idle;

/* Looks after it from now on, as sv->wanted says; or no longer. */
int idle_watch(Supervisor *sv);
Idle *idle_free(Idle *i);
