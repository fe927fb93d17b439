/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ExecReload= of an app's service: ReloadCmd= or ReloadSignal= in each of its running instances, one after the other. */

/* Returns the exit status for the program, with what went wrong logged. */
int reload_app(const char *name);
