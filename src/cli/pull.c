/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli.h"
#include "cli/pull-app.h"
#include "cli/registry-options.h"

#define CREDENTIALS_VARIABLE "BERTH_PULL_CREDS"

static const char help[] =
        "berth pull [OPTION…] NAME\n"
        "berth pull [OPTION…] --app=APP\n"
        "berth pull [OPTION…] --image-file=NAME\n"
        "\n"
        "Fetches an image from its registry into the store and prints its full name; or what Image= and Pull= of an\n"
        "app's spec ask for, or what NAME.image does.\n"
        "\n"
        "      --app=APP           the images of this app\n"
        "      --image-file=NAME   the image of this NAME.image; its keys count where no option is given\n"
        "      --arch=NAME         the image for this architecture (this machine's)\n"
        "      --os=NAME           the image for this operating system (linux)\n"
        "      --variant=NAME      the image for this variant of the architecture\n"
        REGISTRY_OPTIONS_HELP(CREDENTIALS_VARIABLE)
        "  -h, --help              show this\n";

enum {
        OPTION_APP = 256,
        OPTION_IMAGE_FILE,
        OPTION_ARCH,
        OPTION_OS,
        OPTION_VARIANT,
};

static const struct option options[] = {
        { "app",         required_argument, NULL, OPTION_APP         },
        { "image-file",  required_argument, NULL, OPTION_IMAGE_FILE  },
        { "arch",        required_argument, NULL, OPTION_ARCH        },
        { "os",          required_argument, NULL, OPTION_OS          },
        { "variant",     required_argument, NULL, OPTION_VARIANT     },
        REGISTRY_OPTIONS_ROWS,
        { "help",        no_argument,       NULL, 'h'                },
        {}
};

static int pull(const char *name, PullOptions *o, TransferOutput output) {
        _cleanup_transfer_ Transfer *transfer = transfer_new(output, TRANSFER_PULL);
        _cleanup_pulled_ Pulled pulled = { 0 };
        Error error = { 0 };
        int r;

        if (!transfer)
                return cli_fail("out of memory");
        o->client.events = transfer_events(transfer);
        r = pull_image(name, o, &pulled, &error);
        if (r < 0) {
                (void) error_prefix(&error, "cannot pull %s", name);
                return transfer_failed(transfer, error.code ? error.text : strerror(-r));
        }
        transfer_image(transfer, pulled.name, pulled.id, pulled.digest);
        return 0;
}

/* What is to be pulled. */
typedef struct Wanted {
        const char *app, *file, *name;
} Wanted;

static int pull_wanted(const Wanted *wanted, const RegistryOptions *o) {
        PullOptions options = { .store = o->store, .parallel = o->parallel, .client = o->client };
        int retries = o->retries_said ? (int) o->client.retries : -1;

        if (wanted->app)
                return pull_app(wanted->app, &options, retries, o->output);
        if (wanted->file)
                return pull_image_file(wanted->file, &options, retries, o->output);
        return pull(wanted->name, &options, o->output);
}

static int parse_option(int c, RegistryOptions *o, void *userdata) {
        Wanted *wanted = userdata;

        switch (c) {
        case OPTION_APP:
                wanted->app = optarg;
                return 0;
        case OPTION_IMAGE_FILE:
                wanted->file = optarg;
                return 0;
        case OPTION_ARCH:
                o->client.platform.architecture = optarg;
                return 0;
        case OPTION_OS:
                o->client.platform.os = optarg;
                return 0;
        case OPTION_VARIANT:
                o->client.platform.variant = optarg;
                return 0;
        default:
                return -EINVAL;
        }
}

int cmd_pull(int argc, char *argv[]) {
        Wanted wanted = { 0 };
        const RegistryCommand command = { options, help, CREDENTIALS_VARIABLE, parse_option, &wanted };
        RegistryOptions o = REGISTRY_OPTIONS_INIT;
        bool spec;
        int code = registry_options_parse(&command, argc, argv, &o);

        if (code != 0)
                return MAX(code, 0);
        if (wanted.app && wanted.file)
                return cli_usage("pull takes --app or --image-file");
        spec = wanted.app || wanted.file;
        if (spec && optind < argc)
                return cli_usage("pull --%s takes no name of an image", wanted.app ? "app" : "image-file");
        if (!spec && argc - optind != 1)
                return cli_usage("pull wants the name of one image, or --app or --image-file");
        wanted.name = spec ? NULL : registry_name(argv[optind]);
        return pull_wanted(&wanted, &o);
}
