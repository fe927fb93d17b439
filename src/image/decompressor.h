/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Undoes the compression of what it reads: gzip, zstd, bzip2, xz or none, by what the bytes say. */

#include "image/pack.h"

typedef struct Decompressor Decompressor;

/* The next packed bytes, 0 at their end; they stay until it is called again. After a failure the functions below return the same,
 * and why is the caller's to tell. */
typedef ssize_t (*DecompressorRead)(void *userdata, const void **ret);

/* Reads as much as it takes to know what it is. */
int decompressor_new(DecompressorRead read, void *userdata, Decompressor **ret, Error *reterr);
Decompressor *decompressor_free(Decompressor *d);
DEFINE_CLEANUP(Decompressor *, decompressor_free);
#define _cleanup_decompressor_ _cleanup_(decompressor_freep)

/* Puts the next bytes into buffer; 0: that was all. -EBADMSG with what is wrong. */
ssize_t decompressor_read(Decompressor *d, void *buffer, size_t size, Error *reterr);

/* _PACK_FORMAT_INVALID: one that nothing is packed with here. */
PackFormat decompressor_format(const Decompressor *d);
