/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/diff.h"
#include "image/mounts.h"
#include "image/path.h"
#include "image/writer.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

#define XATTR_LIST_MAX 65536 /* the kernel's own limit */
#define COMPARE_CHUNK (64U << 10)
#define DIFF_DEPTH_MAX (2 * WRITER_DEPTH_MAX) /* a layer's directories may end in another's */

typedef struct Diff {
        DiffTell tell;
        void *userdata;
        Error *reterr;
        char a[COMPARE_CHUNK], b[COMPARE_CHUNK];
} Diff;

static int failed(const Diff *d, int r, const char *path) {
        return error_set_errno(d->reterr, r, "cannot compare '%.200s'", path);
}

/* Appends the names in directory dir. */
static int list_names(int dir, char ***v) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(dir, ".", &d);

        for (struct dirent *entry; r >= 0 && (entry = readdir(d));)
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        r = strv_append(v, entry->d_name);
        return r;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* All names of both, sorted, each once; a negative descriptor has none. */
static int merge_names(int a, int b, char ***ret) {
        _cleanup_strv_ char **v = strv_copy(NULL);
        size_t n, kept = 0;
        int r = v ? 0 : -ENOMEM;

        if (r >= 0 && a >= 0)
                r = list_names(a, &v);
        if (r >= 0 && b >= 0)
                r = list_names(b, &v);
        if (r < 0)
                return r;
        n = strv_length(v);
        qsort(v, n, sizeof(*v), compare_names);
        for (size_t i = 0; i < n; i++)
                if (kept > 0 && streq(v[i], v[kept - 1]))
                        free(v[i]);
                else
                        v[kept++] = v[i];
        v[kept] = NULL;
        *ret = TAKE_PTR(v);
        return 0;
}

static int same_content(Diff *d, int a, int b) {
        for (;;) {
                ssize_t n = read(a, d->a, sizeof(d->a)), m;
                size_t have = 0;

                if (n < 0)
                        return -errno;
                while (have < (size_t) n) {
                        m = read(b, d->b + have, (size_t) n - have);
                        if (m < 0)
                                return -errno;
                        if (m == 0)
                                return 0;
                        have += (size_t) m;
                }
                if (memcmp(d->a, d->b, (size_t) n) != 0)
                        return 0;
                if (n == 0)
                        return 1;
        }
}

static int xattrs_of(int fd, Buf *b) {
        _cleanup_free_ char *list = malloc(XATTR_LIST_MAX), *value = malloc(WRITER_XATTR_SIZE_MAX);
        _cleanup_strv_ char **names = strv_copy(NULL);
        ssize_t n;
        int r = list && value && names ? 0 : -ENOMEM;

        if (r < 0)
                return r;
        n = flistxattr(fd, list, XATTR_LIST_MAX);
        if (n < 0)
                return errno == EOPNOTSUPP ? 0 : -errno;
        for (const char *name = list; r >= 0 && name < list + n; name += strlen(name) + 1)
                if (xattr_wanted(name))
                        r = strv_append(&names, name);
        qsort(names, strv_length(names), sizeof(*names), compare_names);
        for (char **name = names; r >= 0 && *name; name++) {
                ssize_t size = fgetxattr(fd, *name, value, WRITER_XATTR_SIZE_MAX);

                r = size < 0 ? -errno : buf_append(b, *name, strlen(*name) + 1);
                if (r >= 0)
                        r = buf_append(b, value, (size_t) size);
        }
        return r;
}

static int same_xattrs(int a, int b) {
        _cleanup_buf_ Buf x = BUF_INIT, y = BUF_INIT;
        int r = xattrs_of(a, &x);

        if (r >= 0)
                r = xattrs_of(b, &y);
        return r < 0 ? r : x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
}

static int same_link(int a, const char *name, int b, Diff *d) {
        ssize_t n = readlinkat(a, name, d->a, sizeof(d->a)), m = readlinkat(b, name, d->b, sizeof(d->b));

        return n < 0 || m < 0 ? -errno : n == m && memcmp(d->a, d->b, (size_t) n) == 0;
}

/* What is of one type in both. A directory's times change with what is in it, and do not count. */
static int same(Diff *d, int a, int b, const char *name, const struct stat *x, const struct stat *y) {
        _cleanup_close_ int in_a = -EBADF, in_b = -EBADF;
        int r;

        /* One file of one layer: overlay shows the number that it has there. */
        if (!S_ISDIR(x->st_mode) && x->st_ino == y->st_ino)
                return 1;
        if (x->st_mode != y->st_mode || x->st_uid != y->st_uid || x->st_gid != y->st_gid)
                return 0;
        if (!S_ISDIR(x->st_mode) && (x->st_mtim.tv_sec != y->st_mtim.tv_sec || x->st_mtim.tv_nsec != y->st_mtim.tv_nsec))
                return 0;
        if (S_ISREG(x->st_mode) && x->st_size != y->st_size)
                return 0;
        if (S_ISCHR(x->st_mode) || S_ISBLK(x->st_mode))
                return x->st_rdev == y->st_rdev;
        if (S_ISLNK(x->st_mode))
                return same_link(a, name, b, d);
        if (!S_ISREG(x->st_mode) && !S_ISDIR(x->st_mode))
                return 1;
        in_a = openat(a, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        in_b = openat(b, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (in_a < 0 || in_b < 0)
                return -errno;
        r = same_xattrs(in_a, in_b);
        return r > 0 && S_ISREG(x->st_mode) ? same_content(d, in_a, in_b) : r;
}

static int walk(Diff *d, int a, int b, const char *path, unsigned depth);

static int open_directory(int parent, const char *name, bool there) {
        int fd = there ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -EBADF;

        return there && fd < 0 ? -errno : fd;
}

/* 1 where there is such a name, and *ret is filled. */
static int look(int parent, const char *name, struct stat *ret) {
        *ret = (struct stat){ 0 };
        if (parent < 0)
                return 0;
        if (fstatat(parent, name, ret, AT_SYMLINK_NOFOLLOW) >= 0)
                return 1;
        return errno == ENOENT ? 0 : -errno;
}

static int visit(Diff *d, int a, int b, const char *name, const char *path, unsigned depth) {
        _cleanup_close_ int below_a = -EBADF, below_b = -EBADF;
        struct stat x, y;
        bool dir_a;
        int in_a = look(a, name, &x), in_b = look(b, name, &y), r = 0;

        if (in_a < 0 || in_b < 0)
                return failed(d, in_a < 0 ? in_a : in_b, path);
        if (!in_b)
                return in_a ? d->tell(d->userdata, DIFF_DELETED, path) : 0;
        if (!in_a)
                r = d->tell(d->userdata, DIFF_ADDED, path);
        else if ((x.st_mode & S_IFMT) != (y.st_mode & S_IFMT))
                r = d->tell(d->userdata, DIFF_CHANGED, path);
        else {
                r = same(d, a, b, name, &x, &y);
                if (r < 0)
                        return failed(d, r, path);
                r = r > 0 ? 0 : d->tell(d->userdata, DIFF_CHANGED, path);
        }
        if (r < 0 || !S_ISDIR(y.st_mode))
                return r;
        dir_a = in_a && S_ISDIR(x.st_mode);
        below_a = open_directory(a, name, dir_a);
        below_b = open_directory(b, name, true);
        if ((dir_a && below_a < 0) || below_b < 0)
                return failed(d, dir_a && below_a < 0 ? below_a : below_b, path);
        return walk(d, below_a, below_b, path, depth + 1);
}

static int walk(Diff *d, int a, int b, const char *path, unsigned depth) {
        _cleanup_strv_ char **names = NULL;
        int r = depth > DIFF_DEPTH_MAX ? -ENAMETOOLONG : merge_names(a, b, &names);

        if (r < 0)
                return failed(d, r, path);
        for (char **name = names; r >= 0 && *name; name++) {
                _cleanup_free_ char *below = str_format("%s/%s", path, *name);

                r = below ? visit(d, a, b, *name, below, depth) : -ENOMEM;
        }
        return r;
}

int image_diff(const Image *from, const Image *to, DiffTell tell, void *userdata, Error *reterr) {
        char **lower = from ? from->layer_ids : to->layer_ids + 1;
        _cleanup_close_ int a = -EBADF, b = -EBADF;
        _cleanup_free_ Diff *d = malloc(sizeof(*d));

        if (!d)
                return -ENOMEM;
        d->tell = tell;
        d->userdata = userdata;
        d->reterr = reterr;
        if (*lower) {
                a = image_mount_private(from ? from : to, lower, reterr);
                if (a < 0)
                        return a;
        }
        b = image_mount_private(to, to->layer_ids, reterr);
        return b < 0 ? b : walk(d, a, b, "", 0);
}
