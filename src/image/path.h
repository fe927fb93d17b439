/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The name of an archive's entry, taken apart and judged before anything touches a file system. */

#include "util/error.h"

typedef struct EntryPath {
        char *parent; /* "usr/lib", "" for the root itself; no ".", "..", empty component or leading slash */
        char *name;   /* last component; "" when the entry is the root */
        size_t depth; /* components in parent */
} EntryPath;

void entry_path_clear(EntryPath *p);
#define _cleanup_entry_path_ _cleanup_(entry_path_clear)

/* Leading slashes and "." are dropped, as tar does; "..", names that are too long or too deep are refused: -EINVAL,
 * -ENAMETOOLONG, with a sentence about path. */
int entry_path_parse(const char *path, EntryPath *ret, Error *reterr);

typedef enum WhiteoutKind {
        WHITEOUT_NONE,
        WHITEOUT_FILE,   /* ".wh.NAME": NAME of the layers below is gone */
        WHITEOUT_OPAQUE, /* ".wh..wh..opq": all that the layers below have in this directory is gone */
        WHITEOUT_IGNORE, /* other ".wh..wh.…": aufs kept its own notes there */
        _WHITEOUT_MAX,
        _WHITEOUT_INVALID = -EINVAL, /* a whiteout of "", "." or "..", or one that is a directory on the way */
} WhiteoutKind;

/* What the entry is by its name. *ret_name points into p: the NAME of WHITEOUT_FILE. */
WhiteoutKind entry_path_whiteout(const EntryPath *p, const char **ret_name);

#define XATTR_ACL_ACCESS "system.posix_acl_access"
#define XATTR_ACL_DEFAULT "system.posix_acl_default" /* of a directory: what is made in it from now on has it */

/* Whether the extended attribute of an archive is stored: file capabilities, ACLs and what is the user's own, but nothing
 * that overlay or a security module of the host would act on. */
bool xattr_wanted(const char *name) _pure_;
