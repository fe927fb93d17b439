/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <systemd/sd-bus.h>

#include "cli/job.h"
#include "run/scope.h"

typedef struct Outcome {
        bool known;
        int result;
        Error error;
} Outcome;

static void on_done(ScopeJob *job, int result, const Error *error, void *userdata) {
        *(Outcome *) userdata = (Outcome){ .known = true, .result = result, .error = *error };
}

static int wait_for(sd_bus *bus, const Outcome *outcome) {
        while (!outcome->known) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0)
                        return r;
        }
        return 0;
}

int job_run(const char *method, const char *unit, Error *reterr) {
        Outcome outcome = { 0 };
        ScopeJob *job = NULL;
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot connect to the system bus");
        r = unit_job(bus, method, unit, on_done, &outcome, &job);
        if (r >= 0)
                r = wait_for(bus, &outcome);
        if (r < 0)
                (void) error_set_errno(reterr, r, "cannot ask systemd for '%s'", unit);
        else if (outcome.result < 0) {
                r = outcome.result;
                if (reterr)
                        *reterr = outcome.error;
        }
        scope_job_free(job);
        sd_bus_flush_close_unref(bus);
        return r;
}
