/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "scratch.h"
#include "spec/text.h"
#include "util/strv.h"

#define COMMAND (WORD_UNQUOTE | WORD_UNESCAPE | WORD_COMMAND)

/* The words of text, each in brackets; "!" at the end for an error, "?" for an escape that is not known. */
static const char *words(const char *text, WordFlags flags) {
        static char result[1024];
        const char *p = text, *odd = NULL;
        char *word;
        int r;

        *result = 0;
        while ((r = word_next(&p, flags, &word, &odd)) > 0) {
                strcat(strcat(strcat(result, "<"), word), ">");
                free(word);
        }
        if (r < 0)
                strcat(result, "!");
        if (odd)
                strcat(result, "?");
        return result;
}

START_TEST(words_are_split_at_white_space_outside_of_quotes) {
        ck_assert_str_eq(words("  a b\tc \n", COMMAND), "<a><b><c>");
        ck_assert_str_eq(words("\"a b\" 'c d' ''", COMMAND), "<a b><c d><>");
        ck_assert_str_eq(words("a\"b c\"d", COMMAND), "<ab cd>");
        ck_assert_str_eq(words("\"it's\" 'say \"x\"'", COMMAND), "<it's><say \"x\">");
        ck_assert_str_eq(words("", COMMAND), "");
        ck_assert_str_eq(words("a \"b", COMMAND), "<a>!");
        ck_assert_str_eq(words("a \"b", WORD_UNQUOTE | WORD_RELAX), "<a><b>");
        ck_assert_str_eq(words("a \"b", 0), "<a><\"b>");
}
END_TEST

START_TEST(escapes_are_those_of_the_table) {
        ck_assert_str_eq(words("\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'\\s", COMMAND), "<\a\b\f\n\r\t\v\\\"' >");
        ck_assert_str_eq(words("\\x41\\101\\u00e9\\U0001f600", COMMAND), "<AA\xc3\xa9\xf0\x9f\x98\x80>");
        ck_assert_str_eq(words("'\\x41' \"\\x42\"", COMMAND), "<A><B>");
        ck_assert_str_eq(words("\\x00", COMMAND), "!");
        ck_assert_str_eq(words("\\ud800", COMMAND), "!");
        ck_assert_str_eq(words("\\U00110000", COMMAND), "!");
        ck_assert_str_eq(words("\\400", COMMAND), "!");
        ck_assert_str_eq(words("\\q\\x4g", COMMAND), "<\\q\\x4g>?");
        ck_assert_str_eq(words("a\\", COMMAND), "<a\\>?");
        ck_assert_str_eq(words("\\x41", WORD_UNQUOTE), "<\\x41>");
}
END_TEST

START_TEST(an_escaped_semicolon_of_its_own_is_one) {
        ck_assert_str_eq(words("a \\; b \\;", COMMAND), "<a><;><b><;>");
        ck_assert_str_eq(words("\\;b", COMMAND), "<\\;b>?");
}
END_TEST

START_TEST(utf8_is_checked_strictly) {
        static const char *const good[] = { "", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf" };
        static const char *const bad[] = { "\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x82" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                ck_assert(utf8_valid(good[i], strlen(good[i])));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert(!utf8_valid(bad[i], strlen(bad[i])));
        ck_assert(!utf8_valid("a\0b", 3));
}
END_TEST

/* What a command line with these words becomes. */
static const char *expand(const char *line) {
        static char result[1024];
        char *env[] = { (char *) "ONE='one'", (char *) "TWO='two two' too", (char *) "THREE=", (char *) "FOUR=a b", NULL };
        _cleanup_strv_ char **in = NULL, **out = NULL;
        const char *p = line;
        char *word;

        while (word_next(&p, COMMAND, &word, NULL) > 0)
                ck_assert_int_eq(strv_consume(&in, word), 0);
        ck_assert_int_eq(spec_command_expand(in, env, &out), 0);
        *result = 0;
        for (char **w = out; *w; w++)
                strcat(strcat(strcat(result, "<"), *w), ">");
        return result;
}

START_TEST(variables_are_expanded_as_systemd_does) {
        /* The two examples of systemd.service(5). */
        ck_assert_str_eq(expand("/bin/echo ${ONE} ${TWO} ${THREE}"), "</bin/echo><'one'><'two two' too><>");
        ck_assert_str_eq(expand("/bin/echo $ONE $TWO $THREE"), "</bin/echo><one><two two><too>");
        ck_assert_str_eq(expand("$FOUR x${FOUR}y"), "<a><b><xa by>");
        ck_assert_str_eq(expand("$NOTHING ${NOTHING} x"), "<><x>");
        ck_assert_str_eq(expand("$$FOUR $${FOUR} a$$b"), "<$FOUR><${FOUR}><a$b>");
        ck_assert_str_eq(expand("a$FOUR \"$FOUR\" ${FOUR"), "<a$FOUR><a><b><${FOUR>");
        ck_assert_str_eq(expand("${FOUR:-x} $${FOUR:-x} ${X:-${FOUR}}"), "<${FOUR:-x}><${FOUR:-x}><${X:-a b}>");
        ck_assert_str_eq(expand(""), "");
}
END_TEST

START_TEST(a_command_line_has_a_greatest_length) {
        _cleanup_strv_ char **out = NULL;
        char *words[] = { (char *) "$A", NULL }, *env[2] = { 0 };
        char *value = malloc(SPEC_WORDS_MAX * 2 + 8);

        strcpy(value, "A=");
        for (size_t i = 0; i <= SPEC_WORDS_MAX; i++)
                strcpy(value + 2 + 2 * i, "x ");
        env[0] = value;
        ck_assert_int_eq(spec_command_expand(words, env, &out), -E2BIG);
        free(value);
}
END_TEST

START_TEST(environment_files_are_read_as_podman_does) {
        _cleanup_strv_ char **env = NULL;

        ck_assert_int_eq(setenv("FROM_HOST", "h", 1), 0);
        ck_assert_int_eq(unsetenv("NOT_THERE"), 0);
        ck_assert_int_eq(spec_env_parse("# c\n\nA=1\n  B=\"two words\" \r\nA=3\nFROM_HOST\nNOT_THERE\nC=a=b", &env), 0);
        ck_assert_uint_eq(strv_length(env), 4);
        ck_assert_str_eq(env[0], "A=3");
        ck_assert_str_eq(env[1], "B=\"two words\" ");
        ck_assert_str_eq(env[2], "FROM_HOST=h");
        ck_assert_str_eq(env[3], "C=a=b");
        ck_assert_int_eq(spec_env_parse("=x\n", &env), -EBADMSG);
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, words_are_split_at_white_space_outside_of_quotes);
        tcase_add_test(t, escapes_are_those_of_the_table);
        tcase_add_test(t, an_escaped_semicolon_of_its_own_is_one);
        tcase_add_test(t, utf8_is_checked_strictly);
        tcase_add_test(t, variables_are_expanded_as_systemd_does);
        tcase_add_test(t, a_command_line_has_a_greatest_length);
        tcase_add_test(t, environment_files_are_read_as_podman_does);
}

int main(void) {
        return scratch_run("text", add);
}
