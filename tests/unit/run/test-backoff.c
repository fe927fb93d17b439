/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run/backoff.h"
#include "suite.h"

#define MS ((uint64_t) 1000)
#define SECOND (1000 * MS)
#define START (100 * SECOND) /* the clock at the first end */

START_TEST(at_once_and_then_with_pauses_that_double) {
        static const uint64_t expected[] = { 0, 100 * MS, 200 * MS, 400 * MS, 800 * MS, 1600 * MS, 3200 * MS, 6400 * MS, 12800 * MS,
                25600 * MS, 51200 * MS, 60 * SECOND, 60 * SECOND };
        Spec spec = { 0 };
        Backoff b = { 0 };

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                ck_assert(backoff_next(&b, &spec, START, 1 * MS));
                ck_assert_uint_eq(b.delay_usec, expected[i]);
        }
}
END_TEST

START_TEST(restart_sec_is_the_least_and_the_first) {
        Spec spec = { .restart_sec = { .set = true, .value = 3 * SECOND } };
        Backoff b = { 0 };

        for (uint64_t expected = 3 * SECOND; expected < 60 * SECOND; expected *= 2) {
                ck_assert(backoff_next(&b, &spec, START, 0));
                ck_assert_uint_eq(b.delay_usec, expected);
        }
        ck_assert(backoff_next(&b, &spec, START, 0));
        ck_assert_uint_eq(b.delay_usec, 60 * SECOND);
        spec.restart_sec.value = 90 * SECOND; /* who wants it longer has it longer */
        ck_assert(backoff_next(&b, &spec, START, 0));
        ck_assert_uint_eq(b.delay_usec, 90 * SECOND);
}
END_TEST

START_TEST(a_quiet_time_begins_it_anew) {
        Spec spec = { 0 };
        Backoff b = { 0 };

        for (unsigned i = 0; i < 4; i++)
                ck_assert(backoff_next(&b, &spec, START, 0));
        ck_assert_uint_eq(b.delay_usec, 400 * MS);
        ck_assert(backoff_next(&b, &spec, START, 10 * SECOND)); /* not long enough after such a pause */
        ck_assert_uint_eq(b.delay_usec, 800 * MS);
        ck_assert(backoff_next(&b, &spec, START, 11 * SECOND));
        ck_assert_uint_eq(b.delay_usec, 0);
}
END_TEST

START_TEST(too_many_ends_in_the_interval_are_the_last) {
        Spec spec = { .start_limit_interval = { .set = true, .value = 10 * SECOND }, .start_limit_burst = { .set = true, .value = 3 } };
        Backoff b = { 0 };

        for (unsigned k = 0; k < 3; k++) {
                uint64_t begin = START + k * 100 * SECOND; /* each time another interval */

                ck_assert(backoff_next(&b, &spec, begin, 0));
                ck_assert(backoff_next(&b, &spec, begin + 5 * SECOND, 0));
        }
        ck_assert(!backoff_next(&b, &spec, START + 210 * SECOND, 0));
}
END_TEST

START_TEST(without_burst_or_with_no_interval_there_is_no_limit) {
        Spec spec = { .start_limit_interval = { .set = true, .value = 10 * SECOND } };
        Backoff b = { 0 };

        for (unsigned k = 0; k < 100; k++)
                ck_assert(backoff_next(&b, &spec, START, 0));
        spec = (Spec){ .start_limit_interval = { .set = true }, .start_limit_burst = { .set = true, .value = 1 } };
        ck_assert(backoff_next(&b, &spec, START, 0));
}
END_TEST

int main(void) {
        Suite *s = suite_create("backoff");
        TCase *t = tcase_create("backoff");

        tcase_add_test(t, at_once_and_then_with_pauses_that_double);
        tcase_add_test(t, restart_sec_is_the_least_and_the_first);
        tcase_add_test(t, a_quiet_time_begins_it_anew);
        tcase_add_test(t, too_many_ends_in_the_interval_are_the_last);
        tcase_add_test(t, without_burst_or_with_no_interval_there_is_no_limit);
        suite_add_tcase(s, t);
        return suite_run(s);
}
