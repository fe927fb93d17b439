/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many instances of its processes an app runs, changed by a drop-in. */

#include "deploy/drop-in.h"

#define SCALE_DROP_IN "50-scale.conf"

/* One process and what it shall have. */
typedef struct ScaleChange {
        const SpecProcess *process; /* of DropIn.old */
        unsigned from, to;
        bool cpus;
} ScaleChange;

/* "[PROCESS=]N" each, n of them; N is a number, +NUMBER, -NUMBER or %cpus. -EINVAL: senseless; -ENOENT: no such process; -ERANGE; -ENOMEM; with
 * the sentence. */
int scale_set(DropIn *c, char *const *arguments, size_t n, ScaleChange *ret, Error *reterr);

/* After drop_in_write(): -EEXIST, with the sentence, where another drop-in, read later, says otherwise. */
int scale_check(const DropIn *c, const ScaleChange *changes, size_t n, Error *reterr);
