/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One layer from a blob into the store. */

#include "image/blob.h"
#include "image/store.h"

typedef struct LayerRequest {
        const char *digest;  /* of the blob; NULL: any */
        const char *diff_id; /* of what is in it; NULL: any */
        const char *place;   /* where it is from, as in packed.h; NULL: a file */
        void (*progress)(void *userdata, uint64_t bytes); /* of the blob; may be NULL */
        void *userdata;
} LayerRequest;

/* Unpacks, verifies both digests and only then shows the layer. Returns the fd that keeps it (store_layer_hold()). */
int layer_add(StoreWork *work, Blob *blob, const LayerRequest *request, char ret_diff_id[static 72], LayerMeta *ret_meta,
        Error *reterr);
