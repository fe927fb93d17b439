/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

/* Runs in inner: with the container's rights, so that nothing an image holds can make it do more than those. */

#define COPY_DEPTH_MAX 256 /* each level holds two descriptors */
#define XATTR_MAX 65536    /* the kernel's own limit */

typedef struct CopyLink {
        dev_t device;
        ino_t inode;
        char *path; /* below Copy.top */
} CopyLink;

typedef struct Copy {
        int top;
        Buf path; /* of the directory in work, with a slash behind it, "" at the top */
        CopyLink *links;
        size_t n_links, allocated;
} Copy;

static void copy_clear(Copy *c) {
        for (size_t i = 0; i < c->n_links; i++)
                free(c->links[i].path);
        free(c->links);
        buf_clear(&c->path);
}

static bool xattr_wanted(const char *name) {
        return str_after(name, "user.") || streq(name, "security.capability") ||
                streq(name, "system.posix_acl_access") || streq(name, "system.posix_acl_default");
}

static int copy_xattrs(int from, int to) {
        _cleanup_free_ char *names = malloc(XATTR_MAX), *value = NULL;
        ssize_t n;

        if (!names)
                return -ENOMEM;
        n = flistxattr(from, names, XATTR_MAX);
        if (n <= 0)
                return n < 0 && errno != EOPNOTSUPP ? -errno : 0;
        for (char *name = names; name < names + n; name += strlen(name) + 1) {
                ssize_t size;

                if (!xattr_wanted(name))
                        continue;
                if (!value && !(value = malloc(XATTR_MAX)))
                        return -ENOMEM;
                size = fgetxattr(from, name, value, XATTR_MAX);
                if (size < 0)
                        return -errno;
                if (fsetxattr(to, name, value, (size_t) size, 0) < 0 && errno != EOPNOTSUPP)
                        return -errno;
        }
        return 0;
}

/* Owner first: chown(2) takes set-id bits and file capabilities away. */
static int copy_attributes(int from, int to, const struct stat *st) {
        struct timespec times[2] = { st->st_atim, st->st_mtim };
        int r;

        if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
                return -errno;
        r = copy_xattrs(from, to);
        if (r < 0)
                return r;
        return futimens(to, times) < 0 ? -errno : 0;
}

static int copy_data(int from, int to) {
        for (;;) {
                ssize_t n = copy_file_range(from, NULL, to, NULL, 1U << 30, 0);

                if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP))
                        n = sendfile(to, from, NULL, 1U << 30);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
        }
}

/* 1 when the file is a further name of one that was copied already. */
static int copy_link(Copy *c, int to, const char *name, const struct stat *st) {
        CopyLink *l;

        if (st->st_nlink < 2)
                return 0;
        for (size_t i = 0; i < c->n_links; i++)
                if (c->links[i].device == st->st_dev && c->links[i].inode == st->st_ino)
                        return linkat(c->top, c->links[i].path, to, name, 0) < 0 ? -errno : 1;
        if (c->n_links == c->allocated) {
                size_t more = MAX(c->allocated * 2, (size_t) 16);

                l = reallocarray(c->links, more, sizeof(*l));
                if (!l)
                        return -ENOMEM;
                c->links = l;
                c->allocated = more;
        }
        l = c->links + c->n_links;
        *l = (CopyLink){ .device = st->st_dev, .inode = st->st_ino };
        l->path = str_format("%s%s", c->path.data ?: "", name);
        if (!l->path)
                return -ENOMEM;
        c->n_links++;
        return 0;
}

static int copy_file(Copy *c, int from, int to, const char *name, const struct stat *st) {
        _cleanup_close_ int in = -EBADF, out = -EBADF;
        int r;

        r = copy_link(c, to, name, st);
        if (r != 0)
                return r < 0 ? r : 0;
        in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (in < 0)
                return -errno;
        out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (out < 0)
                return -errno;
        r = copy_data(in, out);
        return r < 0 ? r : copy_attributes(in, out, st);
}

static int copy_other(int from, int to, const char *name, const struct stat *st) {
        struct timespec times[2] = { st->st_atim, st->st_mtim };
        char target[PATH_MAX];

        if (S_ISLNK(st->st_mode)) {
                ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

                if (n < 0)
                        return -errno;
                target[n] = 0;
                if (symlinkat(target, to, name) < 0)
                        return -errno;
        } else if (S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode)) {
                if (mknodat(to, name, st->st_mode & (S_IFMT | 07777), 0) < 0)
                        return -errno;
        } else
                return 0; /* devices: no container may make them, and none could open them */
        if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
                utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return 0;
}

static int copy_children(Copy *c, int from, int to, unsigned depth, Error *reterr);

static int copy_directory(Copy *c, int from, int to, const char *name, const struct stat *st, unsigned depth,
        Error *reterr) {
        _cleanup_close_ int in = -EBADF, out = -EBADF;
        size_t size = c->path.size;
        int r;

        in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (in < 0 || mkdirat(to, name, 0700) < 0)
                return error_set_errno(reterr, -errno, "cannot copy '%s%s' of the image", c->path.data ?: "", name);
        out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (out < 0 || buf_printf(&c->path, "%s/", name) < 0)
                return error_set_errno(reterr, -errno, "cannot copy '%s%s' of the image", c->path.data ?: "", name);
        r = copy_children(c, in, out, depth + 1, reterr);
        if (r >= 0 && (r = copy_attributes(in, out, st)) < 0)
                (void) error_set_errno(reterr, r, "cannot copy '%s' of the image", c->path.data);
        c->path.size = size;
        c->path.data[size] = 0;
        return r;
}

static int copy_children(Copy *c, int from, int to, unsigned depth, Error *reterr) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = depth > COPY_DEPTH_MAX ? -ELOOP : dir_open(from, ".", &d);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot read '%s' of the image", c->path.data ?: "");
        for (struct dirent *entry; r >= 0 && (entry = readdir(d));) {
                const char *name = entry->d_name;
                struct stat st;

                if (streq(name, ".") || streq(name, ".."))
                        continue;
                if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        r = -errno;
                else if (S_ISDIR(st.st_mode)) {
                        r = copy_directory(c, from, to, name, &st, depth, reterr);
                        continue;
                } else if (S_ISREG(st.st_mode))
                        r = copy_file(c, from, to, name, &st);
                else
                        r = copy_other(from, to, name, &st);
                if (r < 0)
                        (void) error_set_errno(reterr, r, "cannot copy '%s%s' of the image", c->path.data ?: "", name);
        }
        return r;
}

/* What an interrupted copy left. */
static int copy_empty(int dir, Error *reterr) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(dir, ".", &d);

        for (struct dirent *entry; r >= 0 && (entry = readdir(d));)
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        r = remove_tree(dirfd(d), entry->d_name);
        return r < 0 ? error_set_errno(reterr, r, "cannot empty the volume") : 0;
}

int copy_tree(int from, int to, Error *reterr) {
        _cleanup_(copy_clear) Copy c = { .top = -EBADF };
        _cleanup_close_ int out = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat st;
        int r;

        if (out < 0 || fstat(from, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot copy the image's content");
        r = copy_empty(out, reterr);
        if (r < 0)
                return r;
        c.top = out;
        r = copy_children(&c, from, out, 0, reterr);
        if (r < 0)
                return r;
        r = copy_attributes(from, out, &st);
        return r < 0 ? error_set_errno(reterr, r, "cannot copy the image's content") : 0;
}
