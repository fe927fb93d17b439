/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/writer-internal.h"
#include "util/fd.h"

/* The descriptor stays open until the next entry: this one may still need it. */
void writer_forget_parent(Writer *w) {
        free(TAKE_PTR(w->parent_path));
}

bool writer_is_whiteout(const struct stat *st) {
        return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

int writer_set_opaque(int parent, const char *name) {
        _cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 || fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
}

/* A whiteout hides what lower layers have, never what its own layer has (OCI image spec, layer.md). */
int writer_whiteout(int parent, const char *name) {
        struct stat st;

        if (mknodat(parent, name, S_IFCHR, 0) >= 0)
                return 0;
        if (errno != EEXIST || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return S_ISDIR(st.st_mode) ? writer_set_opaque(parent, name) : 0;
}

/* Follows no link at all: then the path says how deep it is. */
static int open_plain(int root, const char *path) {
        struct open_how how = {
                .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
        };
        int fd = (int) syscall(SYS_openat2, root, path, &how, sizeof(how));

        return fd < 0 ? -errno : fd;
}

/* Links chained into directories that other links reach make trees deeper than any name in the archive. */
static int find_real(int root, int fd, const char *path, char **ret, Error *reterr) {
        char link[64], top[PATH_MAX], real[PATH_MAX];
        ssize_t n, m;
        size_t depth = 1;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", root);
        n = readlink(link, top, sizeof(top));
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        m = readlink(link, real, sizeof(real));
        if (n < 0 || m < 0)
                return error_set_errno(reterr, -errno, "cannot see where '%.200s' leads", path);
        for (ssize_t i = n; i < m; i++)
                depth += real[i] == '/';
        if (m == (ssize_t) sizeof(real) || depth > WRITER_DEPTH_MAX)
                return error_set(reterr, -ENAMETOOLONG, "'%.60s…' leads through links more than %d directories deep", path,
                        WRITER_DEPTH_MAX);
        *ret = m > n ? strndup(real + n + 1, (size_t) (m - n - 1)) : strdup("");
        return *ret ? 0 : -ENOMEM;
}

static int open_parent(Writer *w, const char *path, Error *reterr) {
        _cleanup_close_ int fd = open_plain(w->root, path);
        _cleanup_free_ char *real = NULL;
        int r = 0;

        if (fd == -ELOOP) {
                fd = open_in_root(w->root, path, O_PATH | O_DIRECTORY, 0);
                if (fd >= 0)
                        r = find_real(w->root, fd, path, &real, reterr);
        } else if (fd >= 0) {
                real = strdup(path);
                r = real ? 0 : -ENOMEM;
        }
        if (fd == -ENOENT || fd == -ENOTDIR)
                return fd;
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot open '%.200s'", path);
        if (r < 0)
                return r;
        free(w->parent_real);
        w->parent_real = TAKE_PTR(real);
        return TAKE_FD(fd);
}

/* Root's and 0755, whatever the umask and a set-group-ID parent make of it. */
static int make_implied(int parent, const char *name) {
        if (mkdirat(parent, name, 0755) < 0 || fchownat(parent, name, 0, 0, AT_SYMLINK_NOFOLLOW) < 0 ||
                fchmodat(parent, name, 0755, 0) < 0)
                return -errno;
        return 0;
}

/* One missing directory, or one that a whiteout of this layer said is gone: then nothing of the lower ones shows in it. */
static int make_missing(int parent, const char *name) {
        struct stat st;
        int r = make_implied(parent, name);

        if (r != -EEXIST)
                return r;
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (!writer_is_whiteout(&st))
                return S_ISLNK(st.st_mode) ? -ENOLINK : -ENOTDIR;
        r = unlinkat(parent, name, 0) < 0 ? -errno : make_implied(parent, name);
        return r < 0 ? r : writer_set_opaque(parent, name);
}

/* Prefix by prefix from the root, so that links on the way keep their meaning. */
static int make_parents(Writer *w, const char *path, Error *reterr) {
        _cleanup_close_ int fd = fcntl(w->root, F_DUPFD_CLOEXEC, 0);
        _cleanup_free_ char *prefix = strdup(path);

        if (!prefix || fd < 0)
                return -ENOMEM;
        for (char *p = prefix;;) {
                char *end = p + strcspn(p, "/"), cut = *end;
                int next, r;

                *end = 0;
                next = open_parent(w, prefix, reterr);
                if (next == -ENOENT || next == -ENOTDIR) {
                        r = make_missing(fd, p);
                        if (r == -ENOLINK)
                                return error_set(reterr, r, "'%.200s' is a link that leads to no directory", prefix);
                        if (r < 0)
                                return error_set_errno(reterr, r, "cannot make directory '%.200s'", prefix);
                        next = open_parent(w, prefix, reterr);
                }
                if (next < 0)
                        return next;
                fd_close(fd);
                fd = next;
                *end = cut;
                if (!cut)
                        return TAKE_FD(fd);
                p = end + 1;
        }
}

int writer_parent(Writer *w, const EntryPath *path, Error *reterr) {
        int fd;

        w->in_root = !path->parent[0];
        if (w->in_root)
                return w->root;
        if (w->parent_path && streq(w->parent_path, path->parent))
                return w->parent;
        writer_forget_parent(w);
        w->parent = fd_close(w->parent);
        fd = open_parent(w, path->parent, reterr);
        if (fd == -ENOENT || fd == -ENOTDIR)
                fd = make_parents(w, path->parent, reterr);
        if (fd < 0)
                return fd;
        w->parent = fd;
        w->parent_path = strdup(path->parent);
        return w->parent_path ? fd : -ENOMEM;
}
