/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <curl/curl.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "image/registry/retry.h"
#include "util/strv.h"

uint64_t retry_delay(uint64_t delay_ms, unsigned n, uint32_t random) {
        uint64_t delay = delay_ms;

        for (unsigned i = 0; i < n && delay < RETRY_DELAY_MAX_MS; i++)
                delay *= 2;
        delay = MIN(delay, (uint64_t) RETRY_DELAY_MAX_MS);
        return delay / 2 + random % (delay / 2 + 1);
}

int retry_after_parse(const char *text, uint64_t now, uint64_t *ret) {
        time_t t;

        if (parse_u64(text, UINT32_MAX, ret) >= 0)
                return 0;
        t = curl_getdate(text, NULL);
        if (t < 0)
                return -EINVAL;
        *ret = (uint64_t) t > now ? (uint64_t) t - now : 0;
        return 0;
}

static int give_up(Retry *r, Error *error) {
        if (r->done > 0 && !r->over && error->code != -ECANCELED)
                (void) error_prefix(error, "after %u tries", r->done + 1);
        r->over = true;
        return error->code;
}

static void notice(const Retry *r, const Error *error, uint64_t delay) {
        char sentence[ERROR_TEXT_MAX + 64];

        if (!r->policy->notice)
                return;
        (void) snprintf(sentence, sizeof(sentence), "%s; trying again in %llu.%llu s", error->text,
                (unsigned long long) (delay / 1000), (unsigned long long) (delay % 1000 / 100));
        r->policy->notice(r->policy->userdata, sentence);
}

int retry_wait(Retry *r, const char *after, Error *error) {
        uint64_t base = r->policy->delay_ms > 0 ? r->policy->delay_ms : RETRY_DELAY_MS, delay, seconds;
        uint32_t random = 0;

        if (r->over || error->code == -ECANCELED || r->done >= r->policy->times)
                return give_up(r, error);
        (void) getrandom(&random, sizeof(random), GRND_NONBLOCK);
        delay = retry_delay(base, r->done, random);
        if (after && retry_after_parse(after, (uint64_t) time(NULL), &seconds) >= 0) {
                if (seconds > RETRY_AFTER_MAX_SECONDS) {
                        (void) error_prefix(error, "the server asks to come back in %llu s", (unsigned long long) seconds);
                        return give_up(r, error);
                }
                delay = MAX(delay, seconds * 1000);
        }
        notice(r, error, delay);
        r->done++;
        return http_wait(r->http, delay) < 0 ? error_set(error, -ECANCELED, "cancelled") : 0;
}

void retry_reset(Retry *r) {
        r->done = 0;
}
