/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/world.h"
#include "suite.h"
#include "util/fd.h"

static int ours = -EBADF, theirs = -EBADF;

static void set_up(void) {
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        ours = pair[0];
        theirs = pair[1];
}

static void tear_down(void) {
        ours = fd_close(ours);
        theirs = fd_close(theirs);
}

static void say(HelperMessage m) {
        ck_assert_int_eq(send(theirs, &m, sizeof(m), 0), sizeof(m));
}

START_TEST(a_helper_that_fails_before_it_hears_go_is_heard) {
        HelperMessage m = { .type = HELPER_GO };

        say((HelperMessage){ .type = HELPER_PID, .pid = 7 });
        say((HelperMessage){ .type = HELPER_ERROR, .error = { .code = -ENOENT, .text = "cannot start" } });
        ck_assert_int_eq(send(ours, &m, sizeof(m), 0), sizeof(m));
        theirs = fd_close(theirs);
        ck_assert_int_eq(helper_receive(ours, MSG_DONTWAIT, &m, NULL), 1);
        ck_assert_int_eq(m.type, HELPER_PID);
        ck_assert_int_eq(helper_receive(ours, MSG_DONTWAIT, &m, NULL), 1);
        ck_assert_int_eq(m.type, HELPER_ERROR);
        ck_assert_str_eq(m.error.text, "cannot start");
        ck_assert_int_eq(helper_receive(ours, MSG_DONTWAIT, &m, NULL), 0);
}
END_TEST

START_TEST(what_is_no_message_is_passed_over) {
        HelperMessage m;

        ck_assert_int_eq(helper_receive(ours, MSG_DONTWAIT, &m, NULL), -EAGAIN);
        ck_assert_int_eq(send(theirs, "x", 1, 0), 1);
        memset(&m, 'x', sizeof(m));
        m.type = HELPER_ERROR;
        say(m);
        ck_assert_int_eq(helper_receive(ours, MSG_DONTWAIT, &m, NULL), 1);
        ck_assert_uint_eq(strlen(m.error.text), sizeof(m.error.text) - 1);
        ck_assert_int_eq(helper_receive(ours, MSG_DONTWAIT, &m, NULL), -EAGAIN);
}
END_TEST

START_TEST(a_descriptor_comes_along) {
        HelperMessage m = { .type = HELPER_MASTER };
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } space = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
        struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
        struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &space, .msg_controllen = sizeof(space) };
        int fd = -1;

        memcpy(CMSG_DATA(&space.header), &theirs, sizeof(theirs));
        ck_assert_int_eq(sendmsg(theirs, &h, 0), sizeof(m));
        say((HelperMessage){ .type = HELPER_PID });
        ck_assert_int_eq(helper_receive(ours, 0, &m, &fd), 1);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(close(fd), 0);
        ck_assert_int_eq(helper_receive(ours, 0, &m, &fd), 1);
        ck_assert_int_eq(fd, -EBADF);
}
END_TEST

int main(void) {
        Suite *s = suite_create("sandbox-spawn");
        TCase *c = tcase_create("spawn");

        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_test(c, a_helper_that_fails_before_it_hears_go_is_heard);
        tcase_add_test(c, what_is_no_message_is_passed_over);
        tcase_add_test(c, a_descriptor_comes_along);
        suite_add_tcase(s, c);
        return suite_run(s);
}
