/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/formation.h"
#include "cli/usage.h"

/* As `systemctl status`, after the LSB. */
enum {
        STATUS_NOT_RUNNING = 3,
        STATUS_NO_SUCH_APP = 4,
};

static void print_field(const char *name, const char *value) {
        if (value && *value)
                printf("%*s: %s\n", 9, name, value);
}

static void print_pairs(const char *name, char *const *lines) {
        for (; lines && *lines; lines++)
                print_field(name, *lines);
}

static void print_since(uint64_t usec) {
        char date[64], ago[64];
        time_t seconds = (time_t) (usec / 1000000);
        struct tm tm;

        if (usec == 0 || !localtime_r(&seconds, &tm) || strftime(date, sizeof(date), "%a %F %T %Z", &tm) == 0)
                return;
        printf("%*s: %s; %s\n", 9, "Since", date, time_ago(usec, ago, sizeof(ago)));
}

/* "web 3/3, worker 1/2": ready and wanted. */
static void print_processes(const App *app) {
        _cleanup_(formation_clear) Formation f = { 0 };

        if (formation_read(app, &f) < 0 || f.n == 0)
                return;
        printf("%*s: ", 9, "Processes");
        for (size_t i = 0; i < f.n; i++)
                printf("%s%s%s%s%u/%u%s", i > 0 ? ", " : "", f.items[i].process, *f.items[i].process ? " " : "",
                        cli_style(stdout, f.items[i].ready == f.items[i].wanted ? STYLE_GREEN : STYLE_YELLOW), f.items[i].ready,
                        f.items[i].wanted, cli_style(stdout, STYLE_NORMAL));
        putchar('\n');
}

/* "12.3 MB, 350ms of CPU, 14 tasks": what is known. */
static void print_usage(const App *app) {
        Usage u = usage_of_app(app->name);
        char memory[USAGE_TEXT_MAX], cpu[USAGE_TEXT_MAX];
        const char *separator = "";

        if (u.memory == USAGE_UNKNOWN && u.cpu_usec == USAGE_UNKNOWN && u.pids == USAGE_UNKNOWN)
                return;
        printf("%*s: ", 9, "Uses");
        if (usage_memory_text(&u, memory)) {
                printf("%s", memory);
                separator = ", ";
        }
        if (usage_cpu_text(&u, cpu)) {
                printf("%s%s of CPU", separator, cpu);
                separator = ", ";
        }
        if (u.pids != USAGE_UNKNOWN)
                printf("%s%" PRIu64 " tasks", separator, u.pids);
        putchar('\n');
}

static void print_app(const App *app) {
        char state[64];

        printf("%s●%s %s%s%s\n", cli_style(stdout, app_state_style(app)), cli_style(stdout, STYLE_NORMAL),
                cli_style(stdout, STYLE_BOLD), app->name, cli_style(stdout, STYLE_NORMAL));
        print_field("Spec", *app->source ? app->source : "gone");
        printf("%*s: %s%s%s\n", 9, "State", cli_style(stdout, app_state_style(app)),
                app_state_text(app, state, sizeof(state)), cli_style(stdout, STYLE_NORMAL));
        print_field("Problem", app->problem);
        print_since(app->run.since_usec);
        print_field("Status", app->run.status);
        print_field("Service", app->service);
        if (app->run.image_id && *app->run.image_id)
                printf("%*s: %s (%s)\n", 9, "Image", app->image, app->run.image_id);
        else
                print_field("Image", app->image);
        if (app->run.name)
                printf("%*s: v%u\n", 9, "Release", app->run.release);
        print_pairs("Label", app->labels);
        print_pairs("Annotated", app->annotations);
        print_processes(app);
        print_usage(app);
}

static const char *how_it_ended(const InstanceStatus *i, char *buffer, size_t size) {
        if (i->message && *i->message)
                return i->message;
        if (*i->health && !streq(i->health, "healthy") && *i->answer)
                return i->answer;
        if (i->exit_code == CLD_EXITED)
                snprintf(buffer, size, "exited with status %d", i->exit_status);
        else if (i->exit_code == CLD_KILLED || i->exit_code == CLD_DUMPED)
                snprintf(buffer, size, "killed by SIG%s%s", sigabbrev_np(i->exit_status) ?: "?",
                        i->exit_code == CLD_DUMPED ? ", core dumped" : "");
        else if (i->exit_code < 0)
                return "ended, nobody knows how";
        else
                return NULL;
        return buffer;
}

static Style health_style(const InstanceStatus *i) {
        return streq(i->health, "healthy") ? STYLE_GREEN : streq(i->health, "unhealthy") ? STYLE_RED : STYLE_NORMAL;
}

static int add_row(Table *t, const App *app, const InstanceStatus *i) {
        char since[64], ended[128], text[USAGE_TEXT_MAX];
        Usage u = usage_of(app->name, i);
        int r;

        r = table_add(t, STYLE_BOLD, i->name);
        if (r >= 0)
                r = table_add(t, instance_state_style(i->state), instance_state_to_string(i->state));
        if (r >= 0)
                r = table_add(t, health_style(i), *i->health ? i->health : NULL);
        if (r >= 0)
                r = i->pid > 0 ? table_addf(t, STYLE_NORMAL, "%d", (int) i->pid) : table_add(t, STYLE_NORMAL, NULL);
        if (r >= 0)
                r = table_addf(t, STYLE_NORMAL, "v%u", i->release);
        if (r >= 0)
                r = table_addf(t, STYLE_NORMAL, "%u", i->restarts);
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, time_ago(i->since_usec, since, sizeof(since)));
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, usage_memory_text(&u, text));
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, usage_cpu_text(&u, text));
        if (r >= 0)
                r = u.pids == USAGE_UNKNOWN ? table_add(t, STYLE_NORMAL, NULL) : table_addf(t, STYLE_NORMAL, "%" PRIu64, u.pids);
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, i->addresses);
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, i->ports);
        return r < 0 ? r : table_add(t, STYLE_NORMAL, how_it_ended(i, ended, sizeof(ended)));
}

/* only NULL: all instances. */
static int print_instances(const App *app, const InstanceStatus *only) {
        static const char *const header[] = { "INSTANCE", "STATE", "HEALTH", "PID", "RELEASE", "RESTARTS", "SINCE", "MEMORY", "CPU", "PIDS",
                "ADDRESSES", "PORTS", "NOTE" };
        _cleanup_(table_freep) Table *t = table_headed(header, ELEMENTSOF(header));
        int r = t ? 0 : -ENOMEM;

        if (app->run.n_instances == 0)
                return 0;
        for (size_t i = 0; r >= 0 && i < app->run.n_instances; i++)
                if (!only || only == app->run.instances + i)
                        r = add_row(t, app, app->run.instances + i);
        if (r < 0)
                return cli_fail("out of memory");
        fputc('\n', stdout);
        table_print(t, stdout);
        return 0;
}

static int print_json(const App *app) {
        _cleanup_buf_ Buf b = BUF_INIT;

        return app_json(&b, app) < 0 ? cli_fail("out of memory") : json_print(&b);
}

static int show(const char *argument, bool json) {
        _cleanup_free_ char *name = NULL, *instance_name = NULL;
        _cleanup_(app_freep) App *app = NULL;
        const InstanceStatus *instance = NULL;
        int r;

        if (app_argument(argument, &name, &instance_name) < 0)
                return cli_fail("out of memory");
        r = app_load(name, &app);
        if (r == -ENOENT) {
                cli_fail("there is no app '%s'", name);
                return STATUS_NO_SUCH_APP;
        }
        if (r < 0)
                return cli_fail("cannot read app '%s': %s", name, strerror(-r));
        if (instance_name) {
                instance = app_state_instance(&app->run, instance_name);
                if (!instance) {
                        cli_fail("app '%s' has no instance '%s'", name, instance_name);
                        return STATUS_NO_SUCH_APP;
                }
        }
        if (json)
                r = print_json(app);
        else {
                print_app(app);
                r = print_instances(app, instance);
        }
        return r != 0 ? r : streq(app->active_state, "active") || streq(app->active_state, "reloading") ? 0 : STATUS_NOT_RUNNING;
}

static const char help[] =
        "Usage: berth status [--json] APP[/INSTANCE]…\n\n"
        "Shows an app, its instances and why they are as they are. The exit status is 0 when it runs,\n"
        "3 when it does not, 4 when there is no such app.\n\n"
        "  --json  for programs: one object an app";

int cmd_status(int argc, char *argv[]) {
        bool json = false;
        int code;

        code = cli_options(argc, argv, help, &json);
        if (code >= 0)
                return code;
        code = 0;
        if (optind >= argc)
                return cli_usage("'status' needs an app; 'berth list' shows all");
        for (int i = optind; i < argc; i++) {
                int one = show(argv[i], json);

                code = code == 0 ? one : code;
                if (i + 1 < argc && !json)
                        fputc('\n', stdout);
        }
        return code;
}
