/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/apps.h"
#include "deploy/job.h"
#include "run/request.h"

/* start, stop, restart and reload: systemctl's, by the names of apps, with what the app itself says where they fail. */
typedef struct Verb {
        const char *name, *done; /* "start", "started" */
        const char *method;      /* of systemd's Manager */
        bool needs_spec;         /* which is looked at first: a restart would end what runs */
        bool asks;               /* the supervisor is told who asks */
        const char *help;
} Verb;

static const Verb verbs[] = {
        { "start",   "started",   "StartUnit",   true,  false, "Starts apps and waits until they are ready." },
        { "stop",    "stopped",   "StopUnit",    false, false, "Stops apps and waits until nothing of them is left." },
        { "restart", "restarted", "RestartUnit", true,  false,
                "Stops apps that run, starts them and waits until they are ready. One whose spec is wrong by now goes on as it is." },
        { "reload",  "reloaded",  "ReloadUnit",  false, true,
                "Has apps that run become what their files say now, and waits until that is done. One that is that already does what\n"
                "ReloadCmd= or ReloadSignal= of the spec says." },
};

static int help(const Verb *v) {
        printf("Usage: berth %s APP…\n\n%s\n\n  -h --help  show this\n\nsystemctl %s does the same with the apps' services.\n", v->name,
                v->help, v->name);
        return 0;
}

/* The app, or NULL with the reason said. */
static App *find(const Verb *v, const char *name) {
        _cleanup_(app_freep) App *app = NULL;
        int r = strchr(name, '/') ? -EISDIR : app_load(name, &app);

        if (r == -EISDIR)
                (void) cli_fail("'%s' is one instance; an app is %s as a whole", name, v->done);
        else if (r == -ENOENT)
                (void) cli_fail("there is no app '%s'", name);
        else if (r < 0)
                (void) cli_fail("cannot read app '%s': %s", name, strerror(-r));
        else if (v->needs_spec && *app->problem)
                (void) cli_fail("app '%s' is not %s: %s", name, v->done, app->problem);
        else
                return TAKE_PTR(app);
        return NULL;
}

static void say_why(const Verb *v, const App *app, const UnitJob *job) {
        if (job->result == -ENOENT)
                (void) cli_fail("app '%s' has no unit yet: 'systemctl daemon-reload' makes it", app->name);
        else
                (void) cli_fail("app '%s' is not %s: %s", app->name, v->done, job->error.text);
}

static int run(const Verb *v, char *const *names, size_t n) {
        UnitJob *jobs = calloc(n, sizeof(*jobs));
        Apps apps = { .items = calloc(n, sizeof(App *)) };
        Error error = { 0 };
        int code = 0;

        if (!jobs || !apps.items)
                code = cli_fail("out of memory");
        for (size_t i = 0; i < n && jobs && apps.items; i++) {
                App *app = find(v, names[i]);

                if (!app) {
                        code = CLI_FAILED;
                        continue;
                }
                jobs[apps.n] = (UnitJob){ .unit = app->service, .app = app->name };
                apps.items[apps.n++] = app;
        }
        /* An app that does not run has nobody to be told who asks; its job says that it does not run. */
        for (size_t i = 0; i < apps.n && v->asks; i++)
                (void) request_write(apps.items[i]->name, NULL, "berth reload", "", false);
        if (apps.n > 0 && jobs_run(v->method, jobs, apps.n, &error) < 0)
                code = cli_fail("%s", error.text);
        else
                for (size_t i = 0; i < apps.n; i++)
                        if (jobs[i].result < 0) {
                                say_why(v, apps.items[i], &jobs[i]);
                                code = CLI_FAILED;
                        }
        apps_clear(&apps);
        free(jobs);
        return code;
}

int cmd_verb(int argc, char *argv[]) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { NULL,   0,           NULL, 0   },
        };
        const Verb *v = verbs;
        int c;

        while (!streq(v->name, argv[0]))
                v++;
        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        return help(v);
                default:
                        return CLI_USAGE;
                }
        if (optind >= argc)
                return cli_usage("'%s' needs an app; 'berth list' shows all", v->name);
        return run(v, argv + optind, (size_t) (argc - optind));
}
