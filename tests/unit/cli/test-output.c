/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/apps.h"
#include "suite.h"
#include "util/strv.h"

/* ---- tables ---- */

static char *printed(const Table *t) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        table_print(t, stream);
        ck_assert_int_eq(fclose(stream), 0);
        return text;
}

START_TEST(columns_are_as_wide_as_their_widest_cell) {
        _cleanup_(table_freep) Table *t = table_new(3);
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(table_add(t, STYLE_BOLD, "NAME"), 0);
        ck_assert_int_eq(table_add(t, STYLE_BOLD, "PID"), 0);
        ck_assert_int_eq(table_add(t, STYLE_BOLD, "NOTE"), 0);
        ck_assert_int_eq(table_add(t, STYLE_NORMAL, "na\xc3\xafve-shop"), 0); /* ten letters, eleven bytes */
        ck_assert_int_eq(table_addf(t, STYLE_GREEN, "%d", 7), 0);
        ck_assert_int_eq(table_add(t, STYLE_NORMAL, NULL), 0);
        ck_assert_int_eq(table_add(t, STYLE_NORMAL, "a"), 0);
        ck_assert_int_eq(table_add(t, STYLE_NORMAL, ""), 0);
        ck_assert_int_eq(table_add(t, STYLE_NORMAL, "the end"), 0);
        text = printed(t);
        ck_assert_str_eq(text,
                "NAME        PID  NOTE\n"
                "na\xc3\xafve-shop  7    -\n"
                "a           -    the end\n");
}
END_TEST

START_TEST(a_table_without_rows_is_nothing) {
        _cleanup_(table_freep) Table *t = table_new(3);
        _cleanup_free_ char *text = printed(t);

        ck_assert_str_eq(text, "");
        ck_assert_ptr_null(table_free(NULL));
}
END_TEST

START_TEST(colours_are_for_terminals) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        ck_assert_str_eq(cli_style(stream, STYLE_RED), "");
        ck_assert_int_eq(fclose(stream), 0);
}
END_TEST

/* ---- JSON ---- */

static void quoted(const char *text, const char *wanted) {
        _cleanup_buf_ Buf b = BUF_INIT;

        ck_assert_int_eq(json_quote(&b, text), 0);
        ck_assert_str_eq(b.data, wanted);
}

START_TEST(strings_are_json) {
        quoted(NULL, "null");
        quoted("", "\"\"");
        quoted("a \"b\" \\c\\", "\"a \\\"b\\\" \\\\c\\\\\"");
        quoted("\n\t\x01\x7f", "\"\\u000a\\u0009\\u0001\\u007f\"");
        quoted("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\x8b", "\"na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\x8b\"");
}
END_TEST

/* RFC 3629: a lone continuation, a cut character, one that is too long, a surrogate, one past the last. */
START_TEST(what_is_not_utf8_is_replaced) {
        quoted("a\x80z", "\"a\xef\xbf\xbdz\"");
        quoted("\xc3", "\"\xef\xbf\xbd\"");
        quoted("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
        quoted("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
        quoted("\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
        quoted("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
        quoted("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
        quoted("\xff", "\"\xef\xbf\xbd\"");
}
END_TEST

static App *an_app(void) {
        App *app = app_new("shop");

        ck_assert_int_eq(app_set(&app->image, "localhost/\"shop\""), 1);
        ck_assert_int_eq(app_set(&app->active_state, "active"), 1);
        ck_assert_int_eq(app_set(&app->sub_state, "running"), 1);
        app->run.name = strdup("shop");
        app->run.release = 3;
        app->run.instances = calloc(2, sizeof(InstanceStatus));
        app->run.n_instances = 2;
        app->run.instances[0] = (InstanceStatus){ .name = strdup("web.1"), .process = strdup("web"), .index = 1,
                .state = INSTANCE_READY, .pid = 42, .restarts = 5, .since_usec = UINT64_C(1) << 60 };
        app->run.instances[1] = (InstanceStatus){ .name = strdup("web.2"), .process = strdup("web"), .index = 2,
                .state = INSTANCE_BACKOFF, .message = strdup("line\nbreak"), .exit_code = CLD_KILLED, .exit_status = 9 };
        return app;
}

START_TEST(an_app_is_one_json_object) {
        _cleanup_(app_freep) App *app = an_app();
        _cleanup_buf_ Buf b = BUF_INIT;
        json_t *j, *first, *second;

        ck_assert_int_eq(app_json(&b, app), 0);
        j = json_loads(b.data, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(json_is_object(j), "%s", b.data);
        ck_assert_str_eq(json_string_value(json_object_get(j, "name")), "shop");
        ck_assert_str_eq(json_string_value(json_object_get(j, "image")), "localhost/\"shop\"");
        ck_assert_str_eq(json_string_value(json_object_get(j, "status")), "");
        ck_assert_int_eq(json_integer_value(json_object_get(j, "release")), 3);
        ck_assert_uint_eq(json_array_size(json_object_get(j, "instances")), 2);
        first = json_array_get(json_object_get(j, "instances"), 0);
        second = json_array_get(json_object_get(j, "instances"), 1);
        ck_assert_str_eq(json_string_value(json_object_get(first, "state")), "ready");
        ck_assert_int_eq(json_integer_value(json_object_get(first, "pid")), 42);
        ck_assert_int_eq(json_integer_value(json_object_get(first, "since_usec")), INT64_C(1) << 60);
        ck_assert_str_eq(json_string_value(json_object_get(second, "message")), "line\nbreak");
        ck_assert_int_eq(json_integer_value(json_object_get(second, "exit_status")), 9);
        json_decref(j);
}
END_TEST

/* ---- words ---- */

START_TEST(sizes_are_short) {
        static const struct {
                uint64_t size;
                const char *text;
        } sizes[] = {
                { 0, "0 B" }, { 999, "999 B" }, { 1000, "1.0 kB" }, { 9949, "9.9 kB" }, { 9950, "10 kB" }, { 999499, "999 kB" },
                { 999500, "1.0 MB" }, { 123456789, "123 MB" }, { UINT64_C(5000000000000), "5.0 TB" },
                { UINT64_C(5000000000000000), "5000 TB" },
        };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                char text[32];

                size_text(sizes[i].size, text);
                ck_assert_str_eq(text, sizes[i].text);
        }
}
END_TEST

static const char *ago(uint64_t seconds) {
        static char buffer[64];
        struct timespec now;

        ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &now), 0);
        return time_ago(((uint64_t) now.tv_sec - seconds) * 1000000 + 999999, buffer, sizeof(buffer));
}

START_TEST(times_are_in_two_units) {
        char buffer[64];

        ck_assert_str_eq(time_ago(0, buffer, sizeof(buffer)), "");
        ck_assert_str_eq(ago(3 * 60), "3min ago");
        ck_assert_ptr_nonnull(strstr(ago(2 * 3600 + 120), "2h 2min ago"));
        ck_assert_ptr_nonnull(strstr(ago(86400 + 7200), "1d 2h ago"));
        /* The clock was set back. */
        ck_assert_str_eq(time_ago(UINT64_MAX, buffer, sizeof(buffer)), "0s ago");
}
END_TEST

START_TEST(an_argument_is_an_app_and_perhaps_an_instance) {
        static const struct {
                const char *argument, *name, *instance;
        } arguments[] = { { "shop", "shop", NULL }, { "shop/web.1", "shop", "web.1" }, { "shop/", "shop", "" }, { "/1", "", "1" } };

        for (size_t i = 0; i < ELEMENTSOF(arguments); i++) {
                _cleanup_free_ char *name = NULL, *instance = NULL;

                ck_assert_int_eq(app_argument(arguments[i].argument, &name, &instance), 0);
                ck_assert_str_eq(name, arguments[i].name);
                ck_assert(streq_ptr(instance, arguments[i].instance));
        }
}
END_TEST

START_TEST(the_state_of_an_app_is_systemds_or_its_specs) {
        _cleanup_(app_freep) App *app = an_app();
        char buffer[64];

        ck_assert_str_eq(app_state_text(app, buffer, sizeof(buffer)), "active (running)");
        ck_assert_int_eq(app_state_style(app), STYLE_GREEN);
        ck_assert_uint_eq(app_ready_count(app), 1);
        /* A spec that went bad under a running app. */
        ck_assert_int_eq(app_set(&app->problem, "line 3"), 1);
        ck_assert_str_eq(app_state_text(app, buffer, sizeof(buffer)), "active (running)");
        ck_assert_int_eq(app_state_style(app), STYLE_RED);
        app_state_clear(&app->run);
        ck_assert_int_eq(app_set(&app->active_state, "inactive"), 1);
        ck_assert_str_eq(app_state_text(app, buffer, sizeof(buffer)), "bad spec");
        for (int i = 0; i < _INSTANCE_STATE_MAX; i++)
                ck_assert_int_lt(instance_state_style((InstanceState) i), _STYLE_MAX);
}
END_TEST

int main(void) {
        Suite *s = suite_create("output");
        TCase *t = tcase_create("output");

        suite_add_tcase(s, t);
        tcase_add_test(t, columns_are_as_wide_as_their_widest_cell);
        tcase_add_test(t, a_table_without_rows_is_nothing);
        tcase_add_test(t, colours_are_for_terminals);
        tcase_add_test(t, strings_are_json);
        tcase_add_test(t, what_is_not_utf8_is_replaced);
        tcase_add_test(t, an_app_is_one_json_object);
        tcase_add_test(t, sizes_are_short);
        tcase_add_test(t, times_are_in_two_units);
        tcase_add_test(t, an_argument_is_an_app_and_perhaps_an_instance);
        tcase_add_test(t, the_state_of_an_app_is_systemds_or_its_specs);
        return suite_run(s);
}
