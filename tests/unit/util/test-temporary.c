/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

static char directory[] = "/tmp/test-temporary.XXXXXX";

START_TEST(a_test_that_ends_well_leaves_nothing) {
        temporary_make(directory);
        ck_assert_int_eq(access(directory, F_OK), 0);
        temporary_remove();
        ck_assert_int_lt(access(directory, F_OK), 0);
}
END_TEST

START_TEST(a_test_that_is_killed_with_all_its_group_leaves_nothing) {
        int pipe_fds[2];
        char path[sizeof(directory)], c;
        pid_t pid;

        ck_assert_int_eq(pipe(pipe_fds), 0);
        pid = fork();
        if (pid == 0) {
                (void) setpgid(0, 0);
                temporary_make(directory);
                (void) write_all(pipe_fds[1], directory, sizeof(directory));
                (void) kill(0, SIGKILL);
        }
        fd_close(pipe_fds[1]);
        ck_assert_int_eq(read(pipe_fds[0], path, sizeof(path)), sizeof(path));
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(read(pipe_fds[0], &c, 1), 0); /* now nobody has the other end */
        ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("temporary");
        TCase *t = tcase_create("temporary");

        suite_add_tcase(s, t);
        tcase_add_test(t, a_test_that_ends_well_leaves_nothing);
        tcase_add_test(t, a_test_that_is_killed_with_all_its_group_leaves_nothing);
        return suite_run(s);
}
