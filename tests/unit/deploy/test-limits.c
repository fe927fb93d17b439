/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "deploy/limits.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

static char directory[] = "/tmp/test-limits.XXXXXX";

static void put(const char *text) {
        _cleanup_free_ char *path = str_format("%s/shop.container", directory);

        ck_assert_int_eq(write_file(AT_FDCWD, path, text, strlen(text), 0644, false), 0);
}

static void setup(void) {
        temporary_make(directory);
        ck_assert_int_eq(setenv("BERTH_SPEC_PATH", directory, 1), 0);
        put("[Container]\nImage=x\n[Slice]\nMemoryMax=1G\nTasksMax=10%\n");
}

static void teardown(void) {
        temporary_remove();
}

/* What the drop-in says after "KEY=VALUE KEY=VALUE". */
static void becomes(const char *arguments, const char *wanted) {
        _cleanup_free_ char *copy = strdup(arguments);
        _cleanup_drop_in_ DropIn c = DROP_IN_INIT;
        char *words[8] = { NULL }, *rest = copy;
        Error error = { 0 };

        for (size_t i = 0; rest; i++)
                words[i] = strsep(&rest, " ");
        ck_assert_int_eq(drop_in_begin("shop", LIMITS_DROP_IN, &c, &error), 0);
        ck_assert_msg(limits_set_slice(&c, words, &error) == 0, "%s: %s", arguments, error.text);
        ck_assert_msg(streq_ptr(c.after, wanted), "%s: '%s', not '%s'", arguments, c.after ? c.after : "", wanted ? wanted : "");
}

static void refused(const char *argument, const char *why) {
        _cleanup_drop_in_ DropIn c = DROP_IN_INIT;
        char *words[] = { (char *) argument, NULL };
        Error error = { 0 };

        ck_assert_int_eq(drop_in_begin("shop", LIMITS_DROP_IN, &c, &error), 0);
        ck_assert_int_eq(limits_set_slice(&c, words, &error), -EINVAL);
        ck_assert_msg(strstr(error.text, why) != NULL, "%s: '%s'", argument, error.text);
}

START_TEST(our_words_become_systemd_s) {
        becomes("Memory=2g", "[Slice]\nMemoryMax=2147483648\n");
        becomes("Memory=0", "[Slice]\nMemoryMax=infinity\n");
        becomes("CPUs=1.5", "[Slice]\nCPUQuota=150%\n");
        becomes("CPUs=0.333", "[Slice]\nCPUQuota=33.30%\n");
        becomes("CPUs=infinity", "[Slice]\nCPUQuota=\n");
        becomes("CPUWeight=idle IOWeight=10", "[Slice]\nCPUWeight=idle\nIOWeight=10\n");
        becomes("PidsLimit=-1", "[Slice]\nTasksMax=infinity\n");
        becomes("Memory=", NULL);
}
END_TEST

START_TEST(swap_is_what_the_memory_leaves_of_both) {
        becomes("MemorySwap=3g", "[Slice]\nMemorySwapMax=2147483648\n"); /* 1G of [Slice] */
        becomes("MemorySwap=3g Memory=2g", "[Slice]\nMemorySwapMax=1073741824\nMemoryMax=2147483648\n");
        becomes("MemorySwap=-1", "[Slice]\nMemorySwapMax=infinity\n");
        refused("MemorySwap=512m", "less than the memory");
        put("[Container]\nImage=x\n");
        refused("MemorySwap=512m", "needs Memory=");
}
END_TEST

START_TEST(what_is_wrong_is_said) {
        refused("Memory=lots", "not a size");
        refused("Memroy=1g", "did you mean 'Memory'?");
        refused("Bananas=1", "there are Memory, MemorySwap");
        refused("CPUs=0.001", "not a number of processors");
        refused("CPUWeight=0", "from 1 to 10000");
        refused("IOWeight=idle", "from 1 to 10000");
        refused("PidsLimit=x", "from 1 to");
        refused("Memory=1\n", "not one line");
        refused("Memory", "not KEY=VALUE");
}
END_TEST

START_TEST(systemd_s_words_are_shown_as_ours) {
        _cleanup_(spec_freep) Spec *s = NULL;
        char text[LIMIT_TEXT_MAX];

        put("[Container]\nImage=x\n[Slice]\nMemoryMax=1536M\nMemorySwapMax=infinity\nCPUQuota=150%\nCPUWeight=idle\nTasksMax=10%\n");
        ck_assert_int_eq(spec_load("shop", NULL, NULL, &s), 0);
        ck_assert_str_eq(limit_slice_text(s, &limits[0], text), "1536m");
        ck_assert_str_eq(limit_slice_text(s, &limits[1], text), "infinity");
        ck_assert_str_eq(limit_slice_text(s, &limits[2], text), "1.5");
        ck_assert_str_eq(limit_slice_text(s, &limits[3], text), "idle");
        ck_assert_ptr_null(limit_slice_text(s, &limits[4], text));
        ck_assert_str_eq(limit_slice_text(s, &limits[5], text), "10%");
}
END_TEST

START_TEST(systemd_s_words_are_understood) {
        static const struct {
                size_t limit;
                const char *text;
                uint64_t value;
                bool share;
        } good[] = {
                { 0, NULL, SPEC_INFINITY, false },   { 0, "infinity", SPEC_INFINITY, false }, { 0, "1K", 1024, false },
                { 0, "10%", 100000, true },          { 2, "20%", 200000, false },             { 2, "33.3%", 333000, false },
                { 3, "idle", 0, false },             { 3, "100", 100, false },                { 5, "100%", 1000000, true },
                { 5, "77", 77, false },
        };
        static const struct {
                size_t limit;
                const char *text;
        } bad[] = { { 0, "much" }, { 0, "101%" }, { 2, "20" }, { 3, "20000" }, { 5, "-1" } };
        uint64_t value;
        bool share;

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                ck_assert_int_eq(limit_slice_number(&limits[good[i].limit], good[i].text, &value, &share), 0);
                ck_assert_uint_eq(value, good[i].value);
                ck_assert_int_eq(share, good[i].share);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_int_lt(limit_slice_number(&limits[bad[i].limit], bad[i].text, &value, &share), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("limits");
        TCase *t = tcase_create("limits");

        suite_add_tcase(s, t);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, our_words_become_systemd_s);
        tcase_add_test(t, swap_is_what_the_memory_leaves_of_both);
        tcase_add_test(t, what_is_wrong_is_said);
        tcase_add_test(t, systemd_s_words_are_shown_as_ours);
        tcase_add_test(t, systemd_s_words_are_understood);
        return suite_run(s);
}
