/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the writer share. */

#include "image/path.h"
#include "image/writer.h"
#include "util/buf.h"

struct Writer {
        int root;
        WriterCounts counts;

        /* The parent of the last entry: the next one is mostly beside it. */
        int parent;
        char *parent_path;
        char *parent_real; /* where it is, without links on the way */
        bool in_root; /* the last entry's parent is root instead */

        /* The regular file that is being written. */
        int file;
        const Entry *file_entry;
        uint64_t file_end;
        Buf file_path;

        /* writer_keep_replaced() */
        int layer;
        WriterReplaced replaced;
        void *replaced_userdata;
        unsigned n_replaced;

        Buf directories; /* what comes with writer_finish(): LateDirectory, path, NUL and list for each */
};

/* Judges all of an entry but its name. */
int writer_check(const Entry *e, Error *reterr);

/* An O_PATH fd, the writer's own, of the directory that an entry goes into; made where it is missing. Sets parent_real. */
int writer_parent(Writer *w, const EntryPath *path, Error *reterr);
/* To be called before anything is removed or replaced, which may be on the way to the parent that is remembered. */
void writer_forget_parent(Writer *w);

/* Takes away what stands where an entry goes, if anything does. */
int writer_make_room(Writer *w, int parent, const char *name);

int writer_hard_link(Writer *w, int parent, const EntryPath *path, const Entry *e, Error *reterr);

/* Appends where `name` in the last entry's parent really is. */
int writer_real_path(const Writer *w, const char *name, Buf *path);

bool writer_is_whiteout(const struct stat *st);
int writer_whiteout(int parent, const char *name);
int writer_set_opaque(int parent, const char *name);

/* Of the directory fd, what would not stay, or would change what is made in it from now on: its times, and the access control list
 * for what is made in it. */
int writer_remember_directory(Writer *w, int fd, const EntryPath *path, const Entry *e, Error *reterr);
