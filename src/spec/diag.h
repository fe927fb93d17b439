/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Diagnostics: what is wrong with a file, where, and what would be right. All of them are collected, not the first. */

#include <stdio.h>

#include "util/macro.h"

#define SPEC_DIAGS_MAX 200 /* more are counted, not kept */

typedef enum SpecSeverity {
        SPEC_ERROR,
        SPEC_WARNING,
        _SPEC_SEVERITY_MAX,
        _SPEC_SEVERITY_INVALID = -EINVAL,
} SpecSeverity;

typedef struct SpecDiag {
        char *path; /* as it was opened; NULL: no file is meant */
        unsigned line, column; /* from 1; 0: the whole file */
        SpecSeverity severity;
        char *text; /* "unknown key 'Imgae', did you mean 'Image'?" */
} SpecDiag;

typedef struct SpecDiags {
        SpecDiag *items;
        size_t n;
        size_t n_errors, n_warnings; /* of all, also of what is past SPEC_DIAGS_MAX */
} SpecDiags;

#define SPEC_DIAGS_INIT ((SpecDiags){ 0 })

/* d may be NULL: nothing is kept. Always returns 0 or -ENOMEM. */
int spec_diag_add(SpecDiags *d, SpecSeverity severity, const char *path, unsigned line, unsigned column,
        const char *format, ...) _printf_(6, 7);

/* "shop.container:7:1: unknown key …" with the path's last component, or the whole path. The caller frees. */
char *spec_diag_format(const SpecDiag *d, bool whole_path);

/* All of from goes to the end of d. 0 or -ENOMEM. */
int spec_diags_move(SpecDiags *d, SpecDiags *from);

void spec_diags_clear(SpecDiags *d);
#define _cleanup_diags_ _cleanup_(spec_diags_clear)
