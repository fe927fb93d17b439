/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The entries of a tar archive, and their content, as it comes; in one pass, with no copy of content. What it makes of an archive is
 * what GNU tar makes of it; where that and other programs differ about what is in it, it is refused: nobody who looked at it
 * before knows what would be unpacked. */

#include "image/acl.h"
#include "image/writer.h"

/* The next bytes of the archive, 0 at its end; they stay until it is called again. */
typedef ssize_t (*TarRead)(void *userdata, const void **ret, Error *reterr);

typedef struct TarReader TarReader;

TarReader *tar_reader_new(TarRead read, void *userdata);
TarReader *tar_reader_free(TarReader *r);
DEFINE_CLEANUP(TarReader *, tar_reader_free);
#define _cleanup_tar_reader_ _cleanup_(tar_reader_freep)

/* 1: an entry, which stays until the next one; 0: the end. Content that was not read is passed over. Its access control lists are
 * not in the attributes. */
int tar_reader_next(TarReader *r, Entry *ret, Error *reterr);

/* The text of a list of this entry, or NULL. */
const char *tar_reader_acl(const TarReader *r, AclKind kind) _pure_;

/* The next piece of a regular file's content. 1; 0: that was all. */
typedef struct TarContent {
        const void *data;
        size_t size;
        uint64_t offset;   /* in the file */
        uint64_t position; /* in the archive */
} TarContent;
int tar_reader_content(TarReader *r, TarContent *ret, Error *reterr);
