/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/formation.h"
#include "spec/spec.h"
#include "util/cpus.h"

void formation_clear(Formation *f) {
        for (size_t i = 0; i < f->n; i++)
                free(f->items[i].process);
        free(f->items);
        *f = (Formation){ 0 };
}

static int add_process(const App *app, const SpecProcess *p, Formation *f) {
        FormationProcess *item = &f->items[f->n];

        *item = (FormationProcess){ .process = strdup(p->name ? p->name : ""), .wanted = spec_instances(p, cpus_online()),
                .cpus = p->instances.set && p->instances_cpus };
        if (!item->process)
                return -ENOMEM;
        f->n++;
        for (size_t i = 0; i < app->run.n_instances; i++) {
                const InstanceStatus *instance = &app->run.instances[i];

                if (!streq(instance->process, item->process))
                        continue;
                item->running += instance->pid > 0;
                item->ready += instance->state == INSTANCE_READY;
        }
        return 0;
}

int formation_read(const App *app, Formation *ret) {
        _cleanup_(spec_freep) Spec *s = NULL;
        Formation f = { 0 };
        int r = spec_load(app->name, NULL, NULL, &s);

        if (r < 0)
                return r;
        f.items = calloc(s->n_processes, sizeof(*f.items));
        r = f.items ? 0 : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < s->n_processes; i++)
                if (!spec_is_release(&s->processes[i]))
                        r = add_process(app, &s->processes[i], &f);
        if (r < 0) {
                formation_clear(&f);
                return r;
        }
        *ret = f;
        return 0;
}
