/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/unix-address.h"

static char directory[512] = "/tmp/berth-test.XXXXXX";

/* A socket that listens there is found there. */
static void meet(bool through_descriptor) {
        _cleanup_close_ int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        _cleanup_close_ int place = -EBADF, dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct sockaddr_un address;
        struct stat st;

        ck_assert_int_eq(unix_address(directory, "socket", &address, &place), 0);
        ck_assert(through_descriptor == (place >= 0));
        ck_assert_int_eq(bind(server, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(server, 1), 0);
        ck_assert_int_eq(fstatat(dir, "socket", &st, 0), 0);
        ck_assert(S_ISSOCK(st.st_mode));
        place = fd_close(place);
        ck_assert_int_eq(unix_address(directory, "socket", &address, &place), 0);
        ck_assert_int_eq(connect(client, (struct sockaddr *) &address, sizeof(address)), 0);
}

START_TEST(a_path_may_be_longer_than_an_address) {
        struct sockaddr_un address;
        char name[200];
        int place;

        temporary_make(directory);
        meet(false);
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        strcat(strcat(directory, "/"), name);
        ck_assert_int_eq(mkdir(directory, 0700), 0);
        meet(true);
        ck_assert_int_eq(unix_address(directory, name, &address, &place), -ENAMETOOLONG);
        ck_assert_int_eq(unix_address("/nowhere/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", "socket",
                                 &address, &place), -ENOENT);
        temporary_remove();
}
END_TEST

int main(void) {
        Suite *s = suite_create("unix-address");
        TCase *t = tcase_create("unix-address");

        suite_add_tcase(s, t);
        tcase_add_test(t, a_path_may_be_longer_than_an_address);
        return suite_run(s);
}
