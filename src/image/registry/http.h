/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HTTP for several threads at once: one thread moves all the bytes, connections are shared, and whoever asked reads and
 * writes as from a pipe. A reader that is slow slows its own transfer down, and memory stays bounded. */

#include <sys/types.h>

#include "util/error.h"

#define HTTP_BUFFER (1U << 20)      /* bytes of one transfer that may wait to be read */
#define HTTP_HEADER_MAX 16384       /* bytes of one header's value, or of several of that name */
#define HTTP_CONNECT_SECONDS 30
#define HTTP_STALL_SECONDS 30       /* without a byte */
#define HTTP_STALL_UPLOAD_SECONDS 300 /* what was sent is verified and moved before the answer comes */

/* How to trust a server, and be trusted. */
typedef struct HttpTls {
        char *ca;          /* PEM texts besides the system's certificates; NULL: none */
        char *cert, *key;  /* files; NULL: none */
        bool insecure;     /* any certificate will do */
} HttpTls;

typedef struct HttpRequest {
        const char *method; /* "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" */
        const char *url;
        char *const *headers; /* "Name: value"; NULL: none */
        const HttpTls *tls;   /* NULL: as the system trusts */
        const void *body;     /* must live as long as the transfer */
        size_t body_size;
        bool streamed;        /* the body comes by http_write() */
        bool bulk;            /* much comes or goes: see http-curl.c */
} HttpRequest;

/* The headers of an answer that anybody asks for. */
typedef enum HttpHeader {
        HTTP_CONTENT_LENGTH,
        HTTP_CONTENT_RANGE,
        HTTP_CONTENT_TYPE,
        HTTP_DOCKER_CONTENT_DIGEST,
        HTTP_LOCATION,
        HTTP_RANGE,
        HTTP_RETRY_AFTER,
        HTTP_WWW_AUTHENTICATE,
        _HTTP_HEADER_MAX,
        _HTTP_HEADER_INVALID = -EINVAL,
} HttpHeader;

typedef struct Http Http;
typedef struct HttpTransfer HttpTransfer;

/* stall_seconds 0 is HTTP_STALL_SECONDS. */
int http_new(unsigned stall_seconds, Http **ret, Error *reterr);
Http *http_free(Http *h); /* after all its transfers */
DEFINE_CLEANUP(Http *, http_free);
#define _cleanup_http_ _cleanup_(http_freep)

/* From now on all that waits or begins fails with -ECANCELED. */
void http_cancel(Http *h);
/* … until this; all transfers are over. */
void http_revive(Http *h);
/* For who waits for something else meanwhile: readable once it was cancelled. */
int http_cancel_fd(const Http *h);

/* Waits that long. 0, or -ECANCELED. */
int http_wait(Http *h, uint64_t milliseconds);

int http_start(Http *h, const HttpRequest *request, HttpTransfer **ret, Error *reterr);
HttpTransfer *http_transfer_free(HttpTransfer *t); /* ends it, wherever it is */
DEFINE_CLEANUP(HttpTransfer *, http_transfer_free);
#define _cleanup_http_transfer_ _cleanup_(http_transfer_freep)

/* -EPIPE: the server does not want more, its answer says why. */
int http_write(HttpTransfer *t, const void *data, size_t size, Error *reterr);
void http_write_end(HttpTransfer *t);

/* Waits for the answer's header and returns its status, 200 to 599. */
int http_status(HttpTransfer *t, Error *reterr);
const char *http_header(const HttpTransfer *t, HttpHeader header); /* after http_status(); NULL: none */

/* The next piece of the answer, valid until the next call; 0 at its end. */
ssize_t http_read(HttpTransfer *t, const void **ret, Error *reterr);

/* All of the answer, at most max bytes, NUL-terminated. -E2BIG. */
int http_read_all(HttpTransfer *t, size_t max, char **ret, size_t *ret_size, Error *reterr);

/* Whether another try may well succeed: the network failed, not the request. */
bool http_temporary(int r) _pure_;
