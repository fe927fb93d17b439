/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "suite.h"
#include "util/capability.h"

START_TEST(names_are_taken_with_and_without_prefix) {
        ck_assert_int_eq(capability_from_name("CAP_NET_ADMIN"), 12);
        ck_assert_int_eq(capability_from_name("net_admin"), 12);
        ck_assert_int_eq(capability_from_name("CAP_CHECKPOINT_RESTORE"), 40);
        ck_assert_int_lt(capability_from_name("CAP_"), 0);
        ck_assert_int_lt(capability_from_name(""), 0);
}
END_TEST

START_TEST(slips_of_the_pen_are_found) {
        ck_assert_str_eq(capability_near("CAP_NET_ADMNI"), "CAP_NET_ADMIN");
        ck_assert_str_eq(capability_near("sys_admn"), "CAP_SYS_ADMIN");
        ck_assert_ptr_null(capability_near("pineapple"));
}
END_TEST

START_TEST(every_number_has_a_name) {
        for (int n = 0; n <= CAP_LAST_CAP; n++)
                ck_assert_int_eq(capability_from_name(capability_name(n)), n);
        ck_assert_ptr_null(capability_name(63));
        ck_assert_uint_eq(CAPABILITIES_DEFAULT, 0x800405fb);
}
END_TEST

int main(void) {
        Suite *s = suite_create("capability");
        TCase *t = tcase_create("capability");

        suite_add_tcase(s, t);
        tcase_add_test(t, names_are_taken_with_and_without_prefix);
        tcase_add_test(t, slips_of_the_pen_are_found);
        tcase_add_test(t, every_number_has_a_name);
        return suite_run(s);
}
