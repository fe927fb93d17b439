/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/registry/ring.h"

int ring_init(Ring *r, size_t size) {
        char *data = malloc(size);

        if (!data)
                return -ENOMEM;
        *r = (Ring){ .data = data, .allocated = size };
        return 0;
}

void ring_clear(Ring *r) {
        free(r->data);
        *r = (Ring){ 0 };
}

size_t ring_room(const Ring *r) {
        return r->allocated - r->size;
}

void ring_put(Ring *r, const void *data, size_t size) {
        size_t end, first;

        assert(size <= ring_room(r));
        if (size == 0)
                return;
        end = (r->start + r->size) % r->allocated;
        first = MIN(size, r->allocated - end);
        memcpy(r->data + end, data, first);
        memcpy(r->data, (const char *) data + first, size - first);
        r->size += size;
}

size_t ring_peek(const Ring *r, const void **ret) {
        *ret = r->data + r->start;
        return MIN(r->size, r->allocated - r->start);
}

void ring_drop(Ring *r, size_t size) {
        assert(size <= r->size);
        if (size == 0)
                return;
        r->size -= size;
        /* An empty ring starts over: the next piece is as long as it can be. */
        r->start = r->size == 0 ? 0 : (r->start + size) % r->allocated;
}
