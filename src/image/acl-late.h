/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Access control lists that name users and groups, as GNU tar writes them: who that is, the archive's own /etc/passwd and
 * /etc/group say, and those may come last. */

#include "image/acl.h"

#define LATE_ACLS_SIZE_MAX (64U << 20) /* bytes of memory for all of an archive */

typedef struct LateAcl {
        char *path;
        AclKind kind;
        Acl acl;
} LateAcl;

typedef struct LateAcls {
        LateAcl *items;
        size_t n, allocated, size;
} LateAcls;

void late_acls_clear(LateAcls *l);

/* acl is taken and becomes empty. */
int late_acls_add(LateAcls *l, const char *path, AclKind kind, Acl *acl, Error *reterr);

/* Once all of the archive is below root. What is not there any more needs none. */
int late_acls_apply(LateAcls *l, int root, Error *reterr);
