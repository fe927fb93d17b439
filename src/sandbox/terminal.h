/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A terminal of the instance's own devpts. */

#include "sandbox/user.h"

/* Opens a new pair below root, makes the slave the controlling terminal and standard input, output and error of the calling
 * process, and gives it to the user. The master is returned for the parent. */
int terminal_take(int root, const User *u, Error *reterr);
