/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/json.h"
#include "image/oci.h"
#include "util/strv.h"

#define DOCKER_IMAGES_MAX 1024

void docker_archive_clear(DockerArchive *a) {
        for (size_t i = 0; i < a->n_images; i++) {
                free(a->images[i].config);
                strv_free(a->images[i].names);
                strv_free(a->images[i].layers);
        }
        free(a->images);
        *a = (DockerArchive){ 0 };
}

static int parse_image(const json_t *j, DockerImage *ret, Error *reterr) {
        int r;

        if (!json_is_object(j))
                return error_set(reterr, -EBADMSG, "an image is not an object");
        r = json_member_string(j, "Config", &ret->config, reterr);
        if (r >= 0 && !ret->config)
                r = error_set(reterr, -EBADMSG, "an image has no Config");
        if (r >= 0)
                r = json_member_strings(j, "RepoTags", OCI_STRINGS_MAX, false, &ret->names, reterr);
        if (r >= 0)
                r = json_member_strings(j, "Layers", OCI_LAYERS_MAX, false, &ret->layers, reterr);
        return r;
}

int docker_archive_parse(const char *text, size_t size, DockerArchive *ret, Error *reterr) {
        _cleanup_docker_archive_ DockerArchive a = { 0 };
        _cleanup_json_ json_t *j = NULL;
        size_t n;
        int r = json_parse(text, size, OCI_JSON_MAX, &j, reterr);

        if (r < 0)
                return r;
        if (!json_is_array(j))
                return error_set(reterr, -EBADMSG, "it is not an array");
        n = json_array_size(j);
        if (n > DOCKER_IMAGES_MAX)
                return error_set(reterr, -E2BIG, "it has more than %d images", DOCKER_IMAGES_MAX);
        a.images = calloc(n + 1, sizeof(*a.images));
        if (!a.images)
                return -ENOMEM;
        a.n_images = n;
        for (size_t i = 0; i < n; i++) {
                r = parse_image(json_array_get(j, i), a.images + i, reterr);
                if (r < 0)
                        return r;
        }
        *ret = a;
        a = (DockerArchive){ 0 };
        return 0;
}
