/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-helper: builds the world of one instance and becomes its payload. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "util/fd.h"

static const struct {
        const char *name;
        int (*run)(Helper *h, Error *reterr);
} modes[] = {
        { "start", outer_start },
        { "join",  join_start  },
};

static int helper_run(const char *mode, Error *reterr) {
        static Helper h; /* a User is large for a stack, and inner keeps using it */
        int r;

        h = HELPER_INIT;
        /* Nothing in an instance may look into a process that still has the host's rights. */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot protect the helper");
        r = world_read(HELPER_FD_WORLD, &h.world, reterr);
        if (r < 0)
                return r;
        h.mounts = calloc(h.world.n_mounts + 1, sizeof(int));
        if (!h.mounts)
                return error_set_errno(reterr, -ENOMEM, "cannot start");
        for (size_t i = 0; i < h.world.n_mounts; i++)
                h.mounts[i] = -EBADF;
        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (streq(mode, modes[i].name))
                        return modes[i].run(&h, reterr);
        return error_set(reterr, -EINVAL, "unknown mode '%s'", mode);
}

int main(int argc, char *argv[]) {
        Error error = { 0 };

        if (argc != 2 || fcntl(HELPER_FD_CONTROL, F_GETFD) < 0) {
                fputs("berth-helper is started by berth-supervisor and berth exec, see berth-helper(8).\n", stderr);
                return 2;
        }
        if (helper_run(argv[1], &error) < 0)
                control_fail(&error);
        return 0;
}
