/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Base64 (RFC 4648) as credentials and signatures have it. */

#include "util/macro.h"

char *base64_encode(const void *data, size_t size); /* NULL: out of memory */

/* 0, -EINVAL, -ENOMEM. The result has a NUL behind it. White space at the end is ignored. */
int base64_decode(const char *text, char **ret, size_t *ret_size);
