/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dns.h"
#include "suite.h"
#include "temporary.h"
#include "util/strv.h"

static char directory[] = "/tmp/test-name.XXXXXX";

static void setup(void) {
        temporary_make(directory);
}

static void teardown(void) {
        temporary_remove();
}

static Address address(const char *text) {
        Address a = { 0 };

        ck_assert_int_ge(address_parse(text, &a), 0);
        return a;
}

static const char *normal(const char *name) {
        static char text[NAME_SIZE_MAX];

        return name_normalize(name, text) < 0 ? NULL : text;
}

START_TEST(names_are_made_plain_or_refused) {
        char label[80] = "", name[NAME_SIZE_MAX + 16] = "";

        ck_assert_str_eq(normal("Web"), "web");
        ck_assert_str_eq(normal("web.Berth."), "web");
        ck_assert_str_eq(normal("a-b_1.shop"), "a-b_1.shop");
        ck_assert_str_eq(normal("berth"), "berth");
        ck_assert_ptr_null(normal(""));
        ck_assert_ptr_null(normal("."));
        ck_assert_ptr_null(normal(".."));
        ck_assert_ptr_null(normal(".web"));
        ck_assert_ptr_null(normal("a..b"));
        ck_assert_ptr_null(normal("a/b"));
        ck_assert_ptr_null(normal("a b"));
        memset(label, 'a', 63);
        ck_assert_ptr_nonnull(normal(label));
        memset(label, 'a', 64);
        ck_assert_ptr_null(normal(label));
        for (int i = 0; i <= NAME_SIZE_MAX; i++)
                name[i] = i % 2 ? '.' : 'a';
        ck_assert_ptr_null(normal(name));
}
END_TEST

START_TEST(a_name_has_the_addresses_of_all_who_are_up) {
        Address a = address("10.1.2.3"), b = address("fd00::1"), found[NAME_ADDRESSES_MAX];
        char path[64];

        ck_assert_uint_eq(name_lookup(directory, "net", "web", found), 0);
        ck_assert_int_ge(name_publish(directory, "net", "web", &a), 0);
        ck_assert_int_ge(name_publish(directory, "net", "web", &a), 0);
        ck_assert_uint_eq(name_lookup(directory, "net", "web", found), 1);
        ck_assert(address_equal(found, &a));
        ck_assert_int_ge(name_publish(directory, "other", "web", &b), 0);
        ck_assert_uint_eq(name_lookup(directory, "net", "web", found), 1);
        ck_assert_uint_eq(name_lookup(directory, NULL, "web", found), 2);
        ck_assert_int_ge(name_publish(directory, "net", "web", &b), 0);
        name_withdraw(directory, "net", "web", &a);
        ck_assert_uint_eq(name_lookup(directory, "net", "web", found), 1);
        ck_assert(address_equal(found, &b));
        name_withdraw(directory, "net", "web", &b);
        name_withdraw(directory, "net", "web", &b);
        ck_assert_uint_eq(name_lookup(directory, "net", "web", found), 0);
        snprintf(path, sizeof(path), "%s/net/web", directory);
        ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(all_names_of_an_address_are_withdrawn_at_once) {
        Address a = address("10.1.2.3"), b = address("10.1.2.4"), found[NAME_ADDRESSES_MAX];

        name_withdraw_all(directory, "net", &a); /* a network that is not there */
        ck_assert_int_ge(name_publish(directory, "net", "web", &a), 0);
        ck_assert_int_ge(name_publish(directory, "net", "web", &b), 0);
        ck_assert_int_ge(name_publish(directory, "net", "shop", &a), 0);
        ck_assert_int_ge(name_publish(directory, "other", "web", &a), 0);
        name_withdraw_all(directory, "net", &a);
        ck_assert_uint_eq(name_lookup(directory, "net", "shop", found), 0);
        ck_assert_uint_eq(name_lookup(directory, "net", "web", found), 1);
        ck_assert(address_equal(found, &b));
        ck_assert_uint_eq(name_lookup(directory, "other", "web", found), 1);
}
END_TEST

/* web.shop, A or what type says, with the flags of RFC 1035 that dig(1) sets. */
static size_t query_make(uint16_t type, uint8_t *out) {
        static const uint8_t start[] = { 0x12, 0x34, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w', 'E', 'b', 4, 's', 'h', 'o', 'p', 0 };

        memcpy(out, start, sizeof(start));
        memcpy(out + sizeof(start), ((uint8_t[]){ 0, (uint8_t) type, 0, 1 }), 4);
        return sizeof(start) + 4;
}

START_TEST(questions_are_read_and_nothing_else) {
        uint8_t m[64];
        size_t n = query_make(DNS_A, m);
        DnsQuery q;

        ck_assert_int_eq(dns_query_read(m, n, &q), 0);
        ck_assert_str_eq(q.name, "wEb.shop");
        ck_assert_uint_eq(q.type, DNS_A);
        ck_assert_uint_eq(q.end, n);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(dns_query_read(m, i, &q), -EBADMSG);
        m[2] |= 0x80;
        ck_assert_int_eq(dns_query_read(m, n, &q), -EBADMSG);
        n = query_make(DNS_A, m);
        m[2] |= 0x10;
        ck_assert_int_eq(dns_query_read(m, n, &q), -EOPNOTSUPP);
        n = query_make(DNS_A, m);
        m[12] = 0xc0; /* a pointer */
        ck_assert_int_eq(dns_query_read(m, n, &q), -EBADMSG);
        m[12] = 60; /* past the end */
        ck_assert_int_eq(dns_query_read(m, n, &q), -EBADMSG);
        n = query_make(DNS_A, m);
        m[5] = 2;
        ck_assert_int_eq(dns_query_read(m, n, &q), -EBADMSG);
}
END_TEST

START_TEST(answers_have_what_was_asked_for) {
        Address all[] = { address("10.1.2.3"), address("fd00::1"), address("10.1.2.4") };
        uint8_t m[64], out[DNS_UDP_SIZE];
        size_t n = query_make(DNS_A, m), size;
        DnsQuery q;

        ck_assert_int_eq(dns_query_read(m, n, &q), 0);
        size = dns_answer(m, &q, all, ELEMENTSOF(all), out, sizeof(out));
        ck_assert_uint_eq(size, n + 2 * 16);
        ck_assert_mem_eq(out, ((uint8_t[]){ 0x12, 0x34, 0x85, 0x80, 0, 1, 0, 2, 0, 0, 0, 0 }), 12);
        ck_assert_mem_eq(out + n, ((uint8_t[]){ 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 1, 2, 3 }), 16);
        ck_assert_uint_eq(out[size - 1], 4);
        q.type = DNS_AAAA;
        ck_assert_uint_eq(dns_answer(m, &q, all, ELEMENTSOF(all), out, sizeof(out)), n + 28);
        q.type = DNS_ANY;
        ck_assert_uint_eq(dns_answer(m, &q, all, ELEMENTSOF(all), out, sizeof(out)), n + 28 + 2 * 16);
        /* There is such a name, but nothing of this type. */
        q.type = 16;
        ck_assert_uint_eq(dns_answer(m, &q, all, ELEMENTSOF(all), out, sizeof(out)), n);
        ck_assert_uint_eq(out[3] & 15, DNS_NO_ERROR);
        ck_assert_uint_eq(dns_answer_code(m, &q, DNS_NO_SUCH_NAME, out), n);
        ck_assert_uint_eq(out[3] & 15, DNS_NO_SUCH_NAME);
        ck_assert_uint_eq(dns_answer_code(m, NULL, DNS_FORMAT_ERROR, out), DNS_HEADER_SIZE);
        ck_assert_uint_eq(out[5], 0);
}
END_TEST

START_TEST(an_answer_that_is_too_long_is_cut_and_says_so) {
        Address all[NAME_ADDRESSES_MAX];
        uint8_t m[64], out[DNS_UDP_SIZE];
        size_t n = query_make(DNS_A, m), size;
        DnsQuery q;

        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                all[i] = address("10.0.0.0");
                all[i].bytes[3] = (uint8_t) i;
        }
        ck_assert_int_eq(dns_query_read(m, n, &q), 0);
        size = dns_answer(m, &q, all, ELEMENTSOF(all), out, sizeof(out));
        ck_assert_uint_le(size, sizeof(out));
        ck_assert_uint_gt(size, sizeof(out) - 16);
        ck_assert_uint_eq(out[2] & 2, 2);
        ck_assert_uint_eq((size - n) / 16, (size_t) out[6] << 8 | out[7]);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("name");
        TCase *t = tcase_create("name");

        suite_add_tcase(suite, t);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, names_are_made_plain_or_refused);
        tcase_add_test(t, a_name_has_the_addresses_of_all_who_are_up);
        tcase_add_test(t, all_names_of_an_address_are_withdrawn_at_once);
        tcase_add_test(t, questions_are_read_and_nothing_else);
        tcase_add_test(t, answers_have_what_was_asked_for);
        tcase_add_test(t, an_answer_that_is_too_long_is_cut_and_says_so);
        return suite_run(suite);
}
