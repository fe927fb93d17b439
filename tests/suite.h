/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How every program of unit tests ends. */

#include <check.h>

/* Runs all of its tests, says how they went as CK_VERBOSITY has it, and frees it. The exit status for main(). */
int suite_run(Suite *s);
