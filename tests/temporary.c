/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temporary.h"
#include "util/fd.h"

static int alive = -EBADF; /* closed by our end at the latest */
static pid_t guard;

/* Check kills the process group of each test that ends: the guard has one of its own before the test goes on. */
static _noreturn_ void guard_wait(int end, const char *path) {
        char c = 0;

        (void) setsid();
        (void) write(end, &c, 1);
        (void) read(end, &c, 1);
        _exit(remove_tree(AT_FDCWD, path) < 0);
}

void temporary_make(char *path) {
        int pair[2];
        char c;

        memcpy(path + strlen(path) - 6, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(path));
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        guard = fork();
        ck_assert_int_ge(guard, 0);
        if (guard == 0) {
                fd_close(pair[0]);
                guard_wait(pair[1], path);
        }
        fd_close(pair[1]);
        alive = pair[0];
        ck_assert_int_eq(read(alive, &c, 1), 1);
}

void temporary_remove(void) {
        int status;

        alive = fd_close(alive);
        ck_assert_int_eq(waitpid(guard, &status, 0), guard);
        ck_assert_int_eq(status, 0);
}
