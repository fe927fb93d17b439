/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "run/spec-copy.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

static char directory[] = "/tmp/test-spec-copy.XXXXXX";

static char *below(const char *path) {
        static char full[4][128];
        static unsigned next;
        char *p = full[next++ % ELEMENTSOF(full)];

        (void) snprintf(p, sizeof(full[0]), "%s/%s", directory, path);
        return p;
}

static void put(const char *path, const char *text) {
        ck_assert_int_eq(write_file(AT_FDCWD, below(path), text, strlen(text), 0644, false), 0);
}

static void setup(void) {
        temporary_make(directory);
        ck_assert_int_eq(mkdir_parents(AT_FDCWD, below("etc/web@.container.d"), 0755), 0);
        ck_assert_int_eq(mkdir_parents(AT_FDCWD, below("usr/container.d"), 0755), 0);
        put("etc/web@.container", "[Container]\nImage=x\nEnvironmentFile=web.env\nVolume=./data:/data\n");
        put("etc/web@.container.d/20.conf", "[Container]\nEnvironmentFile=-drop-in.env\n");
        put("etc/web.env", "A=1\n");
        put("usr/container.d/10.conf", "[Container]\nEnvironmentFile=-all.env\n");
}

static void teardown(void) {
        temporary_remove();
}

/* Stores web@a, so that only the copy is left of it, and loads that. */
static Spec *copy(void) {
        _cleanup_free_ char *dirs = str_format("%s:%s", below("etc"), below("usr"));
        Error error = { 0 };
        Spec *s = NULL;

        ck_assert_int_eq(spec_load("web@a", dirs, NULL, &s), 0);
        ck_assert_int_eq(spec_copy_store(s, below("copy"), &error), 0);
        s = spec_free(s);
        ck_assert_int_eq(remove_tree(AT_FDCWD, below("etc")), 0);
        ck_assert_int_eq(spec_copy_load("web@a", below("copy"), &s), 0);
        return s;
}

START_TEST(what_a_copied_spec_names_is_beside_the_original) {
        _cleanup_(spec_freep) Spec *s = copy();
        const SpecProcess *p = &s->processes[0];
        _cleanup_free_ char *text = NULL;

        ck_assert_uint_eq(p->environment_files.n, 3);
        ck_assert_int_eq(read_file(AT_FDCWD, p->environment_files.items[0].path, 100, &text, NULL), 0);
        ck_assert_str_eq(text, "A=1\n");
        ck_assert_int_eq(access(p->environment_files.items[1].path, F_OK), -1);
        ck_assert_str_eq(p->mounts.items[0].source, below("etc/data"));
        ck_assert_str_eq(s->path, below("etc/web@.container"));
        ck_assert_str_eq(s->instance, "a");
}
END_TEST

START_TEST(an_environment_file_that_is_missing_is_named) {
        _cleanup_free_ char *dirs = str_format("%s:%s", below("etc"), below("usr"));
        _cleanup_(spec_freep) Spec *s = NULL;
        Error error = { 0 };

        ck_assert_int_eq(unlink(below("etc/web.env")), 0);
        ck_assert_int_eq(spec_load("web@a", dirs, NULL, &s), 0);
        ck_assert_int_eq(spec_copy_store(s, below("copy"), &error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error.text, "web@.container:3:"));
        ck_assert_ptr_nonnull(strstr(error.text, below("etc/web.env")));
}
END_TEST

START_TEST(a_copy_that_is_not_whole_is_not_taken) {
        Spec *s = copy();

        s = spec_free(s);
        ck_assert_int_eq(unlink(below("copy/web@.container.d/0002.conf")), 0);
        ck_assert_int_eq(spec_copy_load("web@a", below("copy"), &s), -ESTALE);
        ck_assert_int_eq(unlink(below("copy/origins")), 0);
        ck_assert_int_eq(spec_copy_load("web@a", below("copy"), &s), -ENOENT);
        ck_assert_ptr_null(s);
}
END_TEST

int main(void) {
        Suite *s = suite_create("spec-copy");
        TCase *t = tcase_create("adopt");

        suite_add_tcase(s, t);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, what_a_copied_spec_names_is_beside_the_original);
        tcase_add_test(t, a_copy_that_is_not_whole_is_not_taken);
        tcase_add_test(t, an_environment_file_that_is_missing_is_named);
        return suite_run(s);
}
