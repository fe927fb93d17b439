/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/text.h"
#include "util/fd.h"
#include "util/strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The directory of one process, on a tmpfs where there is one; gone with the process. */
static char directory[64], paths[_SPEC_KIND_MAX][96];

static void remove_directory(void) {
        (void) remove_tree(AT_FDCWD, directory);
}

static int prepare(void) {
        if (*directory)
                return 0;
        (void) snprintf(directory, sizeof(directory), "%s/berth-fuzz.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        if (!mkdtemp(directory))
                return -errno;
        (void) atexit(remove_directory);
        /* With an instance, so that what templates do is in reach. */
        for (int kind = 0; kind < _SPEC_KIND_MAX; kind++)
                (void) snprintf(paths[kind], sizeof(paths[kind]), "%s/shop@a%s", directory, spec_kind_suffix((SpecKind) kind));
        return 0;
}

/* A text that a unit carries must read back as lines of a unit: no key of a spec may bring in one that it did not have. */
static void check_text(const char *text) {
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
                size_t n = strcspn(line, "\n"), slashes = 0;

                if (line[n] != '\n')
                        abort();
                while (slashes < n && line[n - slashes - 1] == '\\')
                        slashes++;
                if (slashes % 2 == 1)
                        abort();
                if (n > 0 && *line != '[' && *line != '#' && !memchr(line, '=', n))
                        abort();
        }
}

/* "a.target.wants/b.service" or "b.service", and never out of the directory. */
static void check_link(const char *path) {
        const char *slash = strchr(path, '/');

        if (slash == path || (slash && strchr(slash + 1, '/')) || str_after(path, "../") || str_after(path, "./") ||
                !str_ends_with(path, ".service"))
                abort();
}

static void check_processes(const Spec *s) {
        if ((s->n_processes == 0) != (s->kind != SPEC_CONTAINER) || (s->kind == SPEC_IMAGE && !s->image.name.value))
                abort();
        for (size_t i = 0; i < s->n_processes; i++)
                if (!s->processes[i].image.value == !s->processes[i].rootfs.value)
                        abort();
}

static int put_text(const Spec *s, bool broken, Buf *text) {
        if (s->kind != SPEC_CONTAINER)
                return unit_oneshot_text(s, broken, text);
        return broken ? unit_text_broken(s, text) : unit_text(s, text);
}

static void check_socket(const Spec *s, bool broken) {
        _cleanup_free_ char *name = broken ? NULL : unit_socket_name(s);
        _cleanup_links_ UnitLinks links = { 0 };
        _cleanup_buf_ Buf text = BUF_INIT;

        if (!name)
                return;
        if (unit_socket_text(s, &text) < 0 || unit_links(s, UNIT_INSTALL_SOCKET, &links) < 0 || links.n == 0)
                abort();
        check_text(text.data);
}

static void read_one(const char *path, SpecFlags flags) {
        _cleanup_(spec_freep) Spec *s = NULL;
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_links_ UnitLinks links = { 0 };
        _cleanup_buf_ Buf text = BUF_INIT;
        int r = spec_read_file(path, flags, &diags, &s);

        if ((r == -EBADMSG) != (diags.n_errors > 0) || (r == 0 && !s))
                abort();
        if (!s)
                return;
        if (r == 0)
                check_processes(s);
        if (put_text(s, r < 0, &text) < 0 || unit_links(s, UNIT_INSTALL_ALL, &links) < 0)
                abort();
        check_text(text.data);
        check_socket(s, r < 0);
        for (size_t i = 0; i < links.n; i++)
                check_link(links.items[i].path);
}

/* Any bytes as a spec of each kind, which the other may name: found wrong or turned into a unit, in both ways of reading. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        for (int kind = 0; kind < _SPEC_KIND_MAX; kind++)
                if (prepare() < 0 || write_file(AT_FDCWD, paths[kind], data, size, 0600, false) < 0)
                        return 0;
        for (int kind = 0; kind < _SPEC_KIND_MAX; kind++)
                for (int flags = 0; flags <= SPEC_STATIC; flags += SPEC_STATIC)
                        read_one(paths[kind], (SpecFlags) flags);
        return 0;
}
