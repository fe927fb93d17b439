/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "suite.h"
#include "util/nearest.h"

START_TEST(str_distance_counts_edits) {
        ck_assert_uint_eq(str_distance("Image", "Imgae"), 1);
        ck_assert_uint_eq(str_distance("image", "IMAGE"), 0);
        ck_assert_uint_eq(str_distance("", "abc"), 3);
        ck_assert_uint_eq(str_distance("list", "lists"), 1);
        ck_assert_uint_eq(str_distance("Exec", "Volume"), 6);
}
END_TEST

static const char *near(const char *wanted) {
        static const char *const names[] = { "Image", "Exec", "Environment", "EnvironmentFile", "id" };
        Nearest n = NEAREST_INIT(wanted);

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                nearest_try(&n, names[i], names[i]);
        return nearest_found(&n);
}

START_TEST(a_slip_of_the_pen_has_a_nearest_name) {
        ck_assert_str_eq(near("Imgae"), "Image");
        ck_assert_str_eq(near("exce"), "Exec");
        ck_assert_str_eq(near("Enviroment"), "Environment");
        ck_assert_str_eq(near("EnvironmentFlie"), "EnvironmentFile");
}
END_TEST

START_TEST(what_is_far_from_all_has_none) {
        Nearest none = NEAREST_INIT("x");

        ck_assert_ptr_null(near("Volume"));
        ck_assert_ptr_null(near("x"));
        ck_assert_ptr_null(near(""));
        ck_assert_ptr_null(nearest_found(&none));
}
END_TEST

int main(void) {
        Suite *s = suite_create("nearest");
        TCase *t = tcase_create("nearest");

        suite_add_tcase(s, t);
        tcase_add_test(t, str_distance_counts_edits);
        tcase_add_test(t, a_slip_of_the_pen_has_a_nearest_name);
        tcase_add_test(t, what_is_far_from_all_has_none);
        return suite_run(s);
}
