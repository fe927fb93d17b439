/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/join.h"
#include "util/strv.h"

static void help(void) {
        puts("Usage: berth exec [OPTION…] APP[/INSTANCE] [--] COMMAND [ARGUMENT…]\n\n"
             "Runs a command in a running instance (the first one, unless named): in its namespaces, with its\n"
             "user, capabilities and seccomp profile, and with a terminal when there is one.\n\n"
             "  -u, --user=USER[:GROUP]  as another user of the image\n"
             "  -w, --workdir=DIRECTORY  in another directory\n"
             "  -e, --env=NAME=VALUE     with one more variable\n"
             "  -T, --no-tty             without a terminal, even on one\n\n"
             "The exit code is the command's own; 128 and its number when a signal ended it; 127 when there is no such\n"
             "command, 126 when it cannot be started.");
}

int cmd_exec(int argc, char *argv[]) {
        static const struct option options[] = {
                { "user",    required_argument, NULL, 'u' },
                { "workdir", required_argument, NULL, 'w' },
                { "env",     required_argument, NULL, 'e' },
                { "no-tty",  no_argument,       NULL, 'T' },
                { "help",    no_argument,       NULL, 'h' },
                { NULL,      0,                 NULL, 0   },
        };
        JoinSettings settings = { .terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
        _cleanup_strv_ char **env = NULL;
        _cleanup_free_ char *app = NULL;
        Error error = { 0 };
        char *slash;
        int c, r;

        /* "+": what stands behind the app's name is the command's own. */
        while ((c = getopt_long(argc, argv, "+u:w:e:Th", options, NULL)) >= 0)
                switch (c) {
                case 'u':
                        settings.user = optarg;
                        break;
                case 'w':
                        if (*optarg != '/')
                                return cli_usage("--workdir takes an absolute path, not '%s'", optarg);
                        settings.cwd = optarg;
                        break;
                case 'e':
                        if (!strchr(optarg, '=') || *optarg == '=')
                                return cli_usage("--env takes NAME=VALUE, not '%s'", optarg);
                        if (strv_append(&env, optarg) < 0)
                                return cli_fail("out of memory");
                        break;
                case 'T':
                        settings.terminal = false;
                        break;
                case 'h':
                        help();
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (optind >= argc)
                return cli_usage("which app, and which command?");
        app = strdup(argv[optind++]);
        if (!app)
                return cli_fail("out of memory");
        if (optind < argc && streq(argv[optind], "--"))
                optind++;
        if (optind >= argc)
                return cli_usage("which command shall run in '%s'?", app);
        slash = strchr(app, '/');
        if (slash) {
                *slash = 0;
                settings.instance = slash + 1;
        }
        settings.app = app;
        settings.argv = argv + optind;
        settings.env = env;
        r = join_run(&settings, &error);
        if (*error.text)
                (void) cli_fail("%s", error.text);
        return r < 0 ? CLI_FAILED : r;
}
