/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POSIX access control lists: from the text of a pax archive ("user:web:r-x") to what the kernel keeps (acl(5)). */

#include "util/buf.h"
#include "util/error.h"

#define ACL_ENTRIES_MAX 1024 /* of one list */

typedef enum AclKind {
        ACL_ACCESS,
        ACL_DEFAULT, /* what is made in a directory gets it */
        _ACL_KIND_MAX,
        _ACL_KIND_INVALID = -EINVAL,
} AclKind;

typedef struct AclEntry {
        uint16_t tag, permissions; /* linux/posix_acl.h */
        uint32_t id;
        char *name; /* GNU tar writes names alone: id is not known yet; else NULL */
} AclEntry;

typedef struct Acl {
        AclEntry *entries; /* in the order that the kernel wants, once no name is left */
        size_t n;
} Acl;

void acl_clear(Acl *a);
#define _cleanup_acl_ _cleanup_(acl_clear)

/* The list of file `path` from its text: entries by lines or commas. What none is gets -EBADMSG and a sentence; whether they are a
 * list together, the kernel says. */
int acl_parse(const char *text, const char *path, Acl *ret, Error *reterr);

bool acl_has_names(const Acl *a) _pure_;

/* The names of a passwd or group file, for acl_resolve(). */
typedef struct AclName {
        const char *name;
        uint32_t id;
        size_t line;
} AclName;

typedef struct AclNames {
        char *text;
        AclName *items; /* sorted */
        size_t n;
} AclNames;

int acl_names_read(int root, const char *path, AclNames *ret, Error *reterr);
void acl_names_clear(AclNames *names);
#define _cleanup_acl_names_ _cleanup_(acl_names_clear)

/* Gives each name its id. */
int acl_resolve(Acl *a, const AclNames *users, const AclNames *groups, const char *path, Error *reterr);

/* "system.posix_acl_access" or the other one, and its value. No name may be left. */
const char *acl_attribute(AclKind kind);
int acl_encode(const Acl *a, Buf *ret);
