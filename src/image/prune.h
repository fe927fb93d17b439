/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Takes what nothing needs out of the store. An image is needed by its names, by what runs it or has it mounted, by the
 * releases that keep it (image_hold()), and by whoever `needed` knows. */

#include "image/store.h"

typedef struct PrunePolicy {
        bool all;          /* a name alone is no need */
        unsigned keep;     /* so many of each repository stay all the same, those that were needed last */
        uint64_t min_age;  /* and those that were needed so many seconds ago or less */
        /* Nothing goes while the file system has so much left: bytes, and percent. Both 0: all that may go goes. */
        uint64_t free_bytes;
        unsigned free_percent;
        bool dry_run;
} PrunePolicy;

typedef struct PruneCalls {
        /* 1: the image stays; negative errno ends all. May be NULL. */
        int (*needed)(void *userdata, const StoreImage *image, Error *reterr);
        /* Gone, or with dry_run it would be. since: seconds since 1970 when it was needed last; bytes: what of it nothing else has. */
        void (*removed)(void *userdata, const StoreImage *image, uint64_t since, uint64_t bytes);
        void *userdata;
} PruneCalls;

typedef struct Pruned {
        size_t images, layers;
        uint64_t bytes;
} Pruned;

/* *ret is set also on failure: what was done until then. */
int store_prune(Store *store, const PrunePolicy *policy, const PruneCalls *calls, Pruned *ret, Error *reterr);
