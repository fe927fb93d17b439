/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/remover.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

#define FILES 500

static char directory[] = "/tmp/test-remover.XXXXXX", removed[64], tree[64];

static void setup(void) {
        temporary_make(directory);
        (void) snprintf(removed, sizeof(removed), "%s/app/removed", directory);
        (void) snprintf(tree, sizeof(tree), "%s/upper", directory);
}

static void teardown(void) {
        temporary_remove();
}

static void grow(const char *path) {
        ck_assert_int_eq(mkdir_parents(AT_FDCWD, path, 0755), 0);
        for (unsigned i = 0; i < FILES; i++) {
                _cleanup_free_ char *file = str_format("%s/%u", path, i);

                ck_assert_int_eq(mkdir(file, 0755), 0);
        }
}

static unsigned entries(const char *path) {
        _cleanup_closedir_ DIR *d = NULL;
        unsigned n = 0;

        if (dir_open(AT_FDCWD, path, &d) < 0)
                return 0;
        while (readdir(d))
                n++;
        return n - 2;
}

START_TEST(what_is_taken_is_gone_at_once_and_removed_in_the_end) {
        Remover *r = remover_new(removed);

        for (unsigned round = 0; round < 5; round++) {
                grow(tree);
                ck_assert_int_eq(remover_take(r, tree), 0);
                ck_assert_int_lt(access(tree, F_OK), 0);
        }
        remover_wait(r, NULL);
        ck_assert_uint_eq(entries(removed), 0);
        /* And it goes on. */
        grow(tree);
        ck_assert_int_eq(remover_take(r, tree), 0);
        ck_assert_ptr_null(remover_free(r));
        ck_assert_uint_eq(entries(removed), 0);
}
END_TEST

START_TEST(what_an_earlier_one_left_is_removed) {
        _cleanup_free_ char *left = str_format("%s/0", removed);
        Remover *r;

        grow(left);
        r = remover_new(removed);
        grow(tree);
        ck_assert_int_eq(remover_take(r, tree), 0);
        ck_assert_int_lt(access(tree, F_OK), 0);
        remover_free(r);
        ck_assert_uint_eq(entries(removed), 0);
}
END_TEST

START_TEST(what_is_not_there_costs_nothing) {
        Remover *r = remover_new(removed);

        ck_assert_int_eq(remover_take(r, tree), 0);
        ck_assert_int_lt(access(removed, F_OK), 0);
        remover_free(r);
}
END_TEST

START_TEST(what_cannot_be_taken_away_is_removed_on_the_spot) {
        Remover *r;

        /* A file stands where the directory should be. */
        ck_assert_int_eq(mkdir_parents(AT_FDCWD, removed, 0755), 0);
        ck_assert_int_eq(rmdir(removed), 0);
        ck_assert_int_eq(write_file(AT_FDCWD, removed, "", 0, 0600, false), 0);
        r = remover_new(removed);
        ck_assert_ptr_nonnull(r);
        grow(tree);
        ck_assert_int_eq(remover_take(r, tree), 0);
        ck_assert_int_lt(access(tree, F_OK), 0);
        remover_free(r);
}
END_TEST

int main(void) {
        Suite *s = suite_create("remover");
        TCase *t = tcase_create("remover");

        suite_add_tcase(s, t);
        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, what_is_taken_is_gone_at_once_and_removed_in_the_end);
        tcase_add_test(t, what_an_earlier_one_left_is_removed);
        tcase_add_test(t, what_is_not_there_costs_nothing);
        tcase_add_test(t, what_cannot_be_taken_away_is_removed_on_the_spot);
        return suite_run(s);
}
