/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A blob that is compressed on its way. */

#include "image/blob.h"

typedef enum PackFormat {
        PACK_NONE,
        PACK_GZIP,
        PACK_ZSTD,
        _PACK_FORMAT_MAX,
        _PACK_FORMAT_INVALID = -EINVAL,
} PackFormat;

/* "none", "gzip", "zstd", or _PACK_FORMAT_INVALID. */
PackFormat pack_format_from_string(const char *text);
const char *pack_format_to_string(PackFormat format);

/* Takes blob, also on failure. With PACK_NONE *ret is blob. With one version of the
 * compressors, on one kind of processor, the same input gives the same bytes. */
int pack_blob(Blob *blob, PackFormat format, Blob **ret, Error *reterr);
