/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "scratch.h"
#include "spec/lexer.h"
#include "util/buf.h"

static SpecSource source;
static SpecDiags diags;

static void lex_bytes(const char *text, size_t size) {
        char *raw = malloc(size + 1);

        memcpy(raw, text, size);
        raw[size] = 0;
        spec_source_clear(&source);
        spec_diags_clear(&diags);
        ck_assert_int_eq(spec_source_lex(&source, "x.container", raw, size, SPEC_ASSIGNMENTS_MAX, &diags), 0);
}

static void lex(const char *text) {
        lex_bytes(text, strlen(text));
}

static void drop(void) {
        spec_source_clear(&source);
        spec_diags_clear(&diags);
}

static void expect(size_t i, const char *key, const char *value, unsigned line, unsigned column) {
        ck_assert_uint_lt(i, source.n_lines);
        if (key)
                ck_assert_str_eq(source.lines[i].key, key);
        else
                ck_assert_ptr_null(source.lines[i].key);
        ck_assert_str_eq(source.lines[i].value, value);
        ck_assert_uint_eq(source.lines[i].line, line);
        ck_assert_uint_eq(source.lines[i].column, column);
}

static void wrong(const char *text, unsigned line, unsigned column, const char *what) {
        lex(text);
        ck_assert_uint_eq(diags.n, 1);
        ck_assert_str_eq(diags.items[0].text, what);
        ck_assert_uint_eq(diags.items[0].line, line);
        ck_assert_uint_eq(diags.items[0].column, column);
}

START_TEST(white_space_around_keys_values_and_headers_goes_away) {
        lex("  [A]\t\n\t Key \t=  a  b \t\n[B]\nKey=\nX==\n");
        ck_assert_uint_eq(diags.n, 0);
        ck_assert_uint_eq(source.n_lines, 5);
        expect(0, NULL, "A", 1, 3);
        expect(1, "Key", "a  b", 2, 3);
        expect(2, NULL, "B", 3, 1);
        expect(3, "Key", "", 4, 1);
        expect(4, "X", "=", 5, 1);
        ck_assert_uint_eq(source.lines[1].section, 0);
        ck_assert_uint_eq(source.lines[4].section, 2);
}
END_TEST

START_TEST(comments_and_empty_lines_are_nothing) {
        lex("# a=b\n;[c]\n\n  # d\n[A]\nK=#1;2\n");
        ck_assert_uint_eq(source.n_lines, 2);
        expect(1, "K", "#1;2", 6, 1);
}
END_TEST

START_TEST(a_backslash_joins_lines_around_comments) {
        lex("[A]\nK=1\\\n# no\n; no\n  2\\\n\nL=3\n");
        ck_assert_uint_eq(diags.n, 0);
        expect(1, "K", "1   2", 2, 1);
        expect(2, "L", "3", 7, 1);
        /* Two backslashes are one that is escaped; three join. */
        lex("[A]\nK=1\\\\\nL=2\\\\\\\n3\n");
        expect(1, "K", "1\\\\", 2, 1);
        expect(2, "L", "2\\\\ 3", 3, 1);
        /* At the end of the file there is nothing to join. */
        lex("[A]\nK=1\\");
        expect(1, "K", "1", 2, 1);
}
END_TEST

START_TEST(lines_end_in_all_the_ways_that_systemd_knows) {
        lex("[A]\r\nK=1\rL=2\n\rM=3");
        ck_assert_uint_eq(source.n_lines, 4);
        expect(1, "K", "1", 2, 1);
        expect(2, "L", "2", 3, 1);
        expect(3, "M", "3", 4, 1);
}
END_TEST

START_TEST(a_byte_order_mark_at_the_start_is_skipped) {
        lex("\xef\xbb\xbf[A]\nK=\xc3\xa9\n");
        ck_assert_uint_eq(diags.n, 0);
        expect(1, "K", "\xc3\xa9", 2, 1);
}
END_TEST

START_TEST(every_byte_knows_where_it_was_written) {
        SpecCursor cursor = { 0 };
        const SpecLine *l;

        lex("[A]\n  K = ab \\\n# no\n   cd\\\n e\n");
        l = &source.lines[1];
        ck_assert_str_eq(l->value, "ab     cd  e");
        spec_source_locate(&source, l, strchr(l->value, 'b'), &cursor);
        ck_assert_uint_eq(cursor.line, 2);
        ck_assert_uint_eq(cursor.column, 8);
        spec_source_locate(&source, l, strchr(l->value, 'd'), &cursor);
        ck_assert_uint_eq(cursor.line, 4);
        ck_assert_uint_eq(cursor.column, 5);
        spec_source_locate(&source, l, strchr(l->value, 'e'), &cursor);
        ck_assert_uint_eq(cursor.line, 5);
        ck_assert_uint_eq(cursor.column, 2);
        /* A key may be joined, too. */
        lex("[A]\nK\\\n\\\n= v\n");
        cursor = (SpecCursor){ 0 };
        spec_source_locate(&source, &source.lines[1], source.lines[1].value, &cursor);
        ck_assert_str_eq(source.lines[1].value, "v");
        ck_assert_uint_eq(cursor.line, 4);
        ck_assert_uint_eq(cursor.column, 3);
}
END_TEST

START_TEST(places_may_be_asked_for_backwards) {
        SpecCursor cursor = { 0 };
        const SpecLine *l;

        lex("[A]\n  K = ab \\\n# no\n   cd\\\n e\n");
        l = &source.lines[1];
        spec_source_locate(&source, l, strchr(l->value, 'e'), &cursor);
        spec_source_locate(&source, l, l->value, &cursor);
        ck_assert_uint_eq(cursor.line, 2);
        ck_assert_uint_eq(cursor.column, 7);
}
END_TEST

START_TEST(what_is_wrong_is_said_with_its_place) {
        wrong("[A\nK=1\n", 1, 1, "section header without ']' at its end");
        ck_assert_uint_eq(source.n_lines, 0);
        wrong("\nK=1\n", 2, 1, "assignment outside of a section");
        wrong("[A]\n  foo\n", 2, 3, "neither a section header nor KEY=VALUE");
        wrong("[A]\n =foo\n", 2, 2, "missing key before '='");
        wrong("[A]\nK=\xff\n", 2, 1, "not valid UTF-8");
        wrong("[A\"b]\n", 1, 1, "section header has characters that are not allowed there");
        lex_bytes("[A]\nK=\0\n", 8);
        ck_assert_uint_eq(diags.n_errors, 1);
        ck_assert_uint_eq(source.n_lines, 0);
}
END_TEST

START_TEST(lines_longer_than_a_mebibyte_are_refused) {
        _cleanup_buf_ Buf b = BUF_INIT;

        ck_assert_int_eq(buf_reserve(&b, SPEC_LINE_MAX + 16), 0);
        ck_assert_int_eq(buf_puts(&b, "[A]\nK="), 0);
        memset(b.data + b.size, 'x', SPEC_LINE_MAX - 2);
        b.size += SPEC_LINE_MAX - 2;
        b.data[b.size] = 0;
        lex_bytes(b.data, b.size);
        ck_assert_uint_eq(diags.n, 0);
        ck_assert_uint_eq(strlen(source.lines[1].value), SPEC_LINE_MAX - 2);
        ck_assert_int_eq(buf_puts(&b, "\\\nx"), 0);
        lex_bytes(b.data, b.size);
        ck_assert_uint_eq(diags.n_errors, 1);
        ck_assert_str_eq(diags.items[0].text, "line is longer than 1 MiB");
}
END_TEST

START_TEST(too_many_lines_are_refused_once) {
        _cleanup_buf_ Buf b = BUF_INIT;

        ck_assert_int_eq(buf_puts(&b, "[A]\n"), 0);
        for (size_t i = 0; i < SPEC_ASSIGNMENTS_MAX + 5; i++)
                ck_assert_int_eq(buf_puts(&b, "K=\n"), 0);
        lex_bytes(b.data, b.size);
        ck_assert_uint_eq(diags.n_errors, 1);
        ck_assert_uint_eq(source.n_lines, SPEC_ASSIGNMENTS_MAX);
}
END_TEST

static void add(TCase *t) {
        tcase_add_checked_fixture(t, NULL, drop);
        tcase_add_test(t, white_space_around_keys_values_and_headers_goes_away);
        tcase_add_test(t, comments_and_empty_lines_are_nothing);
        tcase_add_test(t, a_backslash_joins_lines_around_comments);
        tcase_add_test(t, lines_end_in_all_the_ways_that_systemd_knows);
        tcase_add_test(t, a_byte_order_mark_at_the_start_is_skipped);
        tcase_add_test(t, every_byte_knows_where_it_was_written);
        tcase_add_test(t, places_may_be_asked_for_backwards);
        tcase_add_test(t, what_is_wrong_is_said_with_its_place);
        tcase_add_test(t, lines_longer_than_a_mebibyte_are_refused);
        tcase_add_test(t, too_many_lines_are_refused_once);
}

int main(void) {
        return scratch_run("lexer", add);
}
