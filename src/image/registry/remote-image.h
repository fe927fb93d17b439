/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a name to the manifest of the image for one machine, through indexes. */

#include "image/registry/remote.h"

#define REMOTE_INDEX_DEPTH_MAX 4 /* an index may name indexes */

typedef struct RemoteManifest {
        char *text;
        size_t size;
        char digest[72];
} RemoteManifest;

typedef struct RemoteImage {
        /* What the name leads to, then what was chosen in it, and so on; the last is the image's manifest. */
        RemoteManifest manifests[REMOTE_INDEX_DEPTH_MAX + 1];
        size_t n_manifests;
        OciManifest manifest; /* the last of them, read and judged */
} RemoteImage;

void remote_image_clear(RemoteImage *i);
#define _cleanup_remote_image_ _cleanup_(remote_image_clear)

const RemoteManifest *remote_image_last(const RemoteImage *i);

/* reference is a tag or a digest. */
int remote_image_open(const Origin *o, const char *reference, RemoteImage *ret, Error *reterr);

/* Whether all of a manifest can be had and used: images only, and layers that a registry may give away. */
int remote_manifest_check(const OciManifest *manifest, Error *reterr);
