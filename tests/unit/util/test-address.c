/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>

#include "suite.h"
#include "util/address.h"

static Subnet subnet(const char *text) {
        Subnet s;

        ck_assert_msg(subnet_parse(text, &s) == 0, "%s", text);
        return s;
}

static Address address(const char *text) {
        Address a;

        ck_assert_msg(address_parse(text, &a) == 0, "%s", text);
        return a;
}

START_TEST(texts_are_read_and_written) {
        static const char *const wrong[] = { "", "1.2.3", "1.2.3.4/24", "::g", "1.2.3.4.5", "01.2.3.4.5" };
        static const char *const wrong_subnets[] = { "", "/", "1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "::1/129", "::/0x10", "x/8" };
        Address a;
        Subnet s;

        a = address("192.0.2.1");
        ck_assert_int_eq(a.family, AF_INET);
        ck_assert_str_eq(address_text(&a).text, "192.0.2.1");
        a = address("FD00:0::01");
        ck_assert_int_eq(a.family, AF_INET6);
        ck_assert_str_eq(address_text(&a).text, "fd00::1");
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                ck_assert_int_eq(address_parse(wrong[i], &a), -EINVAL);
        for (size_t i = 0; i < ELEMENTSOF(wrong_subnets); i++)
                ck_assert_msg(subnet_parse(wrong_subnets[i], &s) == -EINVAL, "%s", wrong_subnets[i]);
}
END_TEST

START_TEST(bits_of_hosts_are_dropped) {
        static const char *const pairs[][2] = {
                { "10.1.2.3/0", "0.0.0.0/0" },     { "10.1.2.255/25", "10.1.2.128/25" }, { "10.1.2.3/32", "10.1.2.3/32" },
                { "255.255.255.255/9", "255.128.0.0/9" }, { "fd00::ffff:1/64", "fd00::/64" }, { "fd00:0:0:3::/63", "fd00:0:0:2::/63" },
        };

        for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
                Subnet s = subnet(pairs[i][0]);

                ck_assert_str_eq(subnet_text(&s).text, pairs[i][1]);
        }
}
END_TEST

START_TEST(a_subnet_has_its_addresses_and_overlaps) {
        Subnet s = subnet("10.1.2.0/23"), inner = subnet("10.1.3.0/24"), outer = subnet("10.0.0.0/8"), other = subnet("10.1.4.0/24"), six = subnet("::/0");
        Address in = address("10.1.3.255"), out = address("10.1.4.0"), v6 = address("::1");

        ck_assert(subnet_has(&s, &in) && !subnet_has(&s, &out) && !subnet_has(&s, &v6) && subnet_has(&six, &v6));
        ck_assert(subnet_overlaps(&s, &inner) && subnet_overlaps(&inner, &s) && subnet_overlaps(&s, &outer) && subnet_overlaps(&outer, &s));
        ck_assert(!subnet_overlaps(&s, &other) && !subnet_overlaps(&six, &outer) && !subnet_overlaps(&outer, &six));
}
END_TEST

START_TEST(addresses_are_numbered) {
        Subnet s = subnet("10.1.254.0/23"), six = subnet("fd00::/64"), one = subnet("10.0.0.1/32");
        Address a = subnet_at(&s, 257), far = address("fd00::1:0:0:0"), near = address("fd00::ffff:ffff:ffff");

        ck_assert_uint_eq(subnet_addresses(&s), 512);
        ck_assert_uint_eq(subnet_addresses(&one), 1);
        ck_assert_uint_eq(subnet_addresses(&six), SUBNET_ADDRESSES_MAX);
        ck_assert_str_eq(address_text(&a).text, "10.1.255.1");
        for (uint64_t n = 0; n < 512; n++) {
                a = subnet_at(&s, n);
                ck_assert(subnet_has(&s, &a));
                ck_assert_uint_eq(subnet_number(&s, &a), n);
        }
        a = subnet_at(&six, SUBNET_ADDRESSES_MAX - 1);
        ck_assert(address_equal(&a, &near));
        ck_assert_uint_eq(subnet_number(&six, &near), SUBNET_ADDRESSES_MAX - 1);
        ck_assert_uint_eq(subnet_number(&six, &far), UINT64_MAX); /* in it, but past what is counted */
        a = address("10.2.0.0");
        ck_assert_uint_eq(subnet_number(&s, &a), UINT64_MAX);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("address");
        TCase *t = tcase_create("address");

        tcase_add_test(t, texts_are_read_and_written);
        tcase_add_test(t, bits_of_hosts_are_dropped);
        tcase_add_test(t, a_subnet_has_its_addresses_and_overlaps);
        tcase_add_test(t, addresses_are_numbered);
        suite_add_tcase(suite, t);
        return suite_run(suite);
}
