/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the store share; the caller holds the store's lock. */

#include "image/mounts.h"
#include "image/store.h"

/* The entries of a directory, sorted; an empty list when it is not there. */
int store_list_directory(Store *store, const char *path, char ***ret);
/* The ids ("sha256:HEX") in "image" or "layer", sorted. */
int store_list_ids(Store *store, const char *directory, char ***ret);
int store_image_names(Store *store, const char *id, char ***ret);
/* Appends what store_want() keeps, and forgets what is too old. */
int store_wanted(Store *store, char ***layers);
/* Who holds a lock of image_pin() now, and where it is mounted: absolute paths. */
int store_image_users(Store *store, const char *id, const ImageMounts *mounts, char ***ret);
/* Who keeps it with image_hold(). */
int store_image_holders(Store *store, const char *id, char ***ret);
