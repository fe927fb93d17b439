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
