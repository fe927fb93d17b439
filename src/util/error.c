/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "util/error.h"

static void text_clean(char *text) {
        for (char *p = text; *p; p++)
                if (*p == '\n' || *p == '\r')
                        *p = ' ';
}

int error_set(Error *e, int code, const char *format, ...) {
        va_list ap;

        if (e) {
                e->code = code;
                va_start(ap, format);
                (void) vsnprintf(e->text, sizeof(e->text), format, ap);
                va_end(ap);
                text_clean(e->text);
        }
        return code;
}

int error_set_errno(Error *e, int code, const char *format, ...) {
        va_list ap;

        if (e) {
                char reason[128];
                int n;

                e->code = code;
                va_start(ap, format);
                n = vsnprintf(e->text, sizeof(e->text), format, ap);
                va_end(ap);
                if (n >= 0 && (size_t) n < sizeof(e->text))
                        (void) snprintf(e->text + n, sizeof(e->text) - (size_t) n, ": %s",
                                strerror_r(code < 0 ? -code : code, reason, sizeof(reason)));
                text_clean(e->text);
        }
        return code;
}

int error_prefix(Error *e, const char *format, ...) {
        char prefix[ERROR_TEXT_MAX / 2], old[ERROR_TEXT_MAX];
        va_list ap;

        if (!e)
                return 0;
        va_start(ap, format);
        (void) vsnprintf(prefix, sizeof(prefix), format, ap);
        va_end(ap);
        memcpy(old, e->text, sizeof(old));
        (void) snprintf(e->text, sizeof(e->text), "%s: %.*s", prefix,
                (int) (sizeof(e->text) - strlen(prefix) - 3), old);
        text_clean(e->text);
        return e->code;
}
