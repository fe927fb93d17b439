/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How often and when something that failed is tried again: exponential back-off with jitter, or as the server asks. */

#include "image/registry/http.h"

#define RETRY_TIMES 5
#define RETRY_DELAY_MS 500         /* before the second try, then twice that … */
#define RETRY_DELAY_MAX_MS 30000
#define RETRY_AFTER_MAX_SECONDS 120 /* a server that wants longer is given up */

typedef struct RetryPolicy {
        unsigned times;    /* after the first */
        uint64_t delay_ms; /* 0: RETRY_DELAY_MS */
        void (*notice)(void *userdata, const char *sentence); /* by any thread; may be NULL */
        void *userdata;
} RetryPolicy;

typedef struct Retry {
        const RetryPolicy *policy;
        Http *http;
        unsigned done;
        bool over;
} Retry;

/* Waits before another try. 0: try; otherwise error's code: it was the last, or was cancelled meanwhile.
 * after is the server's Retry-After, or NULL. */
int retry_wait(Retry *r, const char *after, Error *error);

/* There was progress: count anew. */
void retry_reset(Retry *r);

/* "120" or an HTTP date, as seconds from now (a time since 1970): 0, or -EINVAL. */
int retry_after_parse(const char *text, uint64_t now, uint64_t *ret);

/* What the n-th try waits (from 0), between half and the whole of what the back-off says by random. */
uint64_t retry_delay(uint64_t delay_ms, unsigned n, uint32_t random);
