/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/cli.h"
#include "image/store.h"

static const char help[] =
        "berth rmi [OPTION…] NAME…\n"
        "\n"
        "Removes images by name or id. An image with several names loses the one given; with its last name it goes,\n"
        "and with it the layers that no other image has. An image that an app runs is not removed,\n"
        "nor one that is kept for a release that can be rolled back to.\n"
        "\n"
        "  -f, --force       an id that has several names: remove them all; an image that is kept for a release loses its\n"
        "                    names, and stays as long as the release\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n";

static const struct option options[] = {
        { "force", no_argument,       NULL, 'f' },
        { "store", required_argument, NULL, 's' },
        { "help",  no_argument,       NULL, 'h' },
        {}
};

static int remove_one(Store *store, const char *text, bool force) {
        _cleanup_free_ char *name = NULL, *id = NULL;
        Error error = { 0 };
        int r = store_remove(store, text, force, &name, &id, &error);

        if (r < 0)
                return cli_fail("cannot remove image %s: %s", text, error.code ? error.text : strerror(-r));
        if (name)
                printf("untagged %s\n", name);
        if (id)
                printf("deleted %s\n", id);
        return 0;
}

int cmd_rmi(int argc, char *argv[]) {
        _cleanup_store_ Store *store = NULL;
        const char *path = NULL;
        Error error = { 0 };
        bool force = false;
        int c, code = 0;

        while ((c = getopt_long(argc, argv, "fh", options, NULL)) >= 0)
                switch (c) {
                case 'f':
                        force = true;
                        break;
                case 's':
                        path = optarg;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (optind == argc)
                return cli_usage("rmi wants the names of images");
        if (store_open(path, false, &store, &error) < 0)
                return cli_fail("%s", error.text);
        /* One that cannot go does not keep the others. */
        for (; optind < argc; optind++)
                if (remove_one(store, argv[optind], force) != 0)
                        code = CLI_FAILED;
        return code;
}
