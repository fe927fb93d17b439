/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/give.h"
#include "util/fd.h"

#define GIVE_DEPTH_MAX 512 /* each level holds a descriptor */

static int give_one(int dir, const char *name, const struct stat *st, uid_t uid, gid_t gid) {
        if (st->st_uid == uid && st->st_gid == gid)
                return 0;
        if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH)) < 0)
                return -errno;
        return 0;
}

static int give_children(int fd, dev_t device, uid_t uid, gid_t gid, unsigned depth) {
        struct dirent *entry;
        int r = 0;
        DIR *d;

        if (depth > GIVE_DEPTH_MAX) {
                fd_close(fd);
                return -ELOOP;
        }
        d = fdopendir(fd);
        if (!d) {
                r = -errno;
                fd_close(fd);
                return r;
        }
        while (r >= 0 && (entry = readdir(d))) {
                struct stat st;
                int child;

                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                        r = errno == ENOENT ? 0 : -errno;
                        continue;
                }
                if (st.st_dev != device)
                        continue;
                r = give_one(dirfd(d), entry->d_name, &st, uid, gid);
                if (r < 0 || !S_ISDIR(st.st_mode))
                        continue;
                child = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                r = child < 0 ? -errno : give_children(child, device, uid, gid, depth + 1);
        }
        closedir(d);
        return r;
}

int give_tree(int top, uid_t uid, gid_t gid, Error *reterr) {
        struct stat st;
        int fd, r;

        if (uid == (uid_t) -1 || gid == (gid_t) -1)
                return error_set(reterr, -ERANGE, "cannot give it to the user: the id map does not have the user's id");
        if (fstat(top, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at it");
        r = give_one(top, "", &st, uid, gid);
        if (r >= 0 && S_ISDIR(st.st_mode)) {
                fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                r = fd < 0 ? -errno : give_children(fd, st.st_dev, uid, gid, 0);
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot give it to user %u", uid) : 0;
}
