/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deploy/app.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

static char directory[] = "/tmp/test-app.XXXXXX", etc[64], usr[64], run[64], dirs[160];

static void setup(void) {
        temporary_make(directory);
        (void) snprintf(etc, sizeof(etc), "%s/etc", directory);
        (void) snprintf(usr, sizeof(usr), "%s/usr", directory);
        (void) snprintf(run, sizeof(run), "%s/run", directory);
        (void) snprintf(dirs, sizeof(dirs), "%s:%s", etc, usr);
        ck_assert_int_eq(mkdir(etc, 0755) | mkdir(usr, 0755) | mkdir(run, 0755), 0);
}

static void teardown(void) {
        temporary_remove();
}

static void put(const char *where, const char *name, const char *text) {
        _cleanup_free_ char *path = str_format("%s/%s", where, name);

        ck_assert_int_eq(write_file(AT_FDCWD, path, text, strlen(text), 0644, false), 0);
}

static void runs(const char *name, const char *image) {
        _cleanup_free_ char *path = str_format("%s/%s", run, name), *service = str_format("%s-old.service", name);
        AppState s = { .name = (char *) name, .service = service, .source = (char *) "", .status = (char *) "v1: 1/1",
                .image = (char *) image, .image_id = (char *) "sha256:0", .release = 1 };

        ck_assert_int_ge(mkdir_parents(AT_FDCWD, path, 0755), 0);
        ck_assert_int_eq(app_state_write(run, &s), 0);
}

START_TEST(names_are_those_of_specs_and_of_what_runs) {
        _cleanup_strv_ char **names = NULL;

        put(etc, "web.container", "");
        put(usr, "web.container", "[Container]\nImage=x\n"); /* masked by the first */
        put(usr, "shop.container", "[Container]\nImage=x\n");
        put(usr, "cron@.container", "[Container]\nImage=x\n");
        runs("shop", "x");
        runs("cron@daily", "x");
        runs("gone", "x");
        put(run, ".hidden", "");
        ck_assert_int_eq(app_names(dirs, run, &names), 0);
        ck_assert_uint_eq(strv_length(names), 3);
        ck_assert_str_eq(names[0], "cron@daily");
        ck_assert_str_eq(names[1], "gone");
        ck_assert_str_eq(names[2], "shop");
}
END_TEST

START_TEST(no_names_are_an_empty_list) {
        _cleanup_strv_ char **names = NULL;

        ck_assert_int_eq(rmdir(run), 0);
        ck_assert_int_eq(app_names(dirs, run, &names), 0);
        ck_assert_ptr_nonnull(names);
        ck_assert_ptr_null(names[0]);
}
END_TEST

START_TEST(a_spec_tells_what_would_run) {
        _cleanup_(app_freep) App *app = app_new("shop");

        ck_assert_str_eq(app->service, "shop.service");
        ck_assert_str_eq(app->path, "/org/berth1/app/shop");
        ck_assert_int_eq(app_read_spec(app, dirs), -ENOENT);
        put(etc, "shop.container", "[Container]\nImage=localhost/shop\nServiceName=store\n");
        ck_assert_int_eq(app_read_spec(app, dirs), 0);
        ck_assert_str_eq(app->image, "localhost/shop");
        ck_assert_str_eq(app->service, "store.service");
        ck_assert_str_eq(app->problem, "");
        ck_assert_ptr_nonnull(strstr(app->source, "/etc/shop.container"));
}
END_TEST

START_TEST(a_bad_spec_is_an_app_with_a_problem) {
        _cleanup_(app_freep) App *app = app_new("shop");

        put(etc, "shop.container", "[Container]\nImgae=localhost/shop\n");
        ck_assert_int_eq(app_read_spec(app, dirs), 0);
        ck_assert_str_eq(app->problem, "shop.container:2:1: unknown key 'Imgae', did you mean 'Image'?");
        put(etc, "shop.container", "[Container]\nImage=localhost/shop\n");
        ck_assert_int_eq(app_read_spec(app, dirs), 0);
        ck_assert_str_eq(app->problem, "");
}
END_TEST

/* What runs goes on by the spec of its start, whatever the file says meanwhile. */
START_TEST(what_runs_counts_before_the_spec) {
        _cleanup_(app_freep) App *app = app_new("shop");
        AppState old = { 0 };

        put(etc, "shop.container", "[Container]\nImage=localhost/new\n");
        ck_assert_int_eq(app_read_run(app, run, NULL), -ENOENT);
        runs("shop", "localhost/old");
        ck_assert_int_eq(app_read_run(app, run, &old), 0);
        app_state_clear(&old);
        ck_assert_int_eq(app_read_spec(app, dirs), 0);
        ck_assert_str_eq(app->image, "localhost/old");
        ck_assert_str_eq(app->service, "shop-old.service");
        ck_assert_str_eq(app->run.status, "v1: 1/1");
        /* And when it has stopped, the spec again. */
        ck_assert_int_eq(remove_tree(AT_FDCWD, run), 0);
        ck_assert_int_eq(app_read_run(app, run, &old), -ENOENT);
        ck_assert_str_eq(old.image, "localhost/old");
        app_state_clear(&old);
        ck_assert_int_eq(app_read_spec(app, dirs), 0);
        ck_assert_str_eq(app->image, "localhost/new");
        ck_assert_str_eq(app->service, "shop.service");
}
END_TEST

START_TEST(setting_a_field_says_whether_it_changed) {
        char *field = strdup("a");

        ck_assert_int_eq(app_set(&field, "a"), 0);
        ck_assert_int_eq(app_set(&field, "b"), 1);
        ck_assert_str_eq(field, "b");
        free(field);
}
END_TEST

int main(void) {
        Suite *s = suite_create("app");
        TCase *t = tcase_create("app");

        suite_add_tcase(s, t);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, names_are_those_of_specs_and_of_what_runs);
        tcase_add_test(t, no_names_are_an_empty_list);
        tcase_add_test(t, a_spec_tells_what_would_run);
        tcase_add_test(t, a_bad_spec_is_an_app_with_a_problem);
        tcase_add_test(t, what_runs_counts_before_the_spec);
        tcase_add_test(t, setting_a_field_says_whether_it_changed);
        return suite_run(s);
}
