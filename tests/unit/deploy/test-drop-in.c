/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "deploy/drop-in.h"
#include "suite.h"

/* wanted NULL: no assignment is left. */
static void edited(const char *text, const char *section, const char *key, const char *value, const char *wanted) {
        _cleanup_free_ char *got = NULL;

        ck_assert_int_eq(drop_in_edit(text, section, key, value, &got), 0);
        ck_assert_msg(streq_ptr(got, wanted), "'%s' becomes '%s', not '%s'", text ? text : "", got ? got : "", wanted ? wanted : "");
}

START_TEST(an_assignment_takes_the_place_of_the_earlier_one) {
        edited(NULL, "Container", "A", "1", "[Container]\nA=1\n");
        edited("[Container]\nA=1\nB=2\n", "Container", "A", "3", "[Container]\nA=3\nB=2\n");
        edited("[Container]\nA = 1\nB=2\nA=4\n", "Container", "A", "3", "[Container]\nA=3\nB=2\n");
        edited("[Container]\nAA=1\n#A=2\n", "Container", "A", "3", "[Container]\nAA=1\n#A=2\nA=3\n");
        edited("[Container]\nA=1 \\\n  2\nB=2", "Container", "A", "3", "[Container]\nA=3\nB=2\n");
}
END_TEST

START_TEST(what_somebody_else_wrote_stays) {
        edited("# mine\n\n[Process web]\nA=1\n\n[Process worker]\nA=2\n", "Process web", "B", "3",
                "# mine\n\n[Process web]\nA=1\nB=3\n\n[Process worker]\nA=2\n");
        edited("[Process web]\nA=1\n", "Process worker", "A", "2", "[Process web]\nA=1\n\n[Process worker]\nA=2\n");
        edited("[Container]\nA=1\n[X-Mine]\nA=2\n[Container]\nB=3\n", "Container", "C", "4", "[Container]\nA=1\n[X-Mine]\nA=2\n[Container]\nB=3\nC=4\n");
        edited("[Container]\n", "Container", "A", "1", "[Container]\nA=1\n");
}
END_TEST

START_TEST(what_is_taken_away_leaves_nothing) {
        edited("[Container]\nA=1\nB=2\n", "Container", "A", NULL, "[Container]\nB=2\n");
        edited("# 50\n[Container]\nA=1\n", "Container", "A", NULL, NULL);
        edited("[Container]\nA=1\n", "Process web", "A", NULL, "[Container]\nA=1\n");
        edited(NULL, "Container", "A", NULL, NULL);
}
END_TEST

int main(void) {
        Suite *s = suite_create("drop-in");
        TCase *t = tcase_create("drop-in");

        suite_add_tcase(s, t);
        tcase_add_test(t, an_assignment_takes_the_place_of_the_earlier_one);
        tcase_add_test(t, what_somebody_else_wrote_stays);
        tcase_add_test(t, what_is_taken_away_leaves_nothing);
        return suite_run(s);
}
