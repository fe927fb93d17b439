/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of push share. */

#include "image/export.h"
#include "image/registry/push.h"

/* A push under way. */
typedef struct Push {
        const PushOptions *options;
        Store *store;
        Client *client;
        Export image;
        OciManifest original; /* that the image came with */
        OciForm form;
        Origin origin;        /* where to */
} Push;

/* Gets all layers into the repository, several at once. layers has room for all of the image's: what they became. */
int push_layers(Push *push, OciLayer *layers, Error *reterr);
