/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest.h"
#include "image/oci-make.h"
#include "image/oci.h"

int oci_json_dump(const json_t *j, char **ret, size_t *ret_size, char ret_digest[static 72]) {
        char *text = json_dumps(j, JSON_COMPACT);

        if (!text || digest_of(text, strlen(text), ret_digest) < 0) {
                free(text);
                return -ENOMEM;
        }
        *ret = text;
        *ret_size = strlen(text);
        return 0;
}

/* Borrowed from *ret_holder; NULL where there are none. */
static int find_annotations(const char *manifest, size_t size, json_t **ret_holder, json_t **ret, Error *reterr) {
        int r;

        *ret_holder = *ret = NULL;
        if (!manifest)
                return 0;
        r = json_parse(manifest, size, OCI_JSON_MAX, ret_holder, reterr);
        return r < 0 ? r : json_member(*ret_holder, "annotations", JSON_OBJECT, ret, reterr);
}

int oci_manifest_make(const char *config, size_t config_size, const OciLayer *layers, size_t n_layers, const char *original,
        size_t original_size, char **ret, size_t *ret_size, char ret_digest[static 72], Error *reterr) {
        _cleanup_json_ json_t *manifest = NULL, *holder = NULL, *list = json_array();
        json_t *annotations;
        char id[72];
        int r = digest_of(config, config_size, id);

        if (r >= 0)
                r = find_annotations(original, original_size, &holder, &annotations, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_layers; i++) {
                json_t *layer = json_pack("{s:s, s:s, s:I}", "mediaType", pack_media_type(layers[i].format), "digest",
                        layers[i].digest, "size", (json_int_t) layers[i].size);

                if (json_array_append_new(list, layer) < 0)
                        return -ENOMEM;
        }
        manifest = json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:O, s:O*}", "schemaVersion", 2,
                "mediaType", "application/vnd.oci.image.manifest.v1+json",
                "config", "mediaType", "application/vnd.oci.image.config.v1+json", "digest", id, "size", (json_int_t) config_size,
                "layers", list, "annotations", annotations);
        return manifest ? oci_json_dump(manifest, ret, ret_size, ret_digest) : -ENOMEM;
}
