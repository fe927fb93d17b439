/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* File descriptors, whole files and directory trees; everything relative to a directory fd. */

#include <dirent.h>
#include <sys/types.h>

#include "util/macro.h"

int fd_close(int fd); /* returns -EBADF, keeps errno, takes negative fds */
static inline void fd_closep(int *fd) {
        fd_close(*fd);
}
#define _cleanup_close_ _cleanup_(fd_closep)

/* openat2(2) with RESOLVE_IN_ROOT: no path of an image or spec leads out of root, by whatever link.
 * flags get O_CLOEXEC. Returns an fd or negative errno. Linux 5.6. */
int open_in_root(int root, const char *path, int flags, mode_t mode);

/* Makes path and its missing parents below root without ever leaving it, as RESOLVE_IN_ROOT; existing
 * components are left alone. Returns an O_PATH fd of the last one or negative errno. */
int mkdir_in_root(int root, const char *path, mode_t mode);

/* Makes path (relative to dir, or absolute) and its missing parents. For trusted host paths. */
int mkdir_parents(int dir, const char *path, mode_t mode);

/* A directory to be read, path relative to dir ("." reads dir anew). 0 or negative errno. */
int dir_open(int dir, const char *path, DIR **ret);
static inline void dir_closep(DIR **d) {
        if (*d)
                (void) closedir(*d);
}
#define _cleanup_closedir_ _cleanup_(dir_closep)

/* The whole of a file, NUL-terminated. -E2BIG past max bytes. */
int read_file(int dir, const char *path, size_t max, char **ret, size_t *ret_size);
int read_fd(int fd, size_t max, char **ret, size_t *ret_size);

/* All of data, whatever write(2) takes at once. */
int write_all(int fd, const void *data, size_t size);

/* Written beside the target, then renamed over it: readers see the old or the new. With sync the data and
 * the directory are on disk before it returns. */
int write_file(int dir, const char *path, const void *data, size_t size, mode_t mode, bool sync);

/* Into a file that exists: one open, one write. For /proc and cgroup files. */
int write_existing(int dir, const char *path, const char *text);

/* Removes what path names and, for a directory, all below it, without following links or crossing into
 * another mount, however deep it is. 0 when it is not there; with an error, all that can be removed is. */
int remove_tree(int dir, const char *path);

int set_nonblock(int fd, bool on);
