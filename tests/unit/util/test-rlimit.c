/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/resource.h>

#include "suite.h"
#include "util/rlimit.h"

START_TEST(names_are_taken_with_and_without_prefix) {
        ck_assert_int_eq(rlimit_from_name("nofile"), RLIMIT_NOFILE);
        ck_assert_int_eq(rlimit_from_name("rlimit_core"), RLIMIT_CORE);
        ck_assert_int_lt(rlimit_from_name("nofiles"), 0);
        ck_assert_str_eq(rlimit_near("nofiles"), "nofile");
}
END_TEST

START_TEST(every_limit_has_a_name) {
        for (int i = 0; i < RLIM_NLIMITS; i++)
                ck_assert_int_eq(rlimit_from_name(rlimit_name(i)), i);
        ck_assert_ptr_null(rlimit_name(RLIM_NLIMITS));
}
END_TEST

int main(void) {
        Suite *s = suite_create("rlimit");
        TCase *t = tcase_create("rlimit");

        suite_add_tcase(s, t);
        tcase_add_test(t, names_are_taken_with_and_without_prefix);
        tcase_add_test(t, every_limit_has_a_name);
        return suite_run(s);
}
