/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images of the store into OCI layouts and docker archives. */

#include "image/load.h"
#include "image/pack.h"

typedef enum SaveFormat {
        SAVE_OCI,           /* an OCI layout in a tar archive, which is a docker archive, too */
        SAVE_OCI_DIRECTORY,
        SAVE_DOCKER,        /* a docker archive */
        _SAVE_FORMAT_MAX,
        _SAVE_FORMAT_INVALID = -EINVAL,
} SaveFormat;

/* "oci", "oci-dir", "docker", or _SAVE_FORMAT_INVALID. */
SaveFormat save_format_from_string(const char *text);

typedef struct SaveOptions {
        SaveFormat format;
        PackFormat pack;
        LoadProgress progress; /* bytes are of the archive that is not packed */
} SaveOptions;

/* path NULL is standard output. A file appears, replacing another, once it is whole; a directory may be there if it is empty. What has a
 * name in references (and not an id) is called so in the file. */
int save_images(Store *store, char *const *references, const char *path, const SaveOptions *options, Error *reterr);
