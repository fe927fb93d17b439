/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/user.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

#define PASSWD                                     \
        "root:x:0:0:root:/root:/bin/sh\n"          \
        "web:x:33:34::/srv/www:/bin/false\n"       \
        "broken line\n"                            \
        "1000:x:77:78::/odd:/bin/sh\n"             \
        "nohome:x:1001:1001:::/bin/sh\n"           \
        "negative:x:-1:0::/:/bin/sh\n"             \
        "last:x:1002:1002::/last:/bin/sh"
#define GROUP                         \
        "root:x:0:\n"                 \
        "tls:x:50:web,other\n"        \
        "logs:x:51:other,web\n"       \
        "mail:x:8:\n"                 \
        "web:x:34:web\n"

static char directory[] = "/tmp/berth-test-user.XXXXXX";
static int root = -EBADF;

static void put(const char *path, const char *text) {
        ck_assert_int_eq(write_file(root, path, text, strlen(text), 0644, false), 0);
}

static void set_up(void) {
        temporary_make(directory);
        root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(mkdirat(root, "etc", 0755), 0);
        put("etc/passwd", PASSWD);
        put("etc/group", GROUP);
}

static void tear_down(void) {
        root = fd_close(root);
        temporary_remove();
}

static User look(const char *user, char *const *groups) {
        User u = USER_INIT;
        Error error = { 0 };

        ck_assert_msg(user_lookup(root, user, groups, &u, &error) == 0, "%s", error.text);
        return u;
}

START_TEST(names_numbers_and_groups) {
        static const struct {
                const char *user;
                uid_t uid;
                gid_t gid;
                const char *home;
                size_t n_groups;
        } cases[] = {
                { NULL,       0,     0,  "/root",    0 },
                { "",         0,     0,  "/root",    0 },
                { "web",      33,    34, "/srv/www", 3 },
                { "33",       33,    34, "/srv/www", 3 },
                { "web:8",    33,    8,  "/srv/www", 1 },
                { "web:mail", 33,    8,  "/srv/www", 1 },
                { ":mail",    0,     8,  "/root",    1 },
                { "web:",     33,    34, "/srv/www", 3 },
                { "5000",     5000,  0,  "/",        1 },
                { "5000:5001", 5000, 5001, "/",      1 },
                { "1000",     77,    78, "/odd",     1 }, /* a name before a number */
                { "nohome",   1001,  1001, "/",      1 },
                { "last",     1002,  1002, "/last",  1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                User u = look(cases[i].user, NULL);

                ck_assert_uint_eq(u.uid, cases[i].uid);
                ck_assert_uint_eq(u.gid, cases[i].gid);
                ck_assert_str_eq(u.home, cases[i].home);
                ck_assert_uint_eq(u.n_groups, cases[i].n_groups);
        }
}
END_TEST

START_TEST(more_groups_are_added_once) {
        char *more[] = { (char *) "mail", (char *) "tls", (char *) "4242", NULL };
        User u = look("web", more);

        ck_assert_uint_eq(u.n_groups, 5);
        ck_assert_uint_eq(u.groups[4], 4242);
}
END_TEST

START_TEST(what_is_not_there_is_named) {
        static const struct {
                const char *user, *word;
        } cases[] = {
                { "nobody", "'nobody'" }, { "web:nogroup", "'nogroup'" }, { "negative", "'negative'" },
                { "-1", "'-1'" }, { "4294967295", "'4294967295'" }, { "99999999999", "'99999999999'" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                User u = USER_INIT;
                Error error = { 0 };

                ck_assert_int_eq(user_lookup(root, cases[i].user, NULL, &u, &error), -ENOENT);
                ck_assert_msg(strstr(error.text, cases[i].word) != NULL, "%s", error.text);
        }
}
END_TEST

START_TEST(an_image_without_files_has_numbers) {
        User u;

        ck_assert_int_eq(remove_tree(root, "etc"), 0);
        u = look("12:13", NULL);
        ck_assert_uint_eq(u.uid, 12);
        ck_assert_uint_eq(u.gid, 13);
        u = look(NULL, NULL);
        ck_assert_uint_eq(u.uid, 0);
        ck_assert_str_eq(u.home, "/");
}
END_TEST

START_TEST(no_link_leads_to_the_hosts_file) {
        User u = USER_INIT;

        /* Within the image these name files that do not exist. */
        ck_assert_int_eq(unlinkat(root, "etc/passwd", 0), 0);
        ck_assert_int_eq(symlinkat("/etc/passwd", root, "etc/passwd"), 0);
        ck_assert_int_lt(user_lookup(root, "daemon", NULL, &u, NULL), 0);
        ck_assert_int_eq(unlinkat(root, "etc/passwd", 0), 0);
        ck_assert_int_eq(symlinkat("../../../../../../etc/passwd", root, "etc/passwd"), 0);
        ck_assert_int_lt(user_lookup(root, "daemon", NULL, &u, NULL), 0);
}
END_TEST

START_TEST(a_fifo_or_a_directory_does_not_hang) {
        User u = USER_INIT;
        Error error = { 0 };

        ck_assert_int_eq(unlinkat(root, "etc/passwd", 0), 0);
        ck_assert_int_eq(mkfifoat(root, "etc/passwd", 0644), 0);
        ck_assert_int_eq(user_lookup(root, "web", NULL, &u, &error), -EINVAL);
        ck_assert_int_eq(unlinkat(root, "etc/passwd", 0), 0);
        ck_assert_int_eq(mkdirat(root, "etc/passwd", 0755), 0);
        ck_assert_int_eq(user_lookup(root, "web", NULL, &u, &error), -EINVAL);
}
END_TEST

START_TEST(a_huge_file_is_refused) {
        User u = USER_INIT;
        int fd = openat(root, "etc/passwd", O_WRONLY | O_CLOEXEC);

        ck_assert_int_eq(ftruncate(fd, 1 << 30), 0);
        fd_close(fd);
        ck_assert_int_eq(user_lookup(root, "web", NULL, &u, NULL), -E2BIG);
}
END_TEST

int main(void) {
        Suite *s = suite_create("sandbox-user");
        TCase *c = tcase_create("user");

        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_test(c, names_numbers_and_groups);
        tcase_add_test(c, more_groups_are_added_once);
        tcase_add_test(c, what_is_not_there_is_named);
        tcase_add_test(c, an_image_without_files_has_numbers);
        tcase_add_test(c, no_link_leads_to_the_hosts_file);
        tcase_add_test(c, a_fifo_or_a_directory_does_not_hang);
        tcase_add_test(c, a_huge_file_is_refused);
        suite_add_tcase(s, c);
        return suite_run(s);
}
