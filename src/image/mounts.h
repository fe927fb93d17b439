/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images that are mounted for people to look at, as the kernel's table of mounts has them. */

#include "image/image.h"

typedef struct ImageMount {
        char id[72]; /* "sha256:HEX", the image's */
        char *target;
} ImageMount;

typedef struct ImageMounts {
        ImageMount *list;
        size_t n;
} ImageMounts;

/* Those of this mount namespace, whatever made them. */
int image_mounts_read(ImageMounts *ret, Error *reterr);
void image_mounts_clear(ImageMounts *m);
#define _cleanup_mounts_ _cleanup_(image_mounts_clear)

/* Mounts image on directory target, read-only and without devices and set-user-ID; the caller sees to it that nobody removes the image
 * meanwhile. */
int image_mount(const Image *image, const char *target, Error *reterr);

/* The layers of these ids alone, topmost first and one at least, mounted where nobody else sees it: the process gets a mount namespace
 * of its own. Returns a descriptor of the root directory. */
int image_mount_private(const Image *image, char *const *layer_ids, Error *reterr);

/* Takes the mount of an image off target, and target away where it is one of image_mount_directory(). -EINVAL where none is
 * mounted there. */
int image_unmount(const char *target, Error *reterr);

/* Makes the directory that an image is mounted on where nobody says another one: BERTH_MOUNT_DIR/HEX. */
int image_mount_directory(const Image *image, char **ret, Error *reterr);
