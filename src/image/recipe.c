/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "image/digest.h"
#include "image/name.h"
#include "image/oci.h"
#include "image/recipe.h"
#include "util/fd.h"

void recipe_clear(Recipe *r) {
        free(r->config);
        free(r->manifest);
        strv_free(r->names);
        *r = (Recipe){ 0 };
}

int recipe_diff_ids(const Recipe *recipe, size_t n_layers, char ***ret, Error *reterr) {
        _cleanup_image_ Image *image = calloc(1, sizeof(*image));
        _cleanup_strv_ char **diff_ids = NULL;
        int r;

        if (!image)
                return -ENOMEM;
        r = oci_config_parse(recipe->config, recipe->config_size, image, &diff_ids, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "the image's configuration is broken");
                return r;
        }
        if (image->os && *image->os && !streq(image->os, "linux"))
                return error_set(reterr, -EOPNOTSUPP, "the image is for %s, not for linux", image->os);
        if (strv_length(diff_ids) != n_layers)
                return error_set(reterr, -EBADMSG, "the image's manifest has %zu layers, its configuration %zu", n_layers,
                        strv_length(diff_ids));
        if (n_layers == 0)
                return error_set(reterr, -EBADMSG, "the image has no layers");
        *ret = TAKE_PTR(diff_ids);
        return 0;
}

/* Overlay takes no notice of an opaque root directory: what is below it is left out here. */
static bool hides_all_below(Store *store, const char *diff_id) {
        char path[sizeof("layer//root") + DIGEST_HEX_LENGTH], value;
        _cleanup_close_ int fd = -EBADF;

        (void) snprintf(path, sizeof(path), "layer/%s/root", digest_hex(diff_id));
        fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd >= 0 && fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* Topmost first and each once: overlay refuses a layer given twice, and what the upper one says holds anyway. Those that an
 * opaque root hides are part of the image still, for who pushes it. */
static int stack_layers(Store *store, char *const *diff_ids, Image *image, Error *reterr) {
        bool hidden = false;

        image->layer_ids = strv_copy(NULL);
        if (!image->layer_ids)
                return -ENOMEM;
        for (size_t i = strv_length(diff_ids); i > 0; i--) {
                const char *id = diff_ids[i - 1];
                LayerMeta meta;
                int r;

                if (strv_contains(image->layer_ids, id))
                        continue;
                if (hidden) {
                        r = strv_append(&image->hidden_ids, id);
                        if (r < 0)
                                return r;
                        continue;
                }
                r = store_layer_meta(store, id, &meta);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot read about layer %s", id);
                r = strv_append(&image->layer_ids, id);
                if (r < 0)
                        return r;
                image->size += meta.size;
                hidden = hides_all_below(store, id);
        }
        return 0;
}

int recipe_add(StoreWork *work, const Recipe *recipe, char ret_id[static 72], Error *reterr) {
        StoreImageFiles files = {
                .config = recipe->config,
                .config_size = recipe->config_size,
                .manifest = recipe->manifest,
                .manifest_size = recipe->manifest_size,
                .digest = recipe->index_digest[0] ? recipe->index_digest : NULL,
        };
        _cleanup_image_ Image *image = calloc(1, sizeof(*image));
        _cleanup_strv_ char **diff_ids = NULL;
        char id[72];
        int r;

        if (!image || digest_of(recipe->config, recipe->config_size, id) < 0)
                return -ENOMEM;
        image->id = strdup(id);
        image->manifest_digest = strdup(recipe->manifest_digest);
        if (!image->id || !image->manifest_digest)
                return -ENOMEM;
        r = oci_config_parse(recipe->config, recipe->config_size, image, &diff_ids, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "configuration %s", id);
                return r;
        }
        r = stack_layers(work->store, diff_ids, image, reterr);
        if (r >= 0)
                r = store_image_commit(work, image, &files, recipe->names, reterr);
        if (r < 0)
                return r;
        memcpy(ret_id, id, sizeof(id));
        return 0;
}
