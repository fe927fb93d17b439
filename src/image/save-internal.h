/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of save share. */

#include "image/export.h"
#include "image/json.h"
#include "image/oci-make.h"
#include "image/save.h"
#include "image/sink.h"

/* A save under way. */
typedef struct Save {
        Store *store;
        const SaveOptions *options;
        Sink *sink;
        json_t *index;    /* "manifests" of an OCI layout's index.json */
        json_t *manifest; /* a docker archive's manifest.json */
} Save;

/* Layer i of e into the file of that name, or "blobs/sha256/DIGEST" with NULL, packed as the options say; ret is what it became. A
 * name that is there already must not be given. */
int save_layer(Save *save, const Export *e, size_t i, const char *name, OciLayer *ret, Error *reterr);

/* The image is in manifest.json: its configuration is the file `config`, its layers the files that the array layers names. */
int save_docker_entry(Save *save, const Export *e, const char *config, json_t *layers);

int save_oci_image(Save *save, const Export *e, Error *reterr);
int save_oci_end(Save *save, Error *reterr);
int save_docker_image(Save *save, const Export *e, Error *reterr);
int save_docker_end(Save *save, Error *reterr);
