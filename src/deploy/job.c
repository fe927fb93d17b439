/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <systemd/sd-bus.h>

#include "deploy/job.h"
#include "run/reload.h"
#include "run/scope.h"

typedef struct Waiting {
        UnitJob *job;
        ScopeJob *scope_job;
        bool known;
} Waiting;

static void on_done(ScopeJob *job, int result, const Error *error, void *userdata) {
        Waiting *w = userdata;

        w->known = true;
        w->job->result = result;
        w->job->error = *error;
}

static int wait_for(sd_bus *bus, const Waiting *w) {
        while (!w->known) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The app goes on as it was. */
static void ask_why_not_reloaded(UnitJob *job) {
        _cleanup_free_ char *text = NULL;

        if (job->app && reload_failure(job->app, &text) >= 0)
                (void) error_set(&job->error, job->result, "%s", text);
}

/* "The job ended as 'failed'" says less than the service does. */
static void ask_why(sd_bus *bus, UnitJob *job, bool reload) {
        _cleanup_free_ char *status = NULL, *state = NULL;

        if (job->result == -ENOENT || unit_property(bus, job->unit, "Unit", "ActiveState", &state) < 0)
                return;
        if (!streq(state, "failed")) {
                if (reload)
                        ask_why_not_reloaded(job);
                return;
        }
        if (unit_property(bus, job->unit, "Service", "StatusText", &status) >= 0 && *status)
                (void) error_set(&job->error, job->result, "%s", status);
}

static int run_all(sd_bus *bus, const char *method, Waiting *waiting, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = unit_job(bus, method, waiting[i].job->unit, on_done, &waiting[i], &waiting[i].scope_job);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = wait_for(bus, &waiting[i]);
        for (size_t i = 0; i < n; i++) {
                scope_job_free(waiting[i].scope_job);
                if (r >= 0 && waiting[i].job->result < 0)
                        ask_why(bus, waiting[i].job, streq(method, "ReloadUnit"));
        }
        return r;
}

int jobs_run(const char *method, UnitJob *jobs, size_t n, Error *reterr) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        Waiting *waiting = calloc(n + 1, sizeof(*waiting));
        int r;

        if (!waiting)
                return error_set_errno(reterr, -ENOMEM, "cannot ask systemd");
        for (size_t i = 0; i < n; i++)
                waiting[i].job = &jobs[i];
        r = sd_bus_open_system(&bus);
        if (r < 0)
                (void) error_set_errno(reterr, r, "cannot connect to the system bus");
        else {
                (void) sd_bus_set_allow_interactive_authorization(bus, true);
                r = run_all(bus, method, waiting, n);
                if (r < 0)
                        (void) error_set_errno(reterr, r, "cannot ask systemd");
        }
        free(waiting);
        return r;
}

int job_run(const char *method, const char *unit, Error *reterr) {
        UnitJob job = { .unit = unit };
        int r = jobs_run(method, &job, 1, reterr);

        if (r >= 0 && job.result < 0 && reterr)
                *reterr = job.error;
        return r < 0 ? r : job.result;
}
