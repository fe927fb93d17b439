/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a registry says when it refuses: an HTTP status and, where it keeps to the specification, a JSON list of errors. */

#include "util/buf.h"
#include "util/error.h"

#define ANSWER_SIZE_MAX 65536 /* of an error's text that is read */

/* "404 Not Found" */
const char *answer_status_text(int status);

/* The registry's own words in one line of printable characters: "MANIFEST_UNKNOWN: manifest unknown"; "" where it has none.
 * body is NUL-terminated; content_type may be NULL. 0 or -ENOMEM. */
int answer_words(const char *content_type, const char *body, Buf *out);

/* The first error's code ("MANIFEST_UNKNOWN"), or "". */
void answer_code(const char *body, char ret[static 64]);

/* A status from 400 on as errno: -ENOENT, -EACCES (401, 403), -EBUSY (429), -EREMOTEIO (408 and 5xx: it may go away), -EINVAL. */
int answer_errno(int status);
