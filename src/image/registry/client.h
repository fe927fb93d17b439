/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All that one pull or push shares: transfers, what registries.conf says, and the registries that were talked to. */

#include "image/registry/event.h"
#include "image/registry/registries.h"
#include "image/registry/remote.h"

typedef struct ClientOptions {
        int tls_verify;          /* 1 and 0; negative: as registries.conf says */
        const char *auth_file;   /* NULL: as CredentialSources */
        const char *credentials; /* "USER:PASSWORD", for the host that the image's name has; NULL: as CredentialSources */
        const char *cert_dir;    /* NULL: as tls_load() */
        OciPlatform platform;    /* whose image is taken from an index */
        unsigned stall_seconds;  /* 0: HTTP_STALL_SECONDS */
        unsigned retries;        /* RETRY_TIMES, mostly */
        uint64_t retry_delay_ms; /* 0: RETRY_DELAY_MS */
        Events events;
} ClientOptions;

typedef struct Client Client;

int client_new(const ClientOptions *options, Client **ret, Error *reterr);
Client *client_free(Client *c);
DEFINE_CLEANUP(Client *, client_free);
#define _cleanup_client_ _cleanup_(client_freep)

Http *client_http(Client *c);
const Registries *client_registries(const Client *c);

/* The place as something to talk to. The client keeps what *ret points to. */
int client_origin(Client *c, const Place *place, Origin *ret, Error *reterr);

/* Events for the person, from any thread. */
void client_notice(Client *c, const char *sentence);
void client_warn(Client *c, const char *sentence);
void client_tell_image(Client *c, const char *from, size_t n_layers);
void client_tell_layer(Client *c, const LayerEvent *event);
