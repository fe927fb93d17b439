/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The side of a transfer that its caller sees. */

#include "image/registry/http-internal.h"
#include "util/buf.h"

static void lock(HttpTransfer *t) {
        (void) pthread_mutex_lock(&t->http->lock);
}

static void unlock(HttpTransfer *t) {
        (void) pthread_mutex_unlock(&t->http->lock);
}

static int fail(const HttpTransfer *t, Error *reterr) {
        if (t->http->cancelled)
                return error_set(reterr, -ECANCELED, "cancelled");
        if (t->error == -ENOMEM)
                return t->error;
        return error_set(reterr, t->error, "%s", t->message);
}

static void release(HttpTransfer *t) {
        curl_easy_cleanup(t->easy);
        curl_slist_free_all(t->headers);
        for (size_t i = 0; i < ELEMENTSOF(t->values); i++)
                free(t->values[i]);
        ring_clear(&t->down);
        ring_clear(&t->up);
        (void) pthread_cond_destroy(&t->changed);
        free(t);
}

int http_start(Http *h, const HttpRequest *request, HttpTransfer **ret, Error *reterr) {
        HttpTransfer *t = calloc(1, sizeof(*t));
        int r;

        if (!t)
                return -ENOMEM;
        t->http = h;
        t->streamed = request->streamed;
        (void) pthread_cond_init(&t->changed, NULL);
        r = ring_init(&t->down, HTTP_BUFFER);
        if (r >= 0 && t->streamed)
                r = ring_init(&t->up, HTTP_BUFFER);
        if (r >= 0)
                r = http_prepare(t, request, reterr);
        if (r < 0) {
                release(t);
                return r;
        }
        lock(t);
        t->next = h->transfers;
        h->transfers = t;
        unlock(t);
        http_poke(h);
        *ret = t;
        return 0;
}

HttpTransfer *http_transfer_free(HttpTransfer *t) {
        Http *h;

        if (!t)
                return NULL;
        h = t->http;
        lock(t);
        t->closing = true;
        http_poke(h);
        while (t->closing)
                (void) pthread_cond_wait(&t->changed, &h->lock);
        for (HttpTransfer **p = &h->transfers; *p; p = &(*p)->next)
                if (*p == t) {
                        *p = t->next;
                        break;
                }
        unlock(t);
        release(t);
        return NULL;
}

/* Lets go on what stands still for want of room or of data. */
static void resume(HttpTransfer *t) {
        if (t->resume)
                return;
        t->resume = true;
        http_poke(t->http);
}

int http_write(HttpTransfer *t, const void *data, size_t size, Error *reterr) {
        const char *p = data;
        int r = 0;

        lock(t);
        while (r == 0 && size > 0) {
                size_t n = MIN(size, ring_room(&t->up));

                if (t->http->cancelled)
                        r = fail(t, reterr);
                else if (t->ended || t->answered)
                        r = t->answered ? -EPIPE : fail(t, reterr);
                else if (n == 0)
                        (void) pthread_cond_wait(&t->changed, &t->http->lock);
                else {
                        ring_put(&t->up, p, n);
                        p += n;
                        size -= n;
                        if (t->up_paused)
                                resume(t);
                }
        }
        unlock(t);
        return r;
}

void http_write_end(HttpTransfer *t) {
        lock(t);
        t->up_ended = true;
        if (t->up_paused)
                resume(t);
        unlock(t);
}

int http_status(HttpTransfer *t, Error *reterr) {
        int r;

        lock(t);
        while (!t->answered && !t->ended && !t->http->cancelled)
                (void) pthread_cond_wait(&t->changed, &t->http->lock);
        r = t->answered && !t->http->cancelled ? t->status : fail(t, reterr);
        unlock(t);
        return r;
}

const char *http_header(const HttpTransfer *t, HttpHeader header) {
        return t->values[header];
}

ssize_t http_read(HttpTransfer *t, const void **ret, Error *reterr) {
        ssize_t n;

        lock(t);
        ring_drop(&t->down, TAKE_GENERIC(t->taken, 0));
        /* Not for every byte: once there is some room. */
        if (t->down_paused && ring_room(&t->down) >= HTTP_BUFFER / 2)
                resume(t);
        while (t->down.size == 0 && !t->ended && !t->http->cancelled)
                (void) pthread_cond_wait(&t->changed, &t->http->lock);
        if (t->http->cancelled)
                n = fail(t, reterr);
        else if (t->down.size > 0)
                n = (ssize_t) (t->taken = ring_peek(&t->down, ret));
        else
                n = t->error < 0 ? fail(t, reterr) : 0;
        unlock(t);
        return n;
}

int http_read_all(HttpTransfer *t, size_t max, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_buf_ Buf buf = BUF_INIT;
        const void *piece;
        ssize_t n;

        while ((n = http_read(t, &piece, reterr)) > 0) {
                if ((size_t) n > max - buf.size)
                        return error_set(reterr, -E2BIG, "the answer is longer than %zu bytes", max);
                if (buf_append(&buf, piece, (size_t) n) < 0)
                        return -ENOMEM;
        }
        if (n < 0)
                return (int) n;
        if (ret_size)
                *ret_size = buf.size;
        *ret = buf_steal(&buf);
        return *ret ? 0 : -ENOMEM;
}
