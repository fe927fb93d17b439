/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "image/load.h"

static const char help[] =
        "berth load [OPTION…] FILE|DIR|-\n"
        "\n"
        "Puts the images of an OCI layout (a directory or a tar archive) or of a docker archive into the store\n"
        "and prints their names.\n"
        "\n"
        "  -n, --name=NAME   call the image NAME, whatever the file calls it; may be repeated\n"
        "  -r, --ref=NAME    only the image that the file calls NAME\n"
        "  -q, --quiet       no progress\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n";

static const struct option options[] = {
        { "name",  required_argument, NULL, 'n' },
        { "ref",   required_argument, NULL, 'r' },
        { "quiet", no_argument,       NULL, 'q' },
        { "store", required_argument, NULL, 's' },
        { "help",  no_argument,       NULL, 'h' },
        {}
};

static void print_loaded(const Loaded *loaded, size_t n) {
        for (size_t i = 0; i < n; i++) {
                for (char **name = loaded[i].names; *name; name++)
                        printf("%s\n", *name);
                if (!loaded[i].names[0])
                        printf("%s\n", loaded[i].id);
        }
}

static int load(const char *store_path, const char *file, LoadOptions *o, bool quiet) {
        _cleanup_store_ Store *store = NULL;
        Progress progress = PROGRESS_INIT;
        Loaded *loaded = NULL;
        Error error = { 0 };
        size_t n = 0;
        int r;

        if (!quiet)
                o->progress = progress_callbacks(&progress);
        r = store_open(store_path, true, &store, &error);
        if (r >= 0)
                r = load_images(store, file, o, &loaded, &n, &error);
        progress_end(&progress);
        print_loaded(loaded, n);
        loaded_free(loaded, n);
        if (r < 0)
                return cli_fail("cannot load %s: %s", file, error.code ? error.text : strerror(-r));
        return 0;
}

int cmd_load(int argc, char *argv[]) {
        _cleanup_strv_ char **names = NULL;
        LoadOptions o = { 0 };
        const char *store = NULL;
        bool quiet = false;
        int c;

        while ((c = getopt_long(argc, argv, "n:r:qh", options, NULL)) >= 0)
                switch (c) {
                case 'n':
                        if (strv_append(&names, optarg) < 0)
                                return cli_fail("out of memory");
                        break;
                case 'r':
                        o.reference = optarg;
                        break;
                case 'q':
                        quiet = true;
                        break;
                case 's':
                        store = optarg;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (argc - optind != 1)
                return cli_usage("load wants one file or directory, or '-' for standard input");
        o.names = names;
        return load(store, argv[optind], &o, quiet);
}
