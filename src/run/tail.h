/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The last lines of a log, of as many as have room. */

#include "util/macro.h"

#define TAIL_SIZE (8U * 1024)

typedef struct Tail Tail;

Tail *tail_new(void); /* NULL when out of memory */
Tail *tail_free(Tail *t);
DEFINE_CLEANUP(Tail *, tail_free);

/* One line, without its end; of a longer one than TAIL_SIZE the end is kept. t may be NULL. */
void tail_add(Tail *t, const char *line, size_t size);

/* The last of its lines, at most `lines`: the oldest first, each with a newline. Lives as long as nothing is added. t may be NULL. */
const char *tail_text(const Tail *t, unsigned lines);
