/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the supervisor tells of its app: the STATUS= line of the service, and the state file. */

#include "run/supervisor.h"

/* Makes sv->status anew. 1 when it is another one than before, 0, or -ENOMEM. */
int status_update(Supervisor *sv);

void status_write_state(Supervisor *sv);
