/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest.h"
#include "image/export.h"
#include "image/layer-tar.h"
#include "util/fd.h"

void export_clear(Export *e) {
        for (size_t i = 0; e->held && i < e->n_layers; i++)
                fd_close(e->held[i]);
        free(e->held);
        free(e->tar_sizes);
        image_free(e->image);
        free(e->config);
        free(e->manifest);
        strv_free(e->diff_ids);
        *e = (Export){ 0 };
}

static int hold_layers(Store *store, Export *e, Error *reterr) {
        e->n_layers = strv_length(e->diff_ids);
        e->held = malloc((e->n_layers + 1) * sizeof(*e->held));
        e->tar_sizes = calloc(e->n_layers + 1, sizeof(*e->tar_sizes));
        if (!e->held || !e->tar_sizes)
                return -ENOMEM;
        for (size_t i = 0; i < e->n_layers; i++)
                e->held[i] = -EBADF;
        for (size_t i = 0; i < e->n_layers; i++) {
                LayerMeta meta;

                e->held[i] = store_layer_hold(store, e->diff_ids[i], &meta);
                if (e->held[i] < 0)
                        return error_set_errno(reterr, e->held[i], "cannot open layer %s of the store", e->diff_ids[i]);
                e->tar_sizes[i] = meta.tar_size;
        }
        return 0;
}

int export_open(Store *store, const char *text, Export *ret, Error *reterr) {
        _cleanup_image_ Image *image = calloc(1, sizeof(*image));
        const char *id;
        int r;

        if (!image)
                return -ENOMEM;
        r = image_open(store->path, text, &ret->image, reterr);
        if (r < 0)
                return r;
        id = ret->image->id;
        r = store_image_json(store, id, NULL, &ret->config, &ret->config_size, reterr);
        if (r >= 0)
                r = store_image_json(store, id, ret->image->manifest_digest, &ret->manifest, &ret->manifest_size, reterr);
        if (r >= 0)
                r = oci_config_parse(ret->config, ret->config_size, image, &ret->diff_ids, reterr);
        return r < 0 ? r : hold_layers(store, ret, reterr);
}

/* A layer's archive that tells how far it is. */
typedef struct Watched {
        Blob *blob;
        const LoadProgress *progress;
        const char *diff_id;
        size_t number, count;
        uint64_t bytes, total;
} Watched;

static ssize_t watched_read(void *userdata, const void **ret, Error *reterr) {
        Watched *w = userdata;
        ssize_t n = blob_read_below(w->blob, ret, reterr);

        if (n > 0)
                w->bytes += (uint64_t) n;
        if (n > 0 && w->progress->layer)
                w->progress->layer(w->progress->userdata, w->diff_id, w->number, w->count, w->bytes, w->total);
        return n;
}

static void watched_free(void *userdata) {
        Watched *w = userdata;

        blob_free(w->blob);
        free(w);
}

int export_layer(Store *store, const Export *e, size_t i, const LoadProgress *progress, Blob **ret, Error *reterr) {
        Watched *w = malloc(sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        *w = (Watched){
                .progress = progress,
                .diff_id = e->diff_ids[i],
                .number = i + 1,
                .count = e->n_layers,
                .total = e->tar_sizes[i],
        };
        r = layer_tar_open(store, e->diff_ids[i], &w->blob, NULL, reterr);
        if (r < 0) {
                free(w);
                return r;
        }
        *ret = blob_new(blob_name(w->blob), watched_read, watched_free, w);
        return *ret ? 0 : -ENOMEM;
}

static bool original_holds(const Export *e, OciForm form, const OciLayer *layers) {
        _cleanup_oci_manifest_ OciManifest m = { 0 };
        bool same;

        if (oci_manifest_parse(e->manifest, e->manifest_size, &m, NULL) < 0 || m.n_layers != e->n_layers)
                return false;
        same = (!m.media_type || streq(m.media_type, oci_form_manifest_type(form))) && m.config.media_type && oci_form_of(&m) == form &&
                streq(m.config.digest, e->image->id);
        for (size_t i = 0; i < m.n_layers; i++)
                same = same && streq(m.layers[i].digest, layers[i].digest);
        return same;
}

int export_manifest(const Export *e, OciForm form, const OciLayer *layers, char **ret, size_t *ret_size, char ret_digest[static 72],
        Error *reterr) {
        OciParts parts = {
                .form = form,
                .config = e->config,
                .config_size = e->config_size,
                .layers = layers,
                .n_layers = e->n_layers,
                .original = e->manifest,
                .original_size = e->manifest_size,
        };

        if (!original_holds(e, form, layers))
                return oci_manifest_make(&parts, ret, ret_size, ret_digest, reterr);
        *ret = strdup(e->manifest);
        *ret_size = e->manifest_size;
        return *ret ? digest_of(e->manifest, e->manifest_size, ret_digest) : -ENOMEM;
}
