/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdio.h>

#include "image/layer-jobs.h"
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

/* The layers of one image on their way. Each once: an image may have one several times. */
typedef struct Layers {
        Load *load;
        const LoadPlan *plan;
        char *const *diff_ids;
        size_t *numbers, n;
        int *held;
        pthread_mutex_t lock; /* of what is shown, one layer until it is done */
        size_t shown;         /* 0: none */
} Layers;

typedef struct LayerProgress {
        Layers *layers;
        size_t number;
        uint64_t total;
} LayerProgress;

static void layer_progress(void *userdata, uint64_t bytes) {
        const LayerProgress *p = userdata;
        const LoadProgress *to = &p->layers->load->options->progress;
        Layers *l = p->layers;

        if (!to->layer)
                return;
        (void) pthread_mutex_lock(&l->lock);
        if (l->shown == 0)
                l->shown = p->number;
        if (l->shown == p->number)
                to->layer(to->userdata, l->diff_ids[p->number - 1], p->number, l->plan->n_layers, bytes, p->total);
        (void) pthread_mutex_unlock(&l->lock);
}

static void layer_done(const LayerProgress *p) {
        Layers *l = p->layers;

        (void) pthread_mutex_lock(&l->lock);
        if (l->shown == p->number)
                l->shown = 0;
        (void) pthread_mutex_unlock(&l->lock);
}

static int add_layer(Layers *l, StoreWork *work, size_t i, Error *reterr) {
        LayerProgress progress = { .layers = l, .number = i + 1 };
        const LoadLayer *layer = l->plan->layers + i;
        LayerRequest request = {
                .digest = layer->digest,
                .diff_id = l->diff_ids[i],
                .progress = layer_progress,
                .userdata = &progress,
        };
        _cleanup_blob_ Blob *blob = NULL;
        LayerMeta meta;
        char diff_id[72];
        int r = source_blob(l->load->source, layer->file, &blob, &progress.total, reterr);

        if (r == -ENOENT)
                return error_set(reterr, r, "layer %s is missing: there is no %s", l->diff_ids[i], layer->file);
        if (r >= 0)
                r = layer_add(work, blob, &request, diff_id, &meta, reterr);
        layer_done(&progress);
        return r;
}

static int start_worker(void *userdata, void *worker, Error *reterr) {
        const Layers *l = userdata;

        return store_work_open(l->load->work->store->path, worker, reterr);
}

static int get_layer(void *userdata, void *worker, size_t n, Error *reterr) {
        StoreWork **work = worker;
        Layers *l = userdata;
        size_t i = l->numbers[n];
        int r = store_layer_hold((*work)->store, l->diff_ids[i], NULL);

        if (r == -ENOENT)
                r = add_layer(l, *work, i, reterr);
        else if (r < 0)
                (void) error_set_errno(reterr, r, "cannot open layer %s of the store", l->diff_ids[i]);
        l->held[n] = r;
        return r;
}

static void end_worker(void *worker) {
        StoreWork **work = worker;

        store_work_free(*work);
}

/* Each unpacked where the store did not have it. */
static int get_layers(Layers *l, Error *reterr) {
        LayerJobs jobs = {
                .userdata = l,
                .worker_size = sizeof(StoreWork *),
                .start = start_worker,
                .layer = get_layer,
                .end = end_worker,
        };
        int r;

        for (size_t i = 0; i < l->plan->n_layers; i++) {
                size_t first = 0;

                while (!streq(l->diff_ids[first], l->diff_ids[i]))
                        first++;
                if (first == i)
                        l->numbers[l->n++] = i;
        }
        for (size_t n = 0; n < l->n; n++)
                l->held[n] = -EBADF;
        jobs.n_layers = l->n;
        (void) pthread_mutex_init(&l->lock, NULL);
        r = layer_jobs_run(&jobs, reterr);
        (void) pthread_mutex_destroy(&l->lock);
        return r;
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

static int run_plan(Layers *l, LoadPlan *plan, Error *reterr) {
        char id[72];
        int r = get_layers(l, reterr);

        if (r >= 0 && plan->complete)
                r = plan->complete(l->load, plan, l->diff_ids, reterr);
        if (r >= 0)
                r = recipe_add(l->load->work, &plan->recipe, id, reterr);
        if (r >= 0)
                r = remember(l->load, id, plan->recipe.names);
        return r;
}

int load_plan_run(Load *load, LoadPlan *plan, Error *reterr) {
        Layers layers = { .load = load, .plan = plan };
        _cleanup_strv_ char **diff_ids = NULL;
        _cleanup_free_ size_t *numbers = NULL;
        _cleanup_free_ int *held = NULL;
        int r = recipe_diff_ids(&plan->recipe, plan->n_layers, &diff_ids, reterr);

        if (r < 0)
                return r;
        layers.diff_ids = diff_ids;
        layers.numbers = numbers = calloc(plan->n_layers, sizeof(*numbers));
        layers.held = held = calloc(plan->n_layers, sizeof(*held));
        if (!held || !numbers)
                return -ENOMEM;
        r = run_plan(&layers, plan, reterr);
        for (size_t i = 0; i < layers.n; i++)
                fd_close(held[i]);
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
