/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What two images, or an image and itself without its topmost layer, have otherwise. */

#include "image/image.h"

typedef enum DiffKind {
        DIFF_ADDED = 'A',
        DIFF_CHANGED = 'C',
        DIFF_DELETED = 'D',
} DiffKind;

/* path is absolute within the image; of a directory that is deleted, what was in it is not told, of one that is added it
 * is. A negative return ends it. */
typedef int (*DiffTell)(void *userdata, DiffKind kind, const char *path);

/* From `from` to `to`, in the order of the names; from NULL: `to` without its topmost layer. The caller sees to it that nobody
 * removes them. The process gets a mount namespace of its own. */
int image_diff(const Image *from, const Image *to, DiffTell tell, void *userdata, Error *reterr);
