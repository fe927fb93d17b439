/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "image/import.h"

static const char help[] =
        "berth import [OPTION…] TAR|DIR|- [NAME]\n"
        "\n"
        "Makes an image of one layer from a root file system, a directory or a tar archive, and prints its id.\n"
        "\n"
        "  -c, --change=LINE   a line of a Dockerfile for the image: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD,\n"
        "                      STOPSIGNAL, USER, VOLUME or WORKDIR; may be repeated\n"
        "  -m, --message=TEXT  a comment for the image's history\n"
        "  -q, --quiet         no progress\n"
        "      --store=DIR     use the store in DIR\n"
        "  -h, --help          show this\n";

static const struct option options[] = {
        { "change",  required_argument, NULL, 'c' },
        { "message", required_argument, NULL, 'm' },
        { "quiet",   no_argument,       NULL, 'q' },
        { "store",   required_argument, NULL, 's' },
        { "help",    no_argument,       NULL, 'h' },
        {}
};

/* reproducible-builds.org: a build that is to give the same bytes says what time it is. */
static int creation_time(uint64_t *ret) {
        const char *epoch = getenv("SOURCE_DATE_EPOCH");

        if (epoch)
                return parse_u64(epoch, INT32_MAX, ret);
        *ret = (uint64_t) time(NULL);
        return 0;
}

static int import(const char *store_path, const char *from, ImportOptions *o, bool quiet) {
        _cleanup_store_ Store *store = NULL;
        Progress progress = PROGRESS_INIT;
        Error error = { 0 };
        char id[72];
        int r;

        if (!quiet)
                o->progress = progress_callbacks(&progress);
        r = store_open(store_path, true, &store, &error);
        if (r >= 0)
                r = import_image(store, from, o, id, &error);
        progress_end(&progress);
        if (r < 0)
                return cli_fail("cannot import %s: %s", from, error.code ? error.text : strerror(-r));
        printf("%s\n", id);
        return 0;
}

int cmd_import(int argc, char *argv[]) {
        _cleanup_strv_ char **changes = NULL;
        ImportOptions o = { 0 };
        const char *store = NULL;
        bool quiet = false;
        int c;

        while ((c = getopt_long(argc, argv, "c:m:qh", options, NULL)) >= 0)
                switch (c) {
                case 'c':
                        if (strv_append(&changes, optarg) < 0)
                                return cli_fail("out of memory");
                        break;
                case 'm':
                        o.message = optarg;
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
        if (argc - optind < 1 || argc - optind > 2)
                return cli_usage("import wants a tar archive or a directory, and a name for the image");
        if (creation_time(&o.created) < 0)
                return cli_usage("SOURCE_DATE_EPOCH is not a number of seconds");
        o.changes = changes;
        o.name = argv[optind + 1];
        return import(store, argv[optind], &o, quiet);
}
