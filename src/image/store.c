/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/name.h"
#include "image/store.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

#define WORK_NAME_TRIES 100

Store *store_free(Store *store) {
        if (!store)
                return NULL;
        fd_close(store->fd);
        fd_close(store->lock_fd);
        free(store->path);
        free(store);
        return NULL;
}

static int make_skeleton(Store *store) {
        static const char *const directories[] = { "layer", "image", "name", "tmp" };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdirat(store->fd, directories[i], 0700) < 0 && errno != EEXIST)
                        return -errno;
        return 0;
}

int store_open(const char *path, bool create, Store **ret, Error *reterr) {
        _cleanup_store_ Store *store = calloc(1, sizeof(*store));
        struct stat st;
        int r;

        if (!path)
                path = BERTH_STORE;
        if (!store)
                return -ENOMEM;
        store->fd = store->lock_fd = -EBADF;
        if (create) {
                r = mkdir_parents(AT_FDCWD, path, 0700);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot make the image store %s", path);
        }
        store->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (store->fd < 0 || fstat(store->fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot open the image store %s", path);
        store->path = realpath(path, NULL);
        if (!store->path)
                return error_set_errno(reterr, -errno, "cannot resolve the image store's path %s", path);
        /* Layers hold set-user-ID files and other people's secrets: nobody may walk in. */
        if ((st.st_mode & 0077) && fchmod(store->fd, 0700) < 0)
                return error_set_errno(reterr, -errno, "cannot close the image store %s to other users", path);
        store->lock_fd = openat(store->fd, "lock", O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (store->lock_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open the lock of the image store %s", path);
        *ret = TAKE_PTR(store);
        return 0;
}

int store_lock(Store *store, bool exclusive, Error *reterr) {
        while (flock(store->lock_fd, exclusive ? LOCK_EX : LOCK_SH) < 0)
                if (errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot lock the image store %s", store->path);
        return 0;
}

void store_unlock(Store *store) {
        (void) flock(store->lock_fd, LOCK_UN);
}

int store_sync(Store *store, const char *path) {
        _cleanup_close_ int fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Half-written name files of a writer that died. Under the exclusive lock nobody else writes one. */
static void clean_names(Store *store) {
        _cleanup_closedir_ DIR *d = NULL;

        if (dir_open(store->fd, "name", &d) < 0)
                return;
        for (struct dirent *entry; (entry = readdir(d));)
                if (str_after(entry->d_name, ".#"))
                        (void) unlinkat(dirfd(d), entry->d_name, 0);
}

/* Claims of pulls that died between a layer and the claim's end. One under way is locked; and a file is removed only by who has its
 * lock and sees it still there, since another claim may have the name by now. */
static void clean_claims(Store *store) {
        _cleanup_closedir_ DIR *d = NULL;

        if (dir_open(store->fd, "claim", &d) < 0)
                return;
        for (struct dirent *entry; (entry = readdir(d));) {
                _cleanup_close_ int fd = -EBADF;
                struct stat a, b;

                if (entry->d_name[0] == '.')
                        continue;
                fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &a) < 0 ||
                        fstatat(dirfd(d), entry->d_name, &b, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (a.st_ino == b.st_ino && a.st_dev == b.st_dev)
                        (void) unlinkat(dirfd(d), entry->d_name, 0);
        }
}

/* Opens the work directories that dead writers left and takes their locks, so that they can be removed without the store's. */
static int find_dead(Store *store, char ***ret_paths, int **ret_locks, size_t *ret_n) {
        _cleanup_closedir_ DIR *d = NULL;
        int *locks = NULL, r;
        size_t n = 0;

        r = dir_open(store->fd, "tmp", &d);
        if (r < 0)
                return r;
        for (struct dirent *entry; (entry = readdir(d));) {
                _cleanup_close_ int work = -EBADF;
                int *p;

                if (entry->d_name[0] == '.')
                        continue;
                work = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (work < 0 || flock(work, LOCK_EX | LOCK_NB) < 0)
                        continue;
                p = reallocarray(locks, n + 1, sizeof(*locks));
                if (!p)
                        break;
                locks = p;
                if (strv_appendf(ret_paths, "tmp/%s", entry->d_name) < 0)
                        break;
                locks[n++] = TAKE_FD(work);
        }
        *ret_locks = locks;
        *ret_n = n;
        return 0;
}

/* Another process of the same number, in another PID namespace, may have taken a name. */
static int make_work(Store *store, StoreWork *work) {
        for (unsigned i = 0; i < WORK_NAME_TRIES; i++) {
                _cleanup_free_ char *path = str_format("tmp/%d.%u", (int) getpid(), i);

                if (!path)
                        return -ENOMEM;
                if (mkdirat(store->fd, path, 0700) < 0) {
                        if (errno == EEXIST)
                                continue;
                        return -errno;
                }
                work->fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (work->fd < 0 || flock(work->fd, LOCK_EX | LOCK_NB) < 0)
                        return -errno;
                work->path = TAKE_PTR(path);
                return 0;
        }
        return -EEXIST;
}

int store_work_new(Store *store, StoreWork **ret, Error *reterr) {
        _cleanup_work_ StoreWork *work = calloc(1, sizeof(*work));
        _cleanup_strv_ char **dead = NULL;
        _cleanup_free_ int *locks = NULL;
        size_t n_dead = 0;
        int r;

        if (!work)
                return -ENOMEM;
        work->fd = -EBADF;
        work->store = store;
        /* The lock closes the gap between making the directory and locking it. */
        r = store_lock(store, true, reterr);
        if (r < 0)
                return r;
        r = make_skeleton(store);
        clean_names(store);
        clean_claims(store);
        (void) find_dead(store, &dead, &locks, &n_dead);
        if (r >= 0)
                r = make_work(store, work);
        store_unlock(store);
        for (size_t i = 0; i < n_dead; i++) {
                (void) remove_tree(store->fd, dead[i]);
                fd_close(locks[i]);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make a directory in the image store %s", store->path);
        *ret = TAKE_PTR(work);
        return 0;
}

int store_work_open(const char *path, StoreWork **ret, Error *reterr) {
        _cleanup_store_ Store *store = NULL;
        int r = store_open(path, false, &store, reterr);

        if (r >= 0)
                r = store_work_new(store, ret, reterr);
        if (r >= 0)
                (*ret)->own = TAKE_PTR(store);
        return r;
}

StoreWork *store_work_free(StoreWork *work) {
        if (!work)
                return NULL;
        if (work->path)
                (void) remove_tree(work->store->fd, work->path);
        fd_close(work->fd);
        store_free(work->own);
        free(work->path);
        free(work);
        return NULL;
}
