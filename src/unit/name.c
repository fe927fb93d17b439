/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>

#include "unit/name.h"
#include "util/buf.h"
#include "util/strv.h"

int unit_escape(const char *text, char **ret) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = 0;

        for (const char *p = text; r == 0 && *p; p++)
                if (*p == '/')
                        r = buf_putc(&b, '-');
                else if ((*p == '.' && p == text) || !(isalnum((unsigned char) *p) || strchr(":_.", *p)))
                        r = buf_printf(&b, "\\x%02x", (unsigned) (unsigned char) *p);
                else
                        r = buf_putc(&b, *p);
        if (r < 0)
                return r;
        *ret = buf_steal(&b);
        return *ret ? 0 : -ENOMEM;
}

int unit_slice_name(const char *app, char **ret) {
        const char *at = strchr(app, '@');
        size_t n = at ? (size_t) (at - app) + 1 : strlen(app);
        _cleanup_free_ char *whole = strndup(app, n), *escaped = NULL, *instance = NULL;
        int r;

        r = whole ? unit_escape(whole, &escaped) : -ENOMEM;
        if (r >= 0)
                r = unit_escape(app + n, &instance);
        if (r < 0)
                return r;
        *ret = str_format("berth-%s%s%s.slice", escaped, *instance ? "-" : "", instance);
        return *ret ? 0 : -ENOMEM;
}

int unit_slice_path(const char *slice, char **ret) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = 0;

        for (const char *dash = strchr(slice, '-'); dash && r == 0; dash = strchr(dash + 1, '-'))
                r = buf_printf(&b, "%.*s.slice/", (int) (dash - slice), slice);
        if (r == 0)
                r = buf_puts(&b, slice);
        if (r < 0)
                return r;
        *ret = buf_steal(&b);
        return *ret ? 0 : -ENOMEM;
}

int unit_scope_name(const char *app, const char *process, unsigned index, const char *twin, unsigned release, char **ret) {
        _cleanup_free_ char *escaped = NULL;
        int r;

        r = unit_escape(app, &escaped);
        if (r < 0)
                return r;
        *ret = process ? str_format("%s-%s.%u%s.v%u.scope", escaped, process, index, twin, release) :
                         str_format("%s.%u%s.v%u.scope", escaped, index, twin, release);
        return *ret ? 0 : -ENOMEM;
}

int unit_pull_name(const char *app, char **ret) {
        _cleanup_free_ char *escaped = NULL;
        int r;

        r = unit_escape(app, &escaped);
        if (r < 0)
                return r;
        *ret = str_format("berth-pull@%s.service", escaped);
        return *ret ? 0 : -ENOMEM;
}
