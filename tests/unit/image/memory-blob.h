/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A blob called "memory" that hands out bytes which the test has, in pieces of any size. */

#include "image/blob.h"

typedef struct Memory {
        const char *data;
        size_t size, position, piece;
} Memory;

/* As BlobRead. */
ssize_t memory_read(void *userdata, const void **ret, Error *reterr);

/* m must live longer. */
Blob *memory_blob(Memory *m);
