/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <time.h>

#include "cli/image.h"
#include "util/nearest.h"

static const struct {
        const char *name;
        int (*run)(int argc, char *argv[]);
        const char *help;
} commands[] = {
        { "inspect", cmd_image_inspect, "Show what is known of an image" },
        { "history", cmd_image_history, "Show how an image was made" },
        { "diff",    cmd_image_diff,    "Show what an image changes" },
        { "mount",   cmd_image_mount,   "Mount an image read-only, or list those that are mounted" },
        { "unmount", cmd_image_unmount, "Unmount an image" },
        { "check",   cmd_image_check,   "Check that the store is whole" },
};

static void print_help(void) {
        fputs("berth image COMMAND [OPTION…] [ARGUMENT…]\n"
              "\n"
              "Looks at images in the store.\n"
              "\n"
              "Commands\n", stdout);
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                printf("  %-10s %s\n", commands[i].name, commands[i].help);
        fputs("\n'berth image COMMAND --help' says what a command takes.\n", stdout);
}

int cmd_image(int argc, char *argv[]) {
        const char *name = argc > 1 ? argv[1] : NULL, *near;
        Nearest nearest = NEAREST_INIT(name ? name : "");

        if (!name) {
                print_help();
                return CLI_USAGE;
        }
        if (streq(name, "--help") || streq(name, "-h")) {
                print_help();
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                if (streq(commands[i].name, name)) {
                        optind = 0;
                        return commands[i].run(argc - 1, argv + 1);
                }
                nearest_try(&nearest, commands[i].name, commands[i].name);
        }
        near = nearest_found(&nearest);
        if (near)
                return cli_usage("unknown command 'image %s', did you mean 'image %s'?", name, near);
        return cli_usage("unknown command 'image %s'", name);
}

void image_time_text(uint64_t t, const char *format, char ret[static 64]) {
        time_t seconds = (time_t) t;
        struct tm tm;

        if (t == 0 || !gmtime_r(&seconds, &tm) || strftime(ret, 64, format, &tm) == 0)
                *ret = 0;
}

int image_open_held(Store *store, const char *text, Image **ret) {
        _cleanup_image_ Image *image = NULL;
        Error error = { 0 };
        int r = image_open(store->path, text, &image, &error);

        if (r < 0)
                return cli_fail("%s", error.code ? error.text : strerror(-r));
        for (char **id = image->layer_ids; *id; id++) {
                r = store_layer_hold(store, *id, NULL);
                if (r < 0)
                        return cli_fail("cannot open layer %s of the store: %s", *id, strerror(-r));
        }
        *ret = TAKE_PTR(image);
        return 0;
}
