/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <limits.h>

#include "cli/cli.h"
#include "cli/pull-app.h"
#include "cli/transfer.h"
#include "image/layer-jobs.h"
#include "image/registry/pull.h"
#include "util/strv.h"

#define RETRIES_MAX 100
#define RETRY_DELAY_MAX_SECONDS 3600
#define TIMEOUT_MAX_SECONDS 3600

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
        "  -q, --quiet             no progress\n"
        "      --json              progress and result as JSON, one object a line\n"
        "      --parallel=N        layers at once (4)\n"
        "      --retry=N           tries after the first, when a registry or the network fails (5)\n"
        "      --retry-delay=TIME  seconds before the second try, doubled each time (0.5)\n"
        "      --timeout=SECONDS   how long a connection may stand still (30)\n"
        "      --tls-verify=BOOL   whether certificates are verified; 'no' also allows http\n"
        "      --cert-dir=DIR      certificates for the registry, in place of those of this machine\n"
        "      --authfile=FILE     passwords for registries, in place of those of this machine\n"
        "      --creds=USER:PASSWORD\n"
        "                          who one is to the registry; safer in BERTH_PULL_CREDS, for all see a command line\n"
        "      --arch=NAME         the image for this architecture (this machine's)\n"
        "      --os=NAME           the image for this operating system (linux)\n"
        "      --variant=NAME      the image for this variant of the architecture\n"
        "      --store=DIR         use the store in DIR\n"
        "  -h, --help              show this\n";

enum {
        OPTION_APP = 256,
        OPTION_IMAGE_FILE,
        OPTION_JSON,
        OPTION_PARALLEL,
        OPTION_RETRY,
        OPTION_RETRY_DELAY,
        OPTION_TIMEOUT,
        OPTION_TLS_VERIFY,
        OPTION_CERT_DIR,
        OPTION_AUTHFILE,
        OPTION_CREDS,
        OPTION_ARCH,
        OPTION_OS,
        OPTION_VARIANT,
        OPTION_STORE,
};

static const struct option options[] = {
        { "app",         required_argument, NULL, OPTION_APP         },
        { "image-file",  required_argument, NULL, OPTION_IMAGE_FILE  },
        { "quiet",       no_argument,       NULL, 'q'                },
        { "json",        no_argument,       NULL, OPTION_JSON        },
        { "parallel",    required_argument, NULL, OPTION_PARALLEL    },
        { "retry",       required_argument, NULL, OPTION_RETRY       },
        { "retry-delay", required_argument, NULL, OPTION_RETRY_DELAY },
        { "timeout",     required_argument, NULL, OPTION_TIMEOUT     },
        { "tls-verify",  required_argument, NULL, OPTION_TLS_VERIFY  },
        { "cert-dir",    required_argument, NULL, OPTION_CERT_DIR    },
        { "authfile",    required_argument, NULL, OPTION_AUTHFILE    },
        { "creds",       required_argument, NULL, OPTION_CREDS       },
        { "arch",        required_argument, NULL, OPTION_ARCH        },
        { "os",          required_argument, NULL, OPTION_OS          },
        { "variant",     required_argument, NULL, OPTION_VARIANT     },
        { "store",       required_argument, NULL, OPTION_STORE       },
        { "help",        no_argument,       NULL, 'h'                },
        {}
};

/* A whole number of an option into *ret. */
static int parse_number(const char *option, const char *text, uint64_t min, uint64_t max, unsigned *ret) {
        uint64_t n;

        if (parse_u64(text, max, &n) < 0 || n < min)
                return cli_usage("--%s wants a number from %llu to %llu, not '%s'", option, (unsigned long long) min,
                        (unsigned long long) max, text);
        *ret = (unsigned) n;
        return 0;
}

/* "0.5" seconds. */
static int parse_delay(const char *text, uint64_t *ret_ms) {
        char *end;
        double seconds = strtod(text, &end);

        if (end == text || *end || !(seconds >= 0.001 && seconds <= RETRY_DELAY_MAX_SECONDS))
                return cli_usage("--retry-delay wants seconds from 0.001 to %d, not '%s'", RETRY_DELAY_MAX_SECONDS, text);
        *ret_ms = (uint64_t) (seconds * 1000);
        return 0;
}

static int check_credentials(const char *text) {
        const char *colon = strchr(text, ':');

        return colon && colon > text ? 0 : cli_usage("--creds and BERTH_PULL_CREDS want USER:PASSWORD");
}

/* Who one is, and for which machine. */
static int parse_image_option(int c, ClientOptions *o) {
        switch (c) {
        case OPTION_CERT_DIR:
                o->cert_dir = optarg;
                return 0;
        case OPTION_AUTHFILE:
                o->auth_file = optarg;
                return 0;
        case OPTION_CREDS:
                o->credentials = optarg;
                return check_credentials(optarg);
        case OPTION_ARCH:
                o->platform.architecture = optarg;
                return 0;
        case OPTION_OS:
                o->platform.os = optarg;
                return 0;
        case OPTION_VARIANT:
                o->platform.variant = optarg;
                return 0;
        default:
                return CLI_USAGE;
        }
}

static int parse_option(int c, PullOptions *o, TransferOutput *output) {
        switch (c) {
        case 'q':
                *output = TRANSFER_QUIET;
                return 0;
        case OPTION_JSON:
                *output = TRANSFER_JSON;
                return 0;
        case OPTION_PARALLEL:
                return parse_number("parallel", optarg, 1, LAYER_JOBS_PARALLEL_MAX, &o->parallel);
        case OPTION_RETRY:
                return parse_number("retry", optarg, 0, RETRIES_MAX, &o->client.retries);
        case OPTION_RETRY_DELAY:
                return parse_delay(optarg, &o->client.retry_delay_ms);
        case OPTION_TIMEOUT:
                return parse_number("timeout", optarg, 1, TIMEOUT_MAX_SECONDS, &o->client.stall_seconds);
        case OPTION_TLS_VERIFY:
                o->client.tls_verify = parse_boolean(optarg);
                return o->client.tls_verify < 0 ? cli_usage("--tls-verify wants yes or no, not '%s'", optarg) : 0;
        case OPTION_STORE:
                o->store = optarg;
                return 0;
        default:
                return parse_image_option(c, &o->client);
        }
}

static int pull(const char *name, PullOptions *o, TransferOutput output) {
        _cleanup_transfer_ Transfer *transfer = transfer_new(output);
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

int cmd_pull(int argc, char *argv[]) {
        PullOptions o = { .client = { .tls_verify = -1, .retries = UINT_MAX } };
        TransferOutput output = TRANSFER_LINES;
        const char *app = NULL, *file = NULL;
        bool retries_said;
        int c, code;

        while ((c = getopt_long(argc, argv, "qh", options, NULL)) >= 0) {
                if (c == 'h') {
                        fputs(help, stdout);
                        return 0;
                }
                if (c == OPTION_APP || c == OPTION_IMAGE_FILE) {
                        *(c == OPTION_APP ? &app : &file) = optarg;
                        continue;
                }
                code = parse_option(c, &o, &output);
                if (code != 0)
                        return code;
        }
        if (app && file)
                return cli_usage("pull takes --app or --image-file");
        if (argc - optind != (app || file ? 0 : 1))
                return app || file ? cli_usage("pull --%s takes no name of an image", app ? "app" : "image-file") :
                                     cli_usage("pull wants the name of one image, or --app or --image-file");
        if (!o.client.credentials && getenv("BERTH_PULL_CREDS")) {
                o.client.credentials = getenv("BERTH_PULL_CREDS");
                code = check_credentials(o.client.credentials);
                if (code != 0)
                        return code;
        }
        retries_said = o.client.retries != UINT_MAX;
        if (app)
                return pull_app(app, &o, retries_said ? (int) o.client.retries : -1, output);
        if (file)
                return pull_image_file(file, &o, retries_said ? (int) o.client.retries : -1, output);
        if (!retries_said)
                o.client.retries = RETRY_TIMES;
        return pull(argv[optind], &o, output);
}
