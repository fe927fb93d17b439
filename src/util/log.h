/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For programs only: library code returns errors instead. Lines go to standard error; with a "<N>" priority
 * prefix (sd-daemon(3)) where the journal reads it, without one on a terminal. */

#include <syslog.h>

#include "util/macro.h"

void log_line(int priority, const char *format, ...) _printf_(2, 3);

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
