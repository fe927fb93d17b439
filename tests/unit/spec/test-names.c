/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include "scratch.h"
#include "spec/names.h"

START_TEST(names_are_taken_with_and_without_prefix) {
        ck_assert_int_eq(signal_from_name("SIGTERM"), SIGTERM);
        ck_assert_int_eq(signal_from_name("hup"), SIGHUP);
        ck_assert_int_eq(signal_from_name("15"), 15);
        ck_assert_int_eq(signal_from_name("SIGRTMIN+3"), SIGRTMIN + 3);
        ck_assert_int_eq(signal_from_name("RTMAX-1"), SIGRTMAX - 1);
        ck_assert_int_lt(signal_from_name("0"), 0);
        ck_assert_int_lt(signal_from_name("65"), 0);
        ck_assert_int_lt(signal_from_name("SIGRTMIN+99"), 0);
        ck_assert_int_eq(exit_status_from_name("DATAERR"), 65);
        ck_assert_int_eq(exit_status_from_name("255"), 255);
        ck_assert_int_lt(exit_status_from_name("256"), 0);
}
END_TEST

START_TEST(slips_of_the_pen_are_found) {
        ck_assert_str_eq(signal_near("SIGTREM"), "SIGTERM");
}
END_TEST

static void span(const char *text, uint64_t usec) {
        uint64_t v = 0;

        ck_assert_int_eq(parse_timespan(text, &v), 0);
        ck_assert_uint_eq(v, usec);
}

START_TEST(time_spans_are_those_of_systemd) {
        static const char *const bad[] = { "", "s", "1 parsec", "-1", "1..5", ".", "1.", "99999999999999999999", "5 s x" };
        uint64_t v;

        span("50", 50000000);
        span("2min 200ms", 120200000);
        span("1h30m", 5400000000);
        span("1.5", 1500000);
        span("0.5min", 30000000);
        span(" 3 s ", 3000000);
        span("1w1d", 691200000000);
        span("7us", 7);
        span("infinity", SPEC_INFINITY);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(parse_timespan(bad[i], &v) < 0, "%s", bad[i]);
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, names_are_taken_with_and_without_prefix);
        tcase_add_test(t, slips_of_the_pen_are_found);
        tcase_add_test(t, time_spans_are_those_of_systemd);
}

int main(void) {
        return scratch_run("names", add);
}
