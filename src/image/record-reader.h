/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The operations of the file that tar-record.c wrote, one by one. For layer-tar.c. */

#include "image/tar-record.h"

typedef struct RecordStep {
        TarRecordOp op;
        char path[TAR_RECORD_PATH_MAX + 1]; /* of F and R */
        uint64_t numbers[TAR_RECORD_NUMBERS_MAX]; /* as they come in the file; of L how many bytes follow */
} RecordStep;

typedef struct RecordReader RecordReader;

/* layer is not taken. -ENOENT without a sentence when there is no record. */
int record_reader_open(int layer, RecordReader **ret, Error *reterr);
RecordReader *record_reader_free(RecordReader *r);
DEFINE_CLEANUP(RecordReader *, record_reader_free);
#define _cleanup_record_reader_ _cleanup_(record_reader_freep)

/* Bytes of an L that were not asked for are skipped. After E it must not be called. */
int record_reader_next(RecordReader *r, RecordStep *ret, Error *reterr);

/* The next bytes of an L, all of them there or -EBADMSG. */
int record_reader_literal(RecordReader *r, void *data, size_t size, Error *reterr);
