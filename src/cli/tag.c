/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/cli.h"
#include "image/name.h"
#include "image/store.h"

static const char help[] =
        "berth tag [OPTION…] IMAGE NAME…\n"
        "\n"
        "Gives an image, named or by its id, further names. A name that another image has is taken from it.\n"
        "\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n";

static const struct option options[] = {
        { "store", required_argument, NULL, 's' },
        { "help",  no_argument,       NULL, 'h' },
        {}
};

static int full_names(char *const *texts, char ***ret) {
        for (; *texts; texts++) {
                Error error = { 0 };
                char *full;
                int r = name_parse_new(*texts, NAME_LOCAL, &full, &error);

                if (r >= 0)
                        r = strv_consume(ret, full);
                if (r < 0)
                        return cli_fail("%s", error.code ? error.text : strerror(-r));
        }
        return 0;
}

int cmd_tag(int argc, char *argv[]) {
        _cleanup_store_ Store *store = NULL;
        _cleanup_strv_ char **names = NULL;
        const char *path = NULL;
        Error error = { 0 };
        int c, r;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 's':
                        path = optarg;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (argc - optind < 2)
                return cli_usage("tag wants an image and a name for it");
        r = full_names(argv + optind + 1, &names);
        if (r != 0)
                return r;
        r = store_open(path, false, &store, &error);
        if (r >= 0)
                r = store_tag(store, argv[optind], names, &error);
        if (r < 0)
                return cli_fail("cannot tag %s: %s", argv[optind], error.code ? error.text : strerror(-r));
        return 0;
}
