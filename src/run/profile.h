/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The compiled seccomp profile of a process: from the cache, or made by `berth seccomp`, so that the supervisor needs
 * neither libseccomp nor a JSON parser. */

#include "spec/spec.h"
#include "util/error.h"

/* An fd of struct sock_filter[] for HELPER_FD_SECCOMP, or negative errno. */
int profile_open(const SpecProcess *p, Error *reterr);

/* A copy for who joins an instance of the release later, BERTH_RUN_DIR/APP/seccomp-PROCESS.vRELEASE. */
int profile_store(int fd, const char *app, const char *process, unsigned release);
int profile_stored_open(const char *app, const char *process, unsigned release);
void profile_forget(const char *app, const char *process, unsigned release);
