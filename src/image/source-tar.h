/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The members of a tar file that can be seeked, found once and read in any order without unpacking. For source.c. */

#include "image/blob.h"

typedef struct TarSource TarSource;

/* Takes fd when it succeeds. */
int tar_source_open(const char *path, int fd, TarSource **ret, Error *reterr);
TarSource *tar_source_free(TarSource *s);
DEFINE_CLEANUP(TarSource *, tar_source_free);
#define _cleanup_tar_source_ _cleanup_(tar_source_freep)

/* As source_blob(). Links inside the archive are followed. */
int tar_source_blob(TarSource *s, const char *name, Blob **ret, uint64_t *ret_size, Error *reterr);
