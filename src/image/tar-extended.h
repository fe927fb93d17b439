/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the headers before an entry of a tar archive say of it: pax records and GNU's long names. Keys mean what they mean to GNU
 * tar; of those that it does not know it takes no notice. What programs that read archives take in different ways is refused. */

#include <time.h>

#include "image/acl.h"
#include "image/tar-sparse.h"
#include "image/writer.h"
#include "util/buf.h"

#define TAR_EXTENDED_MAX (8U << 20) /* bytes of one such header */

typedef struct TarExtended {
        Buf records, long_name, long_link; /* what all below points into */
        bool has_records;
        const char *path, *link, *sparse_name; /* or NULL */
        bool has_size, has_uid, has_gid, has_mtime;
        int64_t size, uid, gid;
        struct timespec mtime;
        const char *acls[_ACL_KIND_MAX]; /* or NULL */
        EntryXattr xattrs[WRITER_XATTRS_MAX + 1]; /* each name once; one more than may be, for who counts them */
        size_t n_xattrs;

        uint64_t sparse_major, sparse_minor, sparse_offset;
        bool has_sparse_size, has_sparse_map;
        uint64_t sparse_size; /* of the file with its holes */
        TarSparse sparse;
} TarExtended;

/* Forgets all but the memory. */
void tar_extended_reset(TarExtended *x);
void tar_extended_clear(TarExtended *x);

/* Whether anything was said since tar_extended_reset(). */
bool tar_extended_any(const TarExtended *x) _pure_;

/* Whether a header of this type comes before an entry instead of being one: its content is for tar_extended_add(). */
bool tar_extended_is(char type);
/* data stays the caller's. */
int tar_extended_add(TarExtended *x, char type, const char *data, size_t size, Error *reterr);

/* A number of seconds with a fraction, as in "mtime". */
int tar_time_parse(const char *text, struct timespec *ret);
