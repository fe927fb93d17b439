/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>

#include "image/find.h"
#include "image/name.h"
#include "image/plain.h"
#include "image/store.h"
#include "image/store-internal.h"
#include "util/fd.h"
#include "util/strv.h"

int store_list_directory(Store *store, const char *path, char ***ret) {
        _cleanup_strv_ char **v = strv_copy(NULL);
        _cleanup_closedir_ DIR *d = NULL;
        int r;

        if (!v)
                return -ENOMEM;
        r = dir_open(store->fd, path, &d);
        for (struct dirent *entry; r >= 0 && (entry = readdir(d));)
                if (entry->d_name[0] != '.')
                        r = strv_append(&v, entry->d_name);
        if (r < 0 && r != -ENOENT)
                return r;
        strv_sort(v);
        *ret = TAKE_PTR(v);
        return 0;
}

int store_list_ids(Store *store, const char *directory, char ***ret) {
        _cleanup_strv_ char **entries = NULL, **ids = strv_copy(NULL);
        int r = store_list_directory(store, directory, &entries);

        if (r < 0 || !ids)
                return r < 0 ? r : -ENOMEM;
        for (char **p = entries; *p; p++) {
                _cleanup_free_ char *id = str_format("sha256:%s", *p);

                if (!id)
                        return -ENOMEM;
                if (digest_valid(id)) {
                        r = strv_consume(&ids, TAKE_PTR(id));
                        if (r < 0)
                                return r;
                }
        }
        *ret = TAKE_PTR(ids);
        return 0;
}

int store_image_names(Store *store, const char *id, char ***ret) {
        _cleanup_strv_ char **files = NULL, **names = strv_copy(NULL);
        int r = store_list_directory(store, "name", &files);

        if (r < 0 || !names)
                return r < 0 ? r : -ENOMEM;
        for (char **p = files; *p; p++) {
                NameRecord record;

                if (name_record_read(store->fd, *p, &record) < 0 || !streq(record.id, id))
                        continue;
                r = strv_consume(&names, name_from_file(*p));
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(names);
        return 0;
}

void store_list_free(StoreImage *images, size_t n) {
        for (size_t i = 0; i < n; i++) {
                image_free(images[i].image);
                strv_free(images[i].names);
                strv_free(images[i].users);
                strv_free(images[i].holders);
        }
        free(images);
}

static int list_one(Store *store, const char *id, const ImageMounts *mounts, StoreImage *image, Error *reterr) {
        int r;

        image->image = calloc(1, sizeof(*image->image));
        if (!image->image)
                return -ENOMEM;
        r = plain_load(store->fd, id, image->image, reterr);
        if (r < 0)
                return r;
        image->size = image->image->size;
        r = store_image_names(store, id, &image->names);
        if (r >= 0)
                r = store_image_users(store, id, mounts, &image->users);
        if (r >= 0)
                r = store_image_holders(store, id, &image->holders);
        return r < 0 ? error_set_errno(reterr, r, "cannot list image %s", id) : 0;
}

static bool has_layer(const StoreImage *images, size_t n, const StoreImage *except, const char *layer) {
        for (size_t i = 0; i < n; i++)
                if (images + i != except && strv_contains(images[i].image->layer_ids, layer))
                        return true;
        return false;
}

static void count_shared(Store *store, StoreImage *images, size_t n) {
        for (size_t i = 0; i < n; i++)
                for (char **layer = images[i].image->layer_ids; *layer; layer++) {
                        LayerMeta meta;

                        if (has_layer(images, n, images + i, *layer) && store_layer_meta(store, *layer, &meta) >= 0)
                                images[i].shared += meta.size;
                }
}

int store_list_locked(Store *store, StoreImage **ret, size_t *ret_n, Error *reterr) {
        _cleanup_mounts_ ImageMounts mounts = { 0 };
        _cleanup_strv_ char **ids = NULL;
        StoreImage *images = NULL;
        size_t n = 0;
        int r = image_mounts_read(&mounts, reterr);

        if (r >= 0) {
                r = store_list_ids(store, "image", &ids);
                if (r < 0)
                        (void) error_set_errno(reterr, r, "cannot list the images of %s", store->path);
        }
        if (r >= 0) {
                images = calloc(strv_length(ids) + 1, sizeof(*images));
                if (!images)
                        r = -ENOMEM;
        }
        for (char **p = ids; r >= 0 && *p; p++)
                r = list_one(store, *p, &mounts, images + n++, reterr);
        if (r >= 0)
                count_shared(store, images, n);
        *ret = images;
        *ret_n = n;
        return r;
}

int store_list(Store *store, StoreImage **ret, size_t *ret_n, Error *reterr) {
        StoreImage *images = NULL;
        size_t n = 0;
        int r = store_lock(store, false, reterr);

        if (r < 0)
                return r;
        r = store_list_locked(store, &images, &n, reterr);
        store_unlock(store);
        if (r < 0) {
                store_list_free(images, n);
                return r;
        }
        *ret = images;
        *ret_n = n;
        return 0;
}
