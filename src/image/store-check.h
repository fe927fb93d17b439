/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a store is whole: what its names name is there, images have their layers, and layers the files that their
 * archives say. */

#include "image/store.h"

typedef struct StoreChecked {
        size_t names, images, layers; /* that were looked at */
        size_t unused;                /* layers that no image has: no fault, the next collection takes them */
} StoreChecked;

typedef struct StoreCheck {
        bool content; /* also make each layer's archive again and compare its digest */
        /* Each fault: what it is of ("name localhost/x:latest", "image sha256:…", "layer sha256:…") and a sentence. */
        void (*fault)(void *userdata, const char *object, const char *sentence);
        void (*progress)(void *userdata, const char *diff_id, size_t number, size_t count, uint64_t bytes, uint64_t total);
        void *userdata;
} StoreCheck;

/* The number of faults, or negative errno when it could not look. Others may load and remove images meanwhile. */
int store_check(Store *store, const StoreCheck *check, StoreChecked *ret, Error *reterr);
