/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/layer-jobs.h"
#include "image/packed.h"
#include "image/registry/push-internal.h"
#include "image/registry/upload.h"
#include "util/strv.h"

#define LOOKS_MAX 4  /* blobs of a layer that the registry is asked for */
#define MOUNTS_MAX 2 /* of them, that it is asked to take from another repository */

typedef struct Job {
        Push *push;
        char *place; /* as in packed.h */
        OciLayer *layers;
} Job;

/* A layer on its way. */
typedef struct Worker {
        Job *job;
        size_t i;
        PackFormat pack;
        LoadProgress progress;
        LayerEvent event;
        char *session; /* where the registry wants it, which did not take it from another repository */
        unsigned mounts;
} Worker;

static void tell(Worker *w, LayerState state, uint64_t bytes) {
        w->event.state = state;
        w->event.bytes = bytes;
        client_tell_layer(w->job->push->client, &w->event);
}

static void layer_progress(void *userdata, const char *diff_id, size_t number, size_t count, uint64_t bytes, uint64_t total) {
        tell(userdata, LAYER_RUNNING, bytes);
}

static bool is_usable(const Push *push, PackFormat format) {
        return push->options->pack >= 0 ? format == push->options->pack : oci_form_layer_type(push->form, format) != NULL;
}

/* Whether the image came with the layer packed so; then its manifest may stay as it is. */
static bool is_original(const Worker *w, const OciLayer *blob) {
        const OciManifest *m = &w->job->push->original;

        return w->i < m->n_layers && m->n_layers == w->job->push->image.n_layers && streq(m->layers[w->i].digest, blob->digest);
}

/* 1: the blob is in the repository now. A registry that rather wants it sent is not asked twice. */
static int mount(Worker *w, const OciLayer *blob, const Packed *known, size_t n, Error *reterr) {
        const Origin *o = &w->job->push->origin;
        _cleanup_free_ char *prefix = str_format("%s/", registry_host(o->registry));

        if (!prefix)
                return -ENOMEM;
        for (size_t i = 0; i < n && !w->session && w->mounts < MOUNTS_MAX; i++) {
                const char *from = known[i].place ? str_after(known[i].place, prefix) : NULL;
                Error error = { 0 };
                int r;

                if (!from || !streq(known[i].blob.digest, blob->digest) || streq(from, o->repository))
                        continue;
                w->mounts++;
                r = upload_mount(o, blob->digest, from, &w->session, &error);
                if (r > 0 || r == -ENOMEM || r == -ECANCELED)
                        return r < 0 ? error_set(reterr, r, "%s", error.text) : r;
                /* That it may not be read there, say, is no reason not to send it. */
        }
        return 0;
}

/* 1: the registry has the blob, or took it from another repository of its own. */
static int find(Worker *w, const OciLayer *blob, const Packed *known, size_t n, Error *reterr) {
        int r = upload_has(&w->job->push->origin, blob->digest, reterr);

        if (r != 0) {
                if (r > 0)
                        tell(w, LAYER_PRESENT, w->event.total);
                return r;
        }
        r = mount(w, blob, known, n, reterr);
        if (r > 0)
                tell(w, LAYER_MOUNTED, w->event.total);
        return r;
}

static bool is_first_of_its_digest(const Packed *known, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (streq(known[j].blob.digest, known[i].blob.digest))
                        return false;
        return true;
}

/* What the image came with first, then the latest. */
static int find_known(Worker *w, const Packed *known, size_t n, OciLayer *ret, Error *reterr) {
        unsigned looks = 0;

        for (int original = 1; original >= 0; original--)
                for (size_t i = 0; i < n && looks < LOOKS_MAX; i++) {
                        int r;

                        if (is_original(w, &known[i].blob) != original || !is_usable(w->job->push, known[i].blob.format) ||
                                !is_first_of_its_digest(known, i))
                                continue;
                        looks++;
                        r = find(w, &known[i].blob, known, n, reterr);
                        if (r > 0)
                                *ret = known[i].blob;
                        if (r != 0)
                                return r;
                }
        return 0;
}

/* As the image came, if that may give the same bytes again. */
static PackFormat choose_pack(const Worker *w, const Packed *known, size_t n) {
        if (w->job->push->options->pack >= 0)
                return w->job->push->options->pack;
        for (size_t i = 0; i < n; i++)
                if (is_original(w, &known[i].blob) && known[i].blob.format != PACK_NONE && is_usable(w->job->push, known[i].blob.format))
                        return known[i].blob.format;
        return PACK_GZIP;
}

static int open_packed(void *userdata, Blob **ret, Error *reterr) {
        Worker *w = userdata;
        Push *push = w->job->push;
        Blob *archive;
        int r = export_layer(push->store, &push->image, w->i, &w->progress, &archive, reterr);

        return r < 0 ? r : pack_blob(archive, w->pack, ret, reterr);
}

static int send(Worker *w, const Packed *known, size_t n, OciLayer *ret, Error *reterr) {
        UploadSource source = { .open = open_packed, .userdata = w };
        int r;

        w->pack = choose_pack(w, known, n);
        if (w->pack == PACK_NONE) { /* its digest is known */
                *ret = (OciLayer){ .size = w->event.total };
                memcpy(ret->digest, w->event.digest, sizeof(ret->digest));
                r = find(w, ret, known, n, reterr);
                if (r != 0)
                        return r;
        }
        tell(w, LAYER_RUNNING, 0);
        ret->format = w->pack;
        r = upload_blob(&w->job->push->origin, &source, w->session, ret->digest, &ret->size, reterr);
        if (r >= 0)
                tell(w, LAYER_DONE, w->event.total);
        return r;
}

static int push_layer(Worker *w, OciLayer *ret, Error *reterr) {
        const Export *e = &w->job->push->image;
        Packed *known = NULL;
        size_t n = 0;
        int r = packed_read(e->held[w->i], &known, &n);

        if (r >= 0)
                r = find_known(w, known, n, ret, reterr);
        if (r == 0)
                r = send(w, known, n, ret, reterr);
        packed_free(known, n);
        if (r < 0)
                return r;
        r = packed_add(e->held[w->i], ret, w->job->place);
        return r < 0 ? error_set_errno(reterr, r, "cannot write to the image store") : 0;
}

/* A layer that the image has several times is sent once. */
static size_t first_of_layer(const Export *e, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (streq(e->diff_ids[j], e->diff_ids[i]))
                        return j;
        return i;
}

static int run_layer(void *userdata, void *worker, size_t i, Error *reterr) {
        Job *job = userdata;
        const Export *e = &job->push->image;
        Worker *w = worker;
        int r;

        *w = (Worker){
                .job = job,
                .i = i,
                .progress = { .layer = layer_progress, .userdata = w },
                .event = { .digest = e->diff_ids[i], .number = i + 1, .count = e->n_layers, .total = e->tar_sizes[i] },
        };
        if (first_of_layer(e, i) != i) {
                tell(w, LAYER_PRESENT, w->event.total);
                return 0;
        }
        r = push_layer(w, job->layers + i, reterr);
        free(TAKE_PTR(w->session));
        return r;
}

static void cancel(void *userdata) {
        Job *job = userdata;

        http_cancel(client_http(job->push->client));
}

int push_layers(Push *push, OciLayer *layers, Error *reterr) {
        _cleanup_free_ char *place = origin_place(&push->origin);
        Job job = { .push = push, .place = place, .layers = layers };
        LayerJobs jobs = {
                .n_layers = push->image.n_layers,
                .parallel = push->options->parallel,
                .userdata = &job,
                .worker_size = sizeof(Worker),
                .layer = run_layer,
                .cancel = cancel,
        };
        int r = place ? layer_jobs_run(&jobs, reterr) : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < push->image.n_layers; i++)
                layers[i] = layers[first_of_layer(&push->image, i)];
        return r;
}
