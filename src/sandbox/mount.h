/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Mounts as file descriptors: made detached, set up, then attached to a descriptor of the place. */

#include <sys/types.h>

#include "util/error.h"

#define MOUNT_OPTIONS_MAX 4096

/* A new file system of this type, not attached anywhere. options: "a=1,b" or NULL. attributes: MOUNT_ATTR_*.
 * Returns an fd, or negative errno with the kernel's own words in the sentence. */
int mount_new(const char *type, const char *options, uint64_t attributes, Error *reterr);

/* A detached copy of the mount at path below dir ("": dir itself), an fd or negative errno. */
int mount_clone(int dir, const char *path, bool recursive);

/* Adds MOUNT_ATTR_* to a mount, and maps its ids by a user namespace (fd) unless that is -EBADF. */
int mount_set(int mount, uint64_t attributes, int userns, bool recursive);

/* Puts a detached mount on what target is a descriptor of. 0 or negative errno. */
int mount_attach(int mount, int target);

/* No mount event passes between this mount namespace and another from now on. */
int mounts_make_private(void);

/* Whether BERTH_SYSCALL_FALLBACK, a comma-separated list of names, asks for the way of an older kernel although
 * this kernel has the newer one. The result of either way is the same; tests compare the two. */
bool fallback_forced(const char *name);
