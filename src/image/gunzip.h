/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Gzip (RFC 1952) undone by ISA-L, twice as fast as zlib. Members that follow each other are one stream; what stands behind
 * the last one is left alone. Lengths and checksums must be right. */

#include "util/error.h"

#define GUNZIP_MAGIC_SIZE 3

typedef struct Gunzip Gunzip;

/* The next packed bytes, 0 at their end; they stay until it is called again. After a failure gunzip_read() returns the same, and
 * why is the caller's to tell. */
typedef ssize_t (*GunzipRead)(void *userdata, const void **ret);

/* Whether it begins as gzip. */
bool gunzip_is(const void *data, size_t size) _pure_;

Gunzip *gunzip_new(GunzipRead read, void *userdata);
Gunzip *gunzip_free(Gunzip *g);
DEFINE_CLEANUP(Gunzip *, gunzip_free);
#define _cleanup_gunzip_ _cleanup_(gunzip_freep)

/* Fills buffer, to its end but at the end of a member; 0: all is done. -EBADMSG with what is wrong. */
ssize_t gunzip_read(Gunzip *g, void *buffer, size_t size, Error *reterr);
