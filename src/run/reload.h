/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ExecReload= of an app's service: ReloadCmd= or ReloadSignal= in each of its running instances, one after the other. */

/* Returns the exit status for the program, with what went wrong logged. */
int reload_app(const char *name);

/* Why the last reload failed, for who asked for it. -ENOENT: it did not. */
int reload_failure(const char *name, char **ret);
