/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <search.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/path.h"
#include "image/tree.h"
#include "image/writer.h"
#include "util/fd.h"
#include "util/strv.h"

#define XATTR_LIST_MAX 65536 /* the kernel's own limit */

/* A file that has more than one name: where it was first seen. */
typedef struct SeenFile {
        dev_t device;
        ino_t inode;
        char *path;
} SeenFile;

/* One thread walks and writes into a socket, the reader of the blob takes it out at the other end. */
typedef struct Tree {
        char *path;
        int dir, in, out;
        dev_t device;
        struct archive *archive;
        void *seen; /* tsearch(3) of SeenFile */
        char buffer[BLOB_CHUNK], copy[BLOB_CHUNK];
        pthread_t thread;
        bool running;
        Error error; /* the thread's; read after it has ended */
} Tree;

static int compare_seen(const void *a, const void *b) {
        const SeenFile *x = a, *y = b;

        if (x->device != y->device)
                return x->device < y->device ? -1 : 1;
        return x->inode == y->inode ? 0 : x->inode < y->inode ? -1 : 1;
}

static void free_seen(void *p) {
        SeenFile *f = p;

        free(f->path);
        free(f);
}

/* The path under which the file is in the archive already, or NULL and it is remembered. */
static int find_seen(Tree *t, const struct stat *st, const char *path, const char **ret) {
        SeenFile *f = malloc(sizeof(*f)), **found;

        if (!f)
                return -ENOMEM;
        *f = (SeenFile){ .device = st->st_dev, .inode = st->st_ino, .path = strdup(path) };
        found = f->path ? tsearch(f, &t->seen, compare_seen) : NULL;
        if (!found) {
                free_seen(f);
                return -ENOMEM;
        }
        *ret = NULL;
        if (*found != f) {
                free_seen(f);
                *ret = (*found)->path;
        }
        return 0;
}

static int fail(Tree *t, int r, const char *what, const char *path) {
        return error_set_errno(&t->error, r, "cannot %s '%.200s/%.200s'", what, t->path, path);
}

static int add_xattrs(Tree *t, int fd, struct archive_entry *entry, const char *path) {
        _cleanup_free_ char *list = malloc(XATTR_LIST_MAX), *value = malloc(WRITER_XATTR_SIZE_MAX);
        ssize_t n;

        if (!list || !value)
                return -ENOMEM;
        n = flistxattr(fd, list, XATTR_LIST_MAX);
        if (n < 0)
                return errno == EOPNOTSUPP ? 0 : fail(t, -errno, "list the attributes of", path);
        for (const char *name = list; name < list + n; name += strlen(name) + 1) {
                ssize_t size;

                if (!xattr_wanted(name))
                        continue;
                size = fgetxattr(fd, name, value, WRITER_XATTR_SIZE_MAX);
                if (size < 0)
                        return fail(t, -errno, "read an attribute of", path);
                archive_entry_xattr_add_entry(entry, name, value, (size_t) size);
        }
        return 0;
}

static int write_content(Tree *t, int fd, uint64_t size, const char *path) {
        /* One that grows meanwhile is cut: its size is written. */
        while (size > 0) {
                size_t want = (size_t) MIN(size, (uint64_t) sizeof(t->copy));
                ssize_t n = read(fd, t->copy, want);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return fail(t, -errno, "read", path);
                if (n == 0)
                        return error_set(&t->error, -EBADMSG, "'%s/%.200s' became shorter while it was read", t->path, path);
                if (archive_write_data(t->archive, t->copy, (size_t) n) != n)
                        return error_set(&t->error, -EIO, "%s", archive_error_string(t->archive));
                size -= (uint64_t) n;
        }
        return 0;
}

static int write_header(Tree *t, struct archive_entry *entry) {
        /* A warning is about names that are not ASCII: they are written as the bytes they are. */
        if (archive_write_header(t->archive, entry) < ARCHIVE_WARN)
                return error_set(&t->error, -EIO, "%s", archive_error_string(t->archive));
        return 0;
}

static int write_node(Tree *t, int fd, const struct stat *st, const char *path, struct archive_entry *entry) {
        const char *first = NULL;
        char target[PATH_MAX];
        ssize_t n;
        int r = 0;

        archive_entry_copy_pathname(entry, path);
        archive_entry_copy_stat(entry, st);
        if (!S_ISREG(st->st_mode))
                archive_entry_set_size(entry, 0);
        if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
                r = find_seen(t, st, path, &first);
        if (r < 0)
                return r;
        if (first) {
                archive_entry_copy_hardlink(entry, first);
                archive_entry_set_size(entry, 0);
                return write_header(t, entry);
        }
        if (S_ISLNK(st->st_mode)) {
                n = readlinkat(fd, "", target, sizeof(target) - 1);
                if (n < 0)
                        return fail(t, -errno, "read link", path);
                target[n] = 0;
                archive_entry_copy_symlink(entry, target);
        }
        if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode))
                r = add_xattrs(t, fd, entry, path);
        if (r >= 0)
                r = write_header(t, entry);
        if (r >= 0 && S_ISREG(st->st_mode))
                r = write_content(t, fd, (uint64_t) st->st_size, path);
        return r;
}

static int walk(Tree *t, int fd, const char *path, unsigned depth);

static int visit(Tree *t, int parent, const char *name, const char *path, unsigned depth) {
        _cleanup_close_ int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct archive_entry *entry;
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return fail(t, -errno, "open", path);
        if (S_ISSOCK(st.st_mode))
                return 0;
        if (str_after(name, ".wh."))
                return error_set(&t->error, -EINVAL, "'%s/%.200s' would be taken for a whiteout", t->path, path);
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
                int readable = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

                if (readable < 0 || fstat(readable, &st) < 0) {
                        fd_close(readable);
                        return fail(t, -errno, "open", path);
                }
                fd_close(fd);
                fd = readable;
        }
        entry = archive_entry_new();
        if (!entry)
                return -ENOMEM;
        r = write_node(t, fd, &st, path, entry);
        archive_entry_free(entry);
        if (r < 0 || !S_ISDIR(st.st_mode) || st.st_dev != t->device)
                return r;
        return walk(t, TAKE_FD(fd), path, depth + 1);
}

/* Takes fd. */
static int walk(Tree *t, int fd, const char *path, unsigned depth) {
        _cleanup_strv_ char **names = strv_copy(NULL);
        DIR *d = fdopendir(fd);
        struct dirent *e;
        int r = 0;

        if (!d || !names || depth > WRITER_DEPTH_MAX) {
                r = depth > WRITER_DEPTH_MAX ? -ENAMETOOLONG : !names ? -ENOMEM : -errno;
                if (d)
                        closedir(d);
                else
                        fd_close(fd);
                return fail(t, r, "read directory", path);
        }
        while (r >= 0 && (e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = strv_append(&names, e->d_name);
        strv_sort(names);
        for (char **name = names; r >= 0 && *name; name++) {
                _cleanup_free_ char *below = str_format("%s%s%s", path, streq(path, ".") ? "" : "/", *name);

                r = below ? visit(t, dirfd(d), *name, streq(path, ".") ? *name : below, depth) : -ENOMEM;
        }
        closedir(d);
        return r;
}

static la_ssize_t send_bytes(struct archive *a, void *userdata, const void *data, size_t size) {
        Tree *t = userdata;
        ssize_t n;

        do
                n = send(t->in, data, size, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                archive_set_error(a, errno, "nobody reads any more");
        return n;
}

static int write_tree(Tree *t) {
        int r;

        t->archive = archive_write_new();
        if (!t->archive || archive_write_set_format_pax_restricted(t->archive) != ARCHIVE_OK ||
                archive_write_set_bytes_in_last_block(t->archive, 1) != ARCHIVE_OK ||
                archive_write_open(t->archive, t, NULL, send_bytes, NULL) != ARCHIVE_OK)
                return error_set(&t->error, -ENOMEM, "cannot begin an archive");
        r = visit(t, t->dir, ".", ".", 0);
        if (r >= 0 && archive_write_close(t->archive) != ARCHIVE_OK)
                r = error_set(&t->error, -EIO, "%s", archive_error_string(t->archive));
        return r;
}

static void *thread_main(void *userdata) {
        Tree *t = userdata;
        locale_t bytes = newlocale(LC_ALL_MASK, "C", (locale_t) 0), old;
        int r;

        old = bytes ? uselocale(bytes) : (locale_t) 0;
        r = write_tree(t);
        if (r < 0 && t->error.code == 0)
                (void) error_set_errno(&t->error, r, "cannot read directory '%s'", t->path);
        (void) archive_write_free(t->archive);
        if (bytes) {
                (void) uselocale(old);
                freelocale(bytes);
        }
        (void) shutdown(t->in, SHUT_WR);
        return NULL;
}

static int join(Tree *t) {
        if (t->running)
                (void) pthread_join(t->thread, NULL);
        t->running = false;
        return t->error.code;
}

static ssize_t tree_read(void *userdata, const void **ret, Error *reterr) {
        Tree *t = userdata;
        ssize_t n;

        do
                n = recv(t->out, t->buffer, sizeof(t->buffer), 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return error_set_errno(reterr, -errno, "receive");
        /* The end is good only when the walk was. */
        if (n == 0 && join(t) < 0) {
                if (reterr)
                        *reterr = t->error;
                return t->error.code;
        }
        *ret = t->buffer;
        return n;
}

static void tree_free(void *userdata) {
        Tree *t = userdata;

        if (!t)
                return;
        t->out = fd_close(t->out); /* a thread that still writes gets EPIPE */
        (void) join(t);
        tdestroy(t->seen, free_seen);
        fd_close(t->dir);
        fd_close(t->in);
        free(t->path);
        free(t);
}

int tree_blob(const char *path, int dir, Blob **ret, Error *reterr) {
        Tree *t = calloc(1, sizeof(*t));
        int pair[2] = { -EBADF, -EBADF }, r;
        struct stat st;

        if (!t) {
                fd_close(dir);
                return -ENOMEM;
        }
        t->dir = dir;
        t->path = strdup(path);
        r = !t->path ? -ENOMEM : fstat(dir, &st) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0;
        t->in = pair[0];
        t->out = pair[1];
        if (r >= 0) {
                t->device = st.st_dev;
                r = -pthread_create(&t->thread, NULL, thread_main, t);
                t->running = r == 0;
        }
        if (r < 0) {
                tree_free(t);
                return error_set_errno(reterr, r, "cannot read directory %s", path);
        }
        *ret = blob_new(path, tree_read, tree_free, t);
        return *ret ? 0 : -ENOMEM;
}
