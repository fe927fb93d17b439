/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes the entries of a layer below one directory. Whatever the names and links in an archive say, nothing outside of
 * that directory is opened, made, changed or removed: every parent is opened with RESOLVE_IN_ROOT, every last
 * component without following it. What is replaced and what is followed is as GNU tar and Docker do it in a chroot.
 *
 * The directory's parent is closed to other users and nobody else changes the tree meanwhile. */

#include <sys/stat.h>

#include "util/error.h"

/* Limits on what an archive may ask for. */
#define WRITER_PATH_MAX 4095          /* of an entry's name */
#define WRITER_NAME_MAX 255           /* of one component */
#define WRITER_DEPTH_MAX 256          /* directories above an entry */
#define WRITER_ENTRIES_MAX 4000000
#define WRITER_FILE_SIZE_MAX (UINT64_C(4) << 40) /* of one file, holes included */
#define WRITER_ID_MAX 65535           /* the ids of an app are 0 to 65535 */
#define WRITER_XATTR_NAME_MAX 255
#define WRITER_XATTR_SIZE_MAX 65536   /* the kernel's own limit */
#define WRITER_XATTRS_MAX 128         /* of one entry */
#define WRITER_DIRECTORIES_MAX (64U << 20) /* bytes kept to finish directories at the end */
#define WRITER_MAJOR_MAX 0xfffU       /* the kernel's own limits */
#define WRITER_MINOR_MAX 0xfffffU

typedef struct EntryXattr {
        const char *name;
        const void *value;
        size_t size;
} EntryXattr;

typedef struct Entry {
        const char *path;
        mode_t type;          /* S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO; 0: a hard link to link */
        mode_t mode;          /* 07777 */
        const char *link;     /* what a symbolic or hard link names */
        int64_t uid, gid;
        uint64_t major, minor;
        uint64_t size;        /* S_IFREG */
        struct timespec mtime;
        EntryXattr *xattrs;
        size_t n_xattrs;
} Entry;

typedef struct Writer Writer;

/* root is not taken. Its mode, owner and times are the archive's, or root's and 0755 where it has no "./". */
int writer_new(int root, Writer **ret, Error *reterr);
Writer *writer_free(Writer *w);
DEFINE_CLEANUP(Writer *, writer_free);
#define _cleanup_writer_ _cleanup_(writer_freep)

/* What an entry of the archive replaces is moved out of root, to `number` in a directory TAR_RECORD_REPLACED of layer, and told of, where
 * it holds content; without this it is removed. path is real and below root. layer is not taken. */
typedef int (*WriterReplaced)(void *userdata, const char *path, unsigned number);
void writer_keep_replaced(Writer *w, int layer, WriterReplaced replaced, void *userdata);

/* Makes an entry. 1: a regular file, its data follow with writer_data() and writer_end(), and entry must stay as it is until
 * then; 0: all done. */
int writer_begin(Writer *w, const Entry *entry, Error *reterr);
int writer_data(Writer *w, const void *data, size_t size, uint64_t offset, Error *reterr);
int writer_end(Writer *w, Error *reterr);

/* Of the file whose data are awaited: its real path below root. NULL: too long for TAR_RECORD_PATH_MAX. */
const char *writer_file_path(Writer *w);

/* Sets the times of the directories, and what access control list is for what is made in them. */
int writer_finish(Writer *w, Error *reterr);

typedef struct WriterCounts {
        uint64_t entries;
        uint64_t bytes; /* of file content */
} WriterCounts;
WriterCounts writer_counts(const Writer *w);
