/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where save puts files: a directory or a tar archive. The counterpart of source.h. */

#include "image/blob.h"

typedef struct Sink Sink;

/* fd is an empty directory, or a file or pipe for a tar archive; it is not taken. What has to be seen whole before it can go
 * into the archive waits in a file without a name in directory scratch. */
int sink_open(int fd, int scratch, Sink **ret, Error *reterr);
Sink *sink_free(Sink *s);
DEFINE_CLEANUP(Sink *, sink_free);
#define _cleanup_sink_ _cleanup_(sink_freep)

/* There is such a file already. */
bool sink_has(const Sink *s, const char *name);

/* Parents of name appear by themselves. */
int sink_text(Sink *s, const char *name, const void *data, size_t size, Error *reterr);

/* All of the blob, whose size is known. */
int sink_blob(Sink *s, const char *name, uint64_t size, Blob *blob, Error *reterr);

/* The same for one of unknown size, and with name NULL the name is "blobs/sha256/" and its digest, and where that file is there
 * already it counts. */
int sink_unsized(Sink *s, const char *name, Blob *blob, char ret_digest[static 72], uint64_t *ret_size, Error *reterr);

/* The end of the archive; all on disk where it is a directory or regular file. */
int sink_finish(Sink *s, Error *reterr);
