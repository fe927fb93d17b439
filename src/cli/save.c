/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "image/save.h"

static const char help[] =
        "berth save [OPTION…] NAME…\n"
        "\n"
        "Writes images into one file, to standard output or where -o says: for berth load, and for what else reads OCI\n"
        "layouts or docker archives.\n"
        "\n"
        "  -o, --output=PATH    write to PATH, which appears when it is whole\n"
        "      --format=FORMAT  oci: a layout in a tar archive (this is what is written without the option);\n"
        "                       oci-dir: a layout as a directory; docker: a docker archive\n"
        "      --compress=HOW   layers packed with gzip or zstd, or none (none)\n"
        "  -q, --quiet          no progress\n"
        "      --store=DIR      use the store in DIR\n"
        "  -h, --help           show this\n";

enum {
        OPTION_FORMAT = 256,
        OPTION_COMPRESS,
        OPTION_STORE,
};

static const struct option options[] = {
        { "output",   required_argument, NULL, 'o'             },
        { "format",   required_argument, NULL, OPTION_FORMAT   },
        { "compress", required_argument, NULL, OPTION_COMPRESS },
        { "quiet",    no_argument,       NULL, 'q'             },
        { "store",    required_argument, NULL, OPTION_STORE    },
        { "help",     no_argument,       NULL, 'h'             },
        {}
};

static int save(const char *store_path, char *const *names, const char *output, SaveOptions *o, bool quiet) {
        _cleanup_store_ Store *store = NULL;
        Progress progress = PROGRESS_INIT;
        Error error = { 0 };
        int r;

        if (!quiet)
                o->progress = progress_callbacks(&progress);
        r = store_open(store_path, false, &store, &error);
        if (r >= 0)
                r = save_images(store, names, output, o, &error);
        progress_end(&progress);
        if (r < 0)
                return cli_fail("cannot save: %s", error.code ? error.text : strerror(-r));
        return 0;
}

int cmd_save(int argc, char *argv[]) {
        const char *store = NULL, *output = NULL;
        SaveOptions o = { .format = SAVE_OCI, .pack = PACK_NONE };
        bool quiet = false;
        int c;

        while ((c = getopt_long(argc, argv, "o:qh", options, NULL)) >= 0)
                switch (c) {
                case 'o':
                        output = streq(optarg, "-") ? NULL : optarg;
                        break;
                case OPTION_FORMAT:
                        o.format = save_format_from_string(optarg);
                        if (o.format == _SAVE_FORMAT_INVALID)
                                return cli_usage("--format is oci, oci-dir or docker, not '%s'", optarg);
                        break;
                case OPTION_COMPRESS:
                        o.pack = pack_format_from_string(optarg);
                        if (o.pack == _PACK_FORMAT_INVALID)
                                return cli_usage("--compress is none, gzip or zstd, not '%s'", optarg);
                        break;
                case 'q':
                        quiet = true;
                        break;
                case OPTION_STORE:
                        store = optarg;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (optind == argc)
                return cli_usage("save wants the names of images");
        if (!output && o.format == SAVE_OCI_DIRECTORY)
                return cli_usage("--format=oci-dir wants a directory: --output=DIR");
        if (!output && isatty(STDOUT_FILENO))
                return cli_usage("save does not write to a terminal: give --output=FILE");
        return save(store, argv + optind, output, &o, quiet);
}
