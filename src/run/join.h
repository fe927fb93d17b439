/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs a command inside a running instance: in its namespaces, with its user, capabilities and seccomp profile, in a scope of
 * its own under the app's slice. */

#include "util/error.h"

typedef struct JoinSettings {
        const char *app;
        const char *instance;   /* NULL: the first that runs */
        char *const *argv;
        char *const *env;       /* "NAME=value" on top of the instance's; may be NULL */
        const char *user;       /* as World.user; NULL: the instance's */
        const char *cwd;        /* NULL: the instance's */
        bool terminal;          /* a new pty, joined to standard input and output */
} JoinSettings;

/* Returns the command's exit status, 128 and the signal that ended it, or negative errno: -ENOENT no such app or
 * instance runs. */
int join_run(const JoinSettings *settings, Error *reterr);
