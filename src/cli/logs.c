/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/apps.h"
#include "cli/log-lines.h"
#include "spec/spec.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

/* Options that journalctl has under the same name: its own help is their reference. */
enum {
        OPTION_PROCESS = 256,
        OPTION_INSTANCE,
        OPTION_RELEASE,
        OPTION_JSON,
        OPTION_NO_PAGER,
        OPTION_SINCE,
        OPTION_UNTIL,
};

static const struct option options[] = {
        { "process",  required_argument, NULL, OPTION_PROCESS  },
        { "instance", required_argument, NULL, OPTION_INSTANCE },
        { "release",  required_argument, NULL, OPTION_RELEASE  },
        { "follow",   no_argument,       NULL, 'f'             },
        { "lines",    required_argument, NULL, 'n'             },
        { "output",   required_argument, NULL, 'o'             },
        { "json",     no_argument,       NULL, OPTION_JSON     },
        { "priority", required_argument, NULL, 'p'             },
        { "grep",     required_argument, NULL, 'g'             },
        { "reverse",  no_argument,       NULL, 'r'             },
        { "boot",     no_argument,       NULL, 'b'             },
        { "since",    required_argument, NULL, OPTION_SINCE    },
        { "until",    required_argument, NULL, OPTION_UNTIL    },
        { "no-pager", no_argument,       NULL, OPTION_NO_PAGER },
        { "help",     no_argument,       NULL, 'h'             },
        { NULL,       0,                 NULL, 0               },
};

static int usage(void) {
        puts("Usage: berth logs [OPTION…] APP[/INSTANCE]\n\n"
             "Shows what an app's instances and its supervisor wrote to the journal: time, instance and line, each instance in a\n"
             "colour of its own on a terminal.\n\n"
             "  --process=NAME   of one process, such as web\n"
             "  --instance=NAME  of one instance, such as web.1\n"
             "  --release=N      of one release, such as v1 or 1\n"
             "  --json           for programs: the journal's entries, one a line\n"
             "As for journalctl(1):\n"
             "  -f --follow, -n --lines=N, -p --priority=LEVEL, -g --grep=PATTERN, -r --reverse, -b --boot,\n"
             "  --since=TIME, --until=TIME; -o --output=FORMAT, with --no-pager, is journalctl's own look");
        return 0;
}

/* What the supervisor writes into BERTH_RELEASE is the number with its v. */
static int add_release(char ***matches, const char *value) {
        uint64_t release;

        if (parse_u64(*value == 'v' ? value + 1 : value, UINT32_MAX, &release) < 0)
                return -EINVAL;
        return strv_appendf(matches, "BERTH_RELEASE=v%u", (unsigned) release);
}

static int add_option(char ***args, char ***matches, int c) {
        switch (c) {
        case OPTION_PROCESS:
                return strv_appendf(matches, "BERTH_PROCESS=%s", optarg);
        case OPTION_INSTANCE:
                return strv_appendf(matches, "BERTH_INSTANCE=%s", optarg);
        case OPTION_RELEASE:
                return add_release(matches, optarg);
        case OPTION_JSON:
                return strv_append(args, "--output=json");
        }
        for (const struct option *o = options; o->name; o++)
                if (o->val == c)
                        return o->has_arg ? strv_appendf(args, "--%s=%s", o->name, optarg) :
                                            strv_appendf(args, "--%s", o->name);
        return -EINVAL;
}

static int add_app(const char *argument, char ***args, char ***matches, App **ret) {
        _cleanup_free_ char *name = NULL, *instance = NULL;
        _cleanup_(app_freep) App *app = NULL;
        int r;

        r = app_argument(argument, &name, &instance);
        if (r < 0)
                return r;
        if (!spec_name_valid(name))
                return cli_fail("'%s' is not the name of an app", name);
        app = app_new(name);
        if (!app)
                return -ENOMEM;
        /* An app that is gone still has its lines in the journal, under the service's usual name. */
        (void) app_read_run(app, BERTH_RUN_DIR, NULL);
        app_read_spec(app, NULL);
        r = strv_appendf(args, "--unit=%s", app->service);
        if (r >= 0 && instance)
                r = strv_appendf(matches, "BERTH_INSTANCE=%s", instance);
        if (r >= 0)
                *ret = TAKE_PTR(app);
        return r;
}

/* Names of different lengths shall not move the lines when they come. */
static size_t width_of(const App *app) {
        size_t width = strlen(app->name) + 2;

        for (size_t i = 0; i < app->run.n_instances; i++)
                width = MAX(width, strlen(app->run.instances[i].name));
        return width;
}

/* journalctl, with its standard output into out. It does not outlive us: with --follow it would wait for an entry to notice. */
static pid_t spawn(char *const *args, int out) {
        pid_t parent = getpid(), pid = fork();

        if (pid != 0)
                return pid < 0 ? -errno : pid;
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) >= 0 && getppid() == parent && dup2(out, STDOUT_FILENO) >= 0)
                (void) execvp(args[0], args);
        dprintf(STDERR_FILENO, "berth: cannot run %s: %s\n", args[0], strerror(errno));
        _exit(CLI_FAILED);
}

/* journalctl's entries in our own look. Returns its exit code. */
static int show(char *const *args, const App *app, bool follow) {
        LogLook look = { .app = app->name, .colour = *cli_style(stdout, STYLE_BOLD), .flush = follow, .width = width_of(app) };
        _cleanup_close_ int out = -EBADF;
        int pipe[2], status = 0, r;
        pid_t pid;
        FILE *in;

        if (pipe2(pipe, O_CLOEXEC) < 0)
                return cli_fail("cannot make a pipe: %s", strerror(errno));
        out = pipe[1];
        in = fdopen(pipe[0], "r");
        if (!in)
                return cli_fail("out of memory");
        pid = spawn(args, out);
        out = fd_close(out);
        if (pid < 0) {
                fclose(in);
                return cli_fail("cannot run journalctl: %s", strerror(-pid));
        }
        r = log_lines(in, stdout, &look);
        fclose(in);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return cli_fail("cannot wait for journalctl: %s", strerror(errno));
        if (r < 0)
                return cli_fail("cannot read what journalctl says: %s", strerror(-r));
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int cmd_logs(int argc, char *argv[]) {
        _cleanup_strv_ char **args = NULL, **matches = NULL;
        _cleanup_(app_freep) App *app = NULL;
        bool own = true, follow = false;
        int c, r;

        r = strv_append(&args, "journalctl");
        while (r >= 0 && (c = getopt_long(argc, argv, "hfn:o:p:g:rb", options, NULL)) >= 0) {
                if (c == 'h')
                        return usage();
                if (c == '?')
                        return CLI_USAGE;
                own = own && c != 'o' && c != OPTION_JSON;
                follow = follow || c == 'f';
                r = add_option(&args, &matches, c);
                if (r == -EINVAL)
                        return cli_usage("'%s' is not a release", optarg);
        }
        if (r >= 0 && argc - optind != 1)
                return cli_usage("'logs' needs one app");
        if (r >= 0)
                r = add_app(argv[optind], &args, &matches, &app);
        if (r > 0)
                return r;
        if (r >= 0 && own)
                r = strv_append(&args, "--output=export");
        if (r >= 0 && own)
                r = strv_append(&args, "--output-fields=" LOG_FIELDS);
        for (char **match = matches; r >= 0 && match && *match; match++)
                r = strv_append(&args, *match);
        if (r < 0)
                return cli_fail("%s", strerror(-r));
        if (own)
                return show(args, app, follow);
        execvp(args[0], args);
        return cli_fail("cannot run journalctl: %s", strerror(errno));
}
