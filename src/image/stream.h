/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A blob on its way to the unpacker: hashed as it comes, decompressed (gzip, zstd, bzip2, xz or not at all, by
 * what the bytes say), hashed again. One pass: a thread of its own decompresses while the caller writes what came before. */

#include "image/blob.h"
#include "image/pack.h"

/* Limits on what a packed layer may become. */
#define STREAM_SIZE_MAX (UINT64_C(256) << 30)
/* Gzip reaches 1030, zstd far more, but only with next to nothing in it. Small layers may be all zeros, so the
 * ratio counts only past RATIO_FREE bytes. */
#define STREAM_RATIO_MAX 300
#define STREAM_RATIO_FREE (UINT64_C(1) << 30)

typedef struct Stream Stream;

/* Does not take blob, which must live longer. */
int stream_new(Blob *blob, Stream **ret, Error *reterr);
Stream *stream_free(Stream *s);
DEFINE_CLEANUP(Stream *, stream_free);
#define _cleanup_stream_ _cleanup_(stream_freep)

/* The next decompressed piece, as blob_read(). */
ssize_t stream_read(Stream *s, const void **ret, Error *reterr);

typedef struct StreamResult {
        char digest[72];  /* of the blob */
        char diff_id[72]; /* of what was in it */
        uint64_t size, unpacked_size;
        PackFormat format; /* _PACK_FORMAT_INVALID: one that nothing is packed with here */
} StreamResult;

/* Reads and hashes what is left of both, then tells. */
int stream_finish(Stream *s, StreamResult *ret, Error *reterr);

/* Called after each piece of the blob with the bytes read so far. */
void stream_set_progress(Stream *s, void (*progress)(void *userdata, uint64_t bytes), void *userdata);
