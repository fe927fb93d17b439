/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "cli/progress.h"

#define SHOW_AFTER_MS 1000
#define SHOW_EVERY_MS 100

static int64_t milliseconds_since(const struct timespec *t, const struct timespec *now) {
        return (now->tv_sec - t->tv_sec) * INT64_C(1000) + (now->tv_nsec - t->tv_nsec) / 1000000;
}

static void show_layer(void *userdata, const char *diff_id, size_t number, size_t count, uint64_t bytes, uint64_t total) {
        Progress *p = userdata;
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        if (milliseconds_since(&p->start, &now) < SHOW_AFTER_MS || milliseconds_since(&p->last, &now) < SHOW_EVERY_MS)
                return;
        p->last = now;
        p->shown = true;
        fprintf(stderr, "\rlayer %zu/%zu  %.19s  %llu", number, count, diff_id ? diff_id : "", (unsigned long long) (bytes >> 20));
        if (total > 0)
                fprintf(stderr, "/%llu", (unsigned long long) (total >> 20));
        fputs(" MiB\033[K", stderr);
}

LoadProgress progress_callbacks(Progress *p) {
        (void) clock_gettime(CLOCK_MONOTONIC, &p->start);
        p->last = p->start;
        return isatty(STDERR_FILENO) ? (LoadProgress){ .layer = show_layer, .userdata = p } : (LoadProgress){ 0 };
}

void progress_end(Progress *p) {
        if (p->shown)
                fputs("\r\033[K", stderr);
        p->shown = false;
}
