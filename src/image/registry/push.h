/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An image of the store into a registry. */

#include "image/oci-make.h"
#include "image/registry/client.h"

typedef struct PushOptions {
        const char *store; /* NULL: BERTH_STORE */
        unsigned parallel; /* layers at once; 0: LAYER_JOBS_PARALLEL */
        PackFormat pack;   /* of all layers; _PACK_FORMAT_INVALID: as the registry has them, else as the image came, else gzip */
        OciForm form;      /* _OCI_FORM_INVALID: as the image came */
        ClientOptions client;
} PushOptions;

typedef struct Pushed {
        char id[72];
        char digest[72]; /* of the manifest */
        char *name;      /* "REPOSITORY@DIGEST": what leads to just this image for ever */
} Pushed;

void pushed_clear(Pushed *p);
#define _cleanup_pushed_ _cleanup_(pushed_clear)

/* text is as image_open() has it, destination a name as a person writes it, or NULL: the name by which text finds the image. */
int push_image(const char *text, const char *destination, const PushOptions *options, Pushed *ret, Error *reterr);
