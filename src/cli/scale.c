/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "cli/formation.h"
#include "deploy/scale.h"
#include "util/strv.h"

static const char help[] =
        "Usage: berth scale [--json] APP [PROCESS=]N…\n\n"
        "Has an app run so many instances of its processes, and waits until they are ready; without a number it shows how\n"
        "many there are. N is a number, +NUMBER or -NUMBER, or %cpus for as many as the machine has processors. A process has\n"
        "to be named where the app has several.\n\n"
        "  --json      for programs\n"
        "  -h, --help  show this";

static int print_json(const char *app, const ScaleChange *changes, size_t n, bool runs) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_puts(&b, "{\"app\":");

        if (r >= 0)
                r = json_quote(&b, app);
        if (r >= 0)
                r = buf_printf(&b, ",\"running\":%s,\"processes\":[", runs ? "true" : "false");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = buf_puts(&b, i > 0 ? ",{\"process\":" : "{\"process\":");
                if (r >= 0)
                        r = json_quote(&b, changes[i].process->name ? changes[i].process->name : "");
                if (r >= 0)
                        r = buf_printf(&b, ",\"from\":%u,\"to\":%u}", changes[i].from, changes[i].to);
        }
        if (r >= 0)
                r = buf_puts(&b, "]}");
        return r < 0 ? cli_fail("out of memory") : json_print(&b);
}

static int print_done(const char *app, const ScaleChange *changes, size_t n, bool runs, bool json) {
        if (json)
                return print_json(app, changes, n, runs);
        for (size_t i = 0; i < n; i++) {
                const char *name = changes[i].process->name ? changes[i].process->name : app;

                if (changes[i].from == changes[i].to)
                        printf("%s: %u, as before\n", name, changes[i].to);
                else
                        printf("%s: %u -> %u%s\n", name, changes[i].from, changes[i].to, runs ? "" : ", when the app starts");
        }
        return 0;
}

static int scale(const char *app, char *const *arguments, size_t n, bool json) {
        _cleanup_drop_in_ DropIn c = DROP_IN_INIT;
        _cleanup_free_ ScaleChange *changes = calloc(n, sizeof(*changes));
        _cleanup_free_ char *reason = strv_join(arguments, " ");
        Error error = { 0 };
        int r = changes && reason ? drop_in_begin(app, SCALE_DROP_IN, &c, &error) : -ENOMEM;

        if (r < 0)
                return cli_fail("%s", *error.text ? error.text : strerror(-r));
        r = scale_set(&c, arguments, n, changes, &error);
        if (r == -EINVAL)
                return cli_usage("%s", error.text);
        if (r < 0)
                return cli_fail("%s", *error.text ? error.text : strerror(-r));
        r = drop_in_write(&c, &error);
        if (r > 0) {
                r = scale_check(&c, changes, n, &error);
                if (r < 0)
                        drop_in_undo(&c);
        }
        if (r >= 0)
                r = drop_in_apply(&c, "berth scale", reason, true, &error);
        if (r < 0)
                return cli_fail("app '%s' is not scaled: %s", app, *error.text ? error.text : strerror(-r));
        return print_done(app, changes, n, r > 0, json);
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
