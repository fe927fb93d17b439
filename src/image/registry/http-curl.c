/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The side of a transfer that libcurl sees. All callbacks are called by the moving thread. */

#include <strings.h>

#include "image/registry/http-internal.h"
#include "util/strv.h"

#define RECEIVE_BUFFER (256L << 10)

static const char *const header_names[_HTTP_HEADER_MAX] = {
        [HTTP_CONTENT_LENGTH] = "Content-Length",
        [HTTP_CONTENT_RANGE] = "Content-Range",
        [HTTP_CONTENT_TYPE] = "Content-Type",
        [HTTP_DOCKER_CONTENT_DIGEST] = "Docker-Content-Digest",
        [HTTP_LOCATION] = "Location",
        [HTTP_RANGE] = "Range",
        [HTTP_RETRY_AFTER] = "Retry-After",
        [HTTP_WWW_AUTHENTICATE] = "WWW-Authenticate",
};

/* Several of one name are one with commas between (RFC 9110, 5.3). */
static int keep_value(char **value, const char *text, size_t size) {
        char *joined;

        while (size > 0 && strchr(" \t\r\n", text[size - 1]))
                size--;
        while (size > 0 && strchr(" \t", *text)) {
                text++;
                size--;
        }
        if (size + (*value ? strlen(*value) : 0) > HTTP_HEADER_MAX)
                return -E2BIG;
        joined = *value ? str_format("%s, %.*s", *value, (int) size, text) : strndup(text, size);
        if (!joined)
                return -ENOMEM;
        free(*value);
        *value = joined;
        return 0;
}

/* The status line of this answer, or of one that only comes before it: 100, or a proxy's. */
static void begin_answer(HttpTransfer *t) {
        for (size_t i = 0; i < ELEMENTSOF(t->values); i++) {
                free(t->values[i]);
                t->values[i] = NULL;
        }
}

static void end_header(HttpTransfer *t) {
        long status = 0;

        (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status < 200)
                return;
        t->status = (int) status;
        t->answered = true;
        (void) pthread_cond_broadcast(&t->changed);
}

static int take_header(HttpTransfer *t, const char *line, size_t size) {
        if (t->answered) /* trailers */
                return 0;
        if (size >= 5 && strncmp(line, "HTTP/", 5) == 0) {
                begin_answer(t);
                return 0;
        }
        if (size == 0 || line[0] == '\r' || line[0] == '\n') {
                end_header(t);
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(header_names); i++) {
                size_t n = strlen(header_names[i]);

                if (size > n && line[n] == ':' && strncasecmp(line, header_names[i], n) == 0)
                        return keep_value(t->values + i, line + n + 1, size - n - 1);
        }
        return 0;
}

static size_t on_header(char *line, size_t one, size_t size, void *userdata) {
        HttpTransfer *t = userdata;
        int r;

        (void) pthread_mutex_lock(&t->http->lock);
        r = take_header(t, line, size);
        (void) pthread_mutex_unlock(&t->http->lock);
        return r < 0 ? 0 : size;
}

static size_t on_data(char *data, size_t one, size_t size, void *userdata) {
        HttpTransfer *t = userdata;

        (void) pthread_mutex_lock(&t->http->lock);
        if (ring_room(&t->down) < size) {
                t->down_paused = true;
                size = CURL_WRITEFUNC_PAUSE;
        } else {
                ring_put(&t->down, data, size);
                (void) pthread_cond_broadcast(&t->changed);
        }
        (void) pthread_mutex_unlock(&t->http->lock);
        return size;
}

static size_t on_want(char *data, size_t one, size_t size, void *userdata) {
        HttpTransfer *t = userdata;
        const void *piece;
        size_t n;

        (void) pthread_mutex_lock(&t->http->lock);
        n = MIN(size, ring_peek(&t->up, &piece));
        if (n > 0) {
                memcpy(data, piece, n);
                ring_drop(&t->up, n);
                (void) pthread_cond_broadcast(&t->changed);
        } else if (!t->up_ended) {
                t->up_paused = true;
                n = CURL_READFUNC_PAUSE;
        }
        (void) pthread_mutex_unlock(&t->http->lock);
        return n;
}

static const struct {
        CURLcode code;
        int error;
} errors[] = {
        { CURLE_COULDNT_RESOLVE_PROXY,    -EHOSTUNREACH  },
        { CURLE_COULDNT_RESOLVE_HOST,     -EHOSTUNREACH  },
        { CURLE_COULDNT_CONNECT,          -ECONNREFUSED  },
        { CURLE_OPERATION_TIMEDOUT,       -ETIMEDOUT     },
        { CURLE_PARTIAL_FILE,             -ECONNRESET    },
        { CURLE_GOT_NOTHING,              -ECONNRESET    },
        { CURLE_SEND_ERROR,               -ECONNRESET    },
        { CURLE_RECV_ERROR,               -ECONNRESET    },
        { CURLE_SEND_FAIL_REWIND,         -ECONNRESET    }, /* it would have sent a stream again on a new connection */
        { CURLE_HTTP2,                    -ECONNRESET    },
        { CURLE_HTTP2_STREAM,             -ECONNRESET    },
        { CURLE_SSL_CONNECT_ERROR,        -EPROTO        },
        { CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED  },
        { CURLE_SSL_CERTPROBLEM,          -EKEYREJECTED  },
        { CURLE_URL_MALFORMAT,            -EINVAL        },
        { CURLE_UNSUPPORTED_PROTOCOL,     -EINVAL        },
        { CURLE_WRITE_ERROR,              -E2BIG         }, /* on_header() */
        { CURLE_OUT_OF_MEMORY,            -ENOMEM        },
};

int http_result(HttpTransfer *t, CURLcode code) {
        if (code == CURLE_OK)
                return 0;
        if (code == CURLE_WRITE_ERROR)
                (void) strcpy(t->message, "the header of its answer is too long");
        else if (!t->message[0])
                (void) strncpy(t->message, curl_easy_strerror(code), sizeof(t->message) - 1);
        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                if (errors[i].code == code)
                        return errors[i].error;
        return -EIO;
}

bool http_temporary(int r) {
        return r == -EHOSTUNREACH || r == -ECONNREFUSED || r == -ETIMEDOUT || r == -ECONNRESET;
}

static bool prepare_tls(CURL *c, const HttpTls *tls) {
        if (!tls)
                return true;
        if (tls->ca) {
                struct curl_blob blob = { .data = tls->ca, .len = strlen(tls->ca), .flags = CURL_BLOB_COPY };

                if (curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK)
                        return false;
        }
        if (tls->insecure && (curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L) != CURLE_OK ||
                                     curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L) != CURLE_OK))
                return false;
        return !tls->cert || (curl_easy_setopt(c, CURLOPT_SSLCERT, tls->cert) == CURLE_OK &&
                                     curl_easy_setopt(c, CURLOPT_SSLKEY, tls->key) == CURLE_OK);
}

static bool prepare_headers(HttpTransfer *t, char *const *headers) {
        /* Nobody shall be asked whether the body is welcome, and what is sent is no form. */
        static const char *const always[] = { "Expect:", "User-Agent: berth/" BERTH_VERSION };

        for (size_t i = 0; i < ELEMENTSOF(always) + strv_length(headers); i++) {
                const char *line = i < ELEMENTSOF(always) ? always[i] : headers[i - ELEMENTSOF(always)];
                struct curl_slist *list = curl_slist_append(t->headers, line);

                if (!list)
                        return false;
                t->headers = list;
        }
        return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

static bool prepare_body(HttpTransfer *t, const HttpRequest *q) {
        CURL *c = t->easy;

        if (streq(q->method, "HEAD"))
                return curl_easy_setopt(c, CURLOPT_NOBODY, 1L) == CURLE_OK;
        if (q->streamed)
                return curl_easy_setopt(c, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
                        curl_easy_setopt(c, CURLOPT_READFUNCTION, on_want) == CURLE_OK &&
                        curl_easy_setopt(c, CURLOPT_READDATA, t) == CURLE_OK &&
                        curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, RECEIVE_BUFFER) == CURLE_OK &&
                        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method) == CURLE_OK;
        if (q->body || !streq(q->method, "GET"))
                return curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) q->body_size) == CURLE_OK &&
                        curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body ? q->body : "") == CURLE_OK &&
                        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method) == CURLE_OK;
        return true;
}

/* What is large has a connection of its own, where a slow reader lets TCP wait. Over HTTP/2 libcurl promises the server room for
 * 32 MiB a stream and keeps what comes (171 MiB in all were seen), and all streams share what one connection can carry. */
static bool prepare_version(HttpTransfer *t, const HttpRequest *q) {
        return curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long) (q->bulk ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)) == CURLE_OK;
}

int http_prepare(HttpTransfer *t, const HttpRequest *q, Error *reterr) {
        bool upload = q->streamed || q->body;
        bool ok;

        t->easy = curl_easy_init();
        if (!t->easy)
                return -ENOMEM;
        ok = curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->message) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
                /* Redirects are the caller's to judge: where to, and with what credentials. */
                curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT, (long) HTTP_CONNECT_SECONDS) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME,
                        (long) (upload ? HTTP_STALL_UPLOAD_SECONDS : t->http->stall_seconds)) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
                curl_easy_setopt(t->easy, CURLOPT_URL, q->url) == CURLE_OK &&
                prepare_tls(t->easy, q->tls) && prepare_headers(t, q->headers) && prepare_version(t, q) && prepare_body(t, q);
        return ok ? 0 : error_set(reterr, -ENOMEM, "cannot prepare a transfer from %s", q->url);
}
