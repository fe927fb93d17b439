/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "net/lease.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

static char directory[] = "/tmp/test-lease.XXXXXX";
static int dir;
static const char *gone; /* an app that does not exist any more */

static void setup(void) {
        temporary_make(directory);
        dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(dir, 0);
        gone = NULL;
}

static void teardown(void) {
        fd_close(dir);
        temporary_remove();
}

static bool exists(const char *app) {
        return !gone || !streq(app, gone);
}

/* In 10.0.0.0/28, gateway .1; first and last are numbers. */
static int acquire(const char *app, const char *fixed, uint64_t first, uint64_t last, char ret[64], Error *e) {
        Address gateway, wanted, got;
        Subnet s;
        LeaseWish w = {
                .network = "net", .app = app, .instance = "1", .subnet = &s, .gateway = &gateway, .first = first, .last = last, .exists = exists,
                .fixed = fixed ? &wanted : NULL,
        };
        int r;

        ck_assert_int_eq(subnet_parse("10.0.0.0/28", &s), 0);
        ck_assert_int_eq(address_parse("10.0.0.1", &gateway), 0);
        ck_assert(!fixed || address_parse(fixed, &wanted) == 0);
        *e = (Error){ 0 };
        r = lease_acquire(dir, &w, &got, e);
        if (r == 0)
                (void) snprintf(ret, 64, "%s", address_text(&got).text);
        return r;
}

static const char *get(const char *app) {
        static char text[64];
        Error e;
        int r = acquire(app, NULL, 1, 14, text, &e);

        ck_assert_msg(r == 0, "%s: %s", app, e.text);
        return text;
}

static bool is_held(const char *address) {
        return faccessat(dir, address, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(an_instance_keeps_its_address) {
        char first[64];

        (void) snprintf(first, sizeof(first), "%s", get("shop"));
        for (unsigned i = 0; i < 5; i++) {
                char name[16];

                (void) snprintf(name, sizeof(name), "other%u", i);
                ck_assert_str_ne(get(name), first);
        }
        ck_assert_str_eq(get("shop"), first);
}
END_TEST

START_TEST(all_addresses_are_given_out_once_and_the_gateway_never) {
        char text[64], name[16];
        unsigned seen = 0;
        Error e;

        for (unsigned i = 0; i < 13; i++) {
                unsigned host;

                (void) snprintf(name, sizeof(name), "app%u", i);
                ck_assert_int_eq(sscanf(get(name), "10.0.0.%u", &host), 1);
                ck_assert(host >= 2 && host <= 14 && !(seen & 1U << host));
                seen |= 1U << host;
        }
        ck_assert_int_eq(acquire("late", NULL, 1, 14, text, &e), -EADDRNOTAVAIL);
        ck_assert_str_eq(e.text, "no address of 10.0.0.0/28 is free on network 'net'");
        gone = "app7";
        ck_assert_int_eq(acquire("late", NULL, 1, 14, text, &e), 0);
        /* And it is not there any more for the one that had it. */
        gone = NULL;
        ck_assert_int_eq(acquire("app7", NULL, 1, 14, text, &e), -EADDRNOTAVAIL);
}
END_TEST

START_TEST(a_fixed_address_takes_the_place_of_the_other) {
        char before[64], text[64];
        Error e;

        (void) snprintf(before, sizeof(before), "%s", get("shop"));
        ck_assert_int_eq(acquire("shop", streq(before, "10.0.0.9") ? "10.0.0.8" : "10.0.0.9", 1, 14, text, &e), 0);
        ck_assert_str_ne(text, before);
        ck_assert(!is_held(before) && is_held(text));
}
END_TEST

START_TEST(a_fixed_address_that_cannot_be_had_is_told_with_the_reason) {
        char text[64];
        Error e;

        ck_assert_int_eq(acquire("a", "10.0.0.5", 1, 14, text, &e), 0);
        ck_assert_int_eq(acquire("b", "10.0.0.5", 1, 14, text, &e), -EADDRINUSE);
        ck_assert_str_eq(e.text, "address 10.0.0.5 of network 'net' belongs to instance '1' of app 'a'");
        ck_assert_int_eq(acquire("b", "10.0.0.1", 1, 14, text, &e), -EADDRINUSE);
        ck_assert_str_eq(e.text, "address 10.0.0.1 is the gateway of network 'net'");
        ck_assert_int_eq(acquire("b", "10.0.0.16", 1, 14, text, &e), -ERANGE);
        ck_assert_str_eq(e.text, "address 10.0.0.16 is outside of 10.0.0.0/28, the subnet of network 'net'");
        gone = "a";
        ck_assert_int_eq(acquire("b", "10.0.0.5", 1, 14, text, &e), 0);
}
END_TEST

START_TEST(a_range_that_has_changed_moves_the_instance) {
        char text[64];
        Error e;

        ck_assert_int_eq(acquire("a", NULL, 2, 3, text, &e), 0);
        ck_assert(streq(text, "10.0.0.2") || streq(text, "10.0.0.3"));
        ck_assert_int_eq(acquire("a", NULL, 12, 12, text, &e), 0);
        ck_assert_str_eq(text, "10.0.0.12");
        ck_assert(!is_held("10.0.0.2") && !is_held("10.0.0.3"));
}
END_TEST

START_TEST(what_is_no_link_of_ours_is_left_alone) {
        ck_assert_int_eq(write_file(dir, "subnets", "10.0.0.0/28\n", 12, 0644, false), 0);
        ck_assert_int_eq(symlinkat("nonsense", dir, "10.9.9.9"), 0);
        (void) get("a");
        ck_assert(is_held("subnets") && is_held("10.9.9.9"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("lease");
        TCase *t = tcase_create("lease");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, an_instance_keeps_its_address);
        tcase_add_test(t, all_addresses_are_given_out_once_and_the_gateway_never);
        tcase_add_test(t, a_fixed_address_takes_the_place_of_the_other);
        tcase_add_test(t, a_fixed_address_that_cannot_be_had_is_told_with_the_reason);
        tcase_add_test(t, a_range_that_has_changed_moves_the_instance);
        tcase_add_test(t, what_is_no_link_of_ours_is_left_alone);
        suite_add_tcase(suite, t);
        return suite_run(suite);
}
