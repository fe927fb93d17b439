/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "deploy/scale.h"
#include "util/cpus.h"
#include "util/nearest.h"
#include "util/strv.h"

#define CPUS "%cpus"

static int only_process(const Spec *s, const char *value, const SpecProcess **ret, Error *reterr) {
        const SpecProcess *found = NULL;

        for (size_t i = 0; i < s->n_processes; i++) {
                if (spec_is_release(&s->processes[i]))
                        continue;
                if (found)
                        return error_set(reterr, -ENOENT, "app '%s' has several processes: say which, as in %s=%s", s->name, found->name, value);
                found = &s->processes[i];
        }
        if (!found)
                return error_set(reterr, -ENOENT, "app '%s' has no process that can be scaled", s->name);
        *ret = found;
        return 0;
}

static int named_process(const Spec *s, const char *name, const SpecProcess **ret, Error *reterr) {
        const SpecProcess *p = spec_process(s, name);
        Nearest nearest = NEAREST_INIT(name);
        const char *near;

        if (p && spec_is_release(p))
                return error_set(reterr, -ENOENT, "the process '%s' runs once for each release, and has no instances to scale", name);
        if (p) {
                *ret = p;
                return 0;
        }
        if (s->n_processes == 1 && !s->processes[0].name)
                return error_set(reterr, -ENOENT, "app '%s' has no process '%s', but one without a name", s->name, name);
        for (size_t i = 0; i < s->n_processes; i++)
                nearest_try(&nearest, s->processes[i].name, s->processes[i].name);
        near = nearest_found(&nearest);
        return near ? error_set(reterr, -ENOENT, "app '%s' has no process '%s', did you mean '%s'?", s->name, name, near) :
                      error_set(reterr, -ENOENT, "app '%s' has no process '%s'", s->name, name);
}

/* A number, or one more or less than there are; -ERANGE. */
static int take_number(const char *text, unsigned from, unsigned *ret) {
        int sign = *text == '+' ? 1 : *text == '-' ? -1 : 0;
        uint64_t v;
        int64_t to;

        if (parse_u64(text + (sign != 0), UINT32_MAX, &v) < 0)
                return -EINVAL;
        to = sign == 0 ? (int64_t) v : (int64_t) from + sign * (int64_t) v;
        if (to < 0 || to > SPEC_INSTANCES_MAX)
                return -ERANGE;
        *ret = (unsigned) to;
        return 0;
}

/* [PROCESS=]N */
static int take_change(const Spec *s, const char *argument, ScaleChange *ret, Error *reterr) {
        const char *equals = strchr(argument, '=');
        const char *value = equals ? equals + 1 : argument;
        _cleanup_free_ char *name = strndup(argument, equals ? (size_t) (equals - argument) : 0);
        ScaleChange c = { 0 };
        int r;

        if (!name)
                return -ENOMEM;
        r = *name ? named_process(s, name, &c.process, reterr) : only_process(s, value, &c.process, reterr);
        if (r < 0)
                return r;
        c.from = spec_instances(c.process, cpus_online());
        c.cpus = streq(value, CPUS);
        c.to = cpus_online();
        r = c.cpus ? 0 : take_number(value, c.from, &c.to);
        if (r == -EINVAL)
                return error_set(reterr, r, "'%s' is not a number, +NUMBER, -NUMBER or %%cpus", value);
        if (r == -ERANGE)
                return error_set(reterr, r, "there can be 0 to %d instances of a process; '%s' has %u", SPEC_INSTANCES_MAX, *name ? name : s->name, c.from);
        *ret = c;
        return 0;
}

int scale_set(DropIn *c, char *const *arguments, size_t n, ScaleChange *ret, Error *reterr) {
        for (size_t i = 0; i < n; i++) {
                char number[16];
                int r = take_change(c->old, arguments[i], &ret[i], reterr);

                for (size_t k = 0; r >= 0 && k < i; k++)
                        if (ret[k].process == ret[i].process)
                                r = error_set(reterr, -EINVAL, "'%s' says a second time how many there shall be", arguments[i]);
                if (r < 0)
                        return r;
                (void) snprintf(number, sizeof(number), "%u", ret[i].to);
                r = drop_in_set(c, ret[i].process->name, "Instances", ret[i].cpus ? CPUS : number);
                if (r < 0)
                        return r;
        }
        return 0;
}

int scale_check(const DropIn *c, const ScaleChange *changes, size_t n, Error *reterr) {
        char place[512];

        for (size_t i = 0; i < n; i++) {
                const SpecProcess *p = spec_process(c->spec, changes[i].process->name);

                if (p && p->instances_cpus == changes[i].cpus && spec_instances(p, cpus_online()) == changes[i].to)
                        continue;
                return error_set(reterr, -EEXIST, "%s says otherwise, and comes later than %s",
                        p ? spec_origin_text(c->spec, p->instances.origin, place, sizeof(place)) : "another drop-in", SCALE_DROP_IN);
        }
        return 0;
}
