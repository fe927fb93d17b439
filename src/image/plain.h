/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The text file beside each image that says what is needed to run it: one "key value" a line. */

#include "image/image.h"
#include "util/buf.h"

#define PLAIN_SIZE_MAX (8U << 20)
#define PLAIN_LIST_MAX 65536 /* lines of one key */

/* Writes all of image but what only a look-up knows (name, store, layers). 0 or -ENOMEM. */
int plain_write(const Image *image, Buf *out);

/* Fills an empty image. -EBADMSG where the text is not what plain_write() makes, with the line's number. */
int plain_read(const char *text, size_t size, Image *image, Error *reterr);

/* Reads the file of image id ("sha256:…") of the store whose directory is open as store. */
int plain_load(int store, const char *id, Image *image, Error *reterr);
