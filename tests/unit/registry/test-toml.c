/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image/registry/toml.h"
#include "suite.h"
#include "util/buf.h"

static const struct {
        const char *toml, *json; /* with sorted keys */
} good[] = {
        { "", "{}" },
        { "# nothing\n\n\t # at all", "{}" },
        { "a=1", "{\"a\":1}" },
        { "a = +1_000\nb = -2\nc = 0\n", "{\"a\":1000,\"b\":-2,\"c\":0}" },
        { "a = true # yes\r\nb=false\r\n", "{\"a\":true,\"b\":false}" },
        { "\"a b\" = 1\n'c.d' = 2\n\"\" = 3\n1-2_ = 4", "{\"\":3,\"1-2_\":4,\"a b\":1,\"c.d\":2}" },
        { "a . b.\"c\" = 1\na.d = 2", "{\"a\":{\"b\":{\"c\":1},\"d\":2}}" },
        { "a = \"x\\t\\\"\\\\\\u00e9\\U0001F600\"", "{\"a\":\"x\\t\\\"\\\\\\u00e9\\ud83d\\ude00\"}" },
        { "a = 'C:\\x'", "{\"a\":\"C:\\\\x\"}" },
        { "a = \"\"\"\none\n two \\\n   \n  three\"\"\"", "{\"a\":\"one\\n two three\"}" },
        { "a = '''\none\\\n'' two'''", "{\"a\":\"one\\\\\\n'' two\"}" },
        { "a = \"\"\"x\"\"\"\"\"\nb = \"\"\"\"\"\"", "{\"a\":\"x\\\"\\\"\",\"b\":\"\"}" },
        { "a = [ 1, 2, # two\n\n 3,\n]\nb = []", "{\"a\":[1,2,3],\"b\":[]}" },
        { "a = [[1], [\"x\", {b = true}]]", "{\"a\":[[1],[\"x\",{\"b\":true}]]}" },
        { "a = { b = 1, c.d = 2, e = {} }", "{\"a\":{\"b\":1,\"c\":{\"d\":2},\"e\":{}}}" },
        { "[a]\nx=1\n[b.c]\ny=2\n[b]\nz=3", "{\"a\":{\"x\":1},\"b\":{\"c\":{\"y\":2},\"z\":3}}" },
        { "[[a]]\nx=1\n[[a]]\n[a.b]\ny=2\n[[a.c]]\n[[a.c]]\nz=3", "{\"a\":[{\"x\":1},{\"b\":{\"y\":2},\"c\":[{},{\"z\":3}]}]}" },
        { "[fruit]\napple.color = 1\n[fruit.apple.taste]\nsweet = true", "{\"fruit\":{\"apple\":{\"color\":1,\"taste\":{\"sweet\":true}}}}" },
        { "\xef\xbb\xbf" "a = \"\xc3\xa9\"", "{\"a\":\"\\u00e9\"}" },
        { "a = 9223372036854775807", "{\"a\":9223372036854775807}" },
};

START_TEST(documents_are_read) {
        _cleanup_json_ json_t *j = NULL;
        _cleanup_free_ char *text = NULL;
        Error error = { 0 };

        ck_assert_msg(toml_parse(good[_i].toml, strlen(good[_i].toml), &j, &error) == 0, "%s: %s", good[_i].toml, error.text);
        text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
        for (char *p = text; *p; p++) /* jansson has capitals in \uXXXX */
                if (p[0] == '\\' && p[1] == 'u')
                        for (int i = 2; i < 6; i++)
                                if (p[i] >= 'A' && p[i] <= 'F')
                                        p[i] = (char) (p[i] + 32);
        ck_assert_str_eq(text, good[_i].json);
}
END_TEST

static const struct {
        const char *toml, *words;
} bad[] = {
        { "a", "line 1: 'a' wants '='" },
        { "\n\na = ", "line 3: there is no value" },
        { "a = nginx", "a text stands in quotation marks" },
        { "a = 1.5", "no decimal whole number" },
        { "a = 1e3", "no decimal whole number" },
        { "a = 0x10", "no decimal whole number" },
        { "a = 012", "no decimal whole number" },
        { "a = 1__0", "no decimal whole number" },
        { "a = inf", "no decimal whole number" },
        { "a = 1979-05-27", "dates" },
        { "a = 9223372036854775808", "too large" },
        { "a = \"x", "line 1: a text has no closing \"" },
        { "a = \"x\ny\"", "line 1: a text has no closing \"" },
        { "b = 1\na = '''x\n\n", "line 2: a text has no closing '" },
        { "a = \"\\x\"", "'\\x' means nothing" },
        { "a = \"\\u12\"", "4 hexadecimal digits" },
        { "a = \"\\ud800\"", "U+D800" },
        { "a = \"\\u0000\"", "U+0000" },
        { "a = \"\x01\"", "control character" },
        { "# \x7f", "control character" },
        { "a = \"\xff\"", "not UTF-8" },
        { "a = 1 b = 2", "'b = 2' stands behind the end" },
        { "a = 1\na = 2", "line 2: 'a' is there already" },
        { "a = 1\na.b = 2", "'a' is there already" },
        { "a.b = 1\n[a]", "'a' is there already" },
        { "[a]\n[a]", "'a' is there already" },
        { "[a.b]\n[a]\nb.c = 1", "'b' is there already" },
        { "[a]\n[[a]]", "no array of tables" },
        { "[[a]]\n[a]", "'a' is there already" },
        { "a = []\n[[a]]", "no array of tables" },
        { "a = {b = 1}\n[a.c]", "cannot be added to" },
        { "a = {b = 1}\na.c = 2", "'a' is there already" },
        { "a = [{}]\n[a.b]", "cannot be added to" },
        { "a = {b = 1,}", "no key" },
        { "a = {b = 1\n}", "wants ',' or '}'" },
        { "a = [1 2]", "wants ',' or ']'" },
        { "a = [1", "wants ',' or ']'" },
        { "[a", "wants ']' behind it" },
        { "[[a]", "wants ']]' behind it" },
        { "[]", "no key" },
        { "= 1", "no key" },
        { "a. = 1", "no key" },
        { "\"\"\"a\"\"\" = 1", "several lines" },
        { "a = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "deep" },
        { "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1", "more than 16 parts" },
};

START_TEST(what_is_no_toml_is_refused_with_its_line) {
        _cleanup_json_ json_t *j = NULL;
        Error error = { 0 };

        ck_assert_msg(toml_parse(bad[_i].toml, strlen(bad[_i].toml), &j, &error) < 0, "'%s' is taken", bad[_i].toml);
        ck_assert_ptr_null(j);
        ck_assert_msg(strstr(error.text, bad[_i].words), "'%s' gives '%s'", bad[_i].toml, error.text);
}
END_TEST

START_TEST(a_nul_byte_is_refused) {
        _cleanup_json_ json_t *j = NULL;
        Error error = { 0 };

        ck_assert_int_lt(toml_parse("a = 1\n\0b = 2", 12, &j, &error), 0);
}
END_TEST

START_TEST(tables_have_a_limit) {
        _cleanup_json_ json_t *j = NULL;
        _cleanup_buf_ Buf text = BUF_INIT;
        Error error = { 0 };

        for (int i = 0; i <= TOML_TABLES_MAX; i++)
                ck_assert_int_eq(buf_printf(&text, "[t%d]\n", i), 0);
        ck_assert_int_eq(toml_parse(text.data, text.size, &j, &error), -E2BIG);
}
END_TEST

int main(void) {
        Suite *s = suite_create("registry-toml");
        TCase *t = tcase_create("toml");

        tcase_add_loop_test(t, documents_are_read, 0, (int) ELEMENTSOF(good));
        tcase_add_loop_test(t, what_is_no_toml_is_refused_with_its_line, 0, (int) ELEMENTSOF(bad));
        tcase_add_test(t, a_nul_byte_is_refused);
        tcase_add_test(t, tables_have_a_limit);
        suite_add_tcase(s, t);
        return suite_run(s);
}
