/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "suite.h"
#include "util/buf.h"
#include "util/error.h"

START_TEST(buf_is_always_terminated) {
        _cleanup_buf_ Buf b = BUF_INIT;

        ck_assert_int_eq(buf_append(&b, "a\0b", 3), 0);
        ck_assert_uint_eq(b.size, 3);
        ck_assert_int_eq(b.data[3], 0);
        for (int i = 0; i < 1000; i++)
                ck_assert_int_eq(buf_printf(&b, "%d,", i), 0);
        ck_assert_int_eq(b.data[b.size], 0);
        ck_assert_mem_eq(b.data, "a\0b0,1,2,", 9);
}
END_TEST

START_TEST(buf_steal_leaves_an_empty_buffer) {
        _cleanup_buf_ Buf b = BUF_INIT;
        _cleanup_free_ char *empty = buf_steal(&b), *text = NULL;

        ck_assert_str_eq(empty, "");
        ck_assert_int_eq(buf_puts(&b, "text"), 0);
        text = buf_steal(&b);
        ck_assert_str_eq(text, "text");
        ck_assert_ptr_null(b.data);
        ck_assert_uint_eq(b.size, 0);
}
END_TEST

START_TEST(buf_reserve_refuses_to_overflow) {
        _cleanup_buf_ Buf b = BUF_INIT;

        ck_assert_int_eq(buf_puts(&b, "x"), 0);
        ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), -ENOMEM);
        ck_assert_int_eq(buf_reserve(&b, SIZE_MAX - 1), -ENOMEM);
        ck_assert_str_eq(b.data, "x");
}
END_TEST

START_TEST(error_is_one_sentence) {
        Error e;

        ck_assert_int_eq(error_set_errno(&e, -ENOSPC, "cannot mount layer %s", "a\nb"), -ENOSPC);
        ck_assert_str_eq(e.text, "cannot mount layer a b: No space left on device");
        ck_assert_int_eq(error_prefix(&e, "App '%s'", "shop"), -ENOSPC);
        ck_assert_str_eq(e.text, "App 'shop': cannot mount layer a b: No space left on device");
        ck_assert_int_eq(error_set(NULL, -EINVAL, "nobody listens"), -EINVAL);
}
END_TEST

START_TEST(error_is_cut_where_it_is_too_long) {
        static char long_text[3 * ERROR_TEXT_MAX];
        Error e;

        memset(long_text, 'x', sizeof(long_text) - 1);
        error_set_errno(&e, -EIO, "%s", long_text);
        ck_assert_uint_eq(strlen(e.text), ERROR_TEXT_MAX - 1);
        error_prefix(&e, "%s", long_text);
        ck_assert_uint_lt(strlen(e.text), ERROR_TEXT_MAX);
}
END_TEST

int main(void) {
        Suite *s = suite_create("text");
        TCase *t = tcase_create("text");

        suite_add_tcase(s, t);
        tcase_add_test(t, buf_is_always_terminated);
        tcase_add_test(t, buf_steal_leaves_an_empty_buffer);
        tcase_add_test(t, buf_reserve_refuses_to_overflow);
        tcase_add_test(t, error_is_one_sentence);
        tcase_add_test(t, error_is_cut_where_it_is_too_long);
        return suite_run(s);
}
