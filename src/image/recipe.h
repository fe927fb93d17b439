/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All that an image is made of besides its layers. */

#include "image/store.h"

typedef struct Recipe {
        char *config, *manifest; /* JSON */
        size_t config_size, manifest_size;
        char manifest_digest[72];
        char index_digest[72]; /* of the index that the names lead to; empty: they lead to the manifest */
        char **names; /* full */
} Recipe;

void recipe_clear(Recipe *r);
#define _cleanup_recipe_ _cleanup_(recipe_clear)

/* The layers that the configuration names, lowest first: as many as the manifest has, n_layers, and for linux. */
int recipe_diff_ids(const Recipe *recipe, size_t n_layers, char ***ret, Error *reterr);

/* Puts the image into the store. The caller holds all the layers that its configuration names. */
int recipe_add(StoreWork *work, const Recipe *recipe, char ret_id[static 72], Error *reterr);
