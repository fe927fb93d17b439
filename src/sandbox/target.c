/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "util/fd.h"

static int target_make_file(int root, const char *path) {
        _cleanup_free_ char *parent = strdup(path);
        _cleanup_close_ int dir = -EBADF;
        char *slash;

        if (!parent)
                return -ENOMEM;
        slash = strrchr(parent, '/');
        if (slash) {
                *slash = 0;
                dir = mkdir_in_root(root, parent, 0755);
                if (dir < 0)
                        return dir;
        }
        /* Resolved from the root again: path may end in a link to a file that does not exist yet. */
        return open_in_root(root, path, O_RDONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0644);
}

int target_open(int root, const char *path, bool directory, Error *reterr) {
        _cleanup_close_ int fd = open_in_root(root, path, O_PATH, 0);
        struct stat st;

        if (fd == -ENOENT)
                fd = directory ? mkdir_in_root(root, path, 0755) : target_make_file(root, path);
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot make the mount point '%s'", path);
        if (fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at the mount point '%s'", path);
        if (!S_ISDIR(st.st_mode) == directory)
                return error_set(reterr, directory ? -ENOTDIR : -EISDIR, "cannot mount a %s on '%s': it is a %s",
                        directory ? "directory" : "file", path, directory ? "file" : "directory");
        return TAKE_FD(fd);
}

int target_give(const Helper *h, int fd, Error *reterr) {
        return fchownat(fd, "", h->user.uid, h->user.gid, AT_EMPTY_PATH) < 0 ?
                error_set_errno(reterr, -errno, "cannot give it to user %u", h->user.uid) :
                0;
}

int target_of_user(const Helper *h, const char *path, Error *reterr) {
        _cleanup_close_ int fd = open_in_root(h->root, path, O_PATH, 0);

        if (fd >= 0)
                return 0;
        fd = mkdir_in_root(h->root, path, 0755);
        return fd < 0 ? error_set_errno(reterr, fd, "cannot make it") : target_give(h, fd, reterr);
}
