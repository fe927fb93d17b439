/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text that others wrote, as it may be shown. */

#include "util/buf.h"

/* Bytes of the valid UTF-8 character at s, which ends with a NUL (RFC 3629); 0 where there is none. */
size_t utf8_length(const char *s) _pure_;

/* s as a JSON string with its quotes, or null where s is NULL. Bytes that are not UTF-8 become U+FFFD. 0 or -ENOMEM. */
int json_quote(Buf *b, const char *s);
