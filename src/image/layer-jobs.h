/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is to be done for each layer of an image, by several threads. */

#include "util/error.h"

#define LAYER_JOBS_PARALLEL 4
#define LAYER_JOBS_PARALLEL_MAX 16

typedef struct LayerJobs {
        size_t n_layers;
        unsigned parallel; /* threads; 0: LAYER_JOBS_PARALLEL */
        void *userdata;
        size_t worker_size; /* bytes that each thread has of its own, all zero at first */
        int (*start)(void *userdata, void *worker, Error *reterr); /* of a thread; may be NULL */
        int (*layer)(void *userdata, void *worker, size_t i, Error *reterr);
        void (*end)(void *worker); /* of a thread, also where start failed; may be NULL */
        void (*cancel)(void *userdata); /* ends what is under way, for one has failed; NULL: it may as well come to its end */
} LayerJobs;

/* Layers are begun in their order. The first failure is what is returned, and no layer is begun after it. */
int layer_jobs_run(const LayerJobs *jobs, Error *reterr);
