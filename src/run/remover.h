/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Removes directories beside the event loop: what an instance wrote can take minutes to remove, and the log and the life of
 * the others must not wait for it. */

#include "util/macro.h"

typedef struct Remover Remover;

/* directory: made where it is missing, of the file system of all that is to be removed; what an earlier remover left there goes
 * first. NULL when out of memory. */
Remover *remover_new(const char *directory);

/* Takes path away at once, and begins to remove it. What cannot be taken away is removed here and now. 0 also when it is not
 * there. */
int remover_take(Remover *r, const char *path);

/* From now on somebody waits for it, and it is no longer done with the least priority. */
void remover_hurry(Remover *r);

/* Until all is removed; meanwhile waiting() is called about every second, where it is given. The directory itself
 * stays. */
void remover_wait(Remover *r, void (*waiting)(void));

/* Waits, too. */
Remover *remover_free(Remover *r);
DEFINE_CLEANUP(Remover *, remover_free);
