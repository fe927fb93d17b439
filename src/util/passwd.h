/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines of passwd(5) and group(5) as an image has them, which trusts nobody. */

#include "util/error.h"

#define PASSWD_FILE_MAX (4U << 20)

/* A file of the image: "" where it has none. It is looked up below root alone, and neither a FIFO nor a device is read. */
int passwd_read(int root, const char *path, char **ret, Error *reterr);

/* Cuts one line off *text and splits it at colons into at most n fields; the number of fields. */
size_t passwd_line(char **text, char **fields, size_t n);

/* A user's or group's id. (uid_t) -1, which means "unchanged" to the kernel, is none. */
bool passwd_id(const char *s, uint32_t *ret);
