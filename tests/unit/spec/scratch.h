/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory of files for one test, gone after it; and specs written into it. */

#include <check.h>

#include "spec/spec.h"

extern char scratch[];

void scratch_open(void);  /* for tcase_add_checked_fixture() */
void scratch_close(void);

/* Writes text to scratch/path, making directories. */
void scratch_write(const char *path, const char *text);
void scratch_link(const char *path, const char *target);

/* Writes text as NAME.container and reads it: it has to be right, or wrong with one error that says `wrong` at line:column. */
Spec *scratch_spec(const char *name, const char *text);
void scratch_wrong(const char *text, unsigned line, unsigned column, const char *wrong);

/* The same by spec_load() or one of its kind. The Spec lives until the next call. */
typedef int (*ScratchLoader)(const char *name, const char *dirs, SpecDiags *diags, Spec **ret);
Spec *scratch_load(ScratchLoader load, const char *name);
void scratch_wrong_file(ScratchLoader load, const char *file, const char *text, unsigned line, unsigned column, const char *wrong);

/* [Container] with an image and these lines: the only process. The Spec lives until the next call. */
const SpecProcess *scratch_process(const char *lines);
/* The same, wrong in the first of the lines (which is line 3). */
void scratch_process_wrong(const char *lines, unsigned column, const char *wrong);

int scratch_run(const char *name, void (*add)(TCase *t));
