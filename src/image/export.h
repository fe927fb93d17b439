/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An image of the store as it leaves it: for push and save. */

#include "image/load.h"
#include "image/oci-make.h"

typedef struct Export {
        Image *image;
        char *config, *manifest; /* JSON, as the image came */
        size_t config_size, manifest_size;
        char **diff_ids; /* lowest first, as the configuration has them: one may be there twice */
        uint64_t *tar_sizes; /* bytes of their archives, not compressed */
        size_t n_layers;
        int *held; /* the locks that keep the layers in the store meanwhile */
} Export;

/* text as image_open() has it. Fill *ret, which is empty, also on failure: export_clear() it. */
int export_open(Store *store, const char *text, Export *ret, Error *reterr);
void export_clear(Export *e);
#define _cleanup_export_ _cleanup_(export_clear)

/* The archive of layer i, not packed, as layer_tar_open() has it; progress, which must outlive it, is told how much of it was read. */
int export_layer(Store *store, const Export *e, size_t i, const LoadProgress *progress, Blob **ret, Error *reterr);

/* The manifest for layers as they leave: the one that the image came with where that names just them and is of the form, so
 * that its digest stays; else a new one. */
int export_manifest(const Export *e, OciForm form, const OciLayer *layers, char **ret, size_t *ret_size, char ret_digest[static 72],
        Error *reterr);
