/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/writer-internal.h"
#include "util/fd.h"

static int check_link(const Entry *e, Error *reterr) {
        if (e->type != 0 && !S_ISLNK(e->type))
                return 0;
        if (!e->link || !*e->link)
                return error_set(reterr, -EINVAL, "'%.200s' is a link to nothing", e->path);
        if (strlen(e->link) > WRITER_PATH_MAX)
                return error_set(reterr, -ENAMETOOLONG, "'%.200s' is a link to more than %d bytes", e->path, WRITER_PATH_MAX);
        return 0;
}

static int check_xattrs(const Entry *e, Error *reterr) {
        if (e->n_xattrs > WRITER_XATTRS_MAX)
                return error_set(reterr, -E2BIG, "'%.200s' has more than %d attributes", e->path, WRITER_XATTRS_MAX);
        for (size_t i = 0; i < e->n_xattrs; i++)
                if (strlen(e->xattrs[i].name) > WRITER_XATTR_NAME_MAX || e->xattrs[i].size > WRITER_XATTR_SIZE_MAX)
                        return error_set(reterr, -E2BIG, "attribute %.60s of '%.200s' is too long", e->xattrs[i].name, e->path);
        return 0;
}

static bool type_known(mode_t type) {
        switch (type) {
        case 0:
        case S_IFREG:
        case S_IFDIR:
        case S_IFLNK:
        case S_IFCHR:
        case S_IFBLK:
        case S_IFIFO:
                return true;
        }
        return false;
}

int writer_check(const Entry *e, Error *reterr) {
        if (!e->path)
                return error_set(reterr, -EINVAL, "an entry of the archive has no name");
        if (!type_known(e->type))
                return error_set(reterr, -EINVAL, "'%.200s' is of a kind that a layer cannot hold", e->path);
        if (e->uid < 0 || e->uid > WRITER_ID_MAX || e->gid < 0 || e->gid > WRITER_ID_MAX)
                return error_set(reterr, -ERANGE, "'%.200s' belongs to %lld:%lld, and the ids of a container end at %d", e->path,
                        (long long) e->uid, (long long) e->gid, WRITER_ID_MAX);
        if ((S_ISCHR(e->type) || S_ISBLK(e->type)) && (e->major > WRITER_MAJOR_MAX || e->minor > WRITER_MINOR_MAX))
                return error_set(reterr, -ERANGE, "'%.200s' is device %llu:%llu, and numbers of devices end at %u:%u", e->path,
                        (unsigned long long) e->major, (unsigned long long) e->minor, WRITER_MAJOR_MAX, WRITER_MINOR_MAX);
        /* To overlay this is the sign that a file is gone; only a whiteout may make one. */
        if (S_ISCHR(e->type) && e->major == 0 && e->minor == 0)
                return error_set(reterr, -EINVAL, "'%.200s' is a character device 0:0, which means a whiteout", e->path);
        if (S_ISREG(e->type) && e->size > WRITER_FILE_SIZE_MAX)
                return error_set(reterr, -EFBIG, "'%.200s' claims %llu bytes", e->path, (unsigned long long) e->size);
        if (check_link(e, reterr) < 0 || check_xattrs(e, reterr) < 0)
                return reterr ? reterr->code : -EINVAL;
        return 0;
}

/* What a hard link names, itself not followed. */
static int open_target(Writer *w, const Entry *e, struct stat *ret_st, Error *reterr) {
        _cleanup_entry_path_ EntryPath target = { 0 };
        _cleanup_close_ int parent = -EBADF, fd = -EBADF;
        int r = entry_path_parse(e->link, &target, reterr);

        if (r < 0) {
                (void) error_prefix(reterr, "hard link '%.200s'", e->path);
                return r;
        }
        parent = open_in_root(w->root, target.parent[0] ? target.parent : ".", O_PATH | O_DIRECTORY, 0);
        if (parent >= 0)
                fd = openat(parent, target.name[0] ? target.name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (parent < 0 || fd < 0 || fstat(fd, ret_st) < 0)
                return error_set_errno(reterr, parent < 0 ? parent : -errno, "hard link '%.200s' to '%.200s'", e->path, e->link);
        return TAKE_FD(fd);
}

int writer_hard_link(Writer *w, int parent, const EntryPath *path, const Entry *e, Error *reterr) {
        _cleanup_close_ int target = -EBADF;
        struct stat to, old;
        int r;

        target = open_target(w, e, &to, reterr);
        if (target < 0)
                return target;
        if (S_ISDIR(to.st_mode))
                return error_set(reterr, -EPERM, "hard link '%.200s' names a directory", e->path);
        if (writer_is_whiteout(&to))
                return error_set(reterr, -ENOENT, "hard link '%.200s' names '%.200s', which this layer removes", e->path, e->link);
        if (fstatat(parent, path->name, &old, AT_SYMLINK_NOFOLLOW) >= 0) {
                if (old.st_ino == to.st_ino && old.st_dev == to.st_dev)
                        return 0;
                r = writer_make_room(w, parent, path->name);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot replace '%.200s'", e->path);
                /* The target may have been in what was replaced. */
                fd_close(target);
                target = open_target(w, e, &to, reterr);
                if (target < 0)
                        return target;
        } else if (errno != ENOENT)
                return error_set_errno(reterr, -errno, "cannot look at '%.200s'", e->path);
        /* By descriptor: the name may have been replaced or removed just now. */
        if (linkat(target, "", parent, path->name, AT_EMPTY_PATH) < 0)
                return error_set_errno(reterr, -errno, "cannot make hard link '%.200s' to '%.200s'", e->path, e->link);
        return 0;
}

typedef struct LateDirectory {
        struct timespec mtime;
        dev_t device;
        ino_t inode;
        size_t acl_size;
} LateDirectory;

/* Of several the last. */
static const EntryXattr *default_acl(const Entry *e) {
        for (size_t i = e->n_xattrs; i > 0; i--)
                if (streq(e->xattrs[i - 1].name, XATTR_ACL_DEFAULT))
                        return e->xattrs + i - 1;
        return NULL;
}

int writer_remember_directory(Writer *w, int fd, const EntryPath *path, const Entry *e, Error *reterr) {
        const EntryXattr *acl = default_acl(e);
        LateDirectory d = { .mtime = e->mtime, .acl_size = acl ? acl->size : 0 };
        struct stat st;
        int r;

        if (w->directories.size > WRITER_DIRECTORIES_MAX)
                return error_set(reterr, -E2BIG, "the archive has too many directories");
        if (fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at '%.200s'", e->path);
        d.device = st.st_dev;
        d.inode = st.st_ino;
        r = buf_append(&w->directories, &d, sizeof(d));
        if (r >= 0)
                r = path->parent[0] ? buf_printf(&w->directories, "%s/%s", path->parent, path->name)
                                    : buf_puts(&w->directories, path->name[0] ? path->name : ".");
        if (r >= 0)
                r = buf_append(&w->directories, "", 1);
        return r < 0 || !acl ? r : buf_append(&w->directories, acl->value, acl->size);
}

static int finish_directory(Writer *w, const LateDirectory *d, const char *path, const void *acl, Error *reterr) {
        _cleanup_close_ int fd = open_in_root(w->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        const struct timespec times[2] = { d->mtime, d->mtime };
        struct stat st;

        /* Replaced by something else later in the archive. */
        if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, fd < 0 ? fd : -errno, "cannot open '%.200s'", path);
        if (st.st_ino != d->inode || st.st_dev != d->device)
                return 0;
        if (d->acl_size > 0 && fsetxattr(fd, XATTR_ACL_DEFAULT, acl, d->acl_size, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot set attribute " XATTR_ACL_DEFAULT " of '%.200s'", path);
        return futimens(fd, times) < 0 ? error_set_errno(reterr, -errno, "cannot set the times of '%.200s'", path) : 0;
}

int writer_finish(Writer *w, Error *reterr) {
        for (size_t at = 0; at < w->directories.size;) {
                const char *path = w->directories.data + at + sizeof(LateDirectory), *acl = path + strlen(path) + 1;
                LateDirectory d;
                int r;

                memcpy(&d, w->directories.data + at, sizeof(d));
                at = (size_t) (acl - w->directories.data) + d.acl_size;
                r = finish_directory(w, &d, path, acl, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
