/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "cli/apps.h"

static int print_json(const Apps *apps) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r;

        r = buf_putc(&b, '[');
        for (size_t i = 0; r >= 0 && i < apps->n; i++) {
                if (i > 0)
                        r = buf_puts(&b, ",\n ");
                if (r >= 0)
                        r = app_json(&b, apps->items[i]);
        }
        if (r >= 0)
                r = buf_putc(&b, ']');
        return r < 0 ? cli_fail("out of memory") : json_print(&b);
}

static int add_row(Table *t, const App *app) {
        char state[64], since[64];
        int r;

        r = table_add(t, STYLE_BOLD, app->name);
        if (r >= 0)
                r = table_add(t, app_state_style(app), app_state_text(app, state, sizeof(state)));
        if (r >= 0)
                r = app->run.name ? table_addf(t, STYLE_NORMAL, "v%u", app->run.release) :
                                    table_add(t, STYLE_NORMAL, NULL);
        if (r >= 0)
                r = app->run.name ? table_addf(t, STYLE_NORMAL, "%zu/%zu", app_ready_count(app), app->run.n_instances) :
                                    table_add(t, STYLE_NORMAL, NULL);
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, time_ago(app->run.since_usec, since, sizeof(since)));
        return r < 0 ? r : table_add(t, STYLE_NORMAL, app->image);
}

static int print_table(const Apps *apps) {
        static const char *const header[] = { "APP", "STATE", "RELEASE", "READY", "SINCE", "IMAGE" };
        _cleanup_(table_freep) Table *t = table_headed(header, ELEMENTSOF(header));
        int r = t ? 0 : -ENOMEM;

        if (apps->n == 0) {
                fputs("No apps. A spec /etc/berth/NAME.container makes one; see berth.container(5).\n", stderr);
                return 0;
        }
        for (size_t i = 0; r >= 0 && i < apps->n; i++)
                r = add_row(t, apps->items[i]);
        if (r < 0)
                return cli_fail("out of memory");
        table_print(t, stdout);
        return 0;
}

static const char help[] =
        "Usage: berth list [--json]\n\n"
        "Shows every app: those with a spec, and those that run.\n\n"
        "  --json  for programs: an array with all that 'berth status' shows";

int cmd_list(int argc, char *argv[]) {
        _cleanup_(apps_clear) Apps apps = { 0 };
        bool json = false;
        int code, r;

        code = cli_options(argc, argv, help, &json);
        if (code >= 0)
                return code;
        if (optind < argc)
                return cli_usage("'list' takes no argument; 'berth status %s' shows one app", argv[optind]);
        r = apps_load(&apps);
        if (r < 0)
                return cli_fail("cannot read the apps: %s", strerror(-r));
        return json ? print_json(&apps) : print_table(&apps);
}
