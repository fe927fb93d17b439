/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "unit/generate.h"
#include "util/fd.h"

/* systemd.generator(7): run before anything else is up, with three directories of which the first is for what has the
 * normal precedence. No bus, no network, no journal: there is the kernel log, or standard error. */

typedef struct Generator {
        int dir;
        int log; /* /dev/kmsg, or standard error */
        bool kernel;
        bool failed;
} Generator;

/* A line of /dev/kmsg is one write, and at most 1024 bytes with its prefix. */
static void say(Generator *g, SpecSeverity severity, const char *text) {
        char line[960];
        int n;

        if (g->kernel)
                n = snprintf(line, sizeof(line), "<%d>berth-generator[%d]: %s\n",
                        LOG_DAEMON | (severity == SPEC_ERROR ? LOG_ERR : LOG_WARNING), (int) getpid(), text);
        else
                n = snprintf(line, sizeof(line), "berth-generator: %s\n", text);
        if (n >= (int) sizeof(line)) {
                n = (int) sizeof(line) - 1;
                line[n - 1] = '\n';
        }
        (void) write_all(g->log, line, (size_t) n);
}

/* systemd sets SYSTEMD_EXEC_PID for what it executes itself; nobody reads the standard error of that. */
static void open_log(Generator *g) {
        const char *pid = getenv("SYSTEMD_EXEC_PID"), *scope = getenv("SYSTEMD_SCOPE");

        g->log = STDERR_FILENO;
        if (!scope && !(pid && strtol(pid, NULL, 10) == getpid()))
                return;
        if (isatty(STDERR_FILENO))
                return;
        g->log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (g->log < 0)
                g->log = STDERR_FILENO;
        else
                g->kernel = true;
}

static int emit(void *userdata, const UnitFile *f, const SpecDiags *diags) {
        Generator *g = userdata;
        Error error = { 0 };

        for (size_t i = 0; i < diags->n; i++) {
                _cleanup_free_ char *text = spec_diag_format(&diags->items[i], true);

                if (text)
                        say(g, diags->items[i].severity, text);
        }
        if (f && unit_file_write(g->dir, f, &error) < 0) {
                /* The others may still find room. */
                say(g, SPEC_ERROR, error.text);
                g->failed = true;
        }
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_search_ SpecSearch search = { 0 };
        Generator g = { .dir = -EBADF };
        Error error;
        int r;

        open_log(&g);
        if (argc != 4 || argv[1][0] == '-') {
                say(&g, SPEC_ERROR, "usage: berth-generator NORMAL-DIR EARLY-DIR LATE-DIR");
                return 2;
        }
        g.dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (g.dir < 0) {
                (void) error_set_errno(&error, -errno, "cannot open the directory for units '%s'", argv[1]);
                say(&g, SPEC_ERROR, error.text);
                return 1;
        }
        r = spec_search_open(NULL, &search);
        if (r == 0)
                r = unit_generate(&search, emit, &g);
        if (r < 0)
                say(&g, SPEC_ERROR, r == -ENOMEM ? "out of memory" : strerror(-r));
        return r < 0 || g.failed ? 1 : 0;
}
