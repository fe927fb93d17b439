/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The JSON of images that are made here. */

#include "image/json.h"
#include "image/oci.h"
#include "image/pack.h"

/* Whose media types a manifest has. What they say is the same. */
typedef enum OciForm {
        OCI_FORM_OCI,
        OCI_FORM_DOCKER, /* Docker's image manifest version 2, schema 2 */
        _OCI_FORM_MAX,
        _OCI_FORM_INVALID = -EINVAL,
} OciForm;

/* "oci", "docker", or _OCI_FORM_INVALID. */
OciForm oci_form_from_string(const char *text);
OciForm oci_form_of(const OciManifest *manifest);

const char *oci_form_manifest_type(OciForm form);
/* NULL: there is no such thing, for Docker's has no zstd. */
const char *oci_form_layer_type(OciForm form, PackFormat format);

/* A layer as it is packed for somebody. */
typedef struct OciLayer {
        char digest[72]; /* of the packed blob */
        uint64_t size;   /* of it */
        PackFormat format;
} OciLayer;

/* What a manifest is made of. */
typedef struct OciParts {
        OciForm form;
        const char *config;
        size_t config_size;
        const OciLayer *layers; /* lowest first, of formats that the form has */
        size_t n_layers;
        const char *original; /* the manifest that the image came with, whose annotations are kept where the form has any; or NULL */
        size_t original_size;
} OciParts;

int oci_manifest_make(const OciParts *parts, char **ret, size_t *ret_size, char ret_digest[static 72], Error *reterr);

/* One line of JSON with the digest of its bytes. */
int oci_json_dump(const json_t *j, char **ret, size_t *ret_size, char ret_digest[static 72]);
