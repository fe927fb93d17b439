/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "run/plan.h"
#include "run/wanted.h"
#include "util/cpus.h"
#include "util/strv.h"

void wanted_clear(Wanted *w) {
        strv_free(w->names);
        free(w->formation);
        free(w->limits);
        free(w->maintenance_page);
        *w = (Wanted){ 0 };
}

size_t wanted_find(const Wanted *w, const char *process) {
        for (size_t i = 0; i < w->n; i++)
                if (streq(w->names[i], process ? process : ""))
                        return i;
        return SIZE_MAX;
}

static int add(Wanted *w, const Spec *spec, const SpecProcess *p) {
        FormationProcess *f = &w->formation[w->n];

        f->wanted = spec_instances(p, cpus_online());
        spec_update_shares(p, f->wanted, &f->surge, &f->unavailable);
        f->recreate = spec_recreates(p);
        w->limits[w->n] = SCOPE_SETTINGS_INIT;
        plan_scope(spec, p, &w->limits[w->n]);
        w->names[w->n] = strdup(p->name ? p->name : "");
        return w->names[w->n++] ? 0 : -ENOMEM;
}

int wanted_make(const Spec *desired, const Spec *target, Wanted *ret) {
        Wanted w = { .keep_releases = spec_keep_releases(desired), .pinned = (unsigned) desired->release.value, .rollback_window_usec = desired->rollback_window.value,
                .idle_timeout_usec = desired->idle_timeout.value, .maintenance = desired->maintenance.value };
        size_t n = target->n_processes;
        int r;

        w.names = calloc(n + 1, sizeof(*w.names));
        w.formation = calloc(n + 1, sizeof(*w.formation));
        w.limits = calloc(n + 1, sizeof(*w.limits));
        if (desired->maintenance_page.value)
                w.maintenance_page = strdup(desired->maintenance_page.value);
        r = w.names && w.formation && w.limits && (w.maintenance_page || !desired->maintenance_page.value) ? 0 : -ENOMEM;
        for (size_t i = 0; i < n && r >= 0; i++) {
                const SpecProcess *p = &target->processes[i], *now = spec_process(desired, p->name);

                if (!spec_is_release(p))
                        r = now ? add(&w, desired, now) : add(&w, target, p);
        }
        if (r < 0) {
                wanted_clear(&w);
                return r;
        }
        *ret = w;
        return 0;
}
