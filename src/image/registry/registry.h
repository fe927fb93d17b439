/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One registry: where it is, how it is trusted, and requests to it, with credentials, redirects and further tries. */

#include "image/registry/credentials.h"
#include "image/registry/http.h"
#include "image/registry/retry.h"

#define REGISTRY_REDIRECTS_MAX 8

typedef struct Registry Registry;

typedef struct RegistrySettings {
        const char *host; /* "HOST" or "HOST:PORT" as image names have it */
        bool insecure;    /* certificates are not verified, and where nothing answers over https, http is tried */
        const char *cert_dir; /* as for tls_load() */
        CredentialSources credentials;
} RegistrySettings;

/* http, policy and what the credentials point to must outlive it. */
int registry_new(Http *http, const RetryPolicy *policy, const RegistrySettings *settings, Registry **ret, Error *reterr);
Registry *registry_free(Registry *g);
DEFINE_CLEANUP(Registry *, registry_free);
#define _cleanup_registry_ _cleanup_(registry_freep)

const char *registry_host(const Registry *g);
Retry registry_retry(const Registry *g);

typedef struct RegistryRequest {
        const char *method;
        const char *url;        /* "/v2/…", or a whole address that the registry gave */
        const char *repository; /* "library/nginx": what the request is about */
        bool push;              /* needs the right to write */
        const char *mount_from; /* a repository to read from as well; or NULL */
        char *const *headers;
        const void *body;
        size_t body_size;
        bool bulk;              /* as in HttpRequest */
} RegistryRequest;

/* Sends and waits for an answer below 300; *ret's body is still to be read. What is temporary is tried again, as retry
 * counts. reterr_status (may be NULL) is the HTTP status of a refusal. Errors: as answer_errno(), or those of http. */
int registry_send(Registry *g, const RegistryRequest *q, Retry *retry, HttpTransfer **ret, int *reterr_status, Error *reterr);

/* Where the answer t to a request for url says that it goes on, as a whole address. */
int registry_location(Registry *g, const char *url, const HttpTransfer *t, char **ret, Error *reterr);

/* The same for a body that is streamed, without another try. q must outlive it. */
typedef struct RegistryStream RegistryStream;

int registry_stream_open(Registry *g, const RegistryRequest *q, RegistryStream **ret, Error *reterr);
RegistryStream *registry_stream_free(RegistryStream *s);
DEFINE_CLEANUP(RegistryStream *, registry_stream_free);
#define _cleanup_registry_stream_ _cleanup_(registry_stream_freep)

/* -EPIPE: as http_write(). */
int registry_stream_write(RegistryStream *s, const void *data, size_t size, Error *reterr);

/* Ends the body and waits for an answer below 300. -EAGAIN: what was shown of who one is was not good any more, and now is: try again. */
int registry_stream_finish(RegistryStream *s, int *reterr_status, Error *reterr);
const HttpTransfer *registry_stream_transfer(const RegistryStream *s);

/* Another try may succeed. */
bool registry_temporary(int r) _pure_;
