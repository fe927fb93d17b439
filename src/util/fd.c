/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/strv.h"

#define REMOVE_DEPTH_MAX 32 /* levels that are entered: an open directory each */

int fd_close(int fd) {
        if (fd >= 0) {
                int saved = errno;

                (void) close(fd);
                errno = saved;
        }
        return -EBADF;
}

int open_in_root(int root, const char *path, int flags, mode_t mode) {
        struct open_how how = {
                .flags = (uint64_t) (flags | O_CLOEXEC),
                .mode = flags & O_CREAT ? mode : 0,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };
        int fd;

        /* EAGAIN: a rename raced with the resolution of ".."; openat2(2) says to try again. */
        do
                fd = (int) syscall(SYS_openat2, root, path, &how, sizeof(how));
        while (fd < 0 && (errno == EAGAIN || errno == EINTR));
        return fd < 0 ? -errno : fd;
}

int mkdir_in_root(int root, const char *path, mode_t mode) {
        _cleanup_free_ char *copy = strdup(path);
        int fd;

        if (!copy)
                return -ENOMEM;
        fd = open_in_root(root, *path ? path : ".", O_PATH | O_DIRECTORY, 0);
        if (fd != -ENOENT)
                return fd;
        /* Every prefix is resolved from the root again, so that links in the middle keep their meaning. */
        for (char *p = copy; p;) {
                _cleanup_close_ int parent = -EBADF;
                char *slash, *name, *next, cut;

                p += strspn(p, "/");
                if (!*p)
                        break;
                next = p + strcspn(p, "/");
                cut = *next;
                *next = 0;
                fd = open_in_root(root, copy, O_PATH | O_DIRECTORY, 0);
                if (fd < 0) {
                        if (fd != -ENOENT)
                                return fd;
                        slash = strrchr(copy, '/');
                        name = slash ? slash + 1 : copy;
                        if (slash) {
                                char kept = slash[1];

                                slash[1] = 0;
                                parent = open_in_root(root, copy, O_PATH | O_DIRECTORY, 0);
                                slash[1] = kept;
                        } else
                                parent = open_in_root(root, ".", O_PATH | O_DIRECTORY, 0);
                        if (parent < 0)
                                return parent;
                        /* A dangling link stands here: mkdirat() says EEXIST and nothing is made. */
                        if (mkdirat(parent, name, mode) < 0)
                                return -errno;
                } else
                        fd_close(fd);
                *next = cut;
                p = cut ? next + 1 : NULL;
        }
        return open_in_root(root, path, O_PATH | O_DIRECTORY, 0);
}

int mkdir_parents(int dir, const char *path, mode_t mode) {
        _cleanup_free_ char *copy = NULL;

        if (mkdirat(dir, path, mode) >= 0)
                return 0;
        if (errno == EEXIST)
                return 0;
        if (errno != ENOENT)
                return -errno;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        for (char *p = copy + strspn(copy, "/"); *p;) {
                char *next = p + strcspn(p, "/"), cut = *next;

                *next = 0;
                if (mkdirat(dir, copy, mode) < 0 && errno != EEXIST)
                        return -errno;
                *next = cut;
                p = next + strspn(next, "/");
        }
        return 0;
}

int dir_open(int dir, const char *path, DIR **ret) {
        int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
        DIR *d = fd < 0 ? NULL : fdopendir(fd);

        if (!d) {
                r = -errno;
                fd_close(fd);
                return r;
        }
        *ret = d;
        return 0;
}

int read_fd(int fd, size_t max, char **ret, size_t *ret_size) {
        _cleanup_free_ char *data = NULL;
        size_t size = 0, room = 0;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISREG(st.st_mode) && (uint64_t) st.st_size > max)
                return -E2BIG;
        room = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t) st.st_size + 1 : 4096;
        for (;;) {
                char *p;
                ssize_t n;

                if (!data || size + 1 >= room) {
                        room = data ? room * 2 : room + 1;
                        p = realloc(data, room);
                        if (!p)
                                return -ENOMEM;
                        data = p;
                }
                n = read(fd, data + size, room - size - 1);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        break;
                size += (size_t) n;
                if (size > max)
                        return -E2BIG;
        }
        data[size] = 0;
        *ret = TAKE_PTR(data);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int read_file(int dir, const char *path, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

        return fd < 0 ? -errno : read_fd(fd, max, ret, ret_size);
}

int write_all(int fd, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

static int sync_parent(int dir, const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent = slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");
        _cleanup_close_ int fd = -EBADF;

        if (!parent)
                return -ENOMEM;
        fd = openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

int write_file(int dir, const char *path, const void *data, size_t size, mode_t mode, bool sync) {
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *slash = strrchr(path, '/');
        int prefix = slash ? (int) (slash - path) + 1 : 0, r;

        temporary = str_format("%.*s.#%s.%d", prefix, path, path + prefix, (int) getpid());
        if (!temporary)
                return -ENOMEM;
        fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return -errno;
        r = write_all(fd, data, size);
        /* The umask must not decide what others may read. */
        if (r >= 0 && fchmod(fd, mode) < 0)
                r = -errno;
        if (r >= 0 && sync && fsync(fd) < 0)
                r = -errno;
        if (r >= 0 && renameat(dir, temporary, dir, path) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(dir, temporary, 0);
                return r;
        }
        return sync ? sync_parent(dir, path) : 0;
}

int write_existing(int dir, const char *path, const char *text) {
        _cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

        return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

typedef struct Removal {
        int top; /* the tree's own directory; takes what lies too deep, to be removed as if it had been there */
        dev_t device;
        unsigned names, moved;
        int error; /* the first one */
} Removal;

static void remove_failed(Removal *x, int r) {
        if (r < 0 && x->error == 0)
                x->error = r;
}

/* Whoever made the tree decided how deep it is; how much stack and how many descriptors we take, we decide. */
static int remove_move_up(Removal *x, int dir, const char *name) {
        for (;;) {
                char to[32];

                (void) snprintf(to, sizeof(to), ".#deep.%u", x->names++);
                if (renameat2(dir, name, x->top, to, RENAME_NOREPLACE) >= 0) {
                        x->moved++;
                        return 0;
                }
                if (errno != EEXIST)
                        return -errno;
        }
}

static int remove_children(Removal *x, int dir, const char *path, unsigned depth);

static int remove_directory(Removal *x, int dir, const char *name, unsigned depth) {
        int r;

        if (depth > REMOVE_DEPTH_MAX)
                return remove_move_up(x, dir, name);
        r = remove_children(x, dir, name, depth);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* What fails is passed over. */
static int remove_children(Removal *x, int dir, const char *path, unsigned depth) {
        _cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_closedir_ DIR *d = NULL;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_dev != x->device)
                return -EBUSY;
        d = fdopendir(fd);
        if (!d)
                return -errno;
        TAKE_FD(fd);
        for (struct dirent *entry; (entry = readdir(d));) {
                const char *name = entry->d_name;

                if (streq(name, ".") || streq(name, "..") || unlinkat(dirfd(d), name, 0) >= 0 || errno == ENOENT)
                        continue;
                remove_failed(x, errno == EISDIR || errno == EPERM ? remove_directory(x, dirfd(d), name, depth + 1) : -errno);
        }
        return 0;
}

int remove_tree(int dir, const char *path) {
        _cleanup_close_ int top = -EBADF;
        struct stat st;
        unsigned moved;
        Removal x;

        if (unlinkat(dir, path, 0) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return -errno;
        top = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (top < 0 || fstat(top, &st) < 0)
                return -errno;
        x = (Removal){ .top = top, .device = st.st_dev };
        do {
                moved = x.moved;
                remove_failed(&x, remove_children(&x, top, ".", 0));
        } while (x.moved > moved);
        if (x.error < 0)
                return x.error;
        return unlinkat(dir, path, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int set_nonblock(int fd, bool on) {
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0)
                return -errno;
        flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
        return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}
