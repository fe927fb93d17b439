/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "suite.h"
#include "util/strv.h"

static void size(const char *text, uint64_t bytes) {
        uint64_t v = 0;

        ck_assert_int_eq(parse_size(text, &v), 0);
        ck_assert_uint_eq(v, bytes);
}

START_TEST(sizes_are_podmans_and_systemds) {
        static const char *const bad[] = { "", "k", "12q", "1kk", "1ib", "-1", "1 k", "18446744073709551615", "99999999999E" };
        uint64_t v;

        size("512", 512);
        size("64m", 64ull << 20);
        size("512b", 512);
        size("20g", 20ull << 30);
        size("1.5K", 1536);
        size("1GiB", 1ull << 30);
        size("2MB", 2ull << 20);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(parse_size(bad[i], &v) < 0, "%s", bad[i]);
}
END_TEST

START_TEST(parse_u64_takes_the_whole_text_in_decimal) {
        uint64_t n = 7;

        ck_assert_int_eq(parse_u64("18446744073709551615", UINT64_MAX, &n), 0);
        ck_assert_uint_eq(n, UINT64_MAX);
        ck_assert_int_eq(parse_u64("11", 10, &n), -ERANGE);
        ck_assert_int_eq(parse_u64("18446744073709551616", UINT64_MAX, &n), -ERANGE);
        ck_assert_int_eq(parse_u64("0x10", 100, &n), -EINVAL);
        ck_assert_int_eq(parse_u64(" 1", 100, &n), -EINVAL);
        ck_assert_int_eq(parse_u64("1 ", 100, &n), -EINVAL);
        ck_assert_int_eq(parse_u64("", 100, &n), -EINVAL);
}
END_TEST

START_TEST(parse_boolean_knows_what_systemd_knows) {
        static const char *const yes[] = { "1", "yes", "Y", "true", "T", "on", "ON" };
        static const char *const no[] = { "0", "no", "N", "false", "F", "off" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                ck_assert_int_eq(parse_boolean(yes[i]), 1);
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                ck_assert_int_eq(parse_boolean(no[i]), 0);
        ck_assert_int_lt(parse_boolean("2"), 0);
        ck_assert_int_lt(parse_boolean(""), 0);
}
END_TEST

START_TEST(strv_keeps_its_terminator) {
        _cleanup_strv_ char **v = NULL;

        ck_assert_uint_eq(strv_length(v), 0);
        ck_assert_int_eq(strv_append(&v, "one"), 0);
        ck_assert_int_eq(strv_consume(&v, strdup("two")), 0);
        ck_assert_int_eq(strv_appendf(&v, "%d", 3), 0);
        ck_assert_uint_eq(strv_length(v), 3);
        ck_assert_ptr_null(v[3]);
        ck_assert(strv_contains(v, "two"));
        ck_assert(!strv_contains(v, "tw"));
        _cleanup_strv_ char **copy = strv_copy(v);
        ck_assert_str_eq(copy[2], "3");
        ck_assert_ptr_ne(copy[2], v[2]);
        ck_assert(strv_equal(v, copy));
        ck_assert_int_eq(strv_append(&copy, "more"), 0);
        ck_assert(!strv_equal(v, copy));
        ck_assert(strv_equal(NULL, (char *[]){ NULL }));
}
END_TEST

/* However large it is and whoever has made it: the sanitizers watch. */
START_TEST(a_list_of_any_size_grows) {
        for (size_t n = 0; n < 20; n++) {
                _cleanup_strv_ char **v = calloc(n + 1, sizeof(char *)), **copy = NULL;

                for (size_t i = 0; i < n; i++)
                        v[i] = strdup("x");
                copy = strv_copy(v);
                ck_assert_int_eq(strv_append(&v, "y"), 0);
                ck_assert_int_eq(strv_append(&copy, "y"), 0);
                ck_assert_uint_eq(strv_length(v), n + 1);
                ck_assert(strv_equal(v, copy));
        }
}
END_TEST

START_TEST(str_after_and_ends_with) {
        ck_assert_str_eq(str_after("sha256:ab", "sha256:"), "ab");
        ck_assert_ptr_null(str_after("sha25", "sha256:"));
        ck_assert(str_ends_with("web.container", ".container"));
        ck_assert(!str_ends_with("web", ".container"));
}
END_TEST

START_TEST(strv_sort_orders_and_the_order_is_searched) {
        char *v[] = { (char *) "web", (char *) "", (char *) "db", (char *) "Web", NULL };

        strv_sort(NULL);
        strv_sort(v);
        ck_assert_str_eq(v[0], "");
        ck_assert_str_eq(v[1], "Web");
        ck_assert_str_eq(v[2], "db");
        ck_assert_str_eq(v[3], "web");
        ck_assert(strv_sorted_contains(v, 4, "web"));
        ck_assert(!strv_sorted_contains(v, 3, "web"));
        ck_assert(!strv_sorted_contains(NULL, 0, "web"));
}
END_TEST

START_TEST(strv_join_puts_the_separator_between) {
        _cleanup_free_ char *none = strv_join(NULL, ", "), *one = strv_join((char *[]){ (char *) "a", NULL }, ", ");
        _cleanup_free_ char *two = strv_join((char *[]){ (char *) "", (char *) "b", NULL }, ", ");

        ck_assert_str_eq(none, "");
        ck_assert_str_eq(one, "a");
        ck_assert_str_eq(two, ", b");
}
END_TEST

START_TEST(str_format_gives_nothing_where_it_fails) {
        _cleanup_free_ char *text = str_format("%s-%d", "web", 3);

        ck_assert_str_eq(text, "web-3");
        /* The C locale has no bytes for this letter: asprintf(3) fails, and leaves its pointer as it was. */
        ck_assert_ptr_null(str_format("%ls", L"\u20ac"));
}
END_TEST

/* The id range of an app comes from this hash: a change would move every app to other ids. */
START_TEST(hash_bytes_is_stable) {
        uint64_t a = hash_bytes("web", 3);

        ck_assert_uint_eq(a, hash_bytes("web", 3));
        ck_assert_uint_ne(a, hash_bytes("wec", 3));
        ck_assert_uint_ne(hash_bytes("", 0), hash_bytes("\0", 1));
}
END_TEST

int main(void) {
        Suite *s = suite_create("strv");
        TCase *t = tcase_create("strv");

        suite_add_tcase(s, t);
        tcase_add_test(t, sizes_are_podmans_and_systemds);
        tcase_add_test(t, parse_u64_takes_the_whole_text_in_decimal);
        tcase_add_test(t, parse_boolean_knows_what_systemd_knows);
        tcase_add_test(t, strv_keeps_its_terminator);
        tcase_add_test(t, a_list_of_any_size_grows);
        tcase_add_test(t, str_after_and_ends_with);
        tcase_add_test(t, strv_sort_orders_and_the_order_is_searched);
        tcase_add_test(t, strv_join_puts_the_separator_between);
        tcase_add_test(t, str_format_gives_nothing_where_it_fails);
        tcase_add_test(t, hash_bytes_is_stable);
        return suite_run(s);
}
