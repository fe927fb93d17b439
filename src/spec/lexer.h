/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One file in unit syntax, taken apart as systemd.syntax(7) says: section headers and KEY=VALUE lines, each of which
 * still knows where every one of its bytes was written. */

#include "spec/diag.h"

typedef struct SpecLine {
        char *key;        /* NULL: a section header, value is its name without brackets */
        char *value;      /* stripped, continuations joined */
        uint32_t section; /* index of the header that this line is under; a header's is its own */
        uint32_t line, column; /* of the key or the "[", from 1 */
        char *start;      /* of the joined line; key and value point into it */
        uint32_t raw, raw_line; /* where the joined line starts in SpecSource.raw, and on which line */
} SpecLine;

typedef struct SpecSource {
        char *path;
        char *raw; /* the file as it is, NUL-terminated */
        size_t size;
        char *joined; /* what the lines' texts point into */
        SpecLine *lines;
        size_t n_lines;
} SpecSource;

/* Takes raw apart (it becomes s->raw, freed with it even on failure). Everything wrong is added to diags and left out
 * of the lines. 0 or -ENOMEM. At most max_lines lines. */
int spec_source_lex(SpecSource *s, const char *path, char *raw, size_t size, size_t max_lines, SpecDiags *diags);

void spec_source_clear(SpecSource *s);

/* Where the byte that `at` points to was written; `at` lies within line's key or value, or at their end. The cursor
 * (zeroed by the caller for each line) makes asking for ascending places cheap. */
typedef struct SpecCursor {
        const SpecLine *of;
        size_t raw, joined;
        uint32_t line, column;
} SpecCursor;
void spec_source_locate(const SpecSource *s, const SpecLine *line, const char *at, SpecCursor *cursor);
