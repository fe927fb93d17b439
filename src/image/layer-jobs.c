/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>

#include "image/layer-jobs.h"

/* All threads take the next layer from here. */
typedef struct Run {
        const LayerJobs *jobs;
        pthread_mutex_t lock; /* of what follows */
        size_t next;
        Error error; /* of the first that failed */
} Run;

static bool take_next(Run *run, size_t *ret) {
        bool any;

        (void) pthread_mutex_lock(&run->lock);
        any = run->error.code == 0 && run->next < run->jobs->n_layers;
        if (any)
                *ret = run->next++;
        (void) pthread_mutex_unlock(&run->lock);
        return any;
}

/* The others then fail too, but only because of it. */
static void fail(Run *run, int r, const Error *error) {
        (void) pthread_mutex_lock(&run->lock);
        if (run->error.code == 0) {
                run->error = *error;
                run->error.code = r;
                if (!error->code)
                        (void) error_set_errno(&run->error, r, "cannot get at a layer");
        }
        (void) pthread_mutex_unlock(&run->lock);
        if (run->jobs->cancel)
                run->jobs->cancel(run->jobs->userdata);
}

static void *run_worker(void *userdata) {
        Run *run = userdata;
        const LayerJobs *jobs = run->jobs;
        void *worker = calloc(1, jobs->worker_size + 1);
        Error error = { 0 };
        size_t i;
        int r = worker ? 0 : -ENOMEM;

        if (r >= 0 && jobs->start)
                r = jobs->start(jobs->userdata, worker, &error);
        while (r >= 0 && take_next(run, &i))
                r = jobs->layer(jobs->userdata, worker, i, &error);
        if (r < 0)
                fail(run, r, &error);
        if (worker && jobs->end)
                jobs->end(worker);
        free(worker);
        return NULL;
}

int layer_jobs_run(const LayerJobs *jobs, Error *reterr) {
        size_t n = jobs->parallel > 0 ? jobs->parallel : LAYER_JOBS_PARALLEL, started = 0;
        pthread_t threads[LAYER_JOBS_PARALLEL_MAX];
        Run run = { .jobs = jobs };
        int r = 0;

        (void) pthread_mutex_init(&run.lock, NULL);
        n = MIN(n, jobs->n_layers);
        n = MIN(n, (size_t) LAYER_JOBS_PARALLEL_MAX);
        while (started < n) {
                r = pthread_create(threads + started, NULL, run_worker, &run);
                if (r != 0)
                        break;
                started++;
        }
        for (size_t i = 0; i < started; i++)
                (void) pthread_join(threads[i], NULL);
        (void) pthread_mutex_destroy(&run.lock);
        /* Fewer will do. */
        if (started == 0 && n > 0)
                return error_set_errno(reterr, -r, "cannot start a thread");
        if (run.error.code < 0) {
                if (reterr)
                        *reterr = run.error;
                return run.error.code;
        }
        return 0;
}
