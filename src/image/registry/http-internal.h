/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of http share. */

#include <curl/curl.h>
#include <pthread.h>

#include "image/registry/http.h"
#include "image/registry/ring.h"

struct Http {
        CURLM *multi;
        pthread_t thread;
        pthread_mutex_t lock; /* of all below and of all transfers */
        pthread_cond_t cancel;
        int cancel_fd;
        bool stopping, cancelled;
        HttpTransfer *transfers;
        unsigned stall_seconds;
};

/* The caller's thread and the moving thread both change it, under the lock. */
struct HttpTransfer {
        Http *http;
        HttpTransfer *next;
        CURL *easy;
        struct curl_slist *headers;
        char message[CURL_ERROR_SIZE];
        pthread_cond_t changed;

        bool added;   /* the moving thread has it */
        bool closing; /* the moving thread shall let go of it */
        bool ended;
        int error;    /* negative errno of a transfer that ended badly */

        int status;
        bool answered; /* the answer's header is whole */
        char *values[_HTTP_HEADER_MAX];

        Ring down, up;
        size_t taken;        /* bytes of down that the reader was shown */
        bool down_paused, up_paused, resume;
        bool streamed, up_ended;
};

/* Sets the transfer's handle up. */
int http_prepare(HttpTransfer *t, const HttpRequest *request, Error *reterr);

/* What became of it, as negative errno and in t->message. */
int http_result(HttpTransfer *t, CURLcode code);

/* Something changed that the moving thread has to see. */
void http_poke(Http *h);
