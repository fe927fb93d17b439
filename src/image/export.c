/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/export.h"
#include "image/oci.h"
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

bool export_is_plain(const Export *e) {
        _cleanup_oci_manifest_ OciManifest m = { 0 };
        bool plain;

        if (oci_manifest_parse(e->manifest, e->manifest_size, &m, NULL) < 0 || m.n_layers != e->n_layers)
                return false;
        plain = m.config.media_type && streq(m.config.media_type, "application/vnd.oci.image.config.v1+json");
        for (size_t i = 0; i < m.n_layers; i++)
                plain = plain && streq(m.layers[i].digest, e->diff_ids[i]);
        return plain;
}
