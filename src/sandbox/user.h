/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Users and groups as the image's own /etc/passwd and /etc/group tell them. */

#include <limits.h>
#include <sys/types.h>

#include "util/error.h"

#define USER_GROUPS_MAX 256

typedef struct User {
        uid_t uid;
        gid_t gid;
        gid_t groups[USER_GROUPS_MAX];
        size_t n_groups;
        char home[PATH_MAX];
} User;

#define USER_INIT ((User){ .home = "/" })

/* user: "name", "uid", "name:group", "uid:gid" or NULL for root. groups: more supplementary ones, names or numbers.
 * With a group in user, the image's file adds no supplementary ones, as with Docker and Podman. */
int user_lookup(int root, const char *user, char *const *groups, User *ret, Error *reterr);
