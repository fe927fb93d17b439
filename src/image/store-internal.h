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
/* store_list() for who has the lock. *ret and *ret_n are set also on failure. */
int store_list_locked(Store *store, StoreImage **ret, size_t *ret_n, Error *reterr);

/* digest: what the name led to at its registry; NULL: the manifest itself. The lock is exclusive. */
int store_place_name(Store *store, const char *id, const char *manifest, const char *digest, const char *name);

/* Takes the names of image id and then the image out of the store. The lock is exclusive. */
int store_remove_locked(StoreWork *work, const char *id, char *const *names);

/* store_collect() for who has the lock, exclusive. What went: layers, and bytes of content in them. */
int store_collect_locked(StoreWork *work, size_t *ret_layers, uint64_t *ret_bytes, Error *reterr);

/* Appends what store_want() keeps, and forgets what is too old. */
int store_wanted(Store *store, char ***layers);
/* Who holds a lock of image_pin() now, and where it is mounted: absolute paths. */
int store_image_users(Store *store, const char *id, const ImageMounts *mounts, char ***ret);
/* Who keeps it with image_hold(). */
int store_image_holders(Store *store, const char *id, char ***ret);
