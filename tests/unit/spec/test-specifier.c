/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/utsname.h>

#include "scratch.h"
#include "spec/specifier.h"

static const SpecifierContext instance = { .service = "a-b@c\\x2dd-e", .prefix = "a-b", .instance = "c\\x2dd-e" };
static const SpecifierContext plain = { .service = "a\\x2fb-c", .prefix = "a\\x2fb-c" };

static const char *expand(const SpecifierContext *c, const char *text, int result) {
        static char *value;
        const char *bad;

        free(value);
        value = NULL;
        ck_assert_int_eq(specifier_expand(c, text, &value, &bad), result);
        return value;
}

START_TEST(names_are_those_of_the_service) {
        ck_assert_str_eq(expand(&instance, "%n", 0), "a-b@c\\x2dd-e.service");
        ck_assert_str_eq(expand(&instance, "%N", 0), "a-b@c\\x2dd-e");
        ck_assert_str_eq(expand(&instance, "%p %P", 0), "a-b a/b");
        ck_assert_str_eq(expand(&instance, "%i %I", 0), "c\\x2dd-e c-d/e");
        ck_assert_str_eq(expand(&instance, "%j %J %f", 0), "b b /c-d/e");
        ck_assert_str_eq(expand(&plain, "<%i> %p %P %j %f", 0), "<> a\\x2fb-c a/b/c c /a/b/c");
}
END_TEST

START_TEST(directories_are_the_system_managers) {
        ck_assert_str_eq(expand(&plain, "%t %S %C %L %E %T %V %h %u %U %g %G %%", 0),
                "/run /var/lib /var/cache /var/log /etc /tmp /var/tmp /root root 0 root 0 %");
}
END_TEST

START_TEST(the_machine_is_looked_at_only_where_it_may_be) {
        SpecifierContext c = plain;
        struct utsname u;

        ck_assert_int_eq(uname(&u), 0);
        ck_assert_str_eq(expand(&c, "%H", 0), u.nodename);
        ck_assert_str_eq(expand(&c, "%v", 0), u.release);
        ck_assert_uint_eq(strlen(expand(&c, "%b", 0)), 32);
        if (streq(u.machine, "x86_64"))
                ck_assert_str_eq(expand(&c, "%a", 0), "x86-64");
        ck_assert_uint_gt(strlen(expand(&c, "%q", 0)), 0);
        c.is_static = true;
        (void) expand(&c, "%H", 1);
        (void) expand(&c, "%m%b%v%o", 1);
        ck_assert_str_eq(expand(&c, "%t", 0), "/run");
}
END_TEST

START_TEST(a_template_does_not_know_its_instance) {
        const SpecifierContext c = { .service = "web@", .prefix = "web", .template = true };

        (void) expand(&c, "/srv/%i", 1);
        (void) expand(&c, "%n", 1);
        ck_assert_str_eq(expand(&c, "%p", 0), "web");
}
END_TEST

START_TEST(unknown_specifiers_are_errors) {
        (void) expand(&plain, "%Y", -EBADMSG);
        (void) expand(&plain, "100%", -EBADMSG);
        (void) expand(&plain, "% ", -EBADMSG);
}
END_TEST

START_TEST(expansion_has_a_greatest_length) {
        size_t n = SPEC_EXPANDED_MAX;
        char *text = malloc(n + 1);

        for (size_t i = 0; i < n; i++)
                text[i] = "%L"[i % 2];
        text[n] = 0;
        (void) expand(&plain, text, -E2BIG);
        free(text);
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, names_are_those_of_the_service);
        tcase_add_test(t, directories_are_the_system_managers);
        tcase_add_test(t, the_machine_is_looked_at_only_where_it_may_be);
        tcase_add_test(t, a_template_does_not_know_its_instance);
        tcase_add_test(t, unknown_specifiers_are_errors);
        tcase_add_test(t, expansion_has_a_greatest_length);
}

int main(void) {
        return scratch_run("specifier", add);
}
