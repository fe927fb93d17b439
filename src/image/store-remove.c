/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "image/find.h"
#include "image/name.h"
#include "image/plain.h"
#include "image/store.h"
#include "image/store-internal.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

/* All removing is moving into the work directory: at once for whoever looks, and finished by the next writer if this one dies. */
static int move_away(StoreWork *work, const char *directory, const char *id) {
        char from[sizeof("image/") + DIGEST_HEX_LENGTH], to[sizeof("image-") + DIGEST_HEX_LENGTH];

        (void) snprintf(from, sizeof(from), "%s/%s", directory, digest_hex(id));
        (void) snprintf(to, sizeof(to), "%s-%s", directory, digest_hex(id));
        return renameat(work->store->fd, from, work->fd, to) < 0 ? -errno : 0;
}

static int layers_in_use(Store *store, char ***ret, Error *reterr) {
        _cleanup_strv_ char **images = NULL, **layers = strv_copy(NULL);
        int r = store_list_ids(store, "image", &images);

        if (r < 0 || !layers)
                return error_set_errno(reterr, r < 0 ? r : -ENOMEM, "cannot list the images of %s", store->path);
        for (char **id = images; *id; id++) {
                _cleanup_image_ Image *image = calloc(1, sizeof(*image));

                if (!image)
                        return -ENOMEM;
                /* Without knowing what a broken image needs nothing may go. */
                r = plain_load(store->fd, *id, image, reterr);
                for (char **p = r < 0 ? NULL : image->layer_ids; r >= 0 && *p; p++)
                        r = strv_append(&layers, *p);
                for (char **p = r < 0 ? NULL : image->hidden_ids; r >= 0 && *p; p++)
                        r = strv_append(&layers, *p);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(layers);
        return 0;
}

int store_collect_locked(StoreWork *work, size_t *ret_layers, uint64_t *ret_bytes, Error *reterr) {
        _cleanup_strv_ char **layers = NULL, **used = NULL;
        Store *store = work->store;
        uint64_t bytes = 0;
        size_t n = 0;
        int r = layers_in_use(store, &used, reterr);

        if (r < 0)
                return r;
        r = store_wanted(store, &used);
        if (r >= 0)
                r = store_list_ids(store, "layer", &layers);
        for (char **id = layers; r >= 0 && *id; id++) {
                char path[sizeof("layer/") + DIGEST_HEX_LENGTH];
                _cleanup_close_ int fd = -EBADF;
                LayerMeta meta = { 0 };

                if (strv_contains(used, *id))
                        continue;
                (void) store_layer_meta(store, *id, &meta);
                (void) snprintf(path, sizeof(path), "layer/%s", digest_hex(*id));
                fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        r = -errno;
                else if (flock(fd, LOCK_EX | LOCK_NB) >= 0) { /* else a load under way needs it */
                        r = move_away(work, "layer", *id);
                        bytes += meta.size;
                        n++;
                }
        }
        /* On disk, before anything in them goes: a layer that is there is whole. */
        if (r >= 0 && n > 0)
                r = store_sync(store, "layer");
        if (r < 0)
                return error_set_errno(reterr, r, "cannot remove the unused layers of %s", store->path);
        *ret_layers = n;
        *ret_bytes = bytes;
        return 0;
}

static int collect_locked(StoreWork *work, Error *reterr) {
        uint64_t bytes;
        size_t layers;

        return store_collect_locked(work, &layers, &bytes, reterr);
}

int store_collect(StoreWork *work, Error *reterr) {
        int r = store_lock(work->store, true, reterr);

        if (r < 0)
                return r;
        r = collect_locked(work, reterr);
        store_unlock(work->store);
        return r;
}

/* Nobody needs it now; 1: but it is kept for a release, and with `held` that is no reason. */
static int check_unused(Store *store, const char *text, const char *id, bool held, Error *reterr) {
        _cleanup_strv_ char **users = NULL, **holders = NULL;
        _cleanup_mounts_ ImageMounts mounts = { 0 };
        _cleanup_free_ char *list = NULL;
        int r = image_mounts_read(&mounts, reterr);

        if (r < 0)
                return r;
        r = store_image_users(store, id, &mounts, &users);
        if (r >= 0)
                r = store_image_holders(store, id, &holders);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot see who uses image '%s'", text);
        if (!users[0] && (!holders[0] || held))
                return holders[0] != NULL;
        list = strv_join(users[0] ? users : holders, ", ");
        if (!list)
                return -ENOMEM;
        return error_set(reterr, -EBUSY, "image '%s' is %s %s", text, users[0] ? "in use by" : "kept for", list);
}

static int remove_names(Store *store, char *const *names) {
        for (; *names; names++) {
                _cleanup_free_ char *file = name_to_file(*names), *path = NULL;

                path = file ? str_format("name/%s", file) : NULL;
                if (!path)
                        return -ENOMEM;
                if (unlinkat(store->fd, path, 0) < 0 && errno != ENOENT)
                        return -errno;
        }
        return store_sync(store, "name");
}

/* Names first and layers last: at no moment does anything name what is not there. */
int store_remove_locked(StoreWork *work, const char *id, char *const *names) {
        int r = remove_names(work->store, names);

        if (r >= 0)
                r = move_away(work, "image", id);
        return r < 0 ? r : store_sync(work->store, "image");
}

static int remove_locked(StoreWork *work, const char *text, bool force, const Found *found, bool *ret_gone, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        Store *store = work->store;
        int r = store_image_names(store, found->id, &names);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot remove image '%s'", text);
        if (!found->name && strv_length(names) > 1 && !force) {
                _cleanup_free_ char *list = strv_join(names, ", ");

                return error_set(reterr, -ENOTUNIQ, "image '%s' has several names (%s): remove them one by one, or use --force",
                        text, list ? list : "…");
        }
        *ret_gone = !found->name || strv_length(names) <= 1;
        if (!*ret_gone) {
                r = remove_names(store, (char *const[]){ found->name, NULL });
                return r < 0 ? error_set_errno(reterr, r, "cannot remove image '%s'", text) : 0;
        }
        r = check_unused(store, text, found->id, force && names[0], reterr);
        if (r < 0)
                return r;
        if (r > 0) {
                *ret_gone = false;
                r = remove_names(store, names);
                return r < 0 ? error_set_errno(reterr, r, "cannot remove image '%s'", text) : 0;
        }
        r = store_remove_locked(work, found->id, names);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot remove image '%s'", text);
        return collect_locked(work, reterr);
}

int store_remove(Store *store, const char *text, bool force, char **ret_name, char **ret_id, Error *reterr) {
        _cleanup_work_ StoreWork *work = NULL;
        _cleanup_free_ char *name = NULL, *id = NULL;
        Found found = { 0 };
        bool gone = false;
        int r = store_work_new(store, &work, reterr);

        if (r < 0)
                return r;
        r = store_lock(store, true, reterr);
        if (r < 0)
                return r;
        r = image_find(store->fd, text, &found, reterr);
        if (r >= 0) {
                name = found.name;
                r = remove_locked(work, text, force, &found, &gone, reterr);
        }
        store_unlock(store);
        if (r < 0)
                return r;
        if (gone) {
                id = strdup(found.id);
                if (!id)
                        return -ENOMEM;
        }
        *ret_name = TAKE_PTR(name);
        *ret_id = TAKE_PTR(id);
        return 0;
}
