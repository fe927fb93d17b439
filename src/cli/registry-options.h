/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options that all commands share which talk to a registry about an image. */

#include <getopt.h>

#include "cli/transfer.h"
#include "image/registry/client.h"

typedef struct RegistryOptions {
        const char *store;
        unsigned parallel;
        TransferOutput output;
        bool retries_said; /* else client.retries is RETRY_TIMES */
        ClientOptions client;
} RegistryOptions;

#define REGISTRY_OPTIONS_INIT ((RegistryOptions){ .client = { .tls_verify = -1, .retries = RETRY_TIMES } })

enum {
        REGISTRY_OPTION_JSON = 1024,
        REGISTRY_OPTION_PARALLEL,
        REGISTRY_OPTION_RETRY,
        REGISTRY_OPTION_RETRY_DELAY,
        REGISTRY_OPTION_TIMEOUT,
        REGISTRY_OPTION_TLS_VERIFY,
        REGISTRY_OPTION_CERT_DIR,
        REGISTRY_OPTION_AUTHFILE,
        REGISTRY_OPTION_CREDS,
        REGISTRY_OPTION_STORE,
};

/* Rows of a command's table, which has "q" and "h" as short options. */
#define REGISTRY_OPTIONS_ROWS \
        { "quiet",       no_argument,       NULL, 'q'                         }, \
        { "json",        no_argument,       NULL, REGISTRY_OPTION_JSON        }, \
        { "parallel",    required_argument, NULL, REGISTRY_OPTION_PARALLEL    }, \
        { "retry",       required_argument, NULL, REGISTRY_OPTION_RETRY       }, \
        { "retry-delay", required_argument, NULL, REGISTRY_OPTION_RETRY_DELAY }, \
        { "timeout",     required_argument, NULL, REGISTRY_OPTION_TIMEOUT     }, \
        { "tls-verify",  required_argument, NULL, REGISTRY_OPTION_TLS_VERIFY  }, \
        { "cert-dir",    required_argument, NULL, REGISTRY_OPTION_CERT_DIR    }, \
        { "authfile",    required_argument, NULL, REGISTRY_OPTION_AUTHFILE    }, \
        { "creds",       required_argument, NULL, REGISTRY_OPTION_CREDS       }, \
        { "store",       required_argument, NULL, REGISTRY_OPTION_STORE       }

/* variable: where credentials may be said that a command line would show to all. */
#define REGISTRY_OPTIONS_HELP(variable) \
        "  -q, --quiet             no progress\n" \
        "      --json              progress and result as JSON, one object a line\n" \
        "      --parallel=N        layers at once (4)\n" \
        "      --retry=N           tries after the first, when a registry or the network fails (5)\n" \
        "      --retry-delay=TIME  seconds before the second try, doubled each time (0.5)\n" \
        "      --timeout=SECONDS   how long a connection may stand still (30)\n" \
        "      --tls-verify=BOOL   whether certificates are verified; 'no' also allows http\n" \
        "      --cert-dir=DIR      certificates for the registry, in place of those of this machine\n" \
        "      --authfile=FILE     passwords for registries, in place of those of this machine\n" \
        "      --creds=USER:PASSWORD\n" \
        "                          who one is to the registry; safer in " variable ", for all see a command line\n" \
        "      --store=DIR         use the store in DIR\n"

/* A name as Podman and skopeo write it too: docker://NAME is what is in a registry. */
const char *registry_name(const char *text);

/* A command that has them besides its own. */
typedef struct RegistryCommand {
        const struct option *options;
        const char *help, *variable; /* where credentials may be said */
        int (*option)(int c, RegistryOptions *o, void *userdata); /* one of its own with optarg: 0, CLI_USAGE, or negative: it is none */
        void *userdata;
} RegistryCommand;

/* What stands before optind then. 0; CLI_USAGE; negative: help was asked for and given, and that is all. */
int registry_options_parse(const RegistryCommand *command, int argc, char *argv[], RegistryOptions *o);
