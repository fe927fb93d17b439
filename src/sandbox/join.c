/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "sandbox/terminal.h"
#include "util/fd.h"

/* First the mount namespace alone: as the host's root we may still give our pipes to the payload's user, and the root is
 * only looked at by descriptors that cannot leave it. */
static int join_mounts(Helper *h, Error *reterr) {
        int r;

        if (setns(HELPER_FD_LEADER, CLONE_NEWNS) < 0)
                return error_set_errno(reterr, -errno, "cannot join the instance's mount namespace");
        h->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (h->root < 0)
                return error_set_errno(reterr, -errno, "cannot open the instance's root");
        r = user_lookup(h->root, h->world.user, h->world.groups, &h->user, reterr);
        return r < 0 ? r : stdio_give(&h->world, &h->user, reterr);
}

static int join_namespaces(const World *w, Error *reterr) {
        int flags = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                (w->user_namespace ? CLONE_NEWUSER : 0) | (w->network_namespace || w->network_joined ? CLONE_NEWNET : 0);

        if (setns(HELPER_FD_LEADER, flags) < 0)
                return error_set_errno(reterr, -errno, "cannot join the instance's namespaces");
        return 0;
}

static int join_terminal(Helper *h, Error *reterr) {
        HelperMessage m = { .type = HELPER_MASTER };
        _cleanup_close_ int master = terminal_take(h->root, &h->user, reterr);
        int r;

        if (master < 0)
                return master;
        r = control_send(&m, master);
        return r < 0 ? error_set_errno(reterr, r, "cannot hand the terminal over") : 0;
}

static int join_work(Helper *h, Error *reterr) {
        int r;

        r = root_user_become(reterr);
        if (r < 0)
                return r;
        if (h->world.terminal && (r = join_terminal(h, reterr)) < 0)
                return r;
        if (control_wait_go() < 0)
                _exit(1);
        return payload_exec(h, reterr);
}

int join_start(Helper *h, Error *reterr) {
        struct clone_args args = { .flags = CLONE_PARENT };
        HelperMessage m = { .type = HELPER_PID };
        int r;

        r = limits_raise(&h->world, 0, reterr);
        if (r < 0)
                return r;
        r = oom_write(&h->world, 0, reterr);
        if (r < 0)
                return r;
        r = join_mounts(h, reterr);
        if (r < 0)
                return r;
        r = keyring_join(&h->world, reterr);
        if (r < 0)
                return r;
        r = join_namespaces(&h->world, reterr);
        if (r < 0)
                return r;
        /* A child, because only children are in the PID namespace that was joined. */
        m.pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        if (m.pid < 0)
                return error_set_errno(reterr, -errno, "cannot make a process in the instance");
        if (m.pid > 0) {
                /* Where the parent has gone, the child learns it by itself. */
                (void) control_send(&m, -EBADF);
                return 0;
        }
        (void) join_work(h, reterr);
        control_fail(reterr);
}
