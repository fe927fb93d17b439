/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <malloc.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "run/adopt.h"
#include "run/control.h"
#include "run/desired.h"
#include "run/exit.h"
#include "run/fetch.h"
#include "run/idle.h"
#include "run/instance.h"
#include "run/maintenance.h"
#include "run/port-pool.h"
#include "run/rollout.h"
#include "run/scope.h"
#include "run/spec-copy.h"
#include "run/status.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

#define STARTS_MAX 64 /* instances that have no scope yet */
#define FETCH_PATIENCE_USEC (300U * 1000 * 1000) /* without a word of progress; longer than the network's own time-outs */

typedef struct Rollout {
        Release *next;         /* not to run yet; NULL: none is on its way */
        Spec *desired;         /* what the files say now; NULL: as next->spec */
        Request request;       /* who wants it */
        Instance *hook;        /* of next's process `release` */
        bool in_place;         /* the release is the same: the app may reload itself */
        bool changing;         /* instances are being started, replaced or stopped to come to what is wanted */
        Wanted former;         /* to go back to, while changing */
        char *why;             /* it is being gone back to, because the change failed: why */
        unsigned previous;     /* the release before the stable one; 0: none */
        uint64_t window_end_usec; /* CLOCK_MONOTONIC: until then a crash brings that back */
} Rollout;

const Release *rollout_next(const Supervisor *sv) {
        return sv->rollout ? sv->rollout->next : NULL;
}

bool rollout_is_changing(const Supervisor *sv) {
        return sv->rollout && sv->rollout->changing;
}

bool rollout_is_on_trial(const Supervisor *sv) {
        return rollout_is_changing(sv) && !sv->rollout->why;
}

static void rollout_new(Supervisor *sv) {
        if (!sv->rollout)
                sv->rollout = calloc(1, sizeof(*sv->rollout));
}

/* ---- the instances ---- */

static bool is_over(const Instance *i) {
        return i->state == INSTANCE_EXITED || i->state == INSTANCE_FAILED;
}

static FormationItem item_of(const Supervisor *sv, const Instance *i) {
        return (FormationItem){
                .process = wanted_find(&sv->wanted, i->process->spec->name), .index = i->index, .target = i->process->release == sv->release,
                .stopping = i->stop_asked, .state = i->state,
        };
}

/* All but those of a process `release`. of: which instance each item is, by number. */
static size_t items_make(const Supervisor *sv, FormationItem *items, size_t *of) {
        size_t n = 0;

        for (size_t k = 0; k < sv->n_instances; k++)
                if (!spec_is_release(sv->instances[k]->process->spec)) {
                        items[n] = item_of(sv, sv->instances[k]);
                        of[n++] = k;
                }
        return n;
}

/* Ended, and in nobody's place. */
static bool is_to_be_forgotten(const Supervisor *sv, const Instance *i) {
        FormationItem item = item_of(sv, i);

        if (!is_over(i) || (sv->rollout && i == sv->rollout->hook))
                return false;
        return !item.target || item.stopping || item.process == SIZE_MAX || item.index > sv->wanted.formation[item.process].wanted;
}

static bool is_used(const Supervisor *sv, const Release *r) {
        if (r == sv->release || r == sv->stable || r == rollout_next(sv))
                return true;
        for (size_t i = 0; i < sv->n_instances; i++)
                if (sv->instances[i]->process->release == r)
                        return true;
        return false;
}

static void releases_forget(Supervisor *sv) {
        for (size_t k = sv->n_releases; k-- > 0;)
                if (!is_used(sv, sv->releases[k]))
                        release_free(sv, sv->releases[k]);
}

static void forget(Supervisor *sv) {
        size_t kept = 0;

        for (size_t k = 0; k < sv->n_instances; k++)
                if (is_to_be_forgotten(sv, sv->instances[k]))
                        instance_free(sv->instances[k]);
                else
                        sv->instances[kept++] = sv->instances[k];
        sv->n_instances = kept;
        releases_forget(sv);
}

/* More of them at once are no faster, and the bus allows a connection no more than some questions that are not answered yet. */
static bool too_many_begin(const Supervisor *sv) {
        size_t n = 0;

        for (size_t k = 0; k < sv->n_instances; k++)
                n += sv->instances[k]->state == INSTANCE_SPAWNING || sv->instances[k]->state == INSTANCE_SCOPING;
        return n >= STARTS_MAX;
}

static int step_make(Supervisor *sv, const FormationStep *step, const size_t *of) {
        Process *process;
        Instance *i;
        int r;

        if (step->act == FORMATION_STOP) {
                i = sv->instances[of[step->item]];
                i->replaced = i->process->release != sv->release;
                instance_event(i, EVENT_STOP);
                return 0;
        }
        process = release_process(sv->release, *sv->wanted.names[step->process] ? sv->wanted.names[step->process] : NULL);
        r = supervisor_instance_add(sv, process, step->index, NULL, &i);
        if (r >= 0)
                instance_event(i, EVENT_START);
        return r;
}

/* Makes all steps that are to be made now. Returns whether all is as it is wanted, or -ENOMEM. */
static int reconcile(Supervisor *sv) {
        for (;;) {
                _cleanup_free_ FormationItem *items = calloc(sv->n_instances + 1, sizeof(*items));
                _cleanup_free_ size_t *of = calloc(sv->n_instances + 1, sizeof(*of));
                FormationStep step;
                size_t n;
                int r;

                if (!items || !of)
                        return -ENOMEM;
                n = items_make(sv, items, of);
                step = formation_step(sv->wanted.formation, sv->wanted.n, items, n);
                if (step.act == FORMATION_WAIT)
                        return formation_is_reached(sv->wanted.formation, sv->wanted.n, items, n);
                if (step.act == FORMATION_START && too_many_begin(sv))
                        return 0;
                r = step_make(sv, &step, of);
                if (r < 0)
                        return r;
                forget(sv);
        }
}

/* ---- the end of a change ---- */

static void change_over(Supervisor *sv) {
        sv->rollout->changing = false;
        wanted_clear(&sv->rollout->former);
}

static void changed(Supervisor *sv) {
        Rollout *ro = sv->rollout;

        change_over(sv);
        if (ro->why) {
                control_finish(sv->control, CONTROL_FAILED, ro->why);
                free(ro->why);
                ro->why = NULL;
                return;
        }
        if (sv->stable != sv->release) {
                ro->previous = sv->stable ? sv->stable->number : 0;
                if (sv->stable && sv->wanted.rollback_window_usec > 0)
                        ro->window_end_usec = clock_usec(CLOCK_MONOTONIC) + sv->wanted.rollback_window_usec;
        }
        sv->stable = sv->release;
        if (sv->release->new) {
                sv->release->new = false;
                (void) release_set_fate(sv->name, sv->release->number, RELEASE_GOOD, NULL);
                desired_prune(sv, ro->previous);
        }
        if (sv->phase == PHASE_STARTING) {
                sv->phase = PHASE_RUNNING;
                status_write_state(sv); /* who is started after this one looks for it there */
                if (!sv->release->spec->oneshot)
                        (void) sd_notifyf(0, "READY=1\nSTATUS=%s", sv->status);
                (void) malloc_trim(0);
        }
        control_finish(sv->control, ro->in_place ? CONTROL_UNCHANGED : CONTROL_DONE, sv->status);
        ro->in_place = false;
}

/* The release that was to run did not come to: what ran before goes on. */
static void change_failed(Supervisor *sv, const char *why) {
        Rollout *ro = sv->rollout;
        Release *failed = sv->release;

        if (failed != sv->stable)
                ro->why = str_format("v%u is not run: %s; v%u goes on", failed->number, why, sv->stable->number);
        else
                ro->why = str_format("%s; v%u goes on as before", why, sv->stable->number);
        log_error("App '%s': %s", sv->name, ro->why ? ro->why : why);
        if (failed->new)
                (void) release_set_fate(sv->name, failed->number, RELEASE_FAILED, why);
        sv->release = sv->stable;
        if (ro->former.n > 0) {
                wanted_clear(&sv->wanted);
                sv->wanted = ro->former;
                ro->former = (Wanted){ 0 };
        }
        supervisor_changed(sv);
}

/* Nothing of the next release runs yet but, it may be, its process `release`. */
static void next_failed(Supervisor *sv, const char *why) {
        Rollout *ro = sv->rollout;

        if (ro->next->new)
                (void) release_set_fate(sv->name, ro->next->number, RELEASE_FAILED, why);
        if (!sv->release) {
                supervisor_say_why(sv, why);
                supervisor_exit(sv, EXIT_STARTED_BADLY);
                return;
        }
        log_error("App '%s': %s; v%u goes on", sv->name, why, sv->release->number);
        ro->next = NULL;
        ro->desired = spec_free(ro->desired);
        ro->hook = NULL;
        if (!ro->changing)
                control_finish(sv->control, CONTROL_FAILED, why);
        supervisor_changed(sv);
}

/* ---- the beginning ---- */

/* What instances may use changes while they run. */
static void limits_apply(Supervisor *sv) {
        Error error = { 0 };

        for (size_t k = 0; k < sv->n_instances; k++)
                if (instance_limits_apply(sv->instances[k], &error) < 0)
                        log_warning("Instance '%s' of app '%s': %s", sv->instances[k]->name, sv->name, error.text);
}

/* What else is wanted of a running app. */
static int wanted_apply(Supervisor *sv, Error *reterr) {
        int r = idle_watch(sv);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot look after IdleTimeout=");
        if (sv->wanted.maintenance)
                return maintenance_begin(sv, sv->wanted.maintenance_page, reterr);
        maintenance_end(sv);
        return 0;
}

/* Takes the formation of the desired spec for a release that is to run now. */
static int wanted_take(Supervisor *sv, const Spec *desired, Release *release, Error *reterr) {
        Rollout *ro = sv->rollout;
        Wanted wanted;
        int r = wanted_make(desired, release->spec, &wanted);

        if (r < 0)
                return r;
        /* Overtaken on the way, one goes back to what was before that. */
        if (!ro->changing)
                ro->former = sv->wanted;
        else
                wanted_clear(&sv->wanted);
        free(ro->why);
        ro->why = NULL;
        sv->wanted = wanted;
        sv->release = release;
        ro->changing = true;
        /* Who asks anew wants what had been given up. */
        for (size_t k = 0; k < sv->n_instances; k++)
                if (sv->instances[k]->state == INSTANCE_FAILED && sv->instances[k]->process->release == release)
                        instance_event(sv->instances[k], EVENT_START);
        limits_apply(sv);
        supervisor_changed(sv);
        return wanted_apply(sv, reterr);
}

static void next_run(Supervisor *sv) {
        Rollout *ro = sv->rollout;
        Release *next = ro->next;
        Spec *desired = ro->desired;
        Error error = { 0 };

        ro->hook = NULL;
        ro->next = NULL;
        ro->desired = NULL;
        if (sv->phase == PHASE_FETCHING)
                sv->phase = PHASE_STARTING;
        if (wanted_take(sv, desired ? desired : next->spec, next, &error) < 0)
                log_error("App '%s': %s", sv->name, *error.text ? error.text : "out of memory");
        spec_free(desired);
}

/* Its process `release` first, where it has one that did not run yet. */
static void next_begin(Supervisor *sv) {
        Process *process = release_process(sv->rollout->next, SPEC_RELEASE_PROCESS);

        if (sv->phase == PHASE_FETCHING)
                sv->phase = PHASE_STARTING;
        if (!process || !sv->rollout->next->new || sv->rollout->next->prepared) {
                next_run(sv);
                return;
        }
        control_say(sv->control, "the release process runs");
        if (supervisor_instance_add(sv, process, 1, NULL, &sv->rollout->hook) < 0)
                next_failed(sv, "out of memory");
        else
                instance_event(sv->rollout->hook, EVENT_START);
}

/* The images are there. */
static void next_settle(Supervisor *sv) {
        Rollout *ro = sv->rollout;
        Error error = { 0 };
        const Spec *spec = ro->desired ? ro->desired : ro->next->spec; /* lives until the next forget() */
        int r = desired_settle(sv, &ro->next, ro->desired, &ro->request, &error);

        if (r < 0)
                next_failed(sv, *error.text ? error.text : strerror(-r));
        else if (ro->next == sv->release) {
                Spec *desired = ro->desired;

                ro->next = NULL;
                ro->desired = NULL;
                ro->in_place = true;
                r = wanted_take(sv, spec, sv->release, &error);
                if (r < 0)
                        log_error("App '%s': %s", sv->name, *error.text ? error.text : strerror(-r));
                spec_free(desired);
        } else
                next_begin(sv);
        /* What .socket units and earlier supervisors left has found its user. */
        if (sv->adoption) {
                port_pool_drop_left(sv->adoption);
                adoption_clear(sv->adoption);
        }
}

static void on_fetch_progress(void *userdata, const char *status) {
        Supervisor *sv = userdata;

        control_say(sv->control, status);
        (void) sd_notifyf(0, "STATUS=%s\nEXTEND_TIMEOUT_USEC=%u", status, FETCH_PATIENCE_USEC);
}

static void on_fetch_done(void *userdata, int result, const Error *error) {
        Supervisor *sv = userdata;

        sv->fetch = fetch_free(sv->fetch);
        if (sv->phase == PHASE_STOPPING || !sv->rollout->next)
                return; /* stopped meanwhile */
        if (result < 0)
                next_failed(sv, error->text);
        else
                next_settle(sv);
}

static int fetch_begin(Supervisor *sv, Error *reterr) {
        const FetchCallbacks callbacks = { .progress = on_fetch_progress, .done = on_fetch_done, .userdata = sv };
        sd_bus *bus = supervisor_bus(sv, reterr);
        int r;

        if (!bus)
                return reterr->code;
        r = fetch_start(bus, sv->name, &callbacks, &sv->fetch, reterr);
        if (r < 0)
                return r;
        if (!sv->release)
                sv->phase = PHASE_FETCHING;
        on_fetch_progress(sv, "pulling");
        supervisor_changed(sv);
        return 0;
}

/* One that is not wanted any more before it ran. */
static void next_drop(Supervisor *sv) {
        Rollout *ro = sv->rollout;

        if (sv->fetch)
                fetch_cancel(sv->fetch);
        sv->fetch = fetch_free(sv->fetch);
        if (ro->hook)
                instance_event(ro->hook, EVENT_STOP);
        ro->hook = NULL;
        ro->next = NULL;
        ro->desired = spec_free(ro->desired);
}

/* number: of the release that is to be brought back; 0: as the files say. */
static int begin(Supervisor *sv, unsigned number, Error *reterr) {
        Rollout *ro = sv->rollout;
        Release *next;
        Spec *desired = NULL;
        int r;

        r = desired_read(sv, number, &next, &desired, reterr);
        if (r < 0)
                return r;
        next_drop(sv);
        ro->next = next;
        ro->desired = desired;
        r = release_open_ports(sv, next, reterr);
        if (r >= 0)
                r = fetch_wanted(next->spec, reterr);
        if (r > 0)
                r = fetch_begin(sv, reterr);
        else if (r == 0)
                next_settle(sv);
        if (r < 0) {
                ro->next = NULL;
                ro->desired = spec_free(ro->desired);
        }
        return r;
}

int rollout_start(Supervisor *sv) {
        Error error = { 0 };
        int r = -ENOMEM;

        rollout_new(sv);
        if (sv->rollout)
                r = request_take(sv->name, &sv->rollout->request);
        if (r >= 0)
                r = begin(sv, 0, &error);
        if (r < 0)
                supervisor_say_why(sv, *error.text ? error.text : strerror(-r));
        return r;
}

int rollout_resume(Supervisor *sv, bool changing) {
        Error error = { 0 };

        rollout_new(sv);
        if (!sv->rollout)
                return -ENOMEM;
        sv->rollout->changing = changing || !sv->stable;
        if (sv->stable) {
                sv->phase = PHASE_RUNNING;
                (void) sd_notify(0, "READY=1");
        }
        if (wanted_apply(sv, &error) < 0)
                log_error("App '%s': %s", sv->name, error.text);
        supervisor_changed(sv);
        return 0;
}

/* Another formation of the release that runs, and nothing else. */
static int formation_reload(Supervisor *sv, Error *reterr) {
        _cleanup_(spec_freep) Spec *desired = NULL;
        int r = desired_spec(sv, &desired, reterr);

        if (r >= 0)
                r = desired_keep(sv, desired, reterr);
        return r < 0 ? r : wanted_take(sv, desired, sv->release, reterr);
}

void rollout_reload(void *userdata) {
        Supervisor *sv = userdata;
        Error error = { 0 };
        int r;

        if (sv->phase != PHASE_RUNNING) {
                control_finish(sv->control, CONTROL_FAILED, "the app is not running yet, or not any more");
                return;
        }
        request_clear(&sv->rollout->request);
        r = request_take(sv->name, &sv->rollout->request);
        if (r >= 0)
                r = sv->rollout->request.formation ? formation_reload(sv, &error) : begin(sv, 0, &error);
        if (r < 0) {
                log_error("App '%s': %s", sv->name, *error.text ? error.text : strerror(-r));
                control_finish(sv->control, CONTROL_FAILED, *error.text ? error.text : strerror(-r));
        }
        supervisor_changed(sv);
}

/* ---- what happens meanwhile ---- */

/* How the supervisor ends when an instance has ended so: its own status, or 128 and the signal as shells say it. */
static int exit_status_of(const Instance *i) {
        if (!i->execed || i->unwell || i->exit_code == EXIT_CODE_UNKNOWN)
                return EXIT_STARTED_BADLY;
        return exit_by_signal(i->exit_code) ? 128 + i->exit_status : i->exit_status;
}

static void hook_look(Supervisor *sv) {
        Instance *hook = sv->rollout->hook;

        if (!hook || !is_over(hook))
                return;
        if (hook->state == INSTANCE_EXITED) {
                (void) release_set_prepared(sv->name, hook->process->release->number);
                next_run(sv);
        } else {
                _cleanup_free_ char *why = str_format("the release process of v%u %s", hook->process->release->number,
                        hook->message ? hook->message : "failed");

                next_failed(sv, why ? why : "out of memory");
        }
}

static const Instance *failed_of(const Supervisor *sv, const Release *release) {
        for (size_t k = 0; k < sv->n_instances; k++)
                if (sv->instances[k]->state == INSTANCE_FAILED && sv->instances[k]->process->release == release &&
                        !spec_is_release(sv->instances[k]->process->spec))
                        return sv->instances[k];
        return NULL;
}

static void start_failed(Supervisor *sv, const Instance *failed) {
        if (sv->release->new)
                (void) release_set_fate(sv->name, sv->release->number, RELEASE_FAILED, failed->message);
        sv->exit_status = exit_status_of(failed);
        sv->phase = PHASE_STOPPING;
        (void) sd_notifyf(0, "STATUS=%s", sv->status); /* why; it stays with the failed service */
        supervisor_stop_all(sv);
}

/* Have all that there shall be ended? An app with none wanted goes on, to be scaled. */
static bool all_are_over(const Supervisor *sv) {
        size_t wanted = 0;

        for (size_t k = 0; k < sv->wanted.n; k++)
                wanted += sv->wanted.formation[k].wanted;
        for (size_t k = 0; k < sv->n_instances; k++)
                if (!is_over(sv->instances[k]))
                        return false;
        return wanted > 0 || sv->phase == PHASE_STOPPING;
}

static void running_look(Supervisor *sv) {
        const Instance *failed = failed_of(sv, sv->release);
        int r;

        if (sv->phase == PHASE_STARTING && failed) {
                start_failed(sv, failed);
                return;
        }
        if (sv->rollout->changing && failed && !sv->rollout->why) {
                _cleanup_free_ char *why = str_format("instance '%s' %s", failed->name, failed->message ? failed->message : "failed");

                change_failed(sv, why ? why : failed->name);
                return;
        }
        forget(sv);
        r = reconcile(sv);
        if (r < 0)
                log_error("App '%s': %s", sv->name, strerror(-r));
        else if (sv->rollout->changing && (r > 0 || (sv->rollout->why && failed))) {
                changed(sv);
                releases_forget(sv); /* the stable one is another one now */
        }
        if (!sv->rollout->changing && !sv->rollout->next && all_are_over(sv)) {
                if (failed)
                        sv->exit_status = exit_status_of(failed);
                supervisor_exit(sv, sv->exit_status);
        }
}

void rollout_advance(Supervisor *sv) {
        if (!sv->rollout)
                return;
        if (sv->phase == PHASE_STARTING || sv->phase == PHASE_RUNNING)
                hook_look(sv);
        if (sv->release && (sv->phase == PHASE_STARTING || sv->phase == PHASE_RUNNING))
                running_look(sv);
        if (sv->phase == PHASE_STOPPING && all_are_over(sv))
                supervisor_exit(sv, sv->exit_status);
}

void rollout_crashed(Supervisor *sv, const Instance *i) {
        Rollout *ro = sv->rollout;
        Error error = { 0 };
        unsigned bad;
        int r;

        if (!ro || ro->changing || ro->next || ro->previous == 0 || i->process->release != sv->release || sv->phase != PHASE_RUNNING ||
                clock_usec(CLOCK_MONOTONIC) >= ro->window_end_usec)
                return;
        bad = sv->release->number;
        log_error("App '%s': v%u crashes soon after it began (RollbackWindow=), v%u is brought back", sv->name, bad, ro->previous);
        (void) release_set_fate(sv->name, bad, RELEASE_FAILED, i->message);
        request_clear(&ro->request);
        ro->request = (Request){ .author = strdup("berth"), .means = strdup("RollbackWindow="), .reason = str_format("v%u crashed", bad) };
        ro->window_end_usec = 0;
        r = begin(sv, ro->previous, &error);
        if (r < 0)
                log_error("App '%s': v%u cannot be brought back: %s", sv->name, ro->previous, *error.text ? error.text : strerror(-r));
}

void rollout_cancel(Supervisor *sv) {
        if (sv->fetch)
                fetch_cancel(sv->fetch);
        if (sv->control)
                control_finish(sv->control, CONTROL_FAILED, "the app is being stopped");
}

void rollout_free(Supervisor *sv) {
        Rollout *ro = sv->rollout;

        if (!ro)
                return;
        spec_free(ro->desired);
        request_clear(&ro->request);
        wanted_clear(&ro->former);
        free(ro->why);
        free(ro);
        sv->rollout = NULL;
}
