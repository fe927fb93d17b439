/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The exact archive that a layer was unpacked from, byte by byte, for who pushes or saves it: made again out of the
 * layer's files and of what tar-record.h wrote down beside them. */

#include "image/blob.h"
#include "image/store.h"

/* A blob of the archive, not compressed, of ret_size bytes (may be NULL), whose SHA-256 is diff_id. It is hashed as it is
 * read, and where it turns out that the layer was changed since, a read fails with -EBADMSG and a sentence, at the
 * latest the one that would say the end: what was read is good only after that. The caller holds the layer (store_layer_hold()).
 * -ENOENT: there is no such layer; -ENODATA: a berth that wrote no record unpacked it. */
int layer_tar_open(Store *store, const char *diff_id, Blob **ret, uint64_t *ret_size, Error *reterr);

/* The same of a layer's directory, wherever it is; layer is not taken. */
int layer_tar_open_at(int layer, const char *diff_id, Blob **ret, Error *reterr);

/* Whether all that would be read is there, in a layer's directory: each file with its size, and together size bytes. Reads no file.
 * -EBADMSG with a sentence, -ENODATA as above. */
int layer_tar_check(int layer, uint64_t size, Error *reterr);
