/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where in a file with holes the content is that a tar archive has of it: the three forms of pax and the old one, all of them
 * GNU's (GNU tar manual, "Storing Sparse Files"). */

#include "image/tar-header.h"

#define TAR_SPARSE_PARTS_MAX (1U << 18)

typedef struct TarPart {
        uint64_t offset, size;
} TarPart;

typedef struct TarSparse {
        TarPart *parts;
        size_t n, allocated;
} TarSparse;

void tar_sparse_clear(TarSparse *s);

int tar_sparse_add(TarSparse *s, uint64_t offset, uint64_t size, Error *reterr);

/* Of a header of type 'S', with the size of the whole file, and of a block that follows it. 1: another block follows; 0: that was all. */
int tar_sparse_add_header(TarSparse *s, const uint8_t block[static TAR_BLOCK], uint64_t *ret_size, Error *reterr);
int tar_sparse_add_block(TarSparse *s, const uint8_t block[static TAR_BLOCK], Error *reterr);

/* GNU.sparse.map: "offset,size,offset,size". */
int tar_sparse_add_text(TarSparse *s, const char *text, Error *reterr);

/* The map in front of the content, read number by number. */
typedef struct TarSparseMap {
        uint64_t count, offset, number;
        unsigned digits;
        bool has_count, has_offset;
} TarSparseMap;
/* The next block of it. 1: another one follows; 0: that was all. */
int tar_sparse_add_map(TarSparse *s, TarSparseMap *map, const uint8_t block[static TAR_BLOCK], Error *reterr);

/* Whether the parts are in order, within a file of size, and together `stored` bytes. Programs that read archives have different
 * opinions of parts that overlap, that begin in the middle of a block, or that end before the file does: those are refused as well. */
int tar_sparse_check(const TarSparse *s, const char *path, uint64_t size, uint64_t stored, Error *reterr);
