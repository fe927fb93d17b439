/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli.h"
#include "cli/registry-options.h"
#include "image/layer-jobs.h"
#include "util/strv.h"

#define RETRIES_MAX 100
#define RETRY_DELAY_MAX_SECONDS 3600
#define TIMEOUT_MAX_SECONDS 3600

/* A whole number of an option into *ret. */
static int parse_number(const char *option, uint64_t min, uint64_t max, unsigned *ret) {
        uint64_t n;

        if (parse_u64(optarg, max, &n) < 0 || n < min)
                return cli_usage("--%s wants a number from %llu to %llu, not '%s'", option, (unsigned long long) min,
                        (unsigned long long) max, optarg);
        *ret = (unsigned) n;
        return 0;
}

/* "0.5" seconds. */
static int parse_delay(uint64_t *ret_ms) {
        char *end;
        double seconds = strtod(optarg, &end);

        if (end == optarg || *end || !(seconds >= 0.001 && seconds <= RETRY_DELAY_MAX_SECONDS))
                return cli_usage("--retry-delay wants seconds from 0.001 to %d, not '%s'", RETRY_DELAY_MAX_SECONDS, optarg);
        *ret_ms = (uint64_t) (seconds * 1000);
        return 0;
}

static int set_credentials(const char *from, const char *text, const char **ret) {
        const char *colon = strchr(text, ':');

        *ret = text;
        return colon && colon > text ? 0 : cli_usage("%s wants USER:PASSWORD", from);
}

/* Whom to trust, and who one is. */
static int trust_option(int c, ClientOptions *o) {
        switch (c) {
        case REGISTRY_OPTION_TLS_VERIFY:
                o->tls_verify = parse_boolean(optarg);
                return o->tls_verify < 0 ? cli_usage("--tls-verify wants yes or no, not '%s'", optarg) : 0;
        case REGISTRY_OPTION_CERT_DIR:
                o->cert_dir = optarg;
                return 0;
        case REGISTRY_OPTION_AUTHFILE:
                o->auth_file = optarg;
                return 0;
        case REGISTRY_OPTION_CREDS:
                return set_credentials("--creds", optarg, &o->credentials);
        default:
                return CLI_USAGE;
        }
}

/* Silent for what getopt_long() complained of. */
static int registry_option(int c, RegistryOptions *o) {
        switch (c) {
        case 'q':
                o->output = TRANSFER_QUIET;
                return 0;
        case REGISTRY_OPTION_JSON:
                o->output = TRANSFER_JSON;
                return 0;
        case REGISTRY_OPTION_PARALLEL:
                return parse_number("parallel", 1, LAYER_JOBS_PARALLEL_MAX, &o->parallel);
        case REGISTRY_OPTION_RETRY:
                o->retries_said = true;
                return parse_number("retry", 0, RETRIES_MAX, &o->client.retries);
        case REGISTRY_OPTION_RETRY_DELAY:
                return parse_delay(&o->client.retry_delay_ms);
        case REGISTRY_OPTION_TIMEOUT:
                return parse_number("timeout", 1, TIMEOUT_MAX_SECONDS, &o->client.stall_seconds);
        case REGISTRY_OPTION_STORE:
                o->store = optarg;
                return 0;
        default:
                return trust_option(c, &o->client);
        }
}

const char *registry_name(const char *text) {
        const char *rest = str_after(text, "docker://");

        return rest ? rest : text;
}

int registry_options_parse(const RegistryCommand *command, int argc, char *argv[], RegistryOptions *o) {
        const char *text;
        int c;

        while ((c = getopt_long(argc, argv, "qh", command->options, NULL)) >= 0) {
                int code;

                if (c == 'h') {
                        fputs(command->help, stdout);
                        return -ECANCELED;
                }
                code = command->option(c, o, command->userdata);
                if (code < 0)
                        code = registry_option(c, o);
                if (code != 0)
                        return code;
        }
        text = o->client.credentials ? NULL : getenv(command->variable);
        return text ? set_credentials(command->variable, text, &o->client.credentials) : 0;
}
