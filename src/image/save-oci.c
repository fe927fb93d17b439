/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "image/digest.h"
#include "image/name.h"
#include "image/save-internal.h"

#define BLOB_NAME_SIZE (sizeof("blobs/sha256/") + DIGEST_HEX_LENGTH)

static void blob_name_of(const char *digest, char ret[static BLOB_NAME_SIZE]) {
        (void) snprintf(ret, BLOB_NAME_SIZE, "blobs/sha256/%s", digest_hex(digest));
}

static int save_json(Save *save, const char *digest, const char *text, size_t size, Error *reterr) {
        char name[BLOB_NAME_SIZE];

        blob_name_of(digest, name);
        return sink_has(save->sink, name) ? 0 : sink_text(save->sink, name, text, size, reterr);
}

/* Layers that are not packed have their names, and may be there, before anything is read. */
static int save_layers(Save *save, const Export *e, OciLayer *layers, Error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < e->n_layers; i++) {
                bool plain = save->options->pack == PACK_NONE;
                char name[BLOB_NAME_SIZE];

                blob_name_of(e->diff_ids[i], name);
                if (plain && sink_has(save->sink, name)) {
                        layers[i] = (OciLayer){ .size = e->tar_sizes[i], .format = PACK_NONE };
                        (void) snprintf(layers[i].digest, sizeof(layers[i].digest), "%s", e->diff_ids[i]);
                } else
                        r = save_layer(save, e, i, plain ? name : NULL, layers + i, reterr);
        }
        return r;
}

static int add_to_index(Save *save, const Export *e, const char *digest, size_t size) {
        json_t *d = json_pack("{s:s, s:s, s:I}", "mediaType", "application/vnd.oci.image.manifest.v1+json", "digest", digest,
                "size", (json_int_t) size);
        int r = d ? 0 : -ENOMEM;

        if (e->image->name) {
                /* The first is for skopeo, umoci and Podman, the second for Docker and containerd. */
                json_t *annotations = json_pack("{s:s, s:s}", "org.opencontainers.image.ref.name", e->image->name,
                        "io.containerd.image.name", e->image->name);

                if (json_object_set_new(d, "annotations", annotations) < 0)
                        r = -ENOMEM;
        }
        return json_array_append_new(save->index, d) < 0 ? -ENOMEM : r;
}

/* Docker writes archives that are both since its version 25. Podman takes several images from a docker archive alone. */
static int add_to_docker(Save *save, const Export *e, const char *config, const OciLayer *layers) {
        _cleanup_json_ json_t *names = json_array();
        char name[BLOB_NAME_SIZE];

        for (size_t i = 0; i < e->n_layers; i++) {
                blob_name_of(layers[i].digest, name);
                if (json_array_append_new(names, json_sprintf("%s", name)) < 0)
                        return -ENOMEM;
        }
        blob_name_of(config, name);
        return names ? save_docker_entry(save, e, name, names) : -ENOMEM;
}

int save_oci_image(Save *save, const Export *e, Error *reterr) {
        _cleanup_free_ OciLayer *layers = calloc(e->n_layers + 1, sizeof(*layers));
        _cleanup_free_ char *manifest = NULL;
        char id[72], digest[72];
        size_t size;
        int r = layers ? save_layers(save, e, layers, reterr) : -ENOMEM;

        if (r < 0)
                return r;
        r = export_manifest(e, OCI_FORM_OCI, layers, &manifest, &size, digest, reterr);
        if (r >= 0)
                r = digest_of(e->config, e->config_size, id);
        if (r >= 0)
                r = save_json(save, id, e->config, e->config_size, reterr);
        if (r >= 0)
                r = save_json(save, digest, manifest, size, reterr);
        if (r >= 0)
                r = add_to_index(save, e, digest, size);
        return r < 0 ? r : add_to_docker(save, e, id, layers);
}

int save_oci_end(Save *save, Error *reterr) {
        static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
        _cleanup_json_ json_t *index = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType",
                "application/vnd.oci.image.index.v1+json", "manifests", save->index);
        _cleanup_free_ char *text = NULL;
        char digest[72];
        size_t size;
        int r = index ? oci_json_dump(index, &text, &size, digest) : -ENOMEM;

        if (r >= 0)
                r = sink_text(save->sink, "oci-layout", layout, strlen(layout), reterr);
        if (r >= 0)
                r = sink_text(save->sink, "index.json", text, size, reterr);
        return r < 0 || save->options->format == SAVE_OCI_DIRECTORY ? r : save_docker_end(save, reterr);
}
