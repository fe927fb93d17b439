/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An image of the store as it leaves it: for push and save. */

#include "image/store.h"

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

/* Whether the manifest that the image came with names its layers not packed: then it holds for layers that leave so, and
 * its digest stays. */
bool export_is_plain(const Export *e);
