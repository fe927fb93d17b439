/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "image/load-internal.h"
#include "image/name.h"
#include "image/oci.h"

void loaded_free(Loaded *loaded, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(loaded[i].id);
                strv_free(loaded[i].names);
        }
        free(loaded);
}

void load_plan_clear(LoadPlan *p) {
        recipe_clear(&p->recipe);
        for (size_t i = 0; i < p->n_layers; i++) {
                free(p->layers[i].file);
                free(p->layers[i].digest);
        }
        free(p->layers);
        *p = (LoadPlan){ 0 };
}

typedef struct LayerProgress {
        const LoadProgress *progress;
        const char *diff_id;
        size_t number, count;
        uint64_t total;
} LayerProgress;

static void layer_progress(void *userdata, uint64_t bytes) {
        const LayerProgress *p = userdata;

        if (p->progress->layer)
                p->progress->layer(p->progress->userdata, p->diff_id, p->number, p->count, bytes, p->total);
}

static int add_layer(Load *load, const LoadLayer *layer, LayerProgress *progress, Error *reterr) {
        LayerRequest request = {
                .digest = layer->digest,
                .diff_id = progress->diff_id,
                .progress = layer_progress,
                .userdata = progress,
        };
        _cleanup_blob_ Blob *blob = NULL;
        LayerMeta meta;
        char diff_id[72];
        int r = source_blob(load->source, layer->file, &blob, &progress->total, reterr);

        if (r == -ENOENT)
                return error_set(reterr, r, "layer %s is missing: there is no %s", progress->diff_id, layer->file);
        return r < 0 ? r : layer_add(load->work, blob, &request, diff_id, &meta, reterr);
}

/* Returns the locks on all layers of the plan in held, the layers unpacked where the store did not have them. */
static int add_layers(Load *load, const LoadPlan *plan, char *const *diff_ids, int *held, Error *reterr) {
        for (size_t i = 0; i < plan->n_layers; i++) {
                LayerProgress progress = {
                        .progress = &load->options->progress,
                        .diff_id = diff_ids[i],
                        .number = i + 1,
                        .count = plan->n_layers,
                };

                held[i] = store_layer_hold(load->work->store, diff_ids[i], NULL);
                if (held[i] == -ENOENT)
                        held[i] = add_layer(load, plan->layers + i, &progress, reterr);
                else if (held[i] < 0)
                        (void) error_set_errno(reterr, held[i], "cannot open layer %s of the store", diff_ids[i]);
                if (held[i] < 0)
                        return held[i];
        }
        return 0;
}

static int remember(Load *load, const char *id, char *const *names) {
        Loaded *p = reallocarray(load->loaded, load->n_loaded + 1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        load->loaded = p;
        p[load->n_loaded] = (Loaded){ .id = strdup(id), .names = strv_copy(names) };
        if (!p[load->n_loaded].id || !p[load->n_loaded].names) {
                free(p[load->n_loaded].id);
                strv_free(p[load->n_loaded].names);
                return -ENOMEM;
        }
        load->n_loaded++;
        return 0;
}

int load_plan_run(Load *load, LoadPlan *plan, Error *reterr) {
        _cleanup_strv_ char **diff_ids = NULL;
        char id[72];
        int *held, r = recipe_diff_ids(&plan->recipe, plan->n_layers, &diff_ids, reterr);

        if (r < 0)
                return r;
        held = malloc(plan->n_layers * sizeof(*held));
        if (!held)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_layers; i++)
                held[i] = -EBADF;
        r = add_layers(load, plan, diff_ids, held, reterr);
        if (r >= 0 && plan->complete)
                r = plan->complete(load, plan, diff_ids, reterr);
        if (r >= 0)
                r = recipe_add(load->work, &plan->recipe, id, reterr);
        if (r >= 0)
                r = remember(load, id, plan->recipe.names);
        for (size_t i = 0; i < plan->n_layers; i++)
                fd_close(held[i]);
        free(held);
        return r;
}

int load_names(const Load *load, char *const *said, NameDefault fallback, char ***ret, Error *reterr) {
        bool given = load->options->names && load->options->names[0];
        char *const *from = given ? load->options->names : said;
        _cleanup_strv_ char **names = strv_copy(NULL);

        if (!names)
                return -ENOMEM;
        for (; from && *from; from++) {
                char *full;
                int r = name_parse_new(*from, given ? NAME_LOCAL : fallback, &full, reterr);

                if (r >= 0)
                        r = strv_consume(&names, full);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(names);
        return 0;
}

static int load_source(Load *load, const char *path, Error *reterr) {
        int r = source_has(load->source, "index.json", reterr);

        if (r > 0)
                return load_oci(load, reterr);
        if (r == 0)
                r = source_has(load->source, "manifest.json", reterr);
        if (r > 0)
                return load_docker(load, reterr);
        if (r < 0)
                return r;
        return error_set(reterr, -EBADMSG, "%s is neither an OCI layout (it has no index.json) nor a docker archive (it has no "
                                           "manifest.json)", path);
}

int load_images(Store *store, const char *path, const LoadOptions *options, Loaded **ret, size_t *ret_n, Error *reterr) {
        Load load = { .options = options };
        int r = store_work_new(store, &load.work, reterr);

        if (r >= 0)
                r = source_open(path, load.work->fd, &load.source, reterr);
        if (r >= 0)
                r = load_source(&load, path, reterr);
        /* Layers of an image that did not come to be; the next try unpacks them again. */
        if (r < 0 && load.work)
                (void) store_collect(load.work, NULL);
        source_free(load.source);
        store_work_free(load.work);
        *ret = load.loaded;
        *ret_n = load.n_loaded;
        return r;
}
