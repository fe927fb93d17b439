/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest.h"
#include "image/oci-make.h"

static const struct {
        const char *name, *manifest, *config, *layers[_PACK_FORMAT_MAX];
} forms[_OCI_FORM_MAX] = {
        [OCI_FORM_OCI] = {
                .name = "oci",
                .manifest = "application/vnd.oci.image.manifest.v1+json",
                .config = "application/vnd.oci.image.config.v1+json",
                .layers = {
                        [PACK_NONE] = "application/vnd.oci.image.layer.v1.tar",
                        [PACK_GZIP] = "application/vnd.oci.image.layer.v1.tar+gzip",
                        [PACK_ZSTD] = "application/vnd.oci.image.layer.v1.tar+zstd",
                },
        },
        [OCI_FORM_DOCKER] = {
                .name = "docker",
                .manifest = "application/vnd.docker.distribution.manifest.v2+json",
                .config = "application/vnd.docker.container.image.v1+json",
                .layers = {
                        [PACK_NONE] = "application/vnd.docker.image.rootfs.diff.tar",
                        [PACK_GZIP] = "application/vnd.docker.image.rootfs.diff.tar.gzip",
                },
        },
};

OciForm oci_form_from_string(const char *text) {
        for (OciForm f = 0; f < _OCI_FORM_MAX; f++)
                if (streq(forms[f].name, text))
                        return f;
        return _OCI_FORM_INVALID;
}

OciForm oci_form_of(const OciManifest *manifest) {
        return streq_ptr(manifest->config.media_type, forms[OCI_FORM_DOCKER].config) ? OCI_FORM_DOCKER : OCI_FORM_OCI;
}

const char *oci_form_manifest_type(OciForm form) {
        return forms[form].manifest;
}

const char *oci_form_layer_type(OciForm form, PackFormat format) {
        return forms[form].layers[format];
}

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
static int find_annotations(const OciParts *p, json_t **ret_holder, json_t **ret, Error *reterr) {
        int r;

        *ret_holder = *ret = NULL;
        if (!p->original || p->form != OCI_FORM_OCI)
                return 0;
        r = json_parse(p->original, p->original_size, OCI_JSON_MAX, ret_holder, reterr);
        return r < 0 ? r : json_member(*ret_holder, "annotations", JSON_OBJECT, ret, reterr);
}

static json_t *descriptor(const char *type, const char *digest, uint64_t size) {
        return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest, "size", (json_int_t) size);
}

int oci_manifest_make(const OciParts *p, char **ret, size_t *ret_size, char ret_digest[static 72], Error *reterr) {
        _cleanup_json_ json_t *manifest = NULL, *holder = NULL, *list = json_array();
        json_t *annotations;
        char id[72];
        int r = digest_of(p->config, p->config_size, id);

        if (r >= 0)
                r = find_annotations(p, &holder, &annotations, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < p->n_layers; i++) {
                const OciLayer *layer = p->layers + i;

                if (json_array_append_new(list, descriptor(oci_form_layer_type(p->form, layer->format), layer->digest, layer->size)) < 0)
                        return -ENOMEM;
        }
        manifest = json_pack("{s:i, s:s, s:o, s:O, s:O*}", "schemaVersion", 2, "mediaType", forms[p->form].manifest, "config",
                descriptor(forms[p->form].config, id, p->config_size), "layers", list, "annotations", annotations);
        return manifest ? oci_json_dump(manifest, ret, ret_size, ret_digest) : -ENOMEM;
}
