/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/log.h"

void log_line(int priority, const char *format, ...) {
        char line[2048];
        size_t n = 0;
        va_list ap;
        int k;

        /* systemd sets JOURNAL_STREAM for what it connects to the journal. */
        if (getenv("JOURNAL_STREAM") && !isatty(STDERR_FILENO))
                n = (size_t) snprintf(line, sizeof(line), "<%d>", priority);
        va_start(ap, format);
        k = vsnprintf(line + n, sizeof(line) - n - 1, format, ap);
        va_end(ap);
        if (k < 0)
                return;
        n = MIN(n + (size_t) k, sizeof(line) - 2);
        line[n++] = '\n';
        (void) write_all(STDERR_FILENO, line, n);
}
