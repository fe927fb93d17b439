/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that make up one spec, found and taken apart but not yet understood: what spec_read() types, and
 * what `berth cat` shows. */

#include "spec/kind.h"
#include "spec/lexer.h"

/* An opened search path. The generator reads all specs through one. */
typedef struct SpecSearch {
        char **dirs;
        int *fds; /* -ENOENT and the like where a directory could not be opened */
        size_t n;
} SpecSearch;

/* dirs: colon-separated; NULL: $BERTH_SPEC_PATH or the default. Missing directories are fine. */
int spec_search_open(const char *dirs, SpecSearch *ret);
void spec_search_close(SpecSearch *s);
#define _cleanup_search_ _cleanup_(spec_search_close)

/* Names of all apps' specs, or of all files of a kind, sorted; masked ones are left out, but hide those of later directories. */
int spec_search_list(const SpecSearch *s, char ***ret);
int spec_search_list_kind(const SpecSearch *s, SpecKind kind, char ***ret);

/* Paths of what has a kind's suffix and a name that cannot be one, in the order of the search path and sorted within it. */
int spec_search_list_misnamed(const SpecSearch *s, SpecKind kind, char ***ret);

/* Names of the instances of templates that have drop-ins of their own ("web@a": web@a.container.d), sorted, each once. */
int spec_search_list_instances(const SpecSearch *s, char ***ret);

typedef struct SpecDocument {
        SpecKind kind;
        char *name, *prefix, *instance; /* as in Spec */
        bool template;
        SpecSource *sources; /* [0] is the spec, then drop-ins in order of application */
        size_t n_sources;
} SpecDocument;

/* Results as spec_load(), without -EBADMSG: a file that cannot be read or understood is an error in diags alone. */
int spec_document_read(const SpecSearch *s, SpecKind kind, const char *name, SpecDiags *diags, SpecDocument *ret);

/* One file by its path; its drop-ins are looked for beside it only. */
int spec_document_read_file(const char *path, SpecDiags *diags, SpecDocument *ret);

/* Names of the sections, each once, as they come. */
int spec_document_sections(const SpecDocument *d, char ***ret);

static inline const char *spec_line_section(const SpecSource *s, const SpecLine *l) {
        return s->lines[l->section].value;
}

/* Does line i of source f count, or does a later one take it back or replace it? */
bool spec_document_counts(const SpecDocument *d, size_t f, size_t i);

void spec_document_clear(SpecDocument *d);
#define _cleanup_document_ _cleanup_(spec_document_clear)
