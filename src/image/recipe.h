/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All that an image is made of besides its layers. */

#include "image/store.h"

typedef struct Recipe {
        char *config, *manifest; /* JSON */
        size_t config_size, manifest_size;
        char manifest_digest[72];
        char **names; /* full */
} Recipe;

void recipe_clear(Recipe *r);
#define _cleanup_recipe_ _cleanup_(recipe_clear)

/* Puts the image into the store. The caller holds all the layers that its configuration names. */
int recipe_add(StoreWork *work, const Recipe *recipe, char ret_id[static 72], Error *reterr);
