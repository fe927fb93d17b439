/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tables of numbers that have names, such as signals. */

#include "util/macro.h"

typedef struct Named {
        const char *name; /* with its prefix, where it has one ("SIG"), which people may leave out */
        int number;
} Named;

/* -EINVAL where no name is so, letter case ignored. */
int named_number(const Named *table, size_t n, const char *prefix, const char *name);
/* NULL where no number is so. */
const char *named_name(const Named *table, size_t n, int number);
/* What was meant by a name that is not in the table, or NULL. */
const char *named_near(const Named *table, size_t n, const char *prefix, const char *name);
