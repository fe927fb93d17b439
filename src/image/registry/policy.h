/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which images may come in: containers-policy.json(5), the part that is about registries. What it asks for and cannot be done here
 * is refused by name. */

#include "image/name.h"
#include "util/error.h"

#define POLICY_FILE "/etc/containers/policy.json"
#define POLICY_SIZE_MAX (1U << 20)
#define POLICY_REQUIREMENTS_MAX 64
#define POLICY_KEYS_MAX 64
#define POLICY_KEY_SIZE_MAX 65536

/* What a signature has to say that the image is called. */
typedef enum IdentityMatch {
        IDENTITY_REPO_DIGEST_OR_EXACT, /* an image that is named by digest: its repository; else its whole name */
        IDENTITY_EXACT,
        IDENTITY_REPOSITORY,
        IDENTITY_EXACT_REFERENCE,  /* not the image's name, but this one */
        IDENTITY_EXACT_REPOSITORY,
        IDENTITY_REMAP,            /* the image's name with another prefix */
        _IDENTITY_MATCH_MAX,
        _IDENTITY_MATCH_INVALID = -EINVAL,
} IdentityMatch;

typedef struct PolicyIdentity {
        IdentityMatch match;
        char *reference;              /* of IDENTITY_EXACT_… */
        char *prefix, *signed_prefix; /* of IDENTITY_REMAP */
} PolicyIdentity;

typedef enum PolicyType {
        POLICY_ACCEPT,
        POLICY_REJECT,
        POLICY_SIGSTORE, /* a signature by one of the keys beside the image */
        POLICY_GPG,      /* signedBy: nothing here can verify that */
        _POLICY_TYPE_MAX,
        _POLICY_TYPE_INVALID = -EINVAL,
} PolicyType;

typedef struct PolicyRequirement {
        PolicyType type;
        char **key_files;
        char **keys; /* PEM */
        PolicyIdentity identity;
} PolicyRequirement;

/* What holds for one image: all of its requirements have to be met. */
typedef struct Policy {
        PolicyRequirement *requirements;
        size_t n_requirements;
        char *scope; /* for sentences: "default", "docker.io/library" */
} Policy;

void policy_clear(Policy *p);
#define _cleanup_policy_ _cleanup_(policy_clear)

/* What text, a policy.json, says about the image. -EBADMSG. */
int policy_parse(const char *text, size_t size, const Name *name, Policy *ret, Error *reterr);

/* From POLICY_FILE; where there is none all is accepted. */
int policy_load(const Name *name, Policy *ret, Error *reterr);

/* Whether a signature for signed_name is one for the image of that name. */
bool policy_identity_fits(const PolicyIdentity *identity, const Name *name, const char *signed_name);
