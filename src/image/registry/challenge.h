/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a server wants to see before it answers: the header WWW-Authenticate (RFC 9110, 11.6.1). */

#include "util/error.h"

typedef enum ChallengeScheme {
        CHALLENGE_NONE, /* no scheme that is known here */
        CHALLENGE_BASIC,
        CHALLENGE_BEARER,
        _CHALLENGE_SCHEME_MAX,
        _CHALLENGE_SCHEME_INVALID = -EINVAL,
} ChallengeScheme;

typedef struct Challenge {
        ChallengeScheme scheme;
        char *realm, *service, *scope, *error; /* NULL: not said */
} Challenge;

void challenge_clear(Challenge *c);
#define _cleanup_challenge_ _cleanup_(challenge_clear)

/* The challenge to answer among those of a header: Bearer before Basic. 0, or -EBADMSG with a sentence. */
int challenge_parse(const char *text, Challenge *ret, Error *reterr);
