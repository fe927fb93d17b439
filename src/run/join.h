/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs a command inside a running instance: in its namespaces, with its user, capabilities and seccomp profile. */

#include "sandbox/world.h"

typedef struct JoinSettings {
        const char *app;
        const char *instance;   /* NULL: the first that runs */
        char *const *argv;
        char *const *env;       /* "NAME=value" on top of the instance's; may be NULL */
        const char *user;       /* as World.user; NULL: the instance's */
        const char *cwd;        /* NULL: the instance's */
        bool terminal;          /* a new pty, joined to standard input and output */
        bool log;               /* what it writes we write: the journal files a line under the unit of who wrote it */
} JoinSettings;

#define JOIN_NOT_STARTED 126
#define JOIN_NOT_FOUND 127

/* In a scope of its own under the app's slice. Returns the command's exit status, 128 and the signal that ended it; as shells do JOIN_NOT_FOUND
 * or JOIN_NOT_STARTED, with the sentence in reterr; or negative errno: -ENOENT no such app or instance runs. */
int join_run(const JoinSettings *settings, Error *reterr);

/* The World that a command joins with, made of the one that the instance was started with; settings->instance is its key. It does not take
 * over bind(2), and nobody but the command is its process. */
int join_world(const JoinSettings *settings, World *ret, Error *reterr);

/* Starts `berth-helper join` for the instance of which leader is a pidfd: *ret_control is our end of HELPER_FD_CONTROL, where it names
 * the command's process and waits for HELPER_GO; *ret_outer is a pidfd of the helper, to be reaped. */
int join_start_helper(const JoinSettings *settings, const char *process, unsigned release, const World *w, int leader, const int std[3],
        int *ret_control, int *ret_outer, Error *reterr);
