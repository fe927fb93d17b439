/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bounded queue of bytes between two threads. It has no lock of its own: who shares it has one. */

#include "util/macro.h"

typedef struct Ring {
        char *data;
        size_t allocated, start, size; /* size bytes from start on, going round */
} Ring;

int ring_init(Ring *r, size_t size); /* 0 or -ENOMEM */
void ring_clear(Ring *r);

size_t ring_room(const Ring *r);

/* The caller made sure of the room. */
void ring_put(Ring *r, const void *data, size_t size);

/* The bytes at the front that lie in one piece, and their number; ring_drop() takes them off. */
size_t ring_peek(const Ring *r, const void **ret);
void ring_drop(Ring *r, size_t size);
