/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "run/state.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

static char directory[] = "/tmp/test-state.XXXXXX", app_directory[80], path[96];

static void setup(void) {
        temporary_make(directory);
        snprintf(app_directory, sizeof(app_directory), "%s/shop", directory);
        snprintf(path, sizeof(path), "%s/state", app_directory);
        ck_assert_int_eq(mkdir_parents(AT_FDCWD, app_directory, 0755), 0);
}

static void teardown(void) {
        temporary_remove();
}

static void put(const char *text) {
        ck_assert_int_eq(write_file(AT_FDCWD, path, text, strlen(text), 0644, false), 0);
}

START_TEST(what_is_written_is_read) {
        InstanceStatus instances[] = {
                { .name = (char *) "web.1", .process = (char *) "web", .index = 1, .state = INSTANCE_READY, .pid = 4711,
                        .scope = (char *) "shop-web.1.v1.scope", .container_name = (char *) "shop-web.1", .release = 1,
                        .restarts = 3, .since_usec = UINT64_C(1700000000000000), .exit_code = -1, .exit_status = 9,
                        .message = (char *) "line one\nline two \\ and more = less" },
                { .name = (char *) "web.2", .state = INSTANCE_BACKOFF },
        };
        AppState s = { .name = (char *) "shop", .service = (char *) "shop.service", .image = (char *) "nginx", .release = 1,
                .since_usec = 5, .instances = instances, .n_instances = 2 };
        _cleanup_(app_state_clear) AppState read = { 0 };
        const InstanceStatus *i;

        ck_assert_int_eq(app_state_write(directory, &s), 0);
        ck_assert_int_eq(app_state_read(directory, "shop", &read), 0);
        ck_assert_str_eq(read.service, "shop.service");
        ck_assert_str_eq(read.image, "nginx");
        ck_assert_str_eq(read.image_id, "");
        ck_assert_uint_eq(read.since_usec, 5);
        ck_assert_uint_eq(read.n_instances, 2);
        i = app_state_instance(&read, "web.1");
        ck_assert_ptr_nonnull(i);
        ck_assert_str_eq(i->message, instances[0].message);
        ck_assert_int_eq(i->pid, 4711);
        ck_assert_int_eq(i->state, INSTANCE_READY);
        ck_assert_int_eq(i->exit_code, -1);
        ck_assert_uint_eq(i->since_usec, instances[0].since_usec);
        ck_assert_int_eq(app_state_instance(&read, "web.2")->state, INSTANCE_BACKOFF);
        ck_assert_str_eq(app_state_instance(&read, "web.2")->scope, "");
        ck_assert_ptr_null(app_state_instance(&read, "web.3"));
}
END_TEST

START_TEST(lines_of_a_later_version_are_passed_over) {
        _cleanup_(app_state_clear) AppState s = { 0 };

        put("name=shop\nfuture=1\ninstance=web.1\nstate=ready\nmore=2\n");
        ck_assert_int_eq(app_state_read(directory, "shop", &s), 0);
        ck_assert_uint_eq(s.n_instances, 1);
}
END_TEST

START_TEST(nonsense_is_refused) {
        static const char *const cases[] = { "name\n", "release=x\n", "instance=a\nstate=flying\n", "instance=a\npid=\n",
                "since=1x\n" };
        AppState s;

        for (size_t k = 0; k < ELEMENTSOF(cases); k++) {
                put(cases[k]);
                ck_assert_int_eq(app_state_read(directory, "shop", &s), -EBADMSG);
        }
        ck_assert_int_eq(app_state_read(directory, "other", &s), -ENOENT);
}
END_TEST

int main(void) {
        Suite *s = suite_create("state");
        TCase *t = tcase_create("state");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, what_is_written_is_read);
        tcase_add_test(t, lines_of_a_later_version_are_passed_over);
        tcase_add_test(t, nonsense_is_refused);
        suite_add_tcase(s, t);
        return suite_run(s);
}
