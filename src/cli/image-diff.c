/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/image.h"
#include "image/diff.h"

static const char help[] =
        "berth image diff [OPTION…] [FROM] IMAGE\n"
        "\n"
        "Shows what files an image has otherwise than another, or, without FROM, than without its topmost layer:\n"
        "A added, C changed (content, owner, mode, time, attributes), D deleted.\n"
        "\n"
        "      --json        as JSON, an object a line\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n";

static int tell_text(void *userdata, DiffKind kind, const char *path) {
        printf("%c %s\n", kind, path);
        return 0;
}

static int tell_json(void *userdata, DiffKind kind, const char *path) {
        _cleanup_buf_ Buf b = BUF_INIT;

        if (buf_printf(&b, "{\"change\":\"%s\",\"path\":", kind == DIFF_ADDED ? "added" : kind == DIFF_DELETED ? "deleted" : "changed") < 0 ||
                json_quote(&b, path) < 0 || buf_puts(&b, "}\n") < 0)
                return -ENOMEM;
        fwrite(b.data, 1, b.size, stdout);
        return 0;
}

static int diff(const char *path, const char *from_name, const char *to_name, bool json) {
        _cleanup_image_ Image *from = NULL, *to = NULL;
        _cleanup_store_ Store *store = NULL;
        Error error = { 0 };
        int r = store_open(path, false, &store, &error);

        if (r < 0)
                return cli_fail("%s", error.code ? error.text : strerror(-r));
        r = from_name ? image_open_held(store, from_name, &from) : 0;
        if (r == 0)
                r = image_open_held(store, to_name, &to);
        if (r != 0)
                return r;
        r = image_diff(from, to, json ? tell_json : tell_text, NULL, &error);
        return r < 0 ? cli_fail("%s", error.code ? error.text : strerror(-r)) : 0;
}

int cmd_image_diff(int argc, char *argv[]) {
        enum {
                OPTION_JSON = 256,
                OPTION_STORE,
        };
        static const struct option options[] = {
                { "json",  no_argument,       NULL, OPTION_JSON  },
                { "store", required_argument, NULL, OPTION_STORE },
                { "help",  no_argument,       NULL, 'h'          },
                {}
        };
        const char *store = NULL;
        bool json = false;
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case OPTION_JSON:
                        json = true;
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
        if (argc - optind < 1 || argc - optind > 2)
                return cli_usage("image diff wants the name of an image, or of two");
        return diff(store, argc - optind == 2 ? argv[optind] : NULL, argv[argc - 1], json);
}
