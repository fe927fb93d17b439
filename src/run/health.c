/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "net/netns.h"
#include "run/health-log.h"
#include "run/health.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/strv.h"

#define ANSWER_MAX 300 /* bytes of a line that are shown */

/* One of the two checks. */
typedef struct Check {
        const char *http;   /* a path; or else: */
        char *const *words; /* of the command, as execve(2) takes them */
        uint16_t port;      /* with http */
        uint64_t timeout_usec;
} Check;

struct Health {
        Instance *instance;
        Check regular, startup;
        char *shell[4]; /* the words of an image's check that a shell runs */
        HealthRules rules;
        HealthSchedule schedule;
        Probe *probe;
        sd_event_source *timer;
        uint64_t begun_usec;      /* of the attempt: CLOCK_MONOTONIC */
        uint64_t begun_real_usec; /* CLOCK_REALTIME */
        size_t log_size;
        HealthLog log;            /* without a path: the journal */
        bool log_failed;          /* and that has been said */
        char *answer;
};

static uint64_t number_or(const SpecNumber *n, uint64_t otherwise) {
        return n->set ? n->value : otherwise;
}

/* ---- which check ---- */

/* The check of an image, or NULL. */
static char *const *image_words(const Instance *i) {
        const Image *image = i->process->image;

        if (i->process->spec->health.cmd.set || !image || !image->health || !image->health[0] || streq(image->health[0], "NONE"))
                return NULL;
        return image->health[1] ? image->health : NULL;
}

static bool has_check(const Instance *i) {
        const SpecProcess *p = i->process->spec;

        return p->health_http.value || p->health.cmd.words || image_words(i);
}

bool health_gates(const Instance *i) {
        const SpecProcess *p = i->process->spec;

        return p->notify == SPEC_NOTIFY_HEALTHY || (p->health_http.value && p->notify != SPEC_NOTIFY_YES);
}

int health_verify(const Instance *i, Error *reterr) {
        const SpecProcess *p = i->process->spec;

        if (p->notify == SPEC_NOTIFY_HEALTHY && !has_check(i))
                return error_set(reterr, -EINVAL, "Notify=healthy needs a health check, and neither the spec (HealthCmd=, HealthHttp=) nor image '%s' has one",
                        p->image.value ? p->image.value : "");
        return 0;
}

/* What the spec leaves open the image may say, where the check is its own. */
static uint64_t from_image(const Health *h, uint64_t value, uint64_t otherwise) {
        return image_words(h->instance) && !h->instance->process->spec->health_http.value && value > 0 ? value : otherwise;
}

static void regular_plan(Health *h) {
        const SpecProcess *p = h->instance->process->spec;
        const Image *image = h->instance->process->image;
        static const Image none = { 0 };
        char *const *words = image_words(h->instance);

        image = image ? image : &none;
        h->regular = (Check){ .http = p->health_http.value, .port = spec_health_http_port(p), .words = p->health.cmd.words };
        if (!h->regular.http && words && streq(words[0], "CMD-SHELL")) {
                char *shell[] = { (char *) "/bin/sh", (char *) "-c", words[1], NULL };

                memcpy(h->shell, shell, sizeof(shell));
                h->regular.words = h->shell;
        } else if (!h->regular.http && words)
                h->regular.words = words + 1; /* behind "CMD" */
        h->regular.timeout_usec = number_or(&p->health.timeout, from_image(h, image->health_timeout, SPEC_HEALTH_TIMEOUT_DEFAULT_USEC));
        h->rules.interval_usec = number_or(&p->health.interval, from_image(h, image->health_interval, SPEC_HEALTH_INTERVAL_DEFAULT_USEC));
        h->rules.retries = (unsigned) number_or(&p->health.retries, from_image(h, image->health_retries, SPEC_HEALTH_RETRIES_DEFAULT));
        h->rules.start_period_usec = number_or(&p->health.start_period, from_image(h, image->health_start_period, 0));
        h->rules.eager = health_gates(h->instance);
}

static void startup_plan(Health *h) {
        const SpecHealthStartup *s = &h->instance->process->spec->health_startup;

        h->rules.startup = s->cmd.words;
        h->startup = (Check){ .words = s->cmd.words, .timeout_usec = number_or(&s->timeout, SPEC_HEALTH_TIMEOUT_DEFAULT_USEC) };
        h->rules.startup_interval_usec = number_or(&s->interval, SPEC_HEALTH_INTERVAL_DEFAULT_USEC);
        h->rules.startup_retries = (unsigned) number_or(&s->retries, 0);
        h->rules.startup_success = (unsigned) number_or(&s->success, 0);
}

static int log_plan(Health *h) {
        const Instance *i = h->instance;
        const SpecProcess *p = i->process->spec;
        const char *place = p->health_log.value;

        h->log_size = number_or(&p->health_log_size, SPEC_HEALTH_LOG_SIZE_DEFAULT);
        if (h->log_size == 0)
                h->log_size = PROBE_OUTPUT_MAX;
        h->log.max = (unsigned) number_or(&p->health_log_count, SPEC_HEALTH_LOG_COUNT_DEFAULT);
        if (place && streq(place, SPEC_HEALTH_LOG_EVENTS))
                return 0;
        h->log.path = !place || streq(place, SPEC_HEALTH_LOG_LOCAL) ? str_format("%s/health.json", i->run_directory) :
                                                                      str_format("%s/%s-healthcheck.log", place, i->container_name);
        return h->log.path ? 0 : -ENOMEM;
}

/* ---- attempts ---- */

static void timer_arm(Health *h);

static void answer_log(Health *h, const ProbeResult *result) {
        const Instance *i = h->instance;
        int r;

        if (!h->log.path) {
                log_info("Instance '%s' of app '%s': health check: %s; %s", i->name, i->sv->name, result->well ? "well" : "not well",
                        h->answer && *h->answer ? h->answer : "it said nothing");
                return;
        }
        r = health_log_add(&h->log, result, h->begun_real_usec, clock_usec(CLOCK_REALTIME), &h->schedule);
        if (r < 0 && !h->log_failed)
                log_warning("Instance '%s' of app '%s': cannot write the log of its health check, '%s': %s", i->name, i->sv->name, h->log.path,
                        strerror(-r));
        h->log_failed = r < 0;
}

/* In one line, what came of an attempt. */
static char *answer_make(const Check *check, const ProbeResult *result) {
        _cleanup_free_ char *last = probe_text(result->output, result->size, ANSWER_MAX);

        if (!last || check->http || result->status <= 0)
                return TAKE_PTR(last);
        if (!*last)
                return result->status > 128 ? str_format("ended by signal %d", result->status - 128) : str_format("exit status %d", result->status);
        return str_format("exit status %d: %s", result->status, last);
}

/* Nothing of h is touched after this: the instance's next state may be without it. */
static void unhealthy(Instance *i, HealthNews news) {
        SpecHealthAction action = news == HEALTH_NEWS_FAILED ? SPEC_HEALTH_RESTART : i->process->spec->health_on_failure;
        Error error = { 0 };

        (void) error_set(&error, -EHOSTDOWN, "%s: %u failure%s in a row of its %s, the last: %s",
                news == HEALTH_NEWS_FAILED ? "has not started well" : "is unhealthy", i->health->schedule.failures,
                i->health->schedule.failures == 1 ? "" : "s", news == HEALTH_NEWS_FAILED ? "startup health check" : "health check",
                *health_answer(i) ? health_answer(i) : "no output");
        if (action == SPEC_HEALTH_NONE) {
                log_warning("Instance '%s' of app '%s': %s", i->name, i->sv->name, error.text);
                return;
        }
        i->error = error;
        i->unwell = true;
        i->begin_again = action == SPEC_HEALTH_RESTART;
        instance_event(i, action == SPEC_HEALTH_KILL ? EVENT_KILL : EVENT_UNWELL);
}

static void attempt_over(Health *h, const Check *check, const ProbeResult *result) {
        Instance *i = h->instance;
        HealthNews news;

        free(h->answer);
        h->answer = answer_make(check, result);
        news = health_schedule_result(&h->schedule, &h->rules, result->well, h->begun_usec, clock_usec(CLOCK_MONOTONIC));
        answer_log(h, result);
        timer_arm(h);
        supervisor_changed(i->sv);
        switch (news) {
        case HEALTH_NEWS_NONE:
                break;
        case HEALTH_NEWS_HEALTHY:
                log_info("Instance '%s' of app '%s': is healthy", i->name, i->sv->name);
                if (health_gates(i))
                        instance_event(i, EVENT_READY);
                break;
        case HEALTH_NEWS_UNHEALTHY:
        case HEALTH_NEWS_FAILED:
                unhealthy(i, news);
                break;
        }
}

static const Check *check_now(const Health *h) {
        return h->schedule.phase == HEALTH_STARTUP ? &h->startup : &h->regular;
}

static void on_result(const ProbeResult *result, void *userdata) {
        Health *h = userdata;

        h->probe = NULL;
        attempt_over(h, check_now(h), result);
}

static void attempt(Health *h) {
        const Check *check = check_now(h);
        Instance *i = h->instance;
        const ProbeTarget target = {
                .event = i->sv->event, .app = i->sv->name, .process = i->process->spec->name, .instance = i->key, .release = i->process->release->number, .pidfd = i->pidfd,
                .cgroup = i->cgroup, .timeout_usec = check->timeout_usec, .callback = on_result, .userdata = h,
        };
        _cleanup_close_ int netns = -EBADF;
        Error error = { 0 };
        int r;

        h->begun_usec = clock_usec(CLOCK_MONOTONIC);
        h->begun_real_usec = clock_usec(CLOCK_REALTIME);
        if (check->http) {
                netns = netns_of(i->pid);
                r = netns < 0 ? netns : probe_http(&target, netns, check->port, check->http, &h->probe, &error);
        } else
                r = probe_command(&target, check->words, h->log_size, &h->probe, &error);
        if (r < 0) {
                const char *text = *error.text ? error.text : strerror(-r);

                attempt_over(h, check, &(ProbeResult){ .status = -1, .output = text, .size = strlen(text) });
        }
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Health *h = userdata;

        h->timer = sd_event_source_disable_unref(h->timer);
        attempt(h);
        return 0;
}

static void timer_arm(Health *h) {
        uint64_t next = health_schedule_next(&h->schedule);

        h->timer = sd_event_source_disable_unref(h->timer);
        if (next != UINT64_MAX && sd_event_add_time(h->instance->sv->event, &h->timer, CLOCK_MONOTONIC, next, 1000, on_timer, h) < 0)
                log_error("Instance '%s' of app '%s': cannot set the timer of its health check", h->instance->name, h->instance->sv->name);
}

/* ---- the instance's ---- */

/* An instance that was taken over runs without anybody having looked at its image. */
static void image_know(Instance *i) {
        const SpecProcess *p = i->process->spec;
        Error error = { 0 };
        int r;

        if (i->process->image || !p->image.value || p->health.cmd.set || p->health_http.value)
                return;
        r = process_prepare(i->sv, i->process, &error);
        if (r < 0)
                log_warning("Instance '%s' of app '%s': it is not known whether its image has a health check: %s", i->name, i->sv->name,
                        *error.text ? error.text : strerror(-r));
}

void health_begin(Instance *i) {
        image_know(i);
        if (i->health || !has_check(i))
                return;
        i->health = calloc(1, sizeof(*i->health));
        if (!i->health) {
                log_error("Instance '%s' of app '%s': its health is not looked after: out of memory", i->name, i->sv->name);
                return;
        }
        i->health->instance = i;
        regular_plan(i->health);
        startup_plan(i->health);
        if (log_plan(i->health) < 0)
                log_error("Instance '%s' of app '%s': its health check has no log: out of memory", i->name, i->sv->name);
        health_schedule_begin(&i->health->schedule, &i->health->rules, clock_usec(CLOCK_MONOTONIC));
        timer_arm(i->health);
}

void health_end(Instance *i) {
        Health *h = TAKE_PTR(i->health);

        if (!h)
                return;
        probe_cancel(h->probe);
        sd_event_source_disable_unref(h->timer);
        health_log_clear(&h->log);
        free(h->answer);
        free(h);
}

const char *health_status(const Instance *i) {
        return i->health ? health_phase_to_string(i->health->schedule.phase) : NULL;
}

const char *health_answer(const Instance *i) {
        return i->health && i->health->answer ? i->health->answer : "";
}
