/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is told of an instance that does not become ready. */

#include "run/instance.h"

/* Puts into i->error what was waited for in vain, what its health check says, and what it listens on; that, and the last
 * lines that it wrote, go to the log. */
void wait_explain(Instance *i);
