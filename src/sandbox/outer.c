/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/sched.h>
#include <unistd.h>

#include "sandbox/handover.h"
#include "sandbox/helper.h"
#include "sandbox/ids.h"
#include "sandbox/mount.h"
#include "util/fd.h"

/* As fork(2), but the child is a child of our parent, who is to wait for the payload. */
static pid_t outer_clone(const World *w) {
        struct clone_args args = {
                .flags = CLONE_PARENT | CLONE_NEWPID | (w->user_namespace ? CLONE_NEWUSER : 0),
        };

        return (pid_t) syscall(SYS_clone3, &args, sizeof(args));
}

static int outer_proc(pid_t pid, Error *reterr) {
        char path[32];
        int fd;

        (void) snprintf(path, sizeof(path), "/proc/%d", pid);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? error_set_errno(reterr, -errno, "cannot open '%s'", path) : fd;
}

static int sys_make(Helper *h, Error *reterr) {
        int r;

        if (h->world.network_namespace || !h->world.user_namespace)
                return 0;
        /* It shows the links of where it is made, which the host's root may do whoever owns that. */
        if (h->world.network_joined) {
                h->sys = mount_new("sysfs", NULL, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, reterr);
                return h->sys < 0 ? error_prefix(reterr, "cannot mount /sys") : 0;
        }
        h->sys = mount_clone(AT_FDCWD, "/sys", false);
        if (h->sys < 0)
                return error_set_errno(reterr, h->sys, "cannot open '/sys'");
        r = mount_set(h->sys, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, -EBADF,
                false);
        return r < 0 ? error_set_errno(reterr, r, "cannot make '/sys' read-only") : 0;
}

/* A detached mount stays open for each layer of each image: more than the usual soft limit of 1024 in bad cases. */
static void outer_limit_raise(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &limit);
        }
}

static int outer_work(Helper *h, pid_t pid, int inner, Error *reterr) {
        _cleanup_close_ int proc = -EBADF, userns = -EBADF;
        int r;

        proc = outer_proc(pid, reterr);
        if (proc < 0)
                return proc;
        if (h->world.user_namespace) {
                r = ids_write(&h->world, proc, reterr);
                if (r < 0)
                        return r;
        }
        r = handover_ids(inner, reterr);
        if (r < 0)
                return r;
        if (h->world.user_namespace) {
                userns = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
                if (userns < 0)
                        return error_set_errno(reterr, -errno, "cannot open the user namespace");
        }
        r = oom_write(&h->world, pid, reterr);
        if (r < 0)
                return r;
        r = limits_raise(&h->world, pid, reterr);
        if (r < 0)
                return r;
        r = root_make(h, userns, reterr);
        if (r < 0)
                return r;
        r = user_lookup(h->root, h->world.user, h->world.groups, &h->user, reterr);
        if (r < 0)
                return r;
        r = stdio_give(&h->world, &h->user, reterr);
        if (r < 0)
                return r;
        r = dev_make(h, reterr);
        if (r < 0)
                return r;
        r = sys_make(h, reterr);
        if (r < 0)
                return r;
        r = volumes_make(h, userns, reterr);
        if (r < 0)
                return r;
        return handover_send(h, inner, reterr);
}

int outer_start(Helper *h, Error *reterr) {
        HelperMessage m = { .type = HELPER_PID };
        int pair[2], r;
        pid_t pid;

        (void) umask(0);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket pair");
        r = keyring_join(&h->world, reterr);
        if (r < 0)
                return r;
        if (h->world.network_joined && setns(HELPER_FD_LEADER, CLONE_NEWNET) < 0)
                return error_set_errno(reterr, -errno, "cannot join the network namespace of the other app");
        pid = outer_clone(&h->world);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot make the instance's process and namespaces");
        if (pid == 0) {
                fd_close(pair[0]);
                inner_start(h, pair[1]);
        }
        fd_close(pair[1]);
        outer_limit_raise();
        m.pid = pid;
        r = control_send(&m, -EBADF);
        if (r < 0)
                return r; /* the parent has gone; inner sees the end of its pair */
        r = outer_work(h, pid, pair[0], reterr);
        if (r < 0)
                return r;
        /* The exit unmounts the spent layers first, and the parent waits for the end of this socket. */
        (void) close(HELPER_FD_CONTROL);
        return 0;
}
