/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/name.h"
#include "image/registry/claim.h"
#include "util/fd.h"

/* Of a holder that is killed the file is closed a moment before its lock is gone, so the event may come too early. */
#define LOOK_AGAIN_MILLISECONDS 1000

struct Claim {
        int store, fd;
        char path[sizeof("claim/") + DIGEST_HEX_LENGTH];
};

static Claim *claim_new(Store *store, const char *diff_id) {
        Claim *c = calloc(1, sizeof(*c));

        if (c) {
                c->store = store->fd;
                c->fd = -EBADF;
                (void) snprintf(c->path, sizeof(c->path), "claim/%s", digest_hex(diff_id));
        }
        return c;
}

Claim *claim_free(Claim *c) {
        if (!c)
                return NULL;
        if (c->fd >= 0) {
                (void) unlinkat(c->store, c->path, 0);
                /* Before it is closed, or who waits for that comes too early. */
                (void) flock(c->fd, LOCK_UN);
        }
        fd_close(c->fd);
        free(c);
        return NULL;
}

static int open_file(Claim *c) {
        int fd = openat(c->store, c->path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0 && errno == ENOENT) {
                if (mkdirat(c->store, "claim", 0700) < 0 && errno != EEXIST)
                        return -errno;
                fd = openat(c->store, c->path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        }
        return fd < 0 ? -errno : fd;
}

/* 1 locked, 0 somebody else has it, -ESTALE: it was that of a holder who has just finished. */
static int lock_file(Claim *c, int fd) {
        struct stat a, b;

        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? 0 : -errno;
        if (fstat(fd, &a) < 0)
                return -errno;
        if (fstatat(c->store, c->path, &b, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? -ESTALE : -errno;
        return a.st_ino == b.st_ino && a.st_dev == b.st_dev ? 1 : -ESTALE;
}

static int try_once(Claim *c) {
        for (;;) {
                _cleanup_close_ int fd = open_file(c);
                int r;

                if (fd < 0)
                        return fd;
                r = lock_file(c, fd);
                if (r == -ESTALE)
                        continue;
                if (r > 0)
                        c->fd = TAKE_FD(fd);
                return r;
        }
}

/* Until the file that is there now is closed or removed. */
static int wait_once(Claim *c, int watch, int cancel_fd) {
        struct pollfd fds[] = { { .fd = watch, .events = POLLIN }, { .fd = cancel_fd, .events = POLLIN } };
        char events[4096] __attribute__((aligned(8)));

        if (poll(fds, ELEMENTSOF(fds), LOOK_AGAIN_MILLISECONDS) < 0 && errno != EINTR)
                return -errno;
        if (fds[1].revents)
                return -ECANCELED;
        if (fds[0].revents && read(watch, events, sizeof(events)) < 0 && errno != EAGAIN)
                return -errno;
        return 0;
}

static int wait_for(Store *store, Claim *c, int cancel_fd) {
        _cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char path[sizeof("/proc/self/fd//") + 12 + sizeof(c->path)];
        int r;

        if (watch < 0)
                return -errno;
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", store->fd, c->path);
        for (;;) {
                /* First the watch, then the look, so that nothing happens in between. The file may be gone by now. */
                if (inotify_add_watch(watch, path, IN_CLOSE | IN_DELETE_SELF | IN_ATTRIB) < 0 && errno != ENOENT)
                        return -errno;
                r = try_once(c);
                if (r != 0)
                        return r;
                r = wait_once(c, watch, cancel_fd);
                if (r < 0)
                        return r;
        }
}

static int finish(Claim *c, const char *diff_id, int r, Claim **ret, Error *reterr) {
        if (r < 0)
                return error_set_errno(reterr, r, "cannot claim layer %s in the image store", diff_id);
        if (r > 0)
                *ret = c;
        return r;
}

int claim_try(Store *store, const char *diff_id, Claim **ret, Error *reterr) {
        Claim *c = claim_new(store, diff_id);
        int r;

        if (!c)
                return -ENOMEM;
        r = finish(c, diff_id, try_once(c), ret, reterr);
        if (r <= 0)
                claim_free(c);
        return r;
}

int claim_wait(Store *store, const char *diff_id, int cancel_fd, Claim **ret, Error *reterr) {
        Claim *c = claim_new(store, diff_id);
        int r;

        if (!c)
                return -ENOMEM;
        r = finish(c, diff_id, wait_for(store, c, cancel_fd), ret, reterr);
        if (r <= 0)
                claim_free(c);
        return r;
}
