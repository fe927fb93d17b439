/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>

#include "image/registry/answer.h"
#include "image/registry/auth.h"
#include "image/registry/registry.h"
#include "image/registry/tls.h"
#include "image/registry/url.h"
#include "util/strv.h"

#define CHALLENGES_MAX 2 /* a token that was good a moment ago, and another */

struct Registry {
        Http *http;
        const RetryPolicy *policy;
        char *host;
        Auth *auth;
        HttpTls tls;
        bool insecure;
        pthread_mutex_t lock; /* of base */
        char *base;           /* "https://host"; NULL: not found out yet */
};

int registry_new(Http *http, const RetryPolicy *policy, const RegistrySettings *settings, Registry **ret, Error *reterr) {
        _cleanup_registry_ Registry *g = calloc(1, sizeof(*g));
        int r;

        if (!g)
                return -ENOMEM;
        (void) pthread_mutex_init(&g->lock, NULL);
        g->http = http;
        g->policy = policy;
        g->host = strdup(settings->host);
        g->auth = auth_new(http, settings->host, &settings->credentials);
        if (!g->host || !g->auth)
                return -ENOMEM;
        r = tls_load(g->host, settings->cert_dir, &g->tls, reterr);
        if (r < 0)
                return r;
        g->insecure = g->tls.insecure = settings->insecure;
        *ret = TAKE_PTR(g);
        return 0;
}

Registry *registry_free(Registry *g) {
        if (!g)
                return NULL;
        (void) pthread_mutex_destroy(&g->lock);
        auth_free(g->auth);
        tls_clear(&g->tls);
        free(g->host);
        free(g->base);
        free(g);
        return NULL;
}

const char *registry_host(const Registry *g) {
        return g->host;
}

Retry registry_retry(const Registry *g) {
        return (Retry){ .policy = g->policy, .http = g->http };
}

bool registry_temporary(int r) {
        return http_temporary(r) || r == -EBUSY || r == -EREMOTEIO;
}

/* docker.io is a name that nothing serves. */
static const char *server_host(const Registry *g) {
        return streq(g->host, "docker.io") ? "registry-1.docker.io" : g->host;
}

/* 0 when anything at all answers there. */
static int ping(Registry *g, const char *base, Error *reterr) {
        _cleanup_http_transfer_ HttpTransfer *t = NULL;
        _cleanup_free_ char *url = str_format("%s/v2/", base);
        HttpRequest q = { .method = "GET", .url = url, .tls = &g->tls };
        int r;

        if (!url)
                return -ENOMEM;
        r = http_start(g->http, &q, &t, reterr);
        if (r >= 0)
                r = http_status(t, reterr);
        return r < 0 ? r : 0;
}

/* Where an insecure registry is: over https, else over http. */
static int find_scheme(Registry *g, char **ret, Error *reterr) {
        _cleanup_free_ char *https = str_format("https://%s", server_host(g)), *http = str_format("http://%s", server_host(g));
        Error first = { 0 };
        int r;

        if (!https || !http)
                return -ENOMEM;
        r = ping(g, https, &first);
        if (r >= 0) {
                *ret = TAKE_PTR(https);
                return 0;
        }
        if (r == -ECANCELED || r == -ENOMEM)
                return error_set(reterr, r, "%s", first.text);
        r = ping(g, http, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "neither over https (%.200s) nor over http", first.text);
                return r;
        }
        *ret = TAKE_PTR(http);
        return 0;
}

static int base_of(Registry *g, char **ret, Error *reterr) {
        int r = 0;

        (void) pthread_mutex_lock(&g->lock);
        if (!g->base) {
                if (g->insecure)
                        r = find_scheme(g, &g->base, reterr);
                else
                        g->base = str_format("https://%s", server_host(g));
        }
        if (r >= 0) {
                *ret = g->base ? strdup(g->base) : NULL;
                if (!*ret)
                        r = -ENOMEM;
        }
        (void) pthread_mutex_unlock(&g->lock);
        return r;
}

/* A request on its way. */
typedef struct Attempt {
        Registry *registry;
        const RegistryRequest *request;
        char *base, *url, *scope;
        char *header; /* what was shown of who one is; NULL: nothing */
        bool own;     /* url is the registry's, not another server's */
        bool streamed;
        HttpTls stranger;
} Attempt;

static void attempt_clear(Attempt *a) {
        free(a->base);
        free(a->url);
        free(a->scope);
        free(a->header);
}
#define _cleanup_attempt_ _cleanup_(attempt_clear)

static int attempt_init(Attempt *a, Registry *g, const RegistryRequest *q, Error *reterr) {
        int r;

        *a = (Attempt){ .registry = g, .request = q, .stranger = { .ca = g->tls.ca, .insecure = g->tls.insecure } };
        a->scope = str_format("repository:%s:%s", q->repository, q->push ? "pull,push" : "pull");
        if (a->scope && q->mount_from) {
                char *both = str_format("%s repository:%s:pull", a->scope, q->mount_from);

                free(a->scope);
                a->scope = both;
        }
        if (!a->scope)
                return -ENOMEM;
        r = base_of(g, &a->base, reterr);
        return r < 0 ? r : url_resolve(a->base, q->url, &a->url, reterr);
}

/* What belongs to the registry alone, the client's key and what shows who one is, goes to no other server. */
static int attempt_start(Attempt *a, HttpTransfer **ret, Error *reterr) {
        const RegistryRequest *q = a->request;
        _cleanup_strv_ char **headers = strv_copy(q->headers);
        HttpRequest request = {
                .method = q->method,
                .url = a->url,
                .body = q->body,
                .body_size = q->body_size,
                .streamed = a->streamed,
                .bulk = q->bulk,
        };
        int r = headers ? 0 : -ENOMEM;

        free(TAKE_PTR(a->header));
        a->own = url_same_server(a->base, a->url);
        request.tls = a->own ? &a->registry->tls : &a->stranger;
        if (r >= 0 && a->own)
                r = auth_header(a->registry->auth, a->scope, &a->header);
        if (r >= 0 && a->header)
                r = strv_append(&headers, a->header);
        request.headers = headers;
        return r < 0 ? r : http_start(a->registry->http, &request, ret, reterr);
}

/* What the answer says, as an error. */
static int attempt_judge(const Attempt *a, HttpTransfer *t, int status, Error *reterr) {
        _cleanup_free_ char *body = NULL;
        _cleanup_buf_ Buf words = BUF_INIT;
        Error why = { 0 };
        bool said = false;

        if (http_read_all(t, ANSWER_SIZE_MAX, &body, NULL, NULL) >= 0 &&
                answer_words(http_header(t, HTTP_CONTENT_TYPE), body, &words) >= 0)
                said = words.size > 0;
        if ((status == 401 || status == 403) && a->own)
                (void) auth_denied(a->registry->auth, a->request->repository, &why);
        return error_set(reterr, answer_errno(status), "%s%s%s%s%s%s", answer_status_text(status), said ? " (" : "",
                said ? words.data : "", said ? ")" : "", why.code < 0 ? "; " : "", why.text);
}

/* After a 401: 0 when another try may do. */
static int attempt_authenticate(Attempt *a, HttpTransfer *t, Error *reterr) {
        AuthChallenge challenge = {
                .text = http_header(t, HTTP_WWW_AUTHENTICATE),
                .scope = a->scope,
                .repository = a->request->repository,
                .used = a->header,
                .base = a->base,
                .own = &a->registry->tls,
                .stranger = &a->stranger,
        };

        if (!challenge.text)
                return attempt_judge(a, t, 401, reterr);
        return auth_answer(a->registry->auth, &challenge, reterr);
}

/* Where an answer to url says to go; what was safe must not become unsafe on the way. */
static int follow(const char *url, const HttpTransfer *t, char **ret, Error *reterr) {
        const char *location = http_header(t, HTTP_LOCATION);
        _cleanup_free_ char *next = NULL;
        int r;

        if (!location)
                return error_set(reterr, -EBADMSG, "a redirect to nowhere");
        r = url_resolve(url, location, &next, reterr);
        if (r < 0)
                return r;
        if (str_after(url, "https://") && !str_after(next, "https://")) {
                _cleanup_free_ char *server = url_server(next);

                return error_set(reterr, -EPROTO, "it redirects from https to %s", server ? server : "http");
        }
        *ret = TAKE_PTR(next);
        return 0;
}

static int redirect(HttpTransfer *t, char **url, Error *reterr) {
        char *next;
        int r = follow(*url, t, &next, reterr);

        if (r < 0)
                return r;
        free(*url);
        *url = next;
        return 0;
}

static bool is_redirect(const RegistryRequest *q, int status) {
        return (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) &&
                (streq(q->method, "GET") || streq(q->method, "HEAD"));
}

/* One try, through redirects and the question who one is. */
static int attempt(Attempt *a, HttpTransfer **ret, int *reterr_status, char **reterr_after, Error *reterr) {
        unsigned redirects = 0, challenges = 0;
        int r;

        for (;;) {
                _cleanup_http_transfer_ HttpTransfer *t = NULL;
                const char *after;
                int status;

                r = attempt_start(a, &t, reterr);
                status = r < 0 ? r : http_status(t, reterr);
                if (status < 0)
                        return status;
                if (status == 401 && a->own && challenges++ < CHALLENGES_MAX) {
                        r = attempt_authenticate(a, t, reterr);
                } else if (is_redirect(a->request, status)) {
                        if (++redirects > REGISTRY_REDIRECTS_MAX)
                                return error_set(reterr, -ELOOP, "more than %d redirects", REGISTRY_REDIRECTS_MAX);
                        r = redirect(t, &a->url, reterr);
                } else if (status >= 300) {
                        after = http_header(t, HTTP_RETRY_AFTER);
                        *reterr_status = status;
                        *reterr_after = after ? strdup(after) : NULL;
                        return attempt_judge(a, t, status, reterr);
                } else {
                        *ret = TAKE_PTR(t);
                        return 0;
                }
                if (r < 0)
                        return r;
        }
}

int registry_send(Registry *g, const RegistryRequest *q, Retry *retry, HttpTransfer **ret, int *reterr_status, Error *reterr) {
        Error error = { 0 };
        int r, status = 0;

        for (;;) {
                _cleanup_attempt_ Attempt a = { 0 };
                _cleanup_free_ char *after = NULL;

                r = attempt_init(&a, g, q, &error);
                if (r >= 0)
                        r = attempt(&a, ret, &status, &after, &error);
                if (r >= 0)
                        return r;
                (void) error_prefix(&error, "registry %s", g->host);
                if (!registry_temporary(r))
                        break;
                r = retry_wait(retry, after, &error);
                if (r < 0)
                        break;
        }
        if (reterr_status)
                *reterr_status = status;
        if (reterr)
                *reterr = error;
        return r;
}

int registry_location(Registry *g, const char *url, const HttpTransfer *t, char **ret, Error *reterr) {
        _cleanup_free_ char *base = NULL, *whole = NULL;
        int r = base_of(g, &base, reterr);

        if (r >= 0)
                r = url_resolve(base, url, &whole, reterr);
        if (r >= 0)
                r = follow(whole, t, ret, reterr);
        if (r < 0)
                (void) error_prefix(reterr, "registry %s", g->host);
        return r;
}

struct RegistryStream {
        Attempt attempt;
        HttpTransfer *transfer;
};

int registry_stream_open(Registry *g, const RegistryRequest *q, RegistryStream **ret, Error *reterr) {
        _cleanup_registry_stream_ RegistryStream *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        r = attempt_init(&s->attempt, g, q, reterr);
        if (r >= 0) {
                s->attempt.streamed = true;
                r = attempt_start(&s->attempt, &s->transfer, reterr);
        }
        if (r < 0) {
                (void) error_prefix(reterr, "registry %s", g->host);
                return r;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

RegistryStream *registry_stream_free(RegistryStream *s) {
        if (!s)
                return NULL;
        http_transfer_free(s->transfer);
        attempt_clear(&s->attempt);
        free(s);
        return NULL;
}

int registry_stream_write(RegistryStream *s, const void *data, size_t size, Error *reterr) {
        int r = http_write(s->transfer, data, size, reterr);

        if (r < 0 && r != -EPIPE)
                (void) error_prefix(reterr, "registry %s", s->attempt.registry->host);
        return r;
}

const HttpTransfer *registry_stream_transfer(const RegistryStream *s) {
        return s->transfer;
}

int registry_stream_finish(RegistryStream *s, int *reterr_status, Error *reterr) {
        Attempt *a = &s->attempt;
        int r, status;

        http_write_end(s->transfer);
        r = status = http_status(s->transfer, reterr);
        *reterr_status = MAX(status, 0);
        if (status == 401 && a->own) {
                r = attempt_authenticate(a, s->transfer, reterr);
                r = r < 0 ? r : error_set(reterr, -EAGAIN, "%s", answer_status_text(status));
        } else if (status >= 300)
                r = attempt_judge(a, s->transfer, status, reterr);
        if (r < 0)
                (void) error_prefix(reterr, "registry %s", a->registry->host);
        return MIN(r, 0);
}
