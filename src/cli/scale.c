/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "deploy/drop-in.h"
#include "cli/formation.h"
#include "util/cpus.h"
#include "util/nearest.h"
#include "util/strv.h"

#define DROP_IN "50-scale.conf"
#define CPUS "%cpus"

static const char help[] =
        "Usage: berth scale [--json] APP [PROCESS=]N…\n\n"
        "Has an app run so many instances of its processes, and waits until they are ready; without a number it shows how\n"
        "many there are. N is a number, +NUMBER or -NUMBER, or %cpus for as many as the machine has processors. A process has\n"
        "to be named where the app has several.\n\n"
        "  --json      for programs\n"
        "  -h, --help  show this";

/* One process and what it shall have. */
typedef struct Wanted {
        const SpecProcess *process; /* of DropIn.old */
        unsigned from, to;
        bool cpus;
} Wanted;

static const char *name_of(const SpecProcess *p) {
        return p->name ? p->name : "";
}

/* The only process that can be scaled, or NULL with the reason said. */
static const SpecProcess *only_process(const Spec *s, const char *value) {
        const SpecProcess *found = NULL;

        for (size_t i = 0; i < s->n_processes; i++) {
                if (spec_is_release(&s->processes[i]))
                        continue;
                if (found) {
                        (void) cli_fail("app '%s' has several processes: say which, as in %s=%s", s->name, found->name, value);
                        return NULL;
                }
                found = &s->processes[i];
        }
        return found;
}

static const SpecProcess *named_process(const Spec *s, const char *name) {
        const SpecProcess *p = spec_process(s, name);
        Nearest nearest = NEAREST_INIT(name);
        const char *near;

        if (p && spec_is_release(p))
                (void) cli_fail("the process '%s' runs once for each release, and has no instances to scale", name);
        else if (p)
                return p;
        else if (s->n_processes == 1 && !s->processes[0].name)
                (void) cli_fail("app '%s' has no process '%s', but one without a name", s->name, name);
        else {
                for (size_t i = 0; i < s->n_processes; i++)
                        nearest_try(&nearest, s->processes[i].name, s->processes[i].name);
                near = nearest_found(&nearest);
                (void) (near ? cli_fail("app '%s' has no process '%s', did you mean '%s'?", s->name, name, near) :
                               cli_fail("app '%s' has no process '%s'", s->name, name));
        }
        return NULL;
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

/* [PROCESS=]N; 0 or the exit code. */
static int take_wanted(const Spec *s, const char *argument, Wanted *ret) {
        const char *equals = strchr(argument, '=');
        const char *value = equals ? equals + 1 : argument;
        _cleanup_free_ char *name = strndup(argument, equals ? (size_t) (equals - argument) : 0);
        Wanted w = { 0 };
        int r;

        if (!name)
                return cli_fail("out of memory");
        w.process = *name ? named_process(s, name) : only_process(s, value);
        if (!w.process)
                return CLI_FAILED;
        w.from = spec_instances(w.process, cpus_online());
        w.cpus = streq(value, CPUS);
        w.to = cpus_online();
        r = w.cpus ? 0 : take_number(value, w.from, &w.to);
        if (r == -EINVAL)
                return cli_usage("'%s' is not a number, +NUMBER, -NUMBER or %%cpus", value);
        if (r == -ERANGE)
                return cli_fail("there can be 0 to %d instances of a process; '%s' has %u", SPEC_INSTANCES_MAX, *name ? name : s->name, w.from);
        *ret = w;
        return 0;
}

/* Another drop-in, read later, may say something else. */
static int check_effect(const DropIn *c, const Wanted *wanted, size_t n) {
        char place[512];

        for (size_t i = 0; i < n; i++) {
                const SpecProcess *p = spec_process(c->spec, wanted[i].process->name);

                if (p && p->instances_cpus == wanted[i].cpus && spec_instances(p, cpus_online()) == wanted[i].to)
                        continue;
                return cli_fail("app '%s' is not scaled: %s says otherwise, and comes later than %s", c->app,
                        p ? spec_origin_text(c->spec, p->instances.origin, place, sizeof(place)) : "another drop-in", DROP_IN);
        }
        return 0;
}

static int print_json(const char *app, const Wanted *wanted, size_t n, bool runs) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_puts(&b, "{\"app\":");

        if (r >= 0)
                r = json_quote(&b, app);
        if (r >= 0)
                r = buf_printf(&b, ",\"running\":%s,\"processes\":[", runs ? "true" : "false");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = buf_puts(&b, i > 0 ? ",{\"process\":" : "{\"process\":");
                if (r >= 0)
                        r = json_quote(&b, name_of(wanted[i].process));
                if (r >= 0)
                        r = buf_printf(&b, ",\"from\":%u,\"to\":%u}", wanted[i].from, wanted[i].to);
        }
        if (r >= 0)
                r = buf_puts(&b, "]}");
        return r < 0 ? cli_fail("out of memory") : json_print(&b);
}

static int print_done(const char *app, const Wanted *wanted, size_t n, bool runs, bool json) {
        if (json)
                return print_json(app, wanted, n, runs);
        for (size_t i = 0; i < n; i++) {
                const char *name = wanted[i].process->name ? wanted[i].process->name : app;

                if (wanted[i].from == wanted[i].to)
                        printf("%s: %u, as before\n", name, wanted[i].to);
                else
                        printf("%s: %u -> %u%s\n", name, wanted[i].from, wanted[i].to, runs ? "" : ", when the app starts");
        }
        return 0;
}

static int scale(const char *app, char *const *arguments, size_t n, bool json) {
        _cleanup_drop_in_ DropIn c = DROP_IN_INIT;
        _cleanup_free_ Wanted *wanted = calloc(n, sizeof(*wanted));
        _cleanup_free_ char *reason = strv_join(arguments, " ");
        Error error = { 0 };
        int r = wanted && reason ? drop_in_begin(app, DROP_IN, &c, &error) : -ENOMEM;

        if (r < 0)
                return cli_fail("%s", *error.text ? error.text : strerror(-r));
        for (size_t i = 0; i < n; i++) {
                char number[16];
                int code = take_wanted(c.old, arguments[i], &wanted[i]);

                for (size_t k = 0; code == 0 && k < i; k++)
                        if (wanted[k].process == wanted[i].process)
                                code = cli_usage("'%s' says a second time how many there shall be", arguments[i]);
                if (code != 0)
                        return code;
                (void) snprintf(number, sizeof(number), "%u", wanted[i].to);
                r = drop_in_set(&c, wanted[i].process->name, "Instances", wanted[i].cpus ? CPUS : number);
                if (r < 0)
                        return cli_fail("out of memory");
        }
        r = drop_in_write(&c, &error);
        if (r > 0 && check_effect(&c, wanted, n) != 0) {
                drop_in_undo(&c);
                return CLI_FAILED;
        }
        if (r >= 0)
                r = drop_in_apply(&c, "berth scale", reason, true, &error);
        if (r < 0)
                return cli_fail("app '%s' is not scaled: %s", app, *error.text ? error.text : strerror(-r));
        return print_done(app, wanted, n, r > 0, json);
}

/* ---- what there is ---- */

static int show_json(const Formation *f) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_putc(&b, '[');

        for (size_t i = 0; r >= 0 && i < f->n; i++) {
                r = buf_puts(&b, i > 0 ? ",{\"process\":" : "{\"process\":");
                if (r >= 0)
                        r = json_quote(&b, f->items[i].process);
                if (r >= 0)
                        r = buf_printf(&b, ",\"wanted\":%u,\"cpus\":%s,\"running\":%u,\"ready\":%u}", f->items[i].wanted,
                                f->items[i].cpus ? "true" : "false", f->items[i].running, f->items[i].ready);
        }
        if (r >= 0)
                r = buf_putc(&b, ']');
        return r < 0 ? cli_fail("out of memory") : json_print(&b);
}

static int show_table(const Formation *f) {
        static const char *const header[] = { "PROCESS", "WANTED", "RUNNING", "READY" };
        _cleanup_(table_freep) Table *t = table_headed(header, ELEMENTSOF(header));
        int r = t ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < f->n; i++) {
                const FormationProcess *p = &f->items[i];

                r = table_add(t, STYLE_BOLD, p->process);
                if (r >= 0)
                        r = table_addf(t, STYLE_NORMAL, p->cpus ? "%u (%%cpus)" : "%u", p->wanted);
                if (r >= 0)
                        r = table_addf(t, STYLE_NORMAL, "%u", p->running);
                if (r >= 0)
                        r = table_addf(t, p->ready == p->wanted ? STYLE_GREEN : STYLE_YELLOW, "%u", p->ready);
        }
        if (r < 0)
                return cli_fail("out of memory");
        table_print(t, stdout);
        return 0;
}

static int show(const char *name, bool json) {
        _cleanup_(formation_clear) Formation f = { 0 };
        _cleanup_(app_freep) App *app = NULL;
        int r = app_load(name, &app);

        if (r == -ENOENT)
                return cli_fail("there is no app '%s'", name);
        if (r >= 0)
                r = formation_read(app, &f);
        if (r < 0)
                return cli_fail("cannot read app '%s': %s", name, *app->problem ? app->problem : strerror(-r));
        return json ? show_json(&f) : show_table(&f);
}

/* "-1" is no option: it stands for "=-1", which is the same for take_wanted(). */
static int hide_numbers(int argc, char *argv[], char ***ret_hidden) {
        for (int i = 1; i < argc; i++)
                if (argv[i][0] == '-' && argv[i][1] >= '0' && argv[i][1] <= '9') {
                        char *text = str_format("=%s", argv[i]);

                        if (strv_consume(ret_hidden, text) < 0)
                                return -ENOMEM;
                        argv[i] = text;
                }
        return 0;
}

int cmd_scale(int argc, char *argv[]) {
        _cleanup_strv_ char **hidden = NULL;
        bool json = false;
        int code;

        if (hide_numbers(argc, argv, &hidden) < 0)
                return cli_fail("out of memory");
        code = cli_options(argc, argv, help, &json);
        if (code >= 0)
                return code;
        if (optind >= argc)
                return cli_usage("'scale' needs an app; 'berth list' shows all");
        if (optind + 1 == argc)
                return show(argv[optind], json);
        return scale(argv[optind], argv + optind + 1, (size_t) (argc - optind - 1), json);
}
