/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>

#include "image/registry/answer.h"
#include "image/registry/registry.h"
#include "image/registry/url.h"
#include "util/strv.h"

struct Registry {
        Http *http;
        const RetryPolicy *policy;
        char *host;
        HttpTls tls;
        bool insecure;
        pthread_mutex_t lock; /* of base */
        char *base;           /* "https://host"; NULL: not found out yet */
};

int registry_new(Http *http, const char *host, bool insecure, const RetryPolicy *policy, Registry **ret, Error *reterr) {
        _cleanup_registry_ Registry *g = calloc(1, sizeof(*g));

        if (!g)
                return -ENOMEM;
        (void) pthread_mutex_init(&g->lock, NULL);
        g->http = http;
        g->policy = policy;
        g->insecure = g->tls.insecure = insecure;
        g->host = strdup(host);
        if (!g->host)
                return -ENOMEM;
        *ret = TAKE_PTR(g);
        return 0;
}

Registry *registry_free(Registry *g) {
        if (!g)
                return NULL;
        (void) pthread_mutex_destroy(&g->lock);
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

/* One request to one address. What belongs to the registry alone (the client's key) goes to no other server. */
static int start_at(Registry *g, const RegistryRequest *q, const char *base, const char *url, HttpTransfer **ret, Error *reterr) {
        bool own = url_same_server(base, url);
        HttpTls stranger = { .ca = g->tls.ca, .insecure = g->tls.insecure };
        HttpRequest request = {
                .method = q->method,
                .url = url,
                .headers = q->headers,
                .tls = own ? &g->tls : &stranger,
                .body = q->body,
                .body_size = q->body_size,
                .streamed = q->streamed,
        };

        return http_start(g->http, &request, ret, reterr);
}

static int find_address(Registry *g, const RegistryRequest *q, char **ret_base, char **ret_url, Error *reterr) {
        int r = base_of(g, ret_base, reterr);

        return r < 0 ? r : url_resolve(*ret_base, q->url, ret_url, reterr);
}

/* What the answer says, as an error. */
static int judge(const Registry *g, const RegistryRequest *q, HttpTransfer *t, int status, Error *reterr) {
        _cleanup_free_ char *body = NULL;
        _cleanup_buf_ Buf words = BUF_INIT;
        bool said = false;

        if (http_read_all(t, ANSWER_SIZE_MAX, &body, NULL, NULL) >= 0 &&
                answer_words(http_header(t, HTTP_CONTENT_TYPE), body, &words) >= 0)
                said = words.size > 0;
        return error_set(reterr, answer_errno(status), "%s%s%s%s", answer_status_text(status), said ? " (" : "",
                said ? words.data : "", said ? ")" : "");
}

/* A redirect's target in *url; what was safe must not become unsafe on the way. */
static int redirect(HttpTransfer *t, char **url, Error *reterr) {
        const char *location = http_header(t, HTTP_LOCATION);
        char *next;
        int r;

        if (!location)
                return error_set(reterr, -EBADMSG, "a redirect to nowhere");
        r = url_resolve(*url, location, &next, reterr);
        if (r < 0)
                return r;
        if (str_after(*url, "https://") && !str_after(next, "https://")) {
                _cleanup_free_ char *server = url_server(next);

                free(next);
                return error_set(reterr, -EPROTO, "it redirects from https to %s", server ? server : "http");
        }
        free(*url);
        *url = next;
        return 0;
}

static bool is_redirect(const RegistryRequest *q, int status) {
        return (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) &&
                (streq(q->method, "GET") || streq(q->method, "HEAD"));
}

static int attempt(Registry *g, const RegistryRequest *q, HttpTransfer **ret, int *reterr_status, char **reterr_after, Error *reterr) {
        _cleanup_free_ char *base = NULL, *url = NULL;
        int r = find_address(g, q, &base, &url, reterr);

        for (unsigned redirects = 0; r >= 0;) {
                _cleanup_http_transfer_ HttpTransfer *t = NULL;
                int status;

                r = start_at(g, q, base, url, &t, reterr);
                status = r < 0 ? r : http_status(t, reterr);
                if (status < 0)
                        return status;
                if (is_redirect(q, status)) {
                        if (++redirects > REGISTRY_REDIRECTS_MAX)
                                return error_set(reterr, -ELOOP, "more than %d redirects", REGISTRY_REDIRECTS_MAX);
                        r = redirect(t, &url, reterr);
                        continue;
                }
                if (status >= 300) {
                        const char *after = http_header(t, HTTP_RETRY_AFTER);

                        if (reterr_status)
                                *reterr_status = status;
                        free(*reterr_after);
                        *reterr_after = after ? strdup(after) : NULL;
                        return judge(g, q, t, status, reterr);
                }
                *ret = TAKE_PTR(t);
                return 0;
        }
        return r;
}

int registry_send(Registry *g, const RegistryRequest *q, Retry *retry, HttpTransfer **ret, int *reterr_status, Error *reterr) {
        Error error = { 0 };
        int r;

        for (;;) {
                _cleanup_free_ char *after = NULL;

                r = attempt(g, q, ret, reterr_status, &after, &error);
                if (r >= 0)
                        return r;
                (void) error_prefix(&error, "registry %s", g->host);
                if (!registry_temporary(r))
                        break;
                r = retry_wait(retry, after, &error);
                if (r < 0)
                        break;
        }
        if (reterr)
                *reterr = error;
        return r;
}

int registry_start(Registry *g, const RegistryRequest *q, HttpTransfer **ret, Error *reterr) {
        _cleanup_free_ char *base = NULL, *url = NULL;
        int r = find_address(g, q, &base, &url, reterr);

        if (r >= 0)
                r = start_at(g, q, base, url, ret, reterr);
        if (r < 0)
                (void) error_prefix(reterr, "registry %s", g->host);
        return r;
}

int registry_finish(Registry *g, const RegistryRequest *q, HttpTransfer *t, Error *reterr) {
        int r = http_status(t, reterr);

        if (r >= 300)
                r = judge(g, q, t, r, reterr);
        if (r < 0)
                (void) error_prefix(reterr, "registry %s", g->host);
        return r < 0 ? r : 0;
}
