/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* copy_tree() and give_tree() on real directories. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sandbox/give.h"
#include "sandbox/helper.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

static char directory[] = "/var/tmp/berth-test-tree.XXXXXX";
static int top = -EBADF, from = -EBADF, to = -EBADF;

static int sub(const char *name) {
        int fd;

        ck_assert_int_eq(mkdirat(top, name, 0755), 0);
        fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

static void set_up(void) {
        temporary_make(directory);
        top = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        from = sub("from");
        to = sub("to");
        ck_assert_int_eq(write_file(top, "outside", "host", 4, 0600, false), 0);
}

static void tear_down(void) {
        from = fd_close(from);
        to = fd_close(to);
        top = fd_close(top);
        temporary_remove();
}

static struct stat look(int dir, const char *name) {
        struct stat st;

        ck_assert_msg(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s: %s", name, strerror(errno));
        return st;
}

static void copy(void) {
        Error error = { 0 };

        ck_assert_msg(copy_tree(from, to, &error) == 0, "%s", error.text);
}

START_TEST(a_copy_has_all_that_the_image_has) {
        struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
        _cleanup_close_ int fd = -EBADF;
        char value[16];
        struct stat st;

        ck_assert_int_eq(mkdirat(from, "d", 0755), 0);
        ck_assert_int_eq(write_file(from, "d/file", "text", 4, 04755, false), 0);
        ck_assert_int_eq(linkat(from, "d/file", from, "hard", 0), 0);
        ck_assert_int_eq(symlinkat("/nowhere", from, "link"), 0);
        ck_assert_int_eq(mkfifoat(from, "fifo", 0640), 0);
        ck_assert_int_eq(utimensat(from, "d", times, 0), 0);
        ck_assert_int_eq(fchmod(from, 01777), 0);
        fd = openat(from, "d/file", O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(fsetxattr(fd, "user.colour", "blue", 4, 0), 0);
        if (geteuid() == 0) {
                ck_assert_int_eq(fchown(fd, 12, 13), 0);
                ck_assert_int_eq(fchmod(fd, 04755), 0);
        }

        copy();
        st = look(to, "d/file");
        ck_assert_uint_eq(st.st_mode & 07777, 04755);
        ck_assert_uint_eq(st.st_uid, geteuid() == 0 ? 12 : geteuid());
        ck_assert_uint_eq(st.st_nlink, 2);
        ck_assert_uint_eq(st.st_ino, look(to, "hard").st_ino);
        ck_assert(S_ISLNK(look(to, "link").st_mode) && S_ISFIFO(look(to, "fifo").st_mode));
        ck_assert_int_eq(look(to, "d").st_mtim.tv_sec, 2000);
        ck_assert_uint_eq(look(to, ".").st_mode & 07777, 01777);
        fd_close(fd);
        fd = openat(to, "d/file", O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(fgetxattr(fd, "user.colour", value, sizeof(value)), 4);
}
END_TEST

START_TEST(an_interrupted_copy_is_begun_again) {
        struct stat st;

        ck_assert_int_eq(write_file(from, "new", "1", 1, 0644, false), 0);
        ck_assert_int_eq(mkdirat(to, "half", 0700), 0);
        ck_assert_int_eq(write_file(to, "half/old", "0", 1, 0644, false), 0);
        /* A link in the volume must not make the emptying reach out of it. */
        ck_assert_int_eq(symlinkat("..", to, "up"), 0);
        copy();
        ck_assert_int_eq(fstatat(to, "half", &st, 0), -1);
        ck_assert_uint_eq(look(to, "new").st_size, 1);
        ck_assert_uint_eq(look(top, "outside").st_size, 4);
}
END_TEST

START_TEST(a_deep_tree_ends_with_an_error_not_with_a_crash) {
        int dir = dup(from);
        Error error = { 0 };

        for (unsigned i = 0; i < 300; i++) {
                int next;

                ck_assert_int_eq(mkdirat(dir, "d", 0755), 0);
                next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                fd_close(dir);
                dir = next;
        }
        fd_close(dir);
        ck_assert_int_lt(copy_tree(from, to, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.text, "of the image"));
}
END_TEST

START_TEST(giving_never_follows_a_link) {
        Error error = { 0 };

        if (geteuid() != 0)
                return;
        ck_assert_int_eq(mkdirat(to, "d", 0755), 0);
        ck_assert_int_eq(write_file(to, "d/file", "x", 1, 0644, false), 0);
        ck_assert_int_eq(symlinkat("../../outside", to, "d/out"), 0);
        ck_assert_int_eq(symlinkat("..", to, "up"), 0);
        ck_assert_msg(give_tree(to, 33, 34, &error) == 0, "%s", error.text);
        ck_assert_uint_eq(look(to, "d/file").st_uid, 33);
        ck_assert_uint_eq(look(to, "d/out").st_gid, 34);
        ck_assert_uint_eq(look(to, ".").st_uid, 33);
        ck_assert_uint_eq(look(top, "outside").st_uid, 0);
        ck_assert_uint_eq(look(top, ".").st_uid, 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("sandbox-tree");
        TCase *c = tcase_create("tree");

        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_test(c, a_copy_has_all_that_the_image_has);
        tcase_add_test(c, an_interrupted_copy_is_begun_again);
        tcase_add_test(c, a_deep_tree_ends_with_an_error_not_with_a_crash);
        tcase_add_test(c, giving_never_follows_a_link);
        suite_add_tcase(s, c);
        return suite_run(s);
}
