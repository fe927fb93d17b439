/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drive.h"
#include "util/fd.h"

static int drive_talk(Drive *d) {
        HelperMessage m;
        int r, fd;

        while ((r = helper_receive(d->control, 0, &m, &fd)) > 0)
                switch (m.type) {
                case HELPER_PID:
                        d->pid = m.pid;
                        d->leader = (int) syscall(SYS_pidfd_open, m.pid, 0);
                        m = (HelperMessage){ .type = HELPER_GO };
                        (void) send(d->control, &m, sizeof(m), MSG_NOSIGNAL);
                        break;
                case HELPER_ERROR:
                        d->error = m.error;
                        break;
                case HELPER_MASTER:
                        d->master = fd;
                        break;
                default:
                        return -EBADMSG;
                }
        if (r < 0)
                return r;
        if (d->error.code < 0)
                return d->error.code;
        return d->pid > 0 ? 0 : error_set(&d->error, -EPIPE, "the helper ended without a word");
}

static void drive_abandon(Drive *d) {
        if (d->pid <= 0)
                return;
        (void) kill(d->pid, SIGKILL);
        (void) waitpid(d->pid, &d->status, 0);
        d->pid = -1;
}

int drive_start(Drive *d, const World *w, const Drive *into) {
        _cleanup_close_ int helper = -EBADF, world = -EBADF, null = -EBADF, theirs = -EBADF, write_end = -EBADF;
        int pair[2], pipe_fds[2], r;
        pid_t outer;

        helper = helper_open(&d->error);
        if (helper < 0)
                return helper;
        world = memfd_create("world", MFD_CLOEXEC);
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (world < 0 || null < 0 || (r = world_write(w, world)) < 0)
                return error_set(&d->error, -EIO, "cannot write the world");
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        d->control = pair[0];
        theirs = pair[1];
        if (d->stdout_fd < 0) {
                if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                        return -errno;
                d->read_end = pipe_fds[0];
                write_end = pipe_fds[1];
        }
        r = helper_spawn(helper, into ? "join" : "start", world, theirs, d->seccomp, into ? into->leader : -EBADF,
                (int[]){ d->stdin_fd < 0 ? null : d->stdin_fd, d->stdout_fd < 0 ? write_end : d->stdout_fd,
                        d->stdout_fd < 0 ? write_end : d->stdout_fd },
                &outer, NULL, &d->error);
        if (r < 0)
                return r;
        theirs = fd_close(theirs);
        write_end = fd_close(write_end);
        r = drive_talk(d);
        (void) waitpid(outer, NULL, 0);
        if (r < 0)
                drive_abandon(d);
        return r;
}

int drive_wait(Drive *d) {
        char buffer[4096];
        ssize_t n;

        while (d->read_end >= 0 && (n = read(d->read_end, buffer, sizeof(buffer))) > 0)
                if (buf_append(&d->output, buffer, (size_t) n) < 0)
                        return -ENOMEM;
        if (d->pid > 0 && waitpid(d->pid, &d->status, 0) < 0)
                return -errno;
        d->pid = -1;
        return 0;
}

int drive_run(Drive *d, const World *w) {
        int r = drive_start(d, w, NULL);

        return r < 0 ? r : drive_wait(d);
}

void drive_clear(Drive *d) {
        drive_abandon(d);
        buf_clear(&d->output);
        fd_close(d->leader);
        fd_close(d->master);
        fd_close(d->control);
        fd_close(d->read_end);
        *d = DRIVE_INIT;
}
