/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of a layer as it travels: blobs that hold it, and which registries have them. Who pushes it need not pack and send
 * it again. Only what was verified is written down: a blob's digest and the layer's, of the same bytes.
 *
 *   layer/HEX/packed   of the store: "sha256:DIGEST SIZE FORMAT PLACE" a line, the latest first; PLACE is HOST/REPOSITORY or "-" */

#include "image/oci-make.h"

#define PACKED_MAX 32 /* lines that are kept */

typedef struct Packed {
        OciLayer blob;
        char *place; /* "registry.example:5000/team/shop"; NULL: a file */
} Packed;

void packed_free(Packed *packed, size_t n);

/* layer is the layer's directory. What cannot be read is not known: *ret_n is 0. -ENOMEM. */
int packed_read(int layer, Packed **ret, size_t *ret_n);

/* place may be NULL. Nothing hangs on it: it is not waited for until it is on the disk. */
int packed_add(int layer, const OciLayer *blob, const char *place);
