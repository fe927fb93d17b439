/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "cli/apps.h"
#include "deploy/limits.h"
#include "deploy/slice.h"
#include "util/strv.h"

#define APP_ROW "(app)"

static const char help[] =
        "Usage: berth limits [--json] APP [PROCESS] [KEY=VALUE…]\n"
        "       berth limits [--json] --app APP [KEY=VALUE…]\n\n"
        "Changes the limits of each instance of an app, or of one of its processes, or of the app as a whole, while it runs;\n"
        "without KEY=VALUE it shows them. KEY is Memory, MemorySwap, CPUs, CPUWeight, IOWeight or PidsLimit, and VALUE as in a\n"
        "spec: 512m, 1.5, infinity. Without a value, what the spec says counts again.\n\n"
        "  --app       of all instances together: the app's slice\n"
        "  --json      for programs\n"
        "  -h, --help  show this";

typedef struct Asked {
        const char *app, *process; /* process NULL: all */
        char *const *arguments;
        bool slice, json;
} Asked;

/* ---- what there is ---- */

/* p NULL: of the app as a whole. */
static const char *text_of(const Spec *s, const SpecProcess *p, const Limit *l, char text[static LIMIT_TEXT_MAX]) {
        return p ? limit_text(p, l, text) : limit_slice_text(s, l, text);
}

/* i of the first, which is the app as a whole, is 0. */
static bool is_shown(const Asked *a, const Spec *s, size_t i) {
        if (i == 0)
                return !a->process;
        return !a->slice && (!a->process || streq_ptr(s->processes[i - 1].name, a->process));
}

static int row_json(Buf *b, const Spec *s, const SpecProcess *p) {
        int r = buf_printf(b, "{\"app\":%s,\"process\":", p ? "false" : "true");

        if (r >= 0)
                r = json_quote(b, !p ? NULL : p->name ? p->name : "");
        for (size_t k = 0; r >= 0 && k < LIMITS_N; k++) {
                char text[LIMIT_TEXT_MAX];

                r = buf_printf(b, ",\"%s\":", limits[k].member);
                if (r >= 0)
                        r = json_quote(b, text_of(s, p, &limits[k], text));
        }
        return r < 0 ? r : buf_putc(b, '}');
}

static int show_json(const Asked *a, const Spec *s) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_putc(&b, '[');
        bool first = true;

        for (size_t i = 0; r >= 0 && i <= s->n_processes; i++) {
                if (!is_shown(a, s, i))
                        continue;
                r = first ? 0 : buf_putc(&b, ',');
                first = false;
                if (r >= 0)
                        r = row_json(&b, s, i == 0 ? NULL : &s->processes[i - 1]);
        }
        if (r >= 0)
                r = buf_putc(&b, ']');
        return r < 0 ? cli_fail("out of memory") : json_print(&b);
}

static int show_table(const Asked *a, const Spec *s) {
        static const char *const header[] = { "PROCESS", "MEMORY", "SWAP", "CPUS", "CPUWEIGHT", "IOWEIGHT", "PIDS" };
        _cleanup_(table_freep) Table *t = table_headed(header, ELEMENTSOF(header));
        int r = t ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i <= s->n_processes; i++) {
                const SpecProcess *p = i == 0 ? NULL : &s->processes[i - 1];
                char text[LIMIT_TEXT_MAX];

                if (!is_shown(a, s, i))
                        continue;
                r = table_add(t, STYLE_BOLD, p ? p->name : APP_ROW);
                for (size_t k = 0; r >= 0 && k < LIMITS_N; k++)
                        r = table_add(t, STYLE_NORMAL, text_of(s, p, &limits[k], text));
        }
        if (r < 0)
                return cli_fail("out of memory");
        table_print(t, stdout);
        return 0;
}

static int show(const Asked *a) {
        _cleanup_(spec_freep) Spec *s = NULL;
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        int r = spec_load(a->app, NULL, &diags, &s);

        if (r == -ENOENT)
                return cli_fail("there is no app '%s'", a->app);
        if (r < 0)
                return cli_fail("cannot read app '%s': %s", a->app, diags.n > 0 ? diags.items[0].text : strerror(-r));
        if (a->process && !spec_process(s, a->process))
                return cli_fail("app '%s' has no process '%s'", a->app, a->process);
        return a->json ? show_json(a, s) : show_table(a, s);
}

/* ---- a change ---- */

static bool print_changes_of(const DropIn *c, const SpecProcess *before, const SpecProcess *now, const char *name, const char *when) {
        bool any = false;

        for (size_t k = 0; k < LIMITS_N; k++) {
                char text[2][LIMIT_TEXT_MAX];
                const char *from = text_of(c->old, before, &limits[k], text[0]), *to = text_of(c->spec, now, &limits[k], text[1]);

                if (streq_ptr(from, to))
                        continue;
                printf("%s: %s %s -> %s%s\n", name, limits[k].key, from ? from : "-", to ? to : "-", when);
                any = true;
        }
        return any;
}

static int print_changes(const DropIn *c, bool runs) {
        const char *when = runs ? "" : ", when the app starts";
        bool any = c->spec && print_changes_of(c, NULL, NULL, APP_ROW, when);

        for (size_t i = 0; c->spec && i < c->spec->n_processes; i++) {
                const SpecProcess *now = &c->spec->processes[i], *before = spec_process(c->old, now->name);

                if (before && print_changes_of(c, before, now, now->name ? now->name : c->app, when))
                        any = true;
        }
        if (!any)
                puts("nothing has changed");
        return 0;
}

/* There is nothing to be reloaded: the supervisor has no part in it. As drop_in_apply(). */
static int apply_slice(DropIn *c, Error *reterr) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r = c->spec ? sd_bus_open_system(&bus) : 1;

        if (r == 1)
                return r;
        if (r == -ENOENT)
                return 0; /* where there is no bus nothing runs */
        if (r < 0)
                (void) error_set_errno(reterr, r, "cannot connect to the system bus");
        else
                r = slice_change(bus, c->old, c->spec, reterr);
        if (r < 0)
                drop_in_undo(c);
        return r < 0 ? r : 1;
}

static int change(const Asked *a) {
        _cleanup_free_ char *reason = strv_join(a->arguments, " ");
        _cleanup_drop_in_ DropIn c = DROP_IN_INIT;
        Error error = { 0 };
        int r = reason ? drop_in_begin(a->app, LIMITS_DROP_IN, &c, &error) : -ENOMEM;

        if (r < 0)
                return cli_fail("%s", *error.text ? error.text : strerror(-r));
        if (a->process && !spec_process(c.old, a->process))
                return cli_fail("app '%s' has no process '%s'", a->app, a->process);
        r = a->slice ? limits_set_slice(&c, a->arguments, &error) : limits_set(&c, a->process, a->arguments, &error);
        if (r == -EINVAL)
                return cli_usage("%s", error.text);
        if (r >= 0)
                r = drop_in_write(&c, &error);
        if (r >= 0)
                r = a->slice ? apply_slice(&c, &error) : drop_in_apply(&c, "berth limits", reason, true, &error);
        if (r < 0)
                return cli_fail("the limits of app '%s' are not changed: %s", a->app, *error.text ? error.text : strerror(-r));
        return a->json ? show_json(a, c.spec ? c.spec : c.old) : print_changes(&c, r > 0);
}

int cmd_limits(int argc, char *argv[]) {
        static const struct option options[] = {
                { "app",  no_argument, NULL, 'a' },
                { "json", no_argument, NULL, 'j' },
                { "help", no_argument, NULL, 'h' },
                { NULL,   0,           NULL, 0   },
        };
        Asked a = { 0 };
        int c, i;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'a':
                        a.slice = true;
                        break;
                case 'j':
                        a.json = true;
                        break;
                case 'h':
                        puts(help);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (optind >= argc)
                return cli_usage("'limits' needs an app; 'berth list' shows all");
        a.app = argv[optind];
        i = optind + 1;
        if (i < argc && !strchr(argv[i], '='))
                a.process = argv[i++];
        if (a.process && a.slice)
                return cli_usage("--app is for the app as a whole, not for its process '%s'", a.process);
        for (int k = i; k < argc; k++)
                if (!strchr(argv[k], '='))
                        return cli_usage("'%s' is not KEY=VALUE", argv[k]);
        a.arguments = argv + i;
        return i < argc ? change(&a) : show(&a);
}
