/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An error that carries one sentence: which step failed, on which object, and why. It has no pointers, so
 * it crosses a pipe as it is. */

#include "util/macro.h"

#define ERROR_TEXT_MAX 1024

typedef struct Error {
        int code;                  /* negative errno */
        char text[ERROR_TEXT_MAX]; /* one line, no newline, cut at the end where it is too long */
} Error;

/* Stores the sentence and returns code (a negative errno), so that callers can `return error_set(…)`.
 * error_set_errno() appends ": " and the text of the errno. e may be NULL. */
int error_set(Error *e, int code, const char *format, ...) _printf_(3, 4);
int error_set_errno(Error *e, int code, const char *format, ...) _printf_(3, 4);

/* Puts "PREFIX: " before what e says already. */
int error_prefix(Error *e, const char *format, ...) _printf_(2, 3);
