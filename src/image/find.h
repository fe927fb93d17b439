/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From what a person calls an image to its id. Needs libc only. */

#include "util/error.h"

/* What the file of a name holds. */
typedef struct NameRecord {
        char id[72], manifest[72]; /* "sha256:HEX" */
        char digest[72];           /* of what the name led to at its registry: an index, or the manifest itself */
} NameRecord;

typedef struct Found {
        char id[72];
        char manifest[72]; /* empty: as the image says */
        char *name;        /* the full name that matched; NULL: it was an id or a digest */
} Found;

/* store is the fd of the store's directory. Errors as image_open(). */
int image_find(int store, const char *text, Found *ret, Error *reterr);

/* file is a name's file in the store's name directory. -ENOENT, -EBADMSG. */
int name_record_read(int store, const char *file, NameRecord *ret);
