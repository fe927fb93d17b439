/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

static char scratch[] = "/tmp/test-fd.XXXXXX";
static int dir = -EBADF;

static void setup(void) {
        temporary_make(scratch);
        dir = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(dir, 0);
}

static void teardown(void) {
        dir = fd_close(dir);
        temporary_remove();
        ck_assert_int_lt(access(scratch, F_OK), 0);
}

static void put(const char *path, const char *text) {
        ck_assert_int_eq(write_file(dir, path, text, strlen(text), 0644, false), 0);
}

START_TEST(write_file_replaces_and_leaves_nothing_beside) {
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t size;

        put("f", "one");
        ck_assert_int_eq(write_file(dir, "f", "second", 6, 0600, true), 0);
        ck_assert_int_eq(read_file(dir, "f", 100, &text, &size), 0);
        ck_assert_str_eq(text, "second");
        ck_assert_uint_eq(size, 6);
        ck_assert_int_eq(fstatat(dir, "f", &st, 0), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(unlinkat(dir, "f", 0), 0);
        ck_assert_int_eq(unlinkat(AT_FDCWD, scratch, AT_REMOVEDIR), 0);
        ck_assert_int_eq(mkdir(scratch, 0700), 0); /* for teardown */
}
END_TEST

START_TEST(write_file_ignores_the_umask) {
        struct stat st;
        mode_t old = umask(077);

        put("f", "");
        umask(old);
        ck_assert_int_eq(fstatat(dir, "f", &st, 0), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0644);
}
END_TEST

START_TEST(a_failed_write_keeps_the_old_file) {
        ck_assert_int_eq(mkdirat(dir, "d", 0700), 0);
        ck_assert_int_lt(write_file(dir, "d", "x", 1, 0644, false), 0);
        ck_assert_int_eq(write_file(dir, "none/f", "x", 1, 0644, false), -ENOENT);
        ck_assert_int_eq(unlinkat(dir, "d", AT_REMOVEDIR), 0);
        ck_assert_int_eq(unlinkat(AT_FDCWD, scratch, AT_REMOVEDIR), 0);
        ck_assert_int_eq(mkdir(scratch, 0700), 0);
}
END_TEST

START_TEST(read_file_has_a_limit) {
        _cleanup_free_ char *text = NULL;

        put("f", "0123456789");
        ck_assert_int_eq(read_file(dir, "f", 9, &text, NULL), -E2BIG);
        ck_assert_ptr_null(text);
        ck_assert_int_eq(read_file(dir, "f", 10, &text, NULL), 0);
        ck_assert_int_eq(read_file(dir, "g", 10, &text, NULL), -ENOENT);
}
END_TEST

START_TEST(read_fd_reads_pipes_of_any_length) {
        _cleanup_free_ char *text = NULL;
        static char block[9000];
        size_t size;
        int pipes[2];

        memset(block, 'x', sizeof(block));
        ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
        ck_assert_int_eq(write_all(pipes[1], block, sizeof(block)), 0);
        fd_close(pipes[1]);
        ck_assert_int_eq(read_fd(pipes[0], 1 << 20, &text, &size), 0);
        fd_close(pipes[0]);
        ck_assert_uint_eq(size, sizeof(block));
        ck_assert_int_eq(text[size], 0);
}
END_TEST

START_TEST(remove_tree_does_not_follow_links) {
        ck_assert_int_eq(mkdir_parents(dir, "tree/a/b", 0755), 0);
        put("kept", "kept");
        put("tree/a/f", "");
        ck_assert_int_eq(symlinkat("..", dir, "tree/a/up"), 0);
        ck_assert_int_eq(symlinkat("../kept", dir, "tree/link"), 0);
        ck_assert_int_eq(remove_tree(dir, "tree"), 0);
        ck_assert_int_lt(faccessat(dir, "tree", F_OK, 0), 0);
        ck_assert_int_eq(faccessat(dir, "kept", F_OK, 0), 0);
        ck_assert_int_eq(remove_tree(dir, "tree"), 0);
}
END_TEST

/* As somebody makes it who wants it to stay: longer than any path, deeper than there are descriptors. */
START_TEST(remove_tree_takes_any_depth) {
        struct rlimit limit = { 60, 60 };
        int fd = dup(dir);

        for (unsigned i = 0; i < 300; i++) {
                int child;

                ck_assert_int_eq(mkdirat(fd, i == 0 ? "tree" : "d", 0755), 0);
                child = openat(fd, i == 0 ? "tree" : "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                ck_assert_int_ge(child, 0);
                ck_assert_int_eq(mkdirat(child, ".#deep.0", 0755), 0);
                fd_close(fd);
                fd = child;
        }
        fd_close(fd);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_int_eq(remove_tree(dir, "tree"), 0);
        ck_assert_int_lt(faccessat(dir, "tree", F_OK, 0), 0);
}
END_TEST

START_TEST(remove_tree_passes_over_what_it_cannot_remove) {
        ck_assert_int_eq(mkdir_parents(dir, "tree/a/mount", 0755), 0);
        ck_assert_int_eq(mkdir_parents(dir, "tree/z/b", 0755), 0);
        put("tree/a/f", "");
        put("tree/z/f", "");
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return; /* only root can mount */
        ck_assert_int_eq(chdir(scratch), 0); /* our own mount of it */
        ck_assert_int_eq(mount("none", "tree/a/mount", "tmpfs", 0, NULL), 0);
        ck_assert_int_eq(mkdir("tree/a/mount/kept", 0755), 0);
        ck_assert_int_eq(remove_tree(AT_FDCWD, "tree"), -EBUSY);
        ck_assert_int_eq(access("tree/a/mount/kept", F_OK), 0);
        ck_assert_int_lt(access("tree/a/f", F_OK), 0);
        ck_assert_int_lt(access("tree/z", F_OK), 0);
        ck_assert_int_eq(umount("tree/a/mount"), 0);
        ck_assert_int_eq(remove_tree(AT_FDCWD, "tree"), 0);
}
END_TEST

START_TEST(nothing_leads_out_of_the_root) {
        _cleanup_close_ int root = -EBADF, fd = -EBADF, made = -EBADF;
        struct stat a, b;

        ck_assert_int_eq(mkdir_parents(dir, "root/etc", 0755), 0);
        put("secret", "outside");
        put("root/etc/passwd", "inside");
        ck_assert_int_eq(symlinkat("/etc", dir, "root/absolute"), 0);
        ck_assert_int_eq(symlinkat("../../../..", dir, "root/up"), 0);
        root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(root, 0);

        ck_assert_int_eq(open_in_root(root, "../secret", O_RDONLY, 0), -ENOENT);
        ck_assert_int_eq(open_in_root(root, "up/secret", O_RDONLY, 0), -ENOENT);
        fd = open_in_root(root, "absolute/passwd", O_RDONLY, 0);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fstat(fd, &a), 0);
        ck_assert_int_eq(fstatat(dir, "root/etc/passwd", &b, 0), 0);
        ck_assert_uint_eq(a.st_ino, b.st_ino);

        made = mkdir_in_root(root, "up/../absolute/new/deep", 0755);
        ck_assert_int_ge(made, 0);
        ck_assert_int_eq(faccessat(dir, "root/etc/new/deep", F_OK, 0), 0);
        ck_assert_int_lt(faccessat(dir, "new", F_OK, 0), 0);
}
END_TEST

START_TEST(mkdir_in_root_does_not_make_through_a_dangling_link) {
        _cleanup_close_ int root = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_eq(symlinkat("/nowhere/at/all", dir, "link"), 0);
        ck_assert_int_eq(mkdir_in_root(root, "link", 0755), -EEXIST);
        ck_assert_int_eq(mkdir_in_root(root, "link/below", 0755), -EEXIST);
        ck_assert_int_lt(faccessat(dir, "nowhere", F_OK, 0), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("fd");
        TCase *t = tcase_create("fd");

        suite_add_tcase(s, t);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, write_file_replaces_and_leaves_nothing_beside);
        tcase_add_test(t, write_file_ignores_the_umask);
        tcase_add_test(t, a_failed_write_keeps_the_old_file);
        tcase_add_test(t, read_file_has_a_limit);
        tcase_add_test(t, read_fd_reads_pipes_of_any_length);
        tcase_add_test(t, remove_tree_does_not_follow_links);
        tcase_add_test(t, remove_tree_takes_any_depth);
        tcase_add_test(t, remove_tree_passes_over_what_it_cannot_remove);
        tcase_add_test(t, nothing_leads_out_of_the_root);
        tcase_add_test(t, mkdir_in_root_does_not_make_through_a_dangling_link);
        return suite_run(s);
}
