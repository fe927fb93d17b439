/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>

#include "memory-blob.h"

ssize_t memory_read(void *userdata, const void **ret, Error *reterr) {
        Memory *m = userdata;
        size_t n = MIN(m->size - m->position, m->piece);

        *ret = m->data + m->position;
        m->position += n;
        return (ssize_t) n;
}

Blob *memory_blob(Memory *m) {
        Blob *b = blob_new("memory", memory_read, NULL, m);

        ck_assert_ptr_nonnull(b);
        return b;
}
