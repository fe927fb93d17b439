/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "run/ids.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

static char directory[] = "/tmp/test-ids.XXXXXX";

static void setup(void) {
        temporary_make(directory);
}

static void teardown(void) {
        temporary_remove();
}

static uint32_t acquire(const char *app, uint32_t count) {
        Error error = { 0 };
        uint32_t base = 0;
        int r = ids_acquire(directory, app, count, &base, &error);

        ck_assert_msg(r == 0, "%s: %s", app, error.text);
        return base;
}

START_TEST(a_range_is_aligned_and_in_the_container_ids) {
        char name[32];

        for (unsigned i = 0; i < 200; i++) {
                uint32_t base;

                snprintf(name, sizeof(name), "app%u", i);
                base = acquire(name, IDS_RANGE);
                ck_assert_uint_ge(base, IDS_FIRST);
                ck_assert_uint_le(base + IDS_RANGE - 1, IDS_LAST);
                ck_assert_uint_eq(base % IDS_RANGE, 0);
        }
}
END_TEST

START_TEST(the_same_name_gets_the_same_range) {
        uint32_t first = acquire("shop", IDS_RANGE);

        ck_assert_uint_eq(acquire("shop", IDS_RANGE), first);
        ck_assert_int_eq(ids_release(directory, "shop"), 0);
        ck_assert_uint_eq(acquire("shop", IDS_RANGE), first);
}
END_TEST

START_TEST(no_two_apps_share_a_range) {
        static uint32_t bases[300];
        char name[32];

        for (unsigned i = 0; i < ELEMENTSOF(bases); i++) {
                snprintf(name, sizeof(name), "n%u", i);
                bases[i] = acquire(name, IDS_RANGE);
                for (unsigned k = 0; k < i; k++)
                        ck_assert_uint_ne(bases[k], bases[i]);
        }
}
END_TEST

START_TEST(a_taken_place_is_passed_over) {
        uint32_t first = acquire("shop", IDS_RANGE), second;
        char path[128], text[64];

        ck_assert_int_eq(ids_release(directory, "shop"), 0);
        snprintf(path, sizeof(path), "%s/%u", directory, first);
        snprintf(text, sizeof(text), "%u another app\n", IDS_RANGE);
        ck_assert_int_eq(write_file(AT_FDCWD, path, text, strlen(text), 0644, false), 0);
        second = acquire("shop", IDS_RANGE);
        ck_assert_uint_ne(first, second);
}
END_TEST

START_TEST(a_large_range_takes_whole_places) {
        uint32_t first = acquire("big", IDS_RANGE + 1), other;
        char name[32];

        for (unsigned i = 0; i < 100; i++) {
                snprintf(name, sizeof(name), "n%u", i);
                other = acquire(name, IDS_RANGE);
                ck_assert(other + IDS_RANGE <= first || other >= first + 2 * IDS_RANGE);
        }
}
END_TEST

START_TEST(what_is_released_leaves_no_file) {
        _cleanup_free_ char *path = NULL;

        ck_assert_int_ge(asprintf(&path, "%s/%u", directory, acquire("shop", IDS_RANGE)), 0);
        ck_assert_int_eq(access(path, F_OK), 0);
        ck_assert_int_eq(ids_release(directory, "shop"), 0);
        ck_assert_int_lt(access(path, F_OK), 0);
        ck_assert_int_eq(ids_release(directory, "shop"), 0);
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
        Error error = { 0 };
        uint32_t base;

        ck_assert_int_eq(ids_acquire(directory, "none", 0, &base, &error), -ERANGE);
        ck_assert_str_eq(error.text, "cannot give a container 0 user ids");
}
END_TEST

int main(void) {
        Suite *s = suite_create("ids");
        TCase *t = tcase_create("ids");

        tcase_set_timeout(t, 120);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, a_range_is_aligned_and_in_the_container_ids);
        tcase_add_test(t, the_same_name_gets_the_same_range);
        tcase_add_test(t, no_two_apps_share_a_range);
        tcase_add_test(t, a_taken_place_is_passed_over);
        tcase_add_test(t, a_large_range_takes_whole_places);
        tcase_add_test(t, what_is_released_leaves_no_file);
        tcase_add_test(t, what_cannot_be_is_refused);
        suite_add_tcase(s, t);
        return suite_run(s);
}
