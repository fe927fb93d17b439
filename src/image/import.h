/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An image of one layer from a root file system. */

#include "image/load.h"

typedef struct ImportOptions {
        const char *name;      /* as a person writes it; NULL: the image is found by its id alone */
        char *const *changes;  /* lines as in a Dockerfile: 'CMD ["/bin/sh"]', 'ENV A=b' … (change.h) */
        const char *message;   /* for the image's history */
        uint64_t created;      /* seconds since 1970 */
        LoadProgress progress;
} ImportOptions;

/* path is a directory, a tar archive (compressed or not), or "-" for one on standard input. */
int import_image(Store *store, const char *path, const ImportOptions *options, char ret_id[static 72], Error *reterr);
