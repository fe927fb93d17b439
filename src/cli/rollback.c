/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <unistd.h>

#include "cli/rollback.h"
#include "util/fd.h"
#include "util/strv.h"

#define SPECS "/run/berth/specs"
#define DROP_IN "zz-auto-update.conf" /* after all others */

static char *directory_of(const char *app) {
        return str_format(SPECS "/%s.container.d", app);
}

void rollback_clear(Rollback *r) {
        buf_clear(&r->text);
}

int rollback_add(Rollback *r, const char *process, const char *id) {
        int q = *process ? buf_printf(&r->text, "[Process %s]\n", process) : buf_puts(&r->text, "[Container]\n");

        return q < 0 ? q : buf_printf(&r->text, "Image=%s\nPull=never\n", id);
}

int rollback_write(const Rollback *r, const char *app, Error *reterr) {
        _cleanup_free_ char *directory = directory_of(app), *path = directory ? str_format("%s/" DROP_IN, directory) : NULL;
        int q;

        if (!path)
                return -ENOMEM;
        q = mkdir_parents(AT_FDCWD, directory, 0755);
        if (q >= 0)
                q = write_file(AT_FDCWD, path, r->text.data, r->text.size, 0644, false);
        return q < 0 ? error_set_errno(reterr, q, "cannot write %s", path) : 0;
}

void rollback_forget(const char *app) {
        _cleanup_free_ char *directory = directory_of(app), *path = directory ? str_format("%s/" DROP_IN, directory) : NULL;

        if (!path)
                return;
        (void) unlink(path);
        (void) rmdir(directory); /* where nobody else has something in it */
}
