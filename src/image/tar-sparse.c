/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/tar-sparse.h"
#include "util/strv.h"

#define HEADER_PARTS 386 /* where in the block they are */
#define HEADER_N_PARTS 4
#define HEADER_MORE 482
#define HEADER_SIZE 483
#define BLOCK_N_PARTS 21
#define BLOCK_MORE 504
#define NUMBER 12 /* bytes in a field */

#define DIGITS_MAX 20 /* of 64 bits */

static int broken(Error *reterr) {
        return error_set(reterr, -EBADMSG, "the archive is broken: nobody can say where the content of a sparse file is");
}

void tar_sparse_clear(TarSparse *s) {
        free(s->parts);
        *s = (TarSparse){ 0 };
}

int tar_sparse_add(TarSparse *s, uint64_t offset, uint64_t size, Error *reterr) {
        if (s->n == TAR_SPARSE_PARTS_MAX)
                return error_set(reterr, -E2BIG, "a sparse file of the archive has more than %u parts", TAR_SPARSE_PARTS_MAX);
        if (s->n == s->allocated) {
                size_t allocated = s->allocated * 2 + 32;
                TarPart *p = reallocarray(s->parts, allocated, sizeof(*p));

                if (!p)
                        return -ENOMEM;
                s->parts = p;
                s->allocated = allocated;
        }
        s->parts[s->n++] = (TarPart){ .offset = offset, .size = size };
        return 0;
}

/* 1: room for n was all taken; 0: it ended before. */
static int add_fields(TarSparse *s, const uint8_t *fields, size_t n, Error *reterr) {
        for (size_t i = 0; i < n; i++, fields += 2 * NUMBER) {
                int64_t offset, size;
                int r;

                if (fields[NUMBER] == 0)
                        return 0;
                if (tar_number_parse(fields, NUMBER, &offset) < 0 || tar_number_parse(fields + NUMBER, NUMBER, &size) < 0 || offset < 0 ||
                        size < 0)
                        return broken(reterr);
                r = tar_sparse_add(s, (uint64_t) offset, (uint64_t) size, reterr);
                if (r < 0)
                        return r;
        }
        return 1;
}

int tar_sparse_add_header(TarSparse *s, const uint8_t block[static TAR_BLOCK], uint64_t *ret_size, Error *reterr) {
        int64_t size;
        int r;

        if (tar_number_parse(block + HEADER_SIZE, NUMBER, &size) < 0 || size < 0)
                return broken(reterr);
        r = add_fields(s, block + HEADER_PARTS, HEADER_N_PARTS, reterr);
        if (r < 0)
                return r;
        *ret_size = (uint64_t) size;
        return block[HEADER_MORE] != 0;
}

int tar_sparse_add_block(TarSparse *s, const uint8_t block[static TAR_BLOCK], Error *reterr) {
        int r = add_fields(s, block, BLOCK_N_PARTS, reterr);

        return r < 0 ? r : block[BLOCK_MORE] != 0;
}

/* A number of the map, with what ends it. */
static int take_number(const char **p, char end, uint64_t *ret) {
        uint64_t n = 0;
        const char *s = *p;

        for (; *s >= '0' && *s <= '9'; s++)
                if (__builtin_mul_overflow(n, UINT64_C(10), &n) || __builtin_add_overflow(n, (uint64_t) (*s - '0'), &n))
                        return -EBADMSG;
        if (s == *p || *s != end)
                return -EBADMSG;
        *p = s + (end != 0);
        *ret = n;
        return 0;
}

int tar_sparse_add_text(TarSparse *s, const char *text, Error *reterr) {
        while (*text) {
                uint64_t offset, size;
                int r;

                if (take_number(&text, ',', &offset) < 0 || take_number(&text, strchr(text, ',') ? ',' : 0, &size) < 0)
                        return broken(reterr);
                r = tar_sparse_add(s, offset, size, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One number of the map has ended. 1: more are to come. */
static int map_number(TarSparse *s, TarSparseMap *map, Error *reterr) {
        int r = 0;

        if (map->digits == 0)
                return broken(reterr);
        if (!map->has_count) {
                map->count = map->number;
                map->has_count = true;
        } else if (!map->has_offset) {
                map->offset = map->number;
                map->has_offset = true;
        } else {
                r = tar_sparse_add(s, map->offset, map->number, reterr);
                map->has_offset = false;
        }
        map->number = map->digits = 0;
        return r < 0 ? r : s->n < map->count;
}

int tar_sparse_add_map(TarSparse *s, TarSparseMap *map, const uint8_t block[static TAR_BLOCK], Error *reterr) {
        for (size_t i = 0; i < TAR_BLOCK; i++) {
                if (block[i] == '\n') {
                        int r = map_number(s, map, reterr);

                        if (r <= 0)
                                return r; /* the rest of the block is padding */
                        continue;
                }
                if (block[i] < '0' || block[i] > '9' || ++map->digits > DIGITS_MAX ||
                        __builtin_mul_overflow(map->number, UINT64_C(10), &map->number) ||
                        __builtin_add_overflow(map->number, (uint64_t) (block[i] - '0'), &map->number))
                        return broken(reterr);
        }
        return 1;
}

int tar_sparse_check(const TarSparse *s, const char *path, uint64_t size, uint64_t stored, Error *reterr) {
        uint64_t end = 0, sum = 0;

        for (size_t i = 0; i < s->n; i++) {
                const TarPart *p = s->parts + i;

                /* GNU tar ends with a part of no bytes, which says nothing. */
                if (p->size > 0 && sum % TAR_BLOCK != 0)
                        return error_set(reterr, -EBADMSG, "the archive is broken: a part of sparse file '%.200s' does not begin with a block", path);
                if (p->offset < end || p->offset > size || p->size > size - p->offset)
                        return error_set(reterr, -EBADMSG, "the archive is broken: the parts of sparse file '%.200s' overlap or do not fit", path);
                end = p->offset + p->size;
                sum += p->size;
        }
        /* GNU tar makes a shorter file of it, others do not. */
        if (end < size)
                return error_set(reterr, -EBADMSG, "the archive is broken: the map of sparse file '%.200s' ends before the file does", path);
        if (sum != stored)
                return error_set(reterr, -EBADMSG, "the archive is broken: sparse file '%.200s' has %llu bytes of content instead of %llu",
                        path, (unsigned long long) stored, (unsigned long long) sum);
        return 0;
}
