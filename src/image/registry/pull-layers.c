/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "image/layer-jobs.h"
#include "image/layer.h"
#include "image/registry/claim.h"
#include "image/registry/pull-internal.h"

typedef struct Job {
        Pull *pull;
        const Origin *origin;
        const OciManifest *manifest;
        char *const *diff_ids;
        char *place; /* as in packed.h */
        int *held;
} Job;

typedef struct Worker {
        Job *job;
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
        LayerRequest request = {
                .digest = d->digest,
                .diff_id = diff_id,
                .place = w->job->place,
                .progress = layer_progress,
                .userdata = w,
        };
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
        int fd = store_layer_hold(w->work->store, diff_id, NULL);

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
        r = claim_try(w->work->store, diff_id, &claim, reterr);
        if (r == 0) {
                tell(w, LAYER_WAITING, 0);
                r = claim_wait(w->work->store, diff_id, http_cancel_fd(client_http(w->job->pull->client)), &claim, reterr);
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

static int start_worker(void *userdata, void *worker, Error *reterr) {
        Worker *w = worker;

        w->job = userdata;
        return store_work_open(w->job->pull->store->path, &w->work, reterr);
}

static int run_layer(void *userdata, void *worker, size_t i, Error *reterr) {
        Job *job = userdata;
        int r = get_layer(worker, i, reterr);

        if (r >= 0)
                job->held[i] = r;
        return r;
}

static void end_worker(void *worker) {
        Worker *w = worker;

        store_work_free(w->work);
}

static void cancel(void *userdata) {
        Job *job = userdata;

        http_cancel(client_http(job->pull->client));
}

int pull_layers(Pull *pull, const Origin *origin, const OciManifest *manifest, char *const *diff_ids, int *held, Error *reterr) {
        _cleanup_free_ char *place = origin_place(origin);
        Job job = { .pull = pull, .origin = origin, .manifest = manifest, .diff_ids = diff_ids, .place = place, .held = held };
        LayerJobs jobs = {
                .n_layers = manifest->n_layers,
                .parallel = pull->options->parallel,
                .userdata = &job,
                .worker_size = sizeof(Worker),
                .start = start_worker,
                .layer = run_layer,
                .end = end_worker,
                .cancel = cancel,
        };

        return place ? layer_jobs_run(&jobs, reterr) : -ENOMEM;
}
