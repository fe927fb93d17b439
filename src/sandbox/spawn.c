/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/world.h"
#include "util/fd.h"
#include "util/strv.h"

#define HELPER_PATH BERTH_LIBEXECDIR "/berth-helper"
#define SPAWN_STACK_SIZE (64U << 10)

/* The soft limit of open files that a supervisor has is its own: what select(2) can do is the payload's, as with every service of systemd's. */
#define PAYLOAD_FILES 1024

int helper_open(Error *reterr) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
        const char *path = getenv("BERTH_HELPER") ?: HELPER_PATH;
        _cleanup_close_ int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open the helper '%s'", path);
        /* /proc/PID/exe of a helper that joins an instance, or stays as its init, leads to this mount. */
        if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
                return error_set_errno(reterr, -errno, "cannot make the helper '%s' read-only", path);
        return TAKE_FD(fd);
}

typedef struct SpawnArgs {
        int helper;
        char *const *argv;
        char *const *env;
        int fds[HELPER_FD_LEADER + 1]; /* by the number that they shall have */
        struct rlimit files;           /* for the payload, where its World has no other */
        int error;                     /* set by the child: the two share memory */
} SpawnArgs;

/* Runs in the parent's memory while the parent waits (CLONE_VM|CLONE_VFORK): system calls only. */
static int spawn_child(void *userdata) {
        SpawnArgs *a = userdata;
        int n = (int) ELEMENTSOF(a->fds);

        /* First out of the way of the numbers, then into place: a source may sit on another's number. */
        for (int i = 0; i < n; i++)
                if (a->fds[i] >= 0 && (a->fds[i] = fcntl(a->fds[i], F_DUPFD_CLOEXEC, n)) < 0)
                        goto fail;
        if (a->helper < n && (a->helper = fcntl(a->helper, F_DUPFD_CLOEXEC, n)) < 0)
                goto fail;
        for (int i = 0; i < n; i++) {
                if (a->fds[i] < 0)
                        (void) close(i);
                else if (dup2(a->fds[i], i) < 0)
                        goto fail;
        }
        if (syscall(SYS_close_range, n, ~0U, CLOSE_RANGE_CLOEXEC) < 0 || setrlimit(RLIMIT_NOFILE, &a->files) < 0)
                goto fail;
        /* Signals stay blocked: the parent's handlers must not run here. The helper resets them for the payload. */
        (void) syscall(SYS_execveat, a->helper, "", a->argv, a->env, AT_EMPTY_PATH);
fail:
        a->error = -errno;
        _exit(1);
}

int helper_spawn(int helper, const char *mode, int world, int control, int seccomp, int leader, const int std[3],
        pid_t *ret_pid, int *ret_pidfd, Error *reterr) {
        _cleanup_free_ char *fallback = NULL;
        const char *forced = getenv("BERTH_SYSCALL_FALLBACK");
        char *argv[] = { (char *) "berth-helper", (char *) mode, NULL };
        char *env[] = { NULL, NULL };
        SpawnArgs a = {
                .helper = helper,
                .argv = argv,
                .env = env,
                .fds = { std[0], std[1], std[2], world, control, seccomp, leader },
        };
        int pidfd = -EBADF;
        sigset_t all, saved;
        pid_t pid;
        void *stack;

        if (forced) {
                fallback = str_format("BERTH_SYSCALL_FALLBACK=%s", forced);
                if (!fallback)
                        return error_set_errno(reterr, -ENOMEM, "cannot start the helper");
                env[0] = fallback;
        }
        if (getrlimit(RLIMIT_NOFILE, &a.files) < 0)
                return error_set_errno(reterr, -errno, "cannot start the helper");
        a.files.rlim_cur = MIN(a.files.rlim_cur, (rlim_t) PAYLOAD_FILES);
        stack = mmap(NULL, SPAWN_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (stack == MAP_FAILED)
                return error_set_errno(reterr, -errno, "cannot start the helper");
        /* A handler of the parent's must not run in the child, which shares its memory. */
        (void) sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, &saved);
        pid = clone(spawn_child, (char *) stack + SPAWN_STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &a,
                &pidfd);
        if (pid < 0)
                a.error = -errno;
        (void) sigprocmask(SIG_SETMASK, &saved, NULL);
        (void) munmap(stack, SPAWN_STACK_SIZE);
        if (a.error < 0) {
                if (pid > 0) {
                        (void) waitpid(pid, NULL, 0);
                        fd_close(pidfd);
                }
                return error_set_errno(reterr, a.error, "cannot start the helper");
        }
        if (ret_pidfd)
                *ret_pidfd = pidfd;
        else
                fd_close(pidfd);
        *ret_pid = pid;
        return 0;
}

static int message_receive(int control, int flags, HelperMessage *m, int *ret_fd) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } space;
        struct iovec iov = { .iov_base = m, .iov_len = sizeof(*m) };
        struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &space, .msg_controllen = sizeof(space) };
        struct cmsghdr *c;
        ssize_t n = recvmsg(control, &h, flags | MSG_CMSG_CLOEXEC);

        if (n < 0)
                return -errno;
        c = CMSG_FIRSTHDR(&h);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
        m->error.text[sizeof(m->error.text) - 1] = 0;
        return n == 0 ? 0 : n == sizeof(*m) ? 1 : -EBADMSG;
}

int helper_receive(int control, int flags, HelperMessage *ret, int *ret_fd) {
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                int r = message_receive(control, flags, ret, &fd);

                /* A helper that fails leaves HELPER_GO unread, and the kernel resets the socket: it tells that once and first,
                 * and then what the helper had said. */
                if (r == -EINTR || r == -ECONNRESET || r == -EBADMSG)
                        continue;
                if (r > 0 && ret_fd)
                        *ret_fd = TAKE_FD(fd);
                return r;
        }
}
