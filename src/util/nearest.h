/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "Did you mean …?": the nearest of many names to the one that a person wrote. */

#include "util/macro.h"

typedef struct Nearest {
        const char *wanted;
        const void *item; /* of the nearest name so far */
        size_t distance;
} Nearest;

#define NEAREST_INIT(wanted_) ((Nearest){ .wanted = (wanted_), .distance = SIZE_MAX })

/* item is what nearest_found() gives when no other name is nearer; of equals the first. */
void nearest_try(Nearest *n, const char *name, const void *item);
/* NULL when no name is so near that the wanted one can be a slip of the pen. */
const void *nearest_found(const Nearest *n) _pure_;

/* How many single-character edits (insert, delete, change, swap) turn a into b, letter case ignored. */
size_t str_distance(const char *a, const char *b) _pure_;
