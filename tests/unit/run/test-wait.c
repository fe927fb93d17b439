/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/socket.h>

#include "run/listening.h"
#include "run/tail.h"
#include "suite.h"

static Tail *tail;

static void setup(void) {
        tail = tail_new();
        ck_assert_ptr_nonnull(tail);
}

static void teardown(void) {
        tail = tail_free(tail);
}

static void add(const char *line) {
        tail_add(tail, line, strlen(line));
}

START_TEST(what_was_written_last_is_told) {
        ck_assert_str_eq(tail_text(tail, 20), "");
        add("one");
        add("");
        add("three");
        ck_assert_str_eq(tail_text(tail, 20), "one\n\nthree\n");
        ck_assert_str_eq(tail_text(tail, 3), "one\n\nthree\n");
        ck_assert_str_eq(tail_text(tail, 2), "\nthree\n");
        ck_assert_str_eq(tail_text(tail, 1), "three\n");
        ck_assert_str_eq(tail_text(tail, 0), "");
}
END_TEST

START_TEST(of_much_the_end_is_kept) {
        char line[32], wanted[512] = "";

        for (int i = 0; i < 100000; i++) {
                snprintf(line, sizeof(line), "line %d", i);
                add(line);
                if (i >= 100000 - 20) {
                        strcat(wanted, line);
                        strcat(wanted, "\n");
                }
        }
        ck_assert_str_eq(tail_text(tail, 20), wanted);
        ck_assert_uint_ge(strlen(tail_text(tail, 100000)), TAIL_SIZE / 2);
}
END_TEST

START_TEST(of_a_long_line_the_end_is_kept) {
        static char line[5 * TAIL_SIZE];

        memset(line, 'x', sizeof(line));
        add("before");
        tail_add(tail, line, sizeof(line));
        ck_assert_uint_eq(strlen(tail_text(tail, 1)), TAIL_SIZE);
        line[0] = 'a';
        tail_add(tail, line, TAIL_SIZE - 1);
        ck_assert_uint_eq(strlen(tail_text(tail, 1)), TAIL_SIZE);
        ck_assert_int_eq(*tail_text(tail, 1), 'a');
        add("after");
        ck_assert_str_eq(tail_text(tail, 1), "after\n");
}
END_TEST

START_TEST(a_zero_byte_hides_nothing) {
        tail_add(tail, "a\0b\0", 4);
        add("c");
        ck_assert_str_eq(tail_text(tail, 20), "a b \nc\n");
}
END_TEST

START_TEST(where_nothing_is_kept_nothing_is_told) {
        tail_add(NULL, "x", 1);
        ck_assert_str_eq(tail_text(NULL, 20), "");
}
END_TEST

#define HEADINGS "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define REST " 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n"

/* As the kernel writes it on a machine with the least significant byte first. */
START_TEST(sockets_that_listen_are_told) {
        static const char ipv4[] = HEADINGS
                "   0: 0100007F:0BB8 00000000:0000 0A" REST
                "   1: 0100007F:9C40 0100007F:0BB8 01" REST /* a connection */
                "   2: 0B00007F:0035 00000000:0000 0A" REST /* the resolver */
                "   3: 00000000:0050 00000000:0000 0A" REST
                "nonsense\n";
        static const char ipv6[] = HEADINGS
                "   0: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 0A" REST
                "   1: 0000000000000000000000000000000:0035 00000000000000000000000000000000:0000 0A" REST; /* too short */
        _cleanup_buf_ Buf b = BUF_INIT;
        unsigned n = 0;

        ck_assert_int_eq(listening_parse(ipv4, AF_INET, &n, &b), 0);
        ck_assert_int_eq(listening_parse(ipv6, AF_INET6, &n, &b), 0);
        ck_assert_uint_eq(n, 3);
        ck_assert_str_eq(b.data, "127.0.0.1:3000, 0.0.0.0:80, [::1]:53");
}
END_TEST

START_TEST(a_table_without_sockets_tells_nothing) {
        _cleanup_buf_ Buf b = BUF_INIT;
        unsigned n = 0;

        ck_assert_int_eq(listening_parse("", AF_INET, &n, &b), 0);
        ck_assert_int_eq(listening_parse(HEADINGS, AF_INET, &n, &b), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_uint_eq(b.size, 0);
}
END_TEST

START_TEST(not_more_is_told_than_one_reads) {
        _cleanup_buf_ Buf table = BUF_INIT, b = BUF_INIT;
        unsigned n = 0;

        ck_assert_int_eq(buf_puts(&table, HEADINGS), 0);
        for (int i = 0; i < 1000; i++)
                ck_assert_int_eq(buf_puts(&table, "   2: 00000000:0050 00000000:0000 0A" REST), 0);
        ck_assert_int_eq(listening_parse(table.data, AF_INET, &n, &b), 0);
        ck_assert_uint_eq(n, LISTENING_MAX);
}
END_TEST

int main(void) {
        Suite *s = suite_create("wait");
        TCase *lines = tcase_create("lines"), *listening = tcase_create("listening");

        tcase_add_checked_fixture(lines, setup, teardown);
        tcase_add_test(lines, what_was_written_last_is_told);
        tcase_add_test(lines, of_much_the_end_is_kept);
        tcase_add_test(lines, of_a_long_line_the_end_is_kept);
        tcase_add_test(lines, a_zero_byte_hides_nothing);
        tcase_add_test(lines, where_nothing_is_kept_nothing_is_told);
        suite_add_tcase(s, lines);
        tcase_add_test(listening, sockets_that_listen_are_told);
        tcase_add_test(listening, a_table_without_sockets_tells_nothing);
        tcase_add_test(listening, not_more_is_told_than_one_reads);
        suite_add_tcase(s, listening);
        return suite_run(s);
}
