/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What berth says to a command line, and with which exit code. */

#include <check.h>

#include "util/macro.h"

typedef struct Said {
        int code;
        char *out, *err;
} Said;

/* The command line ends with NULL, without "berth". In a process of its own. What was said before is freed. */
const Said *said(const char *first, ...) __attribute__((sentinel));

/* Standard output goes to this file from now on, and Said.out is empty. NULL: as before. */
void said_to(const char *path);

/* Has the code, and these words on standard error or, where the code is 0, on standard output. */
void said_check(const Said *s, int code, const char *words);
#define says(code, words, ...) said_check(said(__VA_ARGS__, NULL), code, words)
