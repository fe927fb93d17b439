/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/stat.h>

#include "scratch.h"
#include "spec/document.h"
#include "util/strv.h"

#define GOOD "[Container]\nImage=localhost/x\n"

/* The three directories of the test, first to last. */
static const char *dirs(void) {
        static char text[512];

        (void) snprintf(text, sizeof(text), "%s/a:%s/b:%s/missing:%s/c", scratch, scratch, scratch, scratch);
        return text;
}

static Spec *load(const char *name) {
        static Spec *s;

        s = spec_free(s);
        ck_assert_int_eq(spec_load(name, dirs(), NULL, &s), 0);
        return s;
}

static bool ends_with(const char *path, const char *end) {
        return str_ends_with(path, end);
}

START_TEST(the_first_directory_that_has_a_spec_counts) {
        Spec *s = NULL;

        scratch_write("b/x.container", GOOD);
        scratch_write("c/x.container", "[Nonsense]\n");
        ck_assert(ends_with(load("x")->path, "/b/x.container"));
        scratch_write("a/x.container", GOOD);
        ck_assert(ends_with(load("x")->path, "/a/x.container"));
        ck_assert_int_eq(spec_load("y", dirs(), NULL, &s), -ENOENT);
        ck_assert_int_eq(spec_load("x/y", dirs(), NULL, &s), -EINVAL);
        ck_assert_ptr_null(s);
}
END_TEST

START_TEST(drop_ins_of_all_directories_are_applied_by_name) {
        Spec *s;

        scratch_write("b/x-y.container", GOOD "StopTimeout=1\n");
        scratch_write("c/x-y.container.d/10-a.conf", "[Container]\nStopTimeout=2\nHostName=a\n");
        scratch_write("a/x-y.container.d/20-b.conf", "[Container]\nStopTimeout=3\n");
        scratch_write("b/x-y.container.d/20-b.conf", "[Container]\nStopTimeout=99\n");
        scratch_write("c/x-.container.d/15-p.conf", "[Container]\nStopTimeout=88\nHostName=p\n");
        scratch_write("c/container.d/12-t.conf", "[Container]\nHostName=t\nTimezone=local\n");
        scratch_write("a/x-y.container.d/not-a-drop-in", "[Nonsense]\n");
        s = load("x-y");
        ck_assert_uint_eq(strv_length(s->fragments), 5);
        ck_assert(ends_with(s->fragments[1], "/c/x-y.container.d/10-a.conf"));
        ck_assert(ends_with(s->fragments[2], "/c/container.d/12-t.conf"));
        ck_assert(ends_with(s->fragments[3], "/c/x-.container.d/15-p.conf"));
        ck_assert(ends_with(s->fragments[4], "/a/x-y.container.d/20-b.conf"));
        ck_assert_uint_eq(s->processes[0].stop_timeout.value, 3000000);
        ck_assert_str_eq(s->processes[0].hostname.value, "p");
        ck_assert_uint_eq(s->processes[0].hostname.origin.file, 3);
        ck_assert_str_eq(s->processes[0].timezone.value, "local");
}
END_TEST

START_TEST(masks_hide) {
        Spec *s = NULL;
        _cleanup_strv_ char **names = NULL;

        scratch_write("c/x.container", GOOD);
        scratch_write("c/y.container", GOOD);
        scratch_write("c/z.container", GOOD);
        scratch_link("a/x.container", "/dev/null");
        scratch_write("b/y.container", "");
        ck_assert_int_eq(spec_load("x", dirs(), NULL, &s), -ERFKILL);
        ck_assert_int_eq(spec_load("y", dirs(), NULL, &s), -ERFKILL);
        scratch_write("c/z.container.d/10.conf", "[Container]\nHostName=masked\n");
        scratch_link("a/z.container.d/10.conf", "/dev/null");
        ck_assert_ptr_null(load("z")->processes[0].hostname.value);
        ck_assert_int_eq(spec_list(dirs(), &names), 0);
        ck_assert_uint_eq(strv_length(names), 1);
        ck_assert_str_eq(names[0], "z");
}
END_TEST

START_TEST(instances_come_from_their_template) {
        Spec *s;

        scratch_write("c/web@.container", GOOD "HostName=h-%i\nVolume=/srv/%I:/data\n");
        scratch_write("a/web@.container.d/10.conf", "[Container]\nStopTimeout=5\n");
        scratch_write("a/web@one.container.d/10.conf", "[Container]\nStopTimeout=6\n");
        s = load("web@two");
        ck_assert_str_eq(s->name, "web@two");
        ck_assert_str_eq(s->prefix, "web");
        ck_assert_str_eq(s->instance, "two");
        ck_assert(!s->template);
        ck_assert_str_eq(s->processes[0].hostname.value, "h-two");
        ck_assert_uint_eq(s->processes[0].stop_timeout.value, 5000000);
        s = load("web@one");
        ck_assert_uint_eq(s->processes[0].stop_timeout.value, 6000000);
        ck_assert_str_eq(load("web@a-b")->processes[0].mounts.items[0].source, "/srv/a/b");
        /* A file of its own comes before the template, whatever the directory. */
        scratch_link("c/web@three.container", "web@.container");
        ck_assert(ends_with(load("web@three")->path, "/web@three.container"));
        ck_assert_int_eq(spec_load("web@", dirs(), NULL, &s), -EINVAL);
}
END_TEST

START_TEST(specs_are_listed_in_order_and_once) {
        _cleanup_strv_ char **names = NULL;

        scratch_write("b/b.container", GOOD);
        scratch_write("a/b.container", GOOD);
        scratch_write("c/a.container", "wrong");
        scratch_write("a/t@.container", GOOD);
        scratch_write("a/.hidden.container", GOOD);
        scratch_write("a/no spaces.container", GOOD);
        scratch_write("a/other.conf", GOOD);
        scratch_write("a/d.container/file", GOOD);
        ck_assert_int_eq(spec_list(dirs(), &names), 0);
        ck_assert_uint_eq(strv_length(names), 3);
        ck_assert_str_eq(names[0], "a");
        ck_assert_str_eq(names[1], "b");
        ck_assert_str_eq(names[2], "t@");
}
END_TEST

START_TEST(what_is_not_a_file_does_not_hang) {
        char path[256];
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        Spec *s = NULL;

        scratch_write("a/x", "");
        (void) snprintf(path, sizeof(path), "%s/a/x.container", scratch);
        ck_assert_int_eq(mkfifo(path, 0644), 0);
        ck_assert_int_eq(spec_load("x", dirs(), &diags, &s), -EBADMSG);
        ck_assert_str_eq(diags.items[0].text, "cannot read it: it is not a regular file");
        scratch_link("a/y.container", "nowhere");
        ck_assert_int_eq(spec_load("y", dirs(), NULL, &s), -EBADMSG);
}
END_TEST

START_TEST(a_single_file_has_the_drop_ins_beside_it) {
        Spec *s = NULL;
        char path[256];

        scratch_write("a/x.container", GOOD "EnvironmentFile=env\n");
        scratch_write("a/x.container.d/1.conf", "[Container]\nHostName=h\nVolume=./data:/data\n");
        scratch_write("b/x.container.d/2.conf", "[Container]\nHostName=no\n");
        (void) snprintf(path, sizeof(path), "%s/a/x.container", scratch);
        ck_assert_int_eq(spec_read_file(path, SPEC_STATIC, NULL, &s), 0);
        ck_assert_str_eq(s->processes[0].hostname.value, "h");
        ck_assert(ends_with(s->processes[0].environment_files.items[0].path, "/a/env"));
        ck_assert(ends_with(s->processes[0].mounts.items[0].source, "/a/x.container.d/data"));
        ck_assert_int_eq(*s->processes[0].mounts.items[0].source, '/');
        spec_free(s);
        (void) snprintf(path, sizeof(path), "%s/a/x.conf", scratch);
        ck_assert_int_eq(spec_read_file(path, SPEC_STATIC, NULL, &s), -EINVAL);
}
END_TEST

START_TEST(names_are_those_of_units) {
        ck_assert(spec_name_valid("shop"));
        ck_assert(spec_name_valid("a-b.c_d:e\\x2d"));
        ck_assert(spec_name_valid("t@"));
        ck_assert(spec_name_valid("t@i"));
        ck_assert(!spec_name_valid(""));
        ck_assert(!spec_name_valid("@i"));
        ck_assert(!spec_name_valid("a@b@c"));
        ck_assert(!spec_name_valid("a/b"));
        ck_assert(!spec_name_valid(".a"));
        ck_assert(!spec_name_valid("a b"));
        ck_assert(!spec_name_valid("a%b"));
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, the_first_directory_that_has_a_spec_counts);
        tcase_add_test(t, drop_ins_of_all_directories_are_applied_by_name);
        tcase_add_test(t, masks_hide);
        tcase_add_test(t, instances_come_from_their_template);
        tcase_add_test(t, specs_are_listed_in_order_and_once);
        tcase_add_test(t, what_is_not_a_file_does_not_hang);
        tcase_add_test(t, a_single_file_has_the_drop_ins_beside_it);
        tcase_add_test(t, names_are_those_of_units);
}

int main(void) {
        return scratch_run("document", add);
}
