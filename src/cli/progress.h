/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far a load is, on standard error: one line that is rewritten, on a terminal alone and only after a second. */

#include <time.h>

#include "image/load.h"

typedef struct Progress {
        struct timespec start, last;
        bool shown;
} Progress;

#define PROGRESS_INIT ((Progress){ 0 })

LoadProgress progress_callbacks(Progress *p);
void progress_end(Progress *p); /* takes the line away */
