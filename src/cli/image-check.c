/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/image.h"
#include "cli/progress.h"
#include "image/store-check.h"

static const char help[] =
        "berth image check [OPTION…]\n"
        "\n"
        "Checks that the store is whole: every name has its image, every image its layers, every layer its files.\n"
        "\n"
        "      --content     also read all files, and compare the digest of what each layer was unpacked from\n"
        "      --json        as a JSON object\n"
        "  -q, --quiet       say nothing where all is well, and show no progress\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n";

typedef struct Output {
        bool json;
        Buf faults; /* JSON */
        Progress progress;
        LoadProgress show;
} Output;

static void tell_fault(void *userdata, const char *object, const char *sentence) {
        Output *o = userdata;

        progress_end(&o->progress);
        if (!o->json) {
                printf("%s%s%s: %s\n", cli_style(stdout, STYLE_RED), object, cli_style(stdout, STYLE_NORMAL), sentence);
                return;
        }
        if (buf_puts(&o->faults, o->faults.size > 0 ? ",{\"object\":" : "{\"object\":") < 0 || json_quote(&o->faults, object) < 0 ||
                buf_puts(&o->faults, ",\"fault\":") < 0 || json_quote(&o->faults, sentence) < 0)
                return;
        (void) buf_putc(&o->faults, '}');
}

static void tell_progress(void *userdata, const char *diff_id, size_t number, size_t count, uint64_t bytes, uint64_t total) {
        Output *o = userdata;

        if (o->show.layer)
                o->show.layer(o->show.userdata, diff_id, number, count, bytes, total);
}

static int check(const char *path, bool content, bool json, bool quiet) {
        _cleanup_store_ Store *store = NULL;
        Output o = { .json = json };
        StoreCheck c = { .content = content, .fault = tell_fault, .progress = tell_progress, .userdata = &o };
        StoreChecked checked;
        Error error = { 0 };
        int r = store_open(path, false, &store, &error);

        if (!quiet)
                o.show = progress_callbacks(&o.progress);
        if (r >= 0)
                r = store_check(store, &c, &checked, &error);
        progress_end(&o.progress);
        if (r < 0) {
                buf_clear(&o.faults);
                return cli_fail("%s", error.code ? error.text : strerror(-r));
        }
        if (json)
                printf("{\"whole\":%s,\"names\":%zu,\"images\":%zu,\"layers\":%zu,\"unused_layers\":%zu,\"faults\":[%s]}\n",
                        r == 0 ? "true" : "false", checked.names, checked.images, checked.layers, checked.unused,
                        o.faults.data ? o.faults.data : "");
        else if (r > 0)
                printf("faults: %d\n", r);
        else if (!quiet)
                printf("whole: names %zu, images %zu, layers %zu%s\n", checked.names, checked.images, checked.layers,
                        content ? ", with their content" : "");
        buf_clear(&o.faults);
        return r > 0 ? CLI_FAILED : 0;
}

int cmd_image_check(int argc, char *argv[]) {
        enum {
                OPTION_JSON = 256,
                OPTION_CONTENT,
                OPTION_STORE,
        };
        static const struct option options[] = {
                { "content", no_argument,       NULL, OPTION_CONTENT },
                { "json",    no_argument,       NULL, OPTION_JSON    },
                { "quiet",   no_argument,       NULL, 'q'            },
                { "store",   required_argument, NULL, OPTION_STORE   },
                { "help",    no_argument,       NULL, 'h'            },
                {}
        };
        bool content = false, json = false, quiet = false;
        const char *store = NULL;
        int c;

        while ((c = getopt_long(argc, argv, "qh", options, NULL)) >= 0)
                switch (c) {
                case OPTION_CONTENT:
                        content = true;
                        break;
                case OPTION_JSON:
                        json = true;
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
        if (optind < argc)
                return cli_usage("image check takes no arguments");
        return check(store, content, json, quiet);
}
