/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An image from a registry into the store. */

#include "image/registry/client.h"

typedef struct PullOptions {
        const char *store; /* NULL: BERTH_STORE */
        unsigned parallel; /* layers at once; 0: LAYER_JOBS_PARALLEL */
        bool look;         /* only find out what would come: id and digest */
        ClientOptions client;
} PullOptions;

typedef struct Pulled {
        char id[72];
        char digest[72]; /* of what the name leads to: a manifest or an index */
        char *name;      /* full, with tag or digest; NULL: it is too long, and the image is found by its id alone */
} Pulled;

void pulled_clear(Pulled *p);
#define _cleanup_pulled_ _cleanup_(pulled_clear)

/* text is a name as a person writes it. */
int pull_image(const char *text, const PullOptions *options, Pulled *ret, Error *reterr);
