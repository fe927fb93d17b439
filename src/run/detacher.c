/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdlib.h>

#include "run/detacher.h"
#include "util/log.h"
#include "util/strv.h"

#define STACK_SIZE (256U << 10)

typedef struct Leaving {
        struct Leaving *next;
        char *instance;
} Leaving;

struct Detacher {
        const char *app;
        int (*detach)(const char *app, const char *instance);
        pthread_t thread;
        bool started;   /* thread has to be joined */

        pthread_mutex_t lock;
        pthread_cond_t done; /* one more is off */
        Leaving *first; /* the one that is being taken off */
        bool works;     /* somebody is on it, and has not looked for the last time */
};

static void detach_one(const Detacher *d, const char *instance) {
        int r = d->detach(d->app, instance);

        if (r < 0)
                log_warning("Instance '%s' of app '%s': cannot take it off its network: %s", instance, d->app, strerror(-r));
}

static void *detacher_work(void *userdata) {
        Detacher *d = userdata;

        (void) pthread_mutex_lock(&d->lock);
        while (d->first) {
                Leaving *l = d->first;

                (void) pthread_mutex_unlock(&d->lock);
                detach_one(d, l->instance);
                (void) pthread_mutex_lock(&d->lock);
                d->first = l->next;
                free(l->instance);
                free(l);
                (void) pthread_cond_broadcast(&d->done);
        }
        d->works = false;
        (void) pthread_mutex_unlock(&d->lock);
        return NULL;
}

static bool thread_start(Detacher *d) {
        pthread_attr_t attr;

        if (d->started)
                (void) pthread_join(d->thread, NULL);
        d->started = false;
        if (pthread_attr_init(&attr) != 0)
                return false;
        (void) pthread_attr_setstacksize(&attr, STACK_SIZE);
        d->started = pthread_create(&d->thread, &attr, detacher_work, d) == 0;
        (void) pthread_attr_destroy(&attr);
        return d->started;
}

Detacher *detacher_new(const char *app, int (*detach)(const char *app, const char *instance)) {
        Detacher *d = calloc(1, sizeof(*d));

        if (!d)
                return NULL;
        *d = (Detacher){ .app = app, .detach = detach };
        (void) pthread_mutex_init(&d->lock, NULL);
        (void) pthread_cond_init(&d->done, NULL);
        return d;
}

/* Behind the others; true: a thread works on them. */
static bool enqueue(Detacher *d, Leaving *l) {
        Leaving **end = &d->first;
        bool works;

        (void) pthread_mutex_lock(&d->lock);
        while (*end)
                end = &(*end)->next;
        *end = l;
        works = d->works;
        d->works = true; /* before there is a thread: it may have come to its end by the time that pthread_create() returns */
        (void) pthread_mutex_unlock(&d->lock);
        return works || thread_start(d);
}

void detacher_add(Detacher *d, const char *instance) {
        Leaving *l = calloc(1, sizeof(*l));

        if (l)
                l->instance = strdup(instance);
        if (!l || !l->instance) {
                free(l);
                detach_one(d, instance);
        } else if (!enqueue(d, l))
                (void) detacher_work(d);
}

static bool is_leaving(const Detacher *d, const char *instance) {
        for (const Leaving *l = d->first; l; l = l->next)
                if (!instance || streq(l->instance, instance))
                        return true;
        return false;
}

void detacher_wait(Detacher *d, const char *instance) {
        (void) pthread_mutex_lock(&d->lock);
        while (is_leaving(d, instance))
                (void) pthread_cond_wait(&d->done, &d->lock);
        (void) pthread_mutex_unlock(&d->lock);
}

Detacher *detacher_free(Detacher *d) {
        if (!d)
                return NULL;
        if (d->started)
                (void) pthread_join(d->thread, NULL);
        (void) pthread_cond_destroy(&d->done);
        (void) pthread_mutex_destroy(&d->lock);
        free(d);
        return NULL;
}
