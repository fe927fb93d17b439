/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files of a layout or archive by their names: from a directory, or from a tar file that is read where the files lie. */

#include "image/blob.h"

#define SOURCE_MEMBERS_MAX 65536
#define SOURCE_LINKS_MAX 8 /* old `docker save` names equal layers by links */

typedef struct Source Source;

/* path "-" is standard input. A pipe or a compressed archive is first copied into an unlinked file in the directory
 * scratch, for its table of contents may come last. */
int source_open(const char *path, int scratch, Source **ret, Error *reterr);
Source *source_free(Source *s);
DEFINE_CLEANUP(Source *, source_free);
#define _cleanup_source_ _cleanup_(source_freep)

/* A regular file; size may be NULL. -ENOENT without a sentence when there is none. The source must outlive it. */
int source_blob(Source *s, const char *name, Blob **ret, uint64_t *ret_size, Error *reterr);

/* 1 it is there, 0 it is not. */
int source_has(Source *s, const char *name, Error *reterr);

/* The whole of a small file. */
int source_read(Source *s, const char *name, size_t max, char **ret, size_t *ret_size, Error *reterr);
