/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of load share. */

#include "image/layer.h"
#include "image/load.h"
#include "image/name.h"
#include "image/recipe.h"
#include "image/source.h"
#include "util/fd.h"

/* A load under way. */
typedef struct Load {
        Source *source;
        StoreWork *work;
        const LoadOptions *options;
        Loaded *loaded;
        size_t n_loaded;
} Load;

typedef struct LoadLayer {
        char *file;   /* in the source */
        char *digest; /* of that file; NULL: only what is in it is known */
} LoadLayer;

/* One image, all said but not yet unpacked. */
typedef struct LoadPlan LoadPlan;
struct LoadPlan {
        Recipe recipe;
        LoadLayer *layers; /* lowest first */
        size_t n_layers;
        /* Makes the manifest once the layers are known; NULL where the source had one. */
        int (*complete)(Load *load, LoadPlan *plan, char *const *diff_ids, Error *reterr);
};

void load_plan_clear(LoadPlan *p);
#define _cleanup_plan_ _cleanup_(load_plan_clear)

int load_plan_run(Load *load, LoadPlan *plan, Error *reterr);

/* The names to give: those of the options, else what the source said. */
int load_names(const Load *load, char *const *said, NameDefault fallback, char ***ret, Error *reterr);

int load_oci(Load *load, Error *reterr);
int load_docker(Load *load, Error *reterr);
