/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The JSON of images that are made here. */

#include "image/json.h"
#include "image/pack.h"

/* A layer as it is packed for somebody. */
typedef struct OciLayer {
        char digest[72]; /* of the packed blob */
        uint64_t size;   /* of it */
        PackFormat format;
} OciLayer;

/* An OCI manifest of a configuration and its layers, lowest first. original is the manifest that the image came with, whose
 * annotations are kept, or NULL. */
int oci_manifest_make(const char *config, size_t config_size, const OciLayer *layers, size_t n_layers, const char *original,
        size_t original_size, char **ret, size_t *ret_size, char ret_digest[static 72], Error *reterr);

/* One line of JSON with the digest of its bytes. */
int oci_json_dump(const json_t *j, char **ret, size_t *ret_size, char ret_digest[static 72]);
