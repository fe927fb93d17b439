/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdio.h>

#include "image/layer.h"
#include "image/registry/claim.h"
#include "image/registry/pull-internal.h"

/* All workers take the next layer from here. */
typedef struct Job {
        Pull *pull;
        const Origin *origin;
        const OciManifest *manifest;
        char *const *diff_ids;
        int *held;
        pthread_mutex_t lock; /* of what follows */
        size_t next;
        Error error; /* of the first that failed */
} Job;

typedef struct Worker {
        Job *job;
        Store *store; /* its own: a lock belongs to an open file */
        StoreWork *work;
        LayerEvent event;
} Worker;

static void tell(Worker *w, LayerState state, uint64_t bytes) {
        w->event.state = state;
        w->event.bytes = bytes;
        client_tell_layer(w->job->pull->client, &w->event);
}

static void layer_progress(void *userdata, uint64_t bytes) {
        tell(userdata, LAYER_RUNNING, bytes);
}

static int download(Worker *w, const OciDescriptor *d, const char *diff_id, Error *reterr) {
        LayerRequest request = { .digest = d->digest, .diff_id = diff_id, .progress = layer_progress, .userdata = w };
        _cleanup_blob_ Blob *blob = NULL;
        char name[96], real[72];
        LayerMeta meta;
        int r;

        (void) snprintf(name, sizeof(name), "layer %s", d->digest);
        tell(w, LAYER_RUNNING, 0);
        r = remote_blob(w->job->origin, d, name, &blob);
        return r < 0 ? r : layer_add(w->work, blob, &request, real, &meta, reterr);
}

/* The lock of a layer, or -ENOENT. */
static int hold(Worker *w, const char *diff_id, Error *reterr) {
        int fd = store_layer_hold(w->store, diff_id, NULL);

        if (fd >= 0)
                tell(w, LAYER_PRESENT, w->event.total);
        else if (fd != -ENOENT)
                (void) error_set_errno(reterr, fd, "cannot open layer %s of the store", diff_id);
        return fd;
}

static int get_layer(Worker *w, size_t i, Error *reterr) {
        const OciDescriptor *d = w->job->manifest->layers + i;
        const char *diff_id = w->job->diff_ids[i];
        _cleanup_claim_ Claim *claim = NULL;
        int r;

        w->event = (LayerEvent){ .digest = d->digest, .number = i + 1, .count = w->job->manifest->n_layers, .total = d->size };
        r = hold(w, diff_id, reterr);
        if (r != -ENOENT)
                return r;
        r = claim_try(w->store, diff_id, &claim, reterr);
        if (r == 0) {
                tell(w, LAYER_WAITING, 0);
                r = claim_wait(w->store, diff_id, http_cancel_fd(client_http(w->job->pull->client)), &claim, reterr);
        }
        if (r < 0)
                return r;
        /* Whoever had the claim may have brought it. */
        r = hold(w, diff_id, reterr);
        if (r != -ENOENT)
                return r;
        r = download(w, d, diff_id, reterr);
        if (r >= 0)
                tell(w, LAYER_DONE, d->size);
        return r;
}

static bool take_next(Job *job, size_t *ret) {
        bool any;

        (void) pthread_mutex_lock(&job->lock);
        any = job->error.code == 0 && job->next < job->manifest->n_layers;
        if (any)
                *ret = job->next++;
        (void) pthread_mutex_unlock(&job->lock);
        return any;
}

/* The first failure ends all the others, which then fail too, but only because of it. */
static void fail(Job *job, int r, const Error *error) {
        (void) pthread_mutex_lock(&job->lock);
        if (job->error.code == 0) {
                job->error = *error;
                job->error.code = r;
                if (!error->code)
                        (void) error_set_errno(&job->error, r, "cannot get a layer");
        }
        (void) pthread_mutex_unlock(&job->lock);
        http_cancel(client_http(job->pull->client));
}

static void *run_worker(void *userdata) {
        Worker *w = userdata;
        Error error = { 0 };
        size_t i;
        int r;

        r = store_open(w->job->pull->store->path, false, &w->store, &error);
        if (r >= 0)
                r = store_work_new(w->store, &w->work, &error);
        while (r >= 0 && take_next(w->job, &i)) {
                r = get_layer(w, i, &error);
                if (r >= 0)
                        w->job->held[i] = r;
        }
        if (r < 0)
                fail(w->job, r, &error);
        store_work_free(w->work);
        store_free(w->store);
        return NULL;
}

int pull_layers(Pull *pull, const Origin *origin, const OciManifest *manifest, char *const *diff_ids, int *held, Error *reterr) {
        size_t n = pull->options->parallel > 0 ? pull->options->parallel : PULL_PARALLEL, started = 0;
        Job job = { .pull = pull, .origin = origin, .manifest = manifest, .diff_ids = diff_ids, .held = held };
        pthread_t threads[PULL_PARALLEL_MAX];
        Worker workers[PULL_PARALLEL_MAX];
        int r = 0;

        (void) pthread_mutex_init(&job.lock, NULL);
        n = MIN(n, manifest->n_layers);
        n = MIN(n, (size_t) PULL_PARALLEL_MAX);
        while (started < n) {
                workers[started] = (Worker){ .job = &job };
                r = pthread_create(threads + started, NULL, run_worker, workers + started);
                if (r != 0)
                        break;
                started++;
        }
        /* Fewer will do. */
        if (started == 0 && n > 0)
                return error_set_errno(reterr, -r, "cannot start a thread");
        for (size_t i = 0; i < started; i++)
                (void) pthread_join(threads[i], NULL);
        (void) pthread_mutex_destroy(&job.lock);
        if (job.error.code < 0) {
                if (reterr)
                        *reterr = job.error;
                return job.error.code;
        }
        return 0;
}
