/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bytes that arrive in pieces: a file, a member of an archive, a pipe. */

#include <sys/types.h>

#include "util/error.h"

#define BLOB_CHUNK (256U << 10)

typedef struct Blob Blob;

/* The next piece, valid until the next call: its size, 0 at the end, or negative errno. */
typedef ssize_t (*BlobRead)(void *userdata, const void **ret, Error *reterr);
typedef void (*BlobFree)(void *userdata);

/* On failure userdata is freed too. name is for error sentences and is copied. */
Blob *blob_new(const char *name, BlobRead read, BlobFree free, void *userdata);
Blob *blob_new_fd(const char *name, int fd); /* takes fd */
Blob *blob_new_text(const char *name, const void *data, size_t size); /* data must outlive it */
Blob *blob_free(Blob *b);
DEFINE_CLEANUP(Blob *, blob_free);
#define _cleanup_blob_ _cleanup_(blob_freep)

const char *blob_name(const Blob *b);
ssize_t blob_read(Blob *b, const void **ret, Error *reterr);
/* For one that reads on behalf of another of the same name, which will say that name in an error's sentence. */
ssize_t blob_read_below(Blob *b, const void **ret, Error *reterr);

/* All of it, NUL-terminated; -E2BIG past max bytes. */
int blob_read_all(Blob *b, size_t max, char **ret, size_t *ret_size, Error *reterr);
