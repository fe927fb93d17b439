/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one shows a registry: nothing until it asks; then Basic, or a Bearer token that its token server gives for one
 * repository and is asked for anew when it has run out. For several threads. */

#include "image/registry/credentials.h"
#include "image/registry/http.h"

#define AUTH_ANSWER_MAX (1U << 20) /* bytes of a token server's answer */
#define AUTH_TOKEN_MAX 65536

typedef struct Auth Auth;

/* host as in image names; what sources points to must outlive it. */
Auth *auth_new(Http *http, const char *host, const CredentialSources *sources);
Auth *auth_free(Auth *a);

/* "Authorization: …" for a scope ("repository:a/b:pull"), or NULL in *ret while nothing was asked for. 0 or -ENOMEM. */
int auth_header(Auth *a, const char *scope, char **ret);

typedef struct AuthChallenge {
        const char *text;      /* the header WWW-Authenticate */
        const char *scope;     /* what the request is for, one or several with spaces between */
        const char *repository; /* whose credentials, where a file has several for a host */
        const char *used;      /* the header that was refused; NULL: none was shown */
        const char *base;      /* the registry's address */
        const HttpTls *own, *stranger; /* for it, and for other servers */
} AuthChallenge;

/* After a 401: 0 when another try may do; -EACCES with a sentence when it will not. */
int auth_answer(Auth *a, const AuthChallenge *challenge, Error *reterr);

/* Why somebody without access has none, as a sentence with -EACCES. */
int auth_denied(Auth *a, const char *repository, Error *reterr);
