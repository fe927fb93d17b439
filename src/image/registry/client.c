/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>

#include "image/registry/client.h"
#include "util/strv.h"

typedef struct OpenRegistry {
        Registry *registry;
        bool insecure, elsewhere;
} OpenRegistry;

struct Client {
        const ClientOptions *options;
        Http *http;
        RetryPolicy policy;
        Registries registries;
        OpenRegistry *open;
        size_t n_open;
        char **repositories;   /* of the origins that were given away */
        pthread_mutex_t lock; /* of the events */
};

static void notice(void *userdata, const char *sentence) {
        client_notice(userdata, sentence);
}

int client_new(const ClientOptions *options, Client **ret, Error *reterr) {
        _cleanup_client_ Client *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        (void) pthread_mutex_init(&c->lock, NULL);
        c->options = options;
        c->registries = REGISTRIES_INIT;
        c->policy = (RetryPolicy){ .times = options->retries, .delay_ms = options->retry_delay_ms, .notice = notice, .userdata = c };
        r = registries_load(&c->registries, reterr);
        if (r >= 0)
                r = http_new(options->stall_seconds, &c->http, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

Client *client_free(Client *c) {
        if (!c)
                return NULL;
        for (size_t i = 0; i < c->n_open; i++)
                registry_free(c->open[i].registry);
        free(c->open);
        strv_free(c->repositories);
        http_free(c->http);
        registries_clear(&c->registries);
        (void) pthread_mutex_destroy(&c->lock);
        free(c);
        return NULL;
}

Http *client_http(Client *c) {
        return c->http;
}

const Registries *client_registries(const Client *c) {
        return &c->registries;
}

/* What one was told to be for a registry is not for its mirrors to know. */
static int open_registry(Client *c, const Place *place, bool insecure, Registry **ret, Error *reterr) {
        RegistrySettings settings = {
                .host = place->host,
                .insecure = insecure,
                .cert_dir = c->options->cert_dir,
                .credentials = {
                        .said = place->elsewhere ? NULL : c->options->credentials,
                        .file = c->options->auth_file,
                        .helpers = c->registries.credential_helpers,
                },
        };
        OpenRegistry *open;
        int r;

        for (size_t i = 0; i < c->n_open; i++)
                if (c->open[i].insecure == insecure && c->open[i].elsewhere == place->elsewhere &&
                        streq(registry_host(c->open[i].registry), place->host)) {
                        *ret = c->open[i].registry;
                        return 0;
                }
        open = reallocarray(c->open, c->n_open + 1, sizeof(*open));
        if (!open)
                return -ENOMEM;
        c->open = open;
        r = registry_new(c->http, &c->policy, &settings, &open[c->n_open].registry, reterr);
        if (r < 0)
                return r;
        open[c->n_open].insecure = insecure;
        open[c->n_open].elsewhere = place->elsewhere;
        *ret = open[c->n_open++].registry;
        return 0;
}

int client_origin(Client *c, const Place *place, Origin *ret, Error *reterr) {
        bool insecure = c->options->tls_verify < 0 ? place->insecure : c->options->tls_verify == 0;
        int r = strv_append(&c->repositories, place->repository);

        if (r < 0)
                return r;
        ret->platform = &c->options->platform;
        ret->repository = c->repositories[strv_length(c->repositories) - 1];
        return open_registry(c, place, insecure, &ret->registry, reterr);
}

void client_notice(Client *c, const char *sentence) {
        (void) pthread_mutex_lock(&c->lock);
        if (c->options->events.notice)
                c->options->events.notice(c->options->events.userdata, sentence);
        (void) pthread_mutex_unlock(&c->lock);
}

void client_warn(Client *c, const char *sentence) {
        (void) pthread_mutex_lock(&c->lock);
        if (c->options->events.warning)
                c->options->events.warning(c->options->events.userdata, sentence);
        (void) pthread_mutex_unlock(&c->lock);
}

void client_tell_image(Client *c, const char *from, size_t n_layers) {
        (void) pthread_mutex_lock(&c->lock);
        if (c->options->events.image)
                c->options->events.image(c->options->events.userdata, from, n_layers);
        (void) pthread_mutex_unlock(&c->lock);
}

void client_tell_layer(Client *c, const LayerEvent *event) {
        (void) pthread_mutex_lock(&c->lock);
        if (c->options->events.layer)
                c->options->events.layer(c->options->events.userdata, event);
        (void) pthread_mutex_unlock(&c->lock);
}
