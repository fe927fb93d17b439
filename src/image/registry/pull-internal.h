/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of pull share. */

#include "image/recipe.h"
#include "image/registry/pull.h"
#include "image/registry/signature.h"
#include "image/store.h"

/* A pull under way. */
typedef struct Pull {
        const PullOptions *options;
        Store *store;
        Client *client;
        Policy policy; /* for the name that is being tried */
} Pull;

/* Gets the layers of manifest into the store, several at once. held has room for all; on success each is the lock that keeps
 * the layer (store_layer_hold()), on failure the caller closes those that are not negative. */
int pull_layers(Pull *pull, const Origin *origin, const OciManifest *manifest, char *const *diff_ids, int *held, Error *reterr);
