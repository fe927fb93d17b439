/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What becomes of an instance that is over: Restart=, StartLimit… and the back-off. */

#include "run/supervisor.h"

/* The state that it settles in; for INSTANCE_BACKOFF its backoff is set. Says once in the log how it ended. */
InstanceState instance_settle(Supervisor *sv, Instance *i);
