/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/usage.h"
#include "run/cgroup.h"
#include "unit/name.h"
#include "util/fd.h"
#include "util/strv.h"

#define FILE_MAX 4096

/* name NULL: the file is one number; else "NAME NUMBER" is a line of it. cgroups(7). */
static uint64_t read_number(int cgroup, const char *file, const char *name) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        uint64_t v;

        if (read_file(cgroup, file, FILE_MAX, &text, NULL) < 0)
                return USAGE_UNKNOWN;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                const char *value = name ? str_after(line, name) : line;

                if (value && parse_u64(value, UINT64_MAX, &v) >= 0)
                        return v;
        }
        return USAGE_UNKNOWN;
}

/* scope "": the slice itself. */
static Usage usage_of_group(const char *app, const char *scope) {
        Usage u = { .memory = USAGE_UNKNOWN, .cpu_usec = USAGE_UNKNOWN, .pids = USAGE_UNKNOWN };
        _cleanup_free_ char *slice = NULL, *below = NULL, *path = NULL;
        _cleanup_close_ int cgroup = -EBADF;

        if (unit_slice_name(app, &slice) < 0 || unit_slice_path(slice, &below) < 0)
                return u;
        path = str_format(CGROUP_ROOT "/%s/%s", below, scope);
        cgroup = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        if (cgroup < 0)
                return u;
        u.memory = read_number(cgroup, "memory.current", NULL);
        u.cpu_usec = read_number(cgroup, "cpu.stat", "usage_usec ");
        u.pids = read_number(cgroup, "pids.current", NULL);
        return u;
}

Usage usage_of(const char *app, const InstanceStatus *i) {
        if (!i->scope || !*i->scope || i->pid <= 0)
                return (Usage){ .memory = USAGE_UNKNOWN, .cpu_usec = USAGE_UNKNOWN, .pids = USAGE_UNKNOWN };
        return usage_of_group(app, i->scope);
}

Usage usage_of_app(const char *app) {
        return usage_of_group(app, "");
}

const char *usage_memory_text(const Usage *u, char text[static USAGE_TEXT_MAX]) {
        if (u->memory == USAGE_UNKNOWN)
                return NULL;
        size_text(u->memory, text);
        return text;
}

const char *usage_cpu_text(const Usage *u, char text[static USAGE_TEXT_MAX]) {
        uint64_t seconds = u->cpu_usec / 1000000;

        if (u->cpu_usec == USAGE_UNKNOWN)
                return NULL;
        if (seconds < 10)
                (void) snprintf(text, USAGE_TEXT_MAX, "%" PRIu64 "ms", u->cpu_usec / 1000);
        else if (seconds < 60)
                (void) snprintf(text, USAGE_TEXT_MAX, "%" PRIu64 "s", seconds);
        else if (seconds < 3600)
                (void) snprintf(text, USAGE_TEXT_MAX, "%" PRIu64 "min %" PRIu64 "s", seconds / 60, seconds % 60);
        else
                (void) snprintf(text, USAGE_TEXT_MAX, "%" PRIu64 "h %" PRIu64 "min", seconds / 3600, seconds / 60 % 60);
        return text;
}

static int number(Buf *b, const char *name, uint64_t value) {
        return value == USAGE_UNKNOWN ? buf_printf(b, ",\"%s\":null", name) : buf_printf(b, ",\"%s\":%" PRIu64, name, value);
}

int usage_json(Buf *b, const Usage *u) {
        int r = number(b, "memory", u->memory);

        if (r >= 0)
                r = number(b, "cpu_usec", u->cpu_usec);
        return r < 0 ? r : number(b, "pids", u->pids);
}
