/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/lexer.h"
#include "spec/spec.h"
#include "spec/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes as a file: every line lies in its text, is valid, and knows where it was written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        SpecSource s = { 0 };
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        char *raw;

        if (size > SPEC_FILE_SIZE_MAX || !(raw = malloc(size + 1)))
                return 0;
        memcpy(raw, data, size);
        raw[size] = 0;
        if (spec_source_lex(&s, "fuzz.container", raw, size, SPEC_ASSIGNMENTS_MAX, &diags) < 0)
                abort();
        for (size_t i = 0; i < s.n_lines; i++) {
                const SpecLine *l = &s.lines[i];
                SpecCursor cursor = { 0 };

                if (l->section > i || s.lines[l->section].key || !l->line || !l->column)
                        abort();
                if (!utf8_valid(l->value, strlen(l->value)) || strpbrk(l->value, "\n\r") || (l->key && !*l->key))
                        abort();
                for (const char *p = l->value; *p; p++) {
                        spec_source_locate(&s, l, p, &cursor);
                        if (cursor.raw >= s.size || cursor.line < l->line)
                                abort();
                        /* What stands there is the byte itself, or the backslash that joined two lines. */
                        if (s.raw[cursor.raw] != *p && !(*p == ' ' && s.raw[cursor.raw] == '\\'))
                                abort();
                }
        }
        spec_source_clear(&s);
        return 0;
}
