/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest.h"
#include "image/load-internal.h"
#include "image/oci.h"
#include "util/buf.h"

/* The archive has no manifest. This is the one that skopeo and Podman make up for it, to the byte, so that digests agree. */
static int make_manifest(Load *load, LoadPlan *plan, char *const *diff_ids, Error *reterr) {
        _cleanup_buf_ Buf b = BUF_INIT;
        char id[72];
        int r = digest_of(plan->recipe.config, plan->recipe.config_size, id);

        if (r >= 0)
                r = buf_printf(&b, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\","
                                   "\"config\":{\"mediaType\":\"application/vnd.docker.container.image.v1+json\","
                                   "\"size\":%zu,\"digest\":\"%s\"},\"layers\":[", plan->recipe.config_size, id);
        for (size_t i = 0; r >= 0 && i < plan->n_layers; i++) {
                LayerMeta meta;

                r = store_layer_meta(load->work->store, diff_ids[i], &meta);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot read about layer %s", diff_ids[i]);
                r = buf_printf(&b, "%s{\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\","
                                   "\"size\":%llu,\"digest\":\"%s\"}", i ? "," : "", (unsigned long long) meta.tar_size, diff_ids[i]);
        }
        if (r >= 0)
                r = buf_puts(&b, "]}");
        if (r >= 0)
                r = digest_of(b.data, b.size, plan->recipe.manifest_digest);
        if (r < 0)
                return r;
        plan->recipe.manifest_size = b.size;
        plan->recipe.manifest = buf_steal(&b);
        return 0;
}

static int plan_layers(const DockerImage *image, LoadPlan *plan) {
        plan->n_layers = strv_length(image->layers);
        plan->layers = calloc(plan->n_layers + 1, sizeof(*plan->layers));
        if (!plan->layers)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_layers; i++) {
                plan->layers[i].file = strdup(image->layers[i]);
                if (!plan->layers[i].file)
                        return -ENOMEM;
        }
        return 0;
}

static int load_image(Load *load, const DockerImage *image, Error *reterr) {
        _cleanup_plan_ LoadPlan plan = { .complete = make_manifest };
        int r = load_names(load, image->names, NAME_DOCKER, &plan.recipe.names, reterr);

        if (r >= 0)
                r = source_read(load->source, image->config, OCI_JSON_MAX, &plan.recipe.config, &plan.recipe.config_size, reterr);
        if (r >= 0)
                r = plan_layers(image, &plan);
        return r < 0 ? r : load_plan_run(load, &plan, reterr);
}

static bool wanted(const Load *load, const DockerImage *image) {
        return !load->options->reference || strv_contains(image->names, load->options->reference);
}

int load_docker(Load *load, Error *reterr) {
        _cleanup_docker_archive_ DockerArchive archive = { 0 };
        _cleanup_free_ char *text = NULL;
        size_t size, n = 0;
        int r = source_read(load->source, "manifest.json", OCI_JSON_MAX, &text, &size, reterr);

        if (r < 0)
                return r;
        r = docker_archive_parse(text, size, &archive, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "manifest.json is broken");
                return r;
        }
        for (size_t i = 0; i < archive.n_images; i++)
                n += wanted(load, archive.images + i);
        if (n == 0)
                return load->options->reference
                        ? error_set(reterr, -ENOENT, "there is no image '%s' in it", load->options->reference)
                        : error_set(reterr, -ENOENT, "there is no image in it");
        if (n > 1 && load->options->names && load->options->names[0])
                return error_set(reterr, -E2BIG, "there are %zu images in it: choose one to be given a name", n);
        for (size_t i = 0; r >= 0 && i < archive.n_images; i++)
                if (wanted(load, archive.images + i))
                        r = load_image(load, archive.images + i, reterr);
        return r;
}
