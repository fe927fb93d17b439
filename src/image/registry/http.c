/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "image/registry/http-internal.h"
#include "util/fd.h"

#define POLL_MILLISECONDS 1000 /* curl's own timers are served sooner */

void http_poke(Http *h) {
        (void) curl_multi_wakeup(h->multi);
}

static void end(HttpTransfer *t, int error) {
        t->ended = true;
        t->error = error;
        (void) pthread_cond_broadcast(&t->changed);
}

static void let_go(Http *h, HttpTransfer *t) {
        if (t->added)
                (void) curl_multi_remove_handle(h->multi, t->easy);
        t->added = false;
        t->closing = false;
        end(t, -ECANCELED);
}

/* What callers asked for since the last time. Called and left with the lock, which is open around what calls back. */
static void serve(Http *h) {
        HttpTransfer *t = h->transfers;

        while (t) {
                if (t->closing)
                        let_go(h, t);
                else if (!t->added && !t->ended) {
                        if (curl_multi_add_handle(h->multi, t->easy) == CURLM_OK)
                                t->added = true;
                        else
                                end(t, -ENOMEM);
                } else if (t->resume && !t->ended) {
                        t->resume = t->down_paused = t->up_paused = false;
                        (void) pthread_mutex_unlock(&h->lock);
                        (void) curl_easy_pause(t->easy, CURLPAUSE_CONT);
                        (void) pthread_mutex_lock(&h->lock);
                        /* Others may be gone meanwhile, but t cannot: only let_go() above sets it free. */
                }
                t = t->next;
        }
}

static void collect(Http *h) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(h->multi, &left))) {
                HttpTransfer *t = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &t);
                (void) pthread_mutex_lock(&h->lock);
                end(t, http_result(t, message->data.result));
                (void) pthread_mutex_unlock(&h->lock);
        }
}

static void fail_all(Http *h) {
        (void) pthread_mutex_lock(&h->lock);
        for (HttpTransfer *t = h->transfers; t; t = t->next)
                if (!t->ended)
                        end(t, -ENOMEM);
        (void) pthread_mutex_unlock(&h->lock);
}

static void *move(void *userdata) {
        Http *h = userdata;
        bool stopping;
        int running;

        for (;;) {
                (void) pthread_mutex_lock(&h->lock);
                serve(h);
                stopping = h->stopping;
                (void) pthread_mutex_unlock(&h->lock);
                if (stopping)
                        return NULL;
                /* Its only errors are misuse and want of memory. */
                if (curl_multi_perform(h->multi, &running) != CURLM_OK)
                        fail_all(h);
                collect(h);
                (void) curl_multi_poll(h->multi, NULL, 0, POLL_MILLISECONDS, NULL);
        }
}

static void global_init(void) {
        (void) curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Signals are the caller's; a broken connection shall be an error and no signal. */
static int start_thread(Http *h) {
        sigset_t all, old;
        int r;

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&h->thread, NULL, move, h);
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        return -r;
}

int http_new(unsigned stall_seconds, Http **ret, Error *reterr) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_condattr_t monotonic;
        Http *h = calloc(1, sizeof(*h));
        int r;

        if (!h)
                return -ENOMEM;
        (void) pthread_once(&once, global_init);
        (void) pthread_mutex_init(&h->lock, NULL);
        (void) pthread_condattr_init(&monotonic);
        (void) pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&h->cancel, &monotonic);
        (void) pthread_condattr_destroy(&monotonic);
        h->stall_seconds = stall_seconds > 0 ? stall_seconds : HTTP_STALL_SECONDS;
        h->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        h->multi = curl_multi_init();
        r = h->cancel_fd < 0 ? -errno : h->multi ? start_thread(h) : -ENOMEM;
        if (r < 0) {
                if (h->multi)
                        (void) curl_multi_cleanup(h->multi);
                fd_close(h->cancel_fd);
                (void) pthread_cond_destroy(&h->cancel);
                (void) pthread_mutex_destroy(&h->lock);
                free(h);
                return error_set_errno(reterr, r, "cannot start a thread for transfers");
        }
        *ret = h;
        return 0;
}

Http *http_free(Http *h) {
        if (!h)
                return NULL;
        (void) pthread_mutex_lock(&h->lock);
        assert(!h->transfers);
        h->stopping = true;
        (void) pthread_mutex_unlock(&h->lock);
        http_poke(h);
        (void) pthread_join(h->thread, NULL);
        (void) curl_multi_cleanup(h->multi);
        fd_close(h->cancel_fd);
        (void) pthread_cond_destroy(&h->cancel);
        (void) pthread_mutex_destroy(&h->lock);
        free(h);
        return NULL;
}

void http_cancel(Http *h) {
        static const uint64_t one = 1;

        (void) pthread_mutex_lock(&h->lock);
        h->cancelled = true;
        for (HttpTransfer *t = h->transfers; t; t = t->next)
                (void) pthread_cond_broadcast(&t->changed);
        (void) pthread_cond_broadcast(&h->cancel);
        (void) pthread_mutex_unlock(&h->lock);
        (void) write_all(h->cancel_fd, &one, sizeof(one));
}

void http_revive(Http *h) {
        uint64_t count;

        (void) pthread_mutex_lock(&h->lock);
        assert(!h->transfers);
        h->cancelled = false;
        (void) pthread_mutex_unlock(&h->lock);
        while (read(h->cancel_fd, &count, sizeof(count)) > 0)
                ;
}

int http_cancel_fd(const Http *h) {
        return h->cancel_fd;
}

int http_wait(Http *h, uint64_t milliseconds) {
        struct timespec until;
        int r = 0;

        (void) clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t) (milliseconds / 1000);
        until.tv_nsec += (long) (milliseconds % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
        }
        (void) pthread_mutex_lock(&h->lock);
        while (!h->cancelled && r == 0)
                r = pthread_cond_timedwait(&h->cancel, &h->lock, &until);
        r = h->cancelled ? -ECANCELED : 0;
        (void) pthread_mutex_unlock(&h->lock);
        return r;
}
