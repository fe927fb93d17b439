/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is needed besides a layer's files to make its archive again: headers, paddings, extended headers, the end. Written while
 * the archive is unpacked, into the file `tar` beside the layer's root; layer-tar.c reads it.
 *
 * The file is one zstd stream of TAR_RECORD_HEADER and of operations, a letter each with the operands behind it. A number is in
 * base 128, the low digits first, all but the last with the top bit set; a text is a number of bytes and the bytes.
 *
 *   L text                 bytes of the archive as they are
 *   F text number          what follows is of the file of this path below root, which has this size
 *   D number number        bytes of the archive that are content of the file: offset in it, how many
 *   R text number          the file or directory at this path was replaced: it is in replaced/NUMBER from here on
 *   E number               the end of an archive of so many bytes
 *
 * Paths are real ones: no link is on the way, and none is the last component. */

#include "util/error.h"

#define TAR_RECORD_FILE "tar"
#define TAR_RECORD_REPLACED "replaced"
#define TAR_RECORD_HEADER "berth-tar 1\n"
#define TAR_RECORD_PATH_MAX 4000 /* with room for a number: replaced/NUMBER and the rest of a path can be opened, too */

typedef enum TarRecordOp {
        TAR_RECORD_LITERAL = 'L',
        TAR_RECORD_NAME = 'F',
        TAR_RECORD_DATA = 'D',
        TAR_RECORD_MOVED = 'R',
        TAR_RECORD_END = 'E',
} TarRecordOp;

/* As operands, of the reader and the writer. */
#define TAR_RECORD_NUMBERS_MAX 2

typedef struct TarRecord TarRecord;

/* Makes the file in directory layer, which is not taken. */
int tar_record_new(int layer, TarRecord **ret, Error *reterr);
TarRecord *tar_record_free(TarRecord *r);
DEFINE_CLEANUP(TarRecord *, tar_record_free);
#define _cleanup_tar_record_ _cleanup_(tar_record_freep)

/* The next bytes of the archive; they stay as they are until tar_record_settle(). */
void tar_record_bytes(TarRecord *r, const void *data, size_t size);

/* Before the next bytes are fetched: what was not told of as content of those that came is literal. */
int tar_record_settle(TarRecord *r, Error *reterr);

/* At this position of the archive, in the bytes that came last, is what file `path`, of file_size bytes, has at offset. In order. */
typedef struct TarRecordContent {
        uint64_t position;
        const char *path;
        uint64_t file_size, offset;
        const void *data;
        size_t size;
} TarRecordContent;
int tar_record_content(TarRecord *r, const TarRecordContent *c, Error *reterr);

int tar_record_replaced(TarRecord *r, const char *path, unsigned number, Error *reterr);

int tar_record_finish(TarRecord *r, Error *reterr);
