/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <unistd.h>

#include "cli/apps.h"
#include "spec/spec.h"
#include "util/strv.h"

/* Options that journalctl has under the same name: its own help is their reference. */
enum {
        OPTION_PROCESS = 256,
        OPTION_INSTANCE,
        OPTION_RELEASE,
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
             "Shows what an app's instances and its supervisor wrote to the journal.\n\n"
             "  --process=NAME   of one process, such as web\n"
             "  --instance=NAME  of one instance, such as web.1\n"
             "  --release=N      of one release, such as v1 or 1\n"
             "As for journalctl(1):\n"
             "  -f --follow, -n --lines=N, -o --output=FORMAT, -p --priority=LEVEL, -g --grep=PATTERN,\n"
             "  -r --reverse, -b --boot, --since=TIME, --until=TIME, --no-pager");
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
        }
        for (const struct option *o = options; o->name; o++)
                if (o->val == c)
                        return o->has_arg ? strv_appendf(args, "--%s=%s", o->name, optarg) :
                                            strv_appendf(args, "--%s", o->name);
        return -EINVAL;
}

static int add_app(const char *argument, char ***args, char ***matches) {
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
        app_read_spec(app, NULL);
        r = strv_appendf(args, "--unit=%s", app->service);
        return r >= 0 && instance ? strv_appendf(matches, "BERTH_INSTANCE=%s", instance) : r;
}

int cmd_logs(int argc, char *argv[]) {
        _cleanup_strv_ char **args = NULL, **matches = NULL;
        int c, r;

        r = strv_append(&args, "journalctl");
        while (r >= 0 && (c = getopt_long(argc, argv, "hfn:o:p:g:rb", options, NULL)) >= 0) {
                if (c == 'h')
                        return usage();
                if (c == '?')
                        return CLI_USAGE;
                r = add_option(&args, &matches, c);
                if (r == -EINVAL)
                        return cli_usage("'%s' is not a release", optarg);
        }
        if (r >= 0 && argc - optind != 1)
                return cli_usage("'logs' needs one app");
        if (r >= 0)
                r = add_app(argv[optind], &args, &matches);
        if (r > 0)
                return r;
        for (char **match = matches; r >= 0 && match && *match; match++)
                r = strv_append(&args, *match);
        if (r < 0)
                return cli_fail("%s", strerror(-r));
        execvp(args[0], args);
        return cli_fail("cannot run journalctl: %s", strerror(errno));
}
