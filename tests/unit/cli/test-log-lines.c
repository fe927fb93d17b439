/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/log-lines.h"
#include "suite.h"

static int result;

/* What is shown of these bytes, in UTC. */
static const char *shown(const LogLook *look, const char *bytes, size_t size) {
        static char *text;
        static size_t n;
        FILE *in = fmemopen((char *) bytes, size, "r"), *out;

        free(text);
        out = open_memstream(&text, &n);
        ck_assert(in && out);
        result = log_lines(in, out, look);
        fclose(in);
        fclose(out);
        return text;
}

#define SHOWN(look, literal) shown(look, literal, STRLEN(literal))

static const LogLook plain = { .app = "shop", .width = 6 }, coloured = { .app = "shop", .width = 6, .colour = true };

START_TEST(a_line_has_time_name_and_text) {
        ck_assert_str_eq(SHOWN(&plain, "__CURSOR=x\n__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE=hello\nBERTH_INSTANCE=web.1\n\n"
                                       "MESSAGE=two\nBERTH_INSTANCE=worker.10\n\nMESSAGE=three\nBERTH_INSTANCE=1\n\n"),
                "Nov 14 22:13:20 web.1  | hello\nworker.10 | two\nshop/1    | three\n");
        ck_assert_int_eq(result, 0);
        ck_assert_str_eq(SHOWN(&plain, "MESSAGE=up\nBERTH_INSTANCE=\nSYSLOG_IDENTIFIER=systemd\n\n\nMESSAGE=who=me"), "systemd | up\nshop    | who=me\n");
}
END_TEST

START_TEST(a_text_of_several_lines_has_a_name_on_each) {
        ck_assert_str_eq(SHOWN(&plain, "MESSAGE\n\x08\0\0\0\0\0\0\0one\ntwo\n\nBERTH_INSTANCE=web.1\n\n"), "web.1  | one\nweb.1  | two\n");
        ck_assert_str_eq(SHOWN(&plain, "MESSAGE\n\x03\0\0\0\0\0\0\0a\0b\nBERTH_INSTANCE=web.1\n"), "web.1  | a\xef\xbf\xbd" "b\n");
        ck_assert_str_eq(SHOWN(&plain, "MESSAGE=\nBERTH_INSTANCE=web.1\n"), "web.1  | \n");
}
END_TEST

START_TEST(nobody_writes_to_the_terminal_but_us) {
        ck_assert_str_eq(SHOWN(&plain, "MESSAGE=a\033[31mred\033[0m\033[2Jb\rc\td\xff\xc3\xa9\n"),
                "shop   | ared\xef\xbf\xbd[2Jb\xef\xbf\xbd" "c\td\xef\xbf\xbd\xc3\xa9\n");
}
END_TEST

START_TEST(instances_and_priorities_have_colours) {
        ck_assert_str_eq(SHOWN(&coloured, "MESSAGE=a\nBERTH_INSTANCE=web.1\nPRIORITY=6\n\nMESSAGE=b\nBERTH_INSTANCE=web.2\nPRIORITY=3\n\n"
                                          "MESSAGE=c\nBERTH_INSTANCE=web.1\nPRIORITY=4\n\nMESSAGE=d\n\n"),
                "\033[36mweb.1  |\033[0m a\n\033[33mweb.2  |\033[0m \033[31mb\033[0m\n\033[36mweb.1  |\033[0m \033[33mc\033[0m\n"
                "\033[2mshop   |\033[0m d\n");
}
END_TEST

START_TEST(what_is_no_export_is_refused) {
        SHOWN(&plain, "MESSAGE\n\x08\0\0");
        ck_assert_int_eq(result, -EBADMSG);
        SHOWN(&plain, "MESSAGE\n\x08\0\0\0\0\0\0\0one");
        ck_assert_int_eq(result, -EBADMSG);
        SHOWN(&plain, "MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff" "x");
        ck_assert_int_eq(result, -EBADMSG);
        ck_assert_str_eq(SHOWN(&plain, "\n"), "");
        ck_assert_int_eq(result, 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("log-lines");
        TCase *t = tcase_create("log-lines");

        (void) setenv("TZ", "UTC", 1);
        suite_add_tcase(s, t);
        tcase_add_test(t, a_line_has_time_name_and_text);
        tcase_add_test(t, a_text_of_several_lines_has_a_name_on_each);
        tcase_add_test(t, nobody_writes_to_the_terminal_but_us);
        tcase_add_test(t, instances_and_priorities_have_colours);
        tcase_add_test(t, what_is_no_export_is_refused);
        return suite_run(s);
}
