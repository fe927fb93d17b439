/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image/tar-extended.h"
#include "image/tar-header.h"
#include "suite.h"

static const struct {
        const char *text;
        int64_t seconds;
        long nanoseconds;
} times[] = {
        { "0",                      0,                   0         },
        { "1000000000.5",           1000000000,          500000000 },
        { "1.123456789999",         1,                   123456789 },
        { "1.",                     1,                   0         },
        { "-1",                     -1,                  0         },
        { "-1.5",                   -2,                  500000000 },
        { "-0.25",                  -1,                  750000000 },
        { "-0.0",                   0,                   0         },
        { "9223372036854775807.9",  INT64_MAX,           900000000 },
        { "-9223372036854775807.5", -INT64_MAX - 1,      500000000 },
};

START_TEST(times_have_fractions_on_both_sides_of_1970) {
        struct timespec t;

        ck_assert_int_eq(tar_time_parse(times[_i].text, &t), 0);
        ck_assert_int_eq(t.tv_sec, times[_i].seconds);
        ck_assert_int_eq(t.tv_nsec, times[_i].nanoseconds);
}
END_TEST

static const char *const bad_times[] = { "", "-", ".5", "-.5", "1e9", " 1", "1 ", "1.5x", "1.-5", "--1", "9223372036854775808",
        "100000000000000000000000000000" };

START_TEST(what_is_no_time_is_refused) {
        struct timespec t;

        ck_assert_int_eq(tar_time_parse(bad_times[_i], &t), -EBADMSG);
}
END_TEST

static const struct {
        char field[12];
        int64_t number;
} numbers[] = {
        { "00000000644",                                    0644               },
        { "   644 ",                                        0644               },
        { "777777777777",                                   0777777777777      },
        { "",                                               0                  },
        { "\0     1",                                       1                  },
        { "17 hello",                                       15                 },
        { "\x80\0\0\0\0\0\0\0\0\0\1\2",                     258                },
        { "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",     INT64_MAX          },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", -1               },
        { "\xff\xff\xff\xff\x80\0\0\0\0\0\0\0",             -INT64_MAX - 1     },
};

START_TEST(numbers_are_octal_or_binary) {
        int64_t n;

        ck_assert_int_eq(tar_number_parse((const uint8_t *) numbers[_i].field, 12, &n), 0);
        ck_assert_int_eq(n, numbers[_i].number);
}
END_TEST

static const char bad_numbers[][12] = { "           ", "hello", "-1", "18", "0x10", "\x80\0\0\0\x80\0\0\0\0\0\0\0",
        "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff" };

START_TEST(what_is_no_number_is_refused) {
        int64_t n;

        ck_assert_int_eq(tar_number_parse((const uint8_t *) bad_numbers[_i], _i == 0 ? 11 : 12, &n), -EBADMSG);
}
END_TEST

int main(void) {
        Suite *s = suite_create("tar");
        TCase *t = tcase_create("tar");

        tcase_add_loop_test(t, times_have_fractions_on_both_sides_of_1970, 0, ELEMENTSOF(times));
        tcase_add_loop_test(t, what_is_no_time_is_refused, 0, ELEMENTSOF(bad_times));
        tcase_add_loop_test(t, numbers_are_octal_or_binary, 0, ELEMENTSOF(numbers));
        tcase_add_loop_test(t, what_is_no_number_is_refused, 0, ELEMENTSOF(bad_numbers));
        suite_add_tcase(s, t);
        return suite_run(s);
}
