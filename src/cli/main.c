/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "util/nearest.h"
#include "util/strv.h"

typedef struct Command {
        const char *name;
        int (*run)(int argc, char *argv[]);
        const char *help;
} Command;

static int cmd_help(int argc, char *argv[]);
static int cmd_version(int argc, char *argv[]);

static const Command commands[] = {
        { "list",     cmd_list,     "Show all apps and their state" },
        { "status",   cmd_status,   "Show one app and its instances" },
        { "top",      cmd_top,      "Show what instances use, live" },
        { "logs",     cmd_logs,     "Show what an app wrote to the journal" },
        { "start",    cmd_verb,     "Start apps" },
        { "stop",     cmd_verb,     "Stop apps" },
        { "restart",  cmd_verb,     "Stop and start apps" },
        { "reload",   cmd_verb,     "Have apps become what their files say now" },
        { "scale",    cmd_scale,    "Show or change how many instances an app has" },
        { "limits",   cmd_limits,   "Show or change what an app and its instances may use" },
        { "maintenance", cmd_maintenance, "Answer an app's HTTP requests with a page meanwhile" },
        { "releases", cmd_releases, "Show the releases of an app" },
        { "rollback", cmd_rollback, "Have an app run again what an earlier release was" },
        { "exec",     cmd_exec,     "Run a command in a running instance" },
        { "verify",   cmd_verify,   "Check specs without starting anything" },
        { "cat",      cmd_cat,      "Print a spec with its drop-ins and where each line is from" },
        { "generate", cmd_generate, "Print or write the units that specs become" },
        { "keys",     cmd_keys,     "List the keys that a spec may have" },
        { "pull",     cmd_pull,     "Fetch an image from a registry" },
        { "push",     cmd_push,     "Send an image to a registry" },
        { "auto-update", cmd_auto_update, "Have apps run newer images" },
        { "load",     cmd_load,     "Load an image from an OCI layout or a docker archive" },
        { "import",   cmd_import,   "Make an image from a root file system" },
        { "images",   cmd_images,   "List the images" },
        { "image",    cmd_image,    "Look at an image: inspect, history, diff, mount, unmount, check" },
        { "save",     cmd_save,     "Write images into an OCI layout or a docker archive" },
        { "tag",      cmd_tag,      "Give an image another name" },
        { "rmi",      cmd_rmi,      "Remove images" },
        { "prune",    cmd_prune,    "Remove images that nothing needs" },
        { "network",  cmd_network,  "List networks, choose or forget their subnets" },
        { "seccomp",  cmd_seccomp,  "Compile a seccomp profile" },
        { "help",     cmd_help,     "Show this, or the help of a command" },
        { "version",  cmd_version,  "Show the version" },
};

static const Command *command_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (streq(commands[i].name, name))
                        return commands + i;
        return NULL;
}

static const char *command_nearest(const char *name) {
        Nearest nearest = NEAREST_INIT(name);

        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                nearest_try(&nearest, commands[i].name, commands[i].name);
        return nearest_found(&nearest);
}

static int command_unknown(const char *name) {
        const char *nearest = command_nearest(name);

        if (nearest)
                return cli_usage("unknown command '%s', did you mean '%s'?", name, nearest);
        return cli_usage("unknown command '%s'", name);
}

static int command_run(const Command *command, int argc, char *argv[]) {
        optind = 0;
        return command->run(argc, argv);
}

static int cmd_version(int argc, char *argv[]) {
        puts("berth " BERTH_VERSION);
        return 0;
}

static int cmd_help(int argc, char *argv[]) {
        if (argc > 1 && !streq(argv[1], "--help")) {
                const Command *command = command_find(argv[1]);

                if (!command)
                        return command_unknown(argv[1]);
                if (command->run != cmd_help && command->run != cmd_version)
                        return command_run(command, 2, (char *[]){ argv[1], (char *) "--help", NULL });
        }

        printf("Usage: berth COMMAND [OPTION…] [ARGUMENT…]\n\n"
               "Runs containers as systemd units. A spec file /etc/berth/NAME.container is an app; NAME.service is its\n"
               "handle for systemctl and journalctl.\n\n"
               "%sCommands%s\n",
                cli_style(stdout, STYLE_BOLD), cli_style(stdout, STYLE_NORMAL));
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                printf("  %-11s %s\n", commands[i].name, commands[i].help);
        printf("\n'berth help COMMAND' says what a command takes; berth(1) and berth.container(5) are the manual.\n");
        return 0;
}

int main(int argc, char *argv[]) {
        const char *name = argc > 1 ? argv[1] : NULL;

        setlocale(LC_ALL, "");
        if (!name) {
                cmd_help(1, argv);
                return CLI_USAGE;
        }
        if (streq(name, "--help") || streq(name, "-h"))
                return cmd_help(1, argv);
        if (streq(name, "--version"))
                return cmd_version(1, argv);
        if (*name == '-')
                return cli_usage("unknown option '%s'", name);

        const Command *command = command_find(name);
        if (!command)
                return command_unknown(name);
        int r = command_run(command, argc - 1, argv + 1);
        /* A full disk or a closed pipe behind standard output must not look like success. */
        if (fflush(stdout) != 0 && errno != EPIPE)
                return cli_fail("cannot write the output: %s", strerror(errno));
        return r;
}
