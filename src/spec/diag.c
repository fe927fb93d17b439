/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "spec/diag.h"
#include "util/buf.h"
#include "util/strv.h"

int spec_diag_add(SpecDiags *d, SpecSeverity severity, const char *path, unsigned line, unsigned column,
        const char *format, ...) {
        _cleanup_free_ char *text = NULL, *copy = NULL;
        SpecDiag *items;
        va_list ap;

        if (!d)
                return 0;
        if (severity == SPEC_ERROR)
                d->n_errors++;
        else
                d->n_warnings++;
        if (d->n >= SPEC_DIAGS_MAX)
                return 0;
        va_start(ap, format);
        text = str_vformat(format, ap);
        va_end(ap);
        if (!text)
                return -ENOMEM;
        if (path && !(copy = strdup(path)))
                return -ENOMEM;
        items = realloc(d->items, (d->n + 1) * sizeof(SpecDiag));
        if (!items)
                return -ENOMEM;
        d->items = items;
        d->items[d->n++] = (SpecDiag){
                .path = TAKE_PTR(copy),
                .line = line,
                .column = column,
                .severity = severity,
                .text = TAKE_PTR(text),
        };
        return 0;
}

char *spec_diag_format(const SpecDiag *d, bool whole_path) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = 0;

        if (d->path) {
                const char *slash = whole_path ? NULL : strrchr(d->path, '/');

                r = buf_puts(&b, slash ? slash + 1 : d->path);
                if (r == 0 && d->line > 0)
                        r = buf_printf(&b, ":%u", d->line);
                if (r == 0 && d->line > 0 && d->column > 0)
                        r = buf_printf(&b, ":%u", d->column);
                if (r == 0)
                        r = buf_puts(&b, ": ");
        }
        if (r == 0 && d->severity == SPEC_WARNING)
                r = buf_puts(&b, "warning: ");
        if (r == 0)
                r = buf_puts(&b, d->text);
        return r < 0 ? NULL : buf_steal(&b);
}

int spec_diags_move(SpecDiags *d, SpecDiags *from) {
        size_t n = MIN(from->n, SPEC_DIAGS_MAX - d->n);
        SpecDiag *items;

        if (n > 0) {
                items = reallocarray(d->items, d->n + n, sizeof(SpecDiag));
                if (!items)
                        return -ENOMEM;
                d->items = items;
                memcpy(d->items + d->n, from->items, n * sizeof(SpecDiag));
                d->n += n;
                from->n -= n;
                memmove(from->items, from->items + n, from->n * sizeof(SpecDiag));
        }
        d->n_errors += from->n_errors;
        d->n_warnings += from->n_warnings;
        spec_diags_clear(from);
        return 0;
}

void spec_diags_clear(SpecDiags *d) {
        for (size_t i = 0; i < d->n; i++) {
                free(d->items[i].path);
                free(d->items[i].text);
        }
        free(d->items);
        *d = SPEC_DIAGS_INIT;
}
