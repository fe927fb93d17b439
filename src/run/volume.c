/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/volume.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

/* `data` comes into being together with its mark: both are made in a directory that is then renamed. */
static int volume_make(const char *dir, const char *name) {
        _cleanup_free_ char *staging = NULL, *data = NULL, *mark = NULL, *volume = NULL;
        int r;

        staging = str_format("%s/.#%s.%d", dir, name, (int) getpid());
        if (!staging)
                return -ENOMEM;
        data = str_format("%s/data", staging);
        mark = str_format("%s/new", staging);
        volume = str_format("%s/%s", dir, name);
        if (!data || !mark || !volume)
                return -ENOMEM;
        r = mkdir_parents(AT_FDCWD, data, 0755);
        if (r >= 0 && chmod(data, 0755) < 0)
                r = -errno;
        if (r >= 0)
                r = write_file(AT_FDCWD, mark, "", 0, 0600, false);
        if (r >= 0 && rename(staging, volume) < 0 && errno != EEXIST && errno != ENOTEMPTY)
                r = -errno;
        (void) remove_tree(AT_FDCWD, staging);
        return r;
}

int volume_open(const char *name, char **ret_path, bool *ret_new, Error *reterr) {
        _cleanup_free_ char *data = str_format(BERTH_VOLUME_DIR "/%s/data", name);
        _cleanup_free_ char *mark = str_format(BERTH_VOLUME_DIR "/%s/new", name);
        int r = 0;

        if (!data || !mark)
                return -ENOMEM;
        if (access(data, F_OK) < 0) {
                r = mkdir_parents(AT_FDCWD, BERTH_VOLUME_DIR, 0700);
                if (r >= 0)
                        r = volume_make(BERTH_VOLUME_DIR, name);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make volume '%s'", name);
        *ret_new = access(mark, F_OK) >= 0;
        *ret_path = TAKE_PTR(data);
        return 0;
}

int volume_filled(const char *name) {
        _cleanup_free_ char *mark = str_format(BERTH_VOLUME_DIR "/%s/new", name);

        if (!mark)
                return -ENOMEM;
        return unlink(mark) < 0 && errno != ENOENT ? -errno : 0;
}
