/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What tells berthd that something changed: the directories of specs, the supervisors' state files, systemd's signals. */

#include "bus/manager.h"

Watch *watch_free(Watch *w);

/* Before the first reading, so that no change falls between the two. */
int watch_new(Manager *m, Watch **ret, sd_bus_error *reterr);

/* Has the state file of an app watched, once it has a directory below run_dir. */
int watch_app(Watch *w, const char *name);
