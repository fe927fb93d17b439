/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "scratch.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

char scratch[] = "/tmp/berth-test.XXXXXX";
static Spec *last;

void scratch_open(void) {
        temporary_make(scratch);
}

void scratch_close(void) {
        last = spec_free(last);
        temporary_remove();
}

static void parents(const char *path, char full[static 512]) {
        char *slash;

        ck_assert_int_lt(snprintf(full, 512, "%s/%s", scratch, path), 512);
        slash = strrchr(full, '/');
        *slash = 0;
        ck_assert_int_ge(mkdir_parents(AT_FDCWD, full, 0755), 0);
        *slash = '/';
}

void scratch_write(const char *path, const char *text) {
        char full[512];

        parents(path, full);
        ck_assert_int_eq(write_file(AT_FDCWD, full, text, strlen(text), 0644, false), 0);
}

void scratch_link(const char *path, const char *target) {
        char full[512];

        parents(path, full);
        ck_assert_int_eq(symlink(target, full), 0);
}

static void show(const SpecDiags *diags) {
        for (size_t i = 0; i < diags->n; i++) {
                _cleanup_free_ char *text = spec_diag_format(&diags->items[i], false);

                fprintf(stderr, "%s\n", text);
        }
}

Spec *scratch_spec(const char *name, const char *text) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        char path[256];
        int r;

        if (text) {
                (void) snprintf(path, sizeof(path), "%s.container", name);
                scratch_write(path, text);
        }
        last = spec_free(last);
        r = spec_load(name, scratch, &diags, &last);
        if (r < 0)
                show(&diags);
        ck_assert_int_eq(r, 0);
        return last;
}

Spec *scratch_load(ScratchLoader load, const char *name) {
        static Spec *last;

        last = spec_free(last);
        ck_assert_int_eq(load(name, scratch, NULL, &last), 0);
        return last;
}

void scratch_wrong_file(ScratchLoader load, const char *file, const char *text, unsigned line, unsigned column, const char *wrong) {
        _cleanup_free_ char *name = strndup(file, strcspn(file, "."));
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        Spec *s = NULL;

        scratch_write(file, text);
        ck_assert_int_eq(load(name, scratch, &diags, &s), -EBADMSG);
        ck_assert_ptr_null(s);
        if (diags.n != 1)
                show(&diags);
        ck_assert_uint_eq(diags.n_errors, 1);
        ck_assert_uint_eq(diags.n, 1);
        ck_assert_str_eq(diags.items[0].text, wrong);
        ck_assert_uint_eq(diags.items[0].line, line);
        ck_assert_uint_eq(diags.items[0].column, column);
}

void scratch_wrong(const char *text, unsigned line, unsigned column, const char *wrong) {
        scratch_wrong_file(spec_load, "wrong.container", text, line, column, wrong);
}

static const char *container(const char *lines) {
        static char text[8192];

        ck_assert_int_lt(snprintf(text, sizeof(text), "[Container]\nImage=localhost/x\n%s\n", lines), (int) sizeof(text));
        return text;
}

const SpecProcess *scratch_process(const char *lines) {
        Spec *s = scratch_spec("x", container(lines));

        ck_assert_uint_eq(s->n_processes, 1);
        return &s->processes[0];
}

void scratch_process_wrong(const char *lines, unsigned column, const char *wrong) {
        scratch_wrong(container(lines), 3, column, wrong);
}

int scratch_run(const char *name, void (*add)(TCase *t)) {
        Suite *s = suite_create(name);
        TCase *t = tcase_create(name);

        suite_add_tcase(s, t);
        tcase_add_checked_fixture(t, scratch_open, scratch_close);
        add(t);
        return suite_run(s);
}
