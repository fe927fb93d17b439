/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who one is to a registry: from the files that `podman login`, `skopeo login` and `docker login` write, and from the helper
 * programs that those name. */

#include "util/error.h"

#define CREDENTIALS_FILE_MAX (1U << 20)
#define CREDENTIALS_HELPER_OUTPUT_MAX 65536
#define CREDENTIALS_HELPER_SECONDS 60

typedef struct Credentials {
        char *user, *password; /* or */
        char *identity_token;  /* that is changed for a token of each repository */
        char *from;            /* the file or helper, for sentences */
} Credentials;

void credentials_clear(Credentials *c);
#define _cleanup_credentials_ _cleanup_(credentials_clear)

/* What one file says for host ("docker.io") and repository. 1: *ret has them; 0: it has none, but where *ret_helper is set that
 * helper (its name without "docker-credential-") is to be asked for *ret_server. -EBADMSG. */
int credentials_parse(const char *text, size_t size, const char *host, const char *repository, Credentials *ret, char **ret_helper,
        char **ret_server, Error *reterr);

/* What a helper answered, as JSON. */
int credentials_parse_helper(const char *text, size_t size, Credentials *ret, Error *reterr);

/* Asks docker-credential-NAME. 1, or 0: it has none. */
int credentials_ask(const char *helper, const char *server, Credentials *ret, Error *reterr);

/* Where they come from: the first of these that is set. */
typedef struct CredentialSources {
        const char *said;     /* "USER:PASSWORD" */
        const char *file;     /* in place of all files of this machine */
        char *const *helpers; /* of registries.conf; "containers-auth.json" is the files */
} CredentialSources;

/* From the sources or else the places of this machine, in order: 1, or 0: there are none. */
int credentials_find(const CredentialSources *sources, const char *host, const char *repository, Credentials *ret, Error *reterr);

/* The files that are looked at, for a sentence: "/run/containers/0/auth.json, …". NULL: out of memory. */
char *credentials_files(const CredentialSources *sources);
