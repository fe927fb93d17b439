/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "cli/cli.h"
#include "cli/registry-options.h"
#include "image/registry/push.h"
#include "util/fd.h"

#define CREDENTIALS_VARIABLE "BERTH_PUSH_CREDS"

static const char help[] =
        "berth push [OPTION…] IMAGE [DESTINATION]\n"
        "\n"
        "Sends an image, named or by its id, to a registry: under DESTINATION, REGISTRY/REPOSITORY[:TAG], or its own\n"
        "name. Prints REPOSITORY@DIGEST, which leads to just this image. What the registry has is not sent again.\n"
        "\n"
        "      --compress=HOW      all layers packed with gzip or zstd, or none (gzip, for those that the registry lacks)\n"
        "      --format=FORMAT     of the manifest: oci or docker (as the image came)\n"
        "      --digestfile=FILE   write the digest of the manifest to FILE\n"
        REGISTRY_OPTIONS_HELP(CREDENTIALS_VARIABLE)
        "  -h, --help              show this\n";

enum {
        OPTION_COMPRESS = 256,
        OPTION_FORMAT,
        OPTION_DIGESTFILE,
};

static const struct option options[] = {
        { "compress",    required_argument, NULL, OPTION_COMPRESS    },
        { "format",      required_argument, NULL, OPTION_FORMAT      },
        { "digestfile",  required_argument, NULL, OPTION_DIGESTFILE  },
        REGISTRY_OPTIONS_ROWS,
        { "help",        no_argument,       NULL, 'h'                },
        {}
};

/* What is to be pushed, and how. */
typedef struct Wanted {
        const char *image, *destination, *digest_file;
        PackFormat pack;
        OciForm form;
} Wanted;

static int write_digest(const char *path, const char *digest, Error *reterr) {
        int r = write_file(AT_FDCWD, path, digest, strlen(digest), 0644, false);

        return r < 0 ? error_set_errno(reterr, r, "it is there, but cannot write %s", path) : 0;
}

static int push(const Wanted *wanted, const RegistryOptions *o) {
        PushOptions options = { .store = o->store, .parallel = o->parallel, .pack = wanted->pack, .form = wanted->form, .client = o->client };
        _cleanup_transfer_ Transfer *transfer = transfer_new(o->output, TRANSFER_PUSH);
        _cleanup_pushed_ Pushed pushed = { 0 };
        Error error = { 0 };
        int r;

        if (!transfer)
                return cli_fail("out of memory");
        options.client.events = transfer_events(transfer);
        r = push_image(wanted->image, wanted->destination, &options, &pushed, &error);
        if (r >= 0 && wanted->digest_file)
                r = write_digest(wanted->digest_file, pushed.digest, &error);
        if (r < 0) {
                (void) error_prefix(&error, "cannot push %s", wanted->image);
                return transfer_failed(transfer, error.code ? error.text : strerror(-r));
        }
        transfer_image(transfer, pushed.name, pushed.id, pushed.digest);
        return 0;
}

static int parse_option(int c, RegistryOptions *o, void *userdata) {
        Wanted *wanted = userdata;

        switch (c) {
        case OPTION_COMPRESS:
                wanted->pack = pack_format_from_string(optarg);
                return wanted->pack < 0 ? cli_usage("--compress is none, gzip or zstd, not '%s'", optarg) : 0;
        case OPTION_FORMAT:
                wanted->form = oci_form_from_string(optarg);
                return wanted->form < 0 ? cli_usage("--format is oci or docker, not '%s'", optarg) : 0;
        case OPTION_DIGESTFILE:
                wanted->digest_file = optarg;
                return 0;
        default:
                return -EINVAL;
        }
}

int cmd_push(int argc, char *argv[]) {
        Wanted wanted = { .pack = _PACK_FORMAT_INVALID, .form = _OCI_FORM_INVALID };
        const RegistryCommand command = { options, help, CREDENTIALS_VARIABLE, parse_option, &wanted };
        RegistryOptions o = REGISTRY_OPTIONS_INIT;
        int code = registry_options_parse(&command, argc, argv, &o);

        if (code != 0)
                return MAX(code, 0);
        if (argc - optind < 1 || argc - optind > 2)
                return cli_usage("push wants an image, and where to put it");
        if (wanted.form == OCI_FORM_DOCKER && wanted.pack == PACK_ZSTD)
                return cli_usage("--format=docker cannot have --compress=zstd");
        wanted.image = argv[optind];
        if (argc - optind == 2)
                wanted.destination = registry_name(argv[optind + 1]);
        return push(&wanted, &o);
}
