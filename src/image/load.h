/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images from OCI layouts and docker archives into the store. */

#include "image/store.h"

/* What a person may want to see meanwhile. bytes are of the packed layer. */
typedef struct LoadProgress {
        void (*layer)(void *userdata, const char *diff_id, size_t number, size_t count, uint64_t bytes, uint64_t total);
        void *userdata;
} LoadProgress;

typedef struct LoadOptions {
        const char *reference; /* the one image of this name in the file; NULL: all */
        char *const *names;    /* what to call it instead of what the file says; only with one image */
        LoadProgress progress;
} LoadOptions;

typedef struct Loaded {
        char *id;
        char **names; /* full; empty: it is found by its id alone */
} Loaded;

void loaded_free(Loaded *loaded, size_t n);

/* path is a file or directory, "-" standard input. What was loaded before a failure stays loaded and is returned too: *ret and
 * *ret_n are always set. */
int load_images(Store *store, const char *path, const LoadOptions *options, Loaded **ret, size_t *ret_n, Error *reterr);

/* For who makes an image from other sources: one image whose layers are blobs of any kind. */
typedef struct Recipe {
        char *config, *manifest;
        size_t config_size, manifest_size;
        char manifest_digest[72];
        char **names; /* full */
} Recipe;

void recipe_clear(Recipe *r);
#define _cleanup_recipe_ _cleanup_(recipe_clear)

/* Puts an image into the store whose layers, diff ids lowest first, are all held by the caller. */
int image_add(StoreWork *work, const Recipe *recipe, char ret_id[static 72], Error *reterr);
