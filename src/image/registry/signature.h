/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signatures of images as cosign and `podman push --sign-by-sigstore-private-key` leave them beside the image: a manifest tagged
 * sha256-DIGEST.sig, each of whose layers is a small JSON payload with its signature in an annotation. */

#include "image/registry/policy.h"
#include "image/registry/remote-image.h"

#define SIGNATURES_MAX 64             /* of one image */
#define SIGNATURE_PAYLOAD_MAX 65536
#define SIGNATURE_LENGTH_MAX 4096     /* in base64 */

/* What was signed: that an image of that digest is called reference. */
typedef struct SignaturePayload {
        char *reference, *digest;
} SignaturePayload;

void signature_payload_clear(SignaturePayload *p);
#define _cleanup_payload_ _cleanup_(signature_payload_clear)

int signature_payload_parse(const char *text, size_t size, SignaturePayload *ret, Error *reterr);

/* ECDSA over SHA-256 by a public key in PEM. 0; -EKEYREJECTED: it is of another key or text; -EBADMSG: it is none, or the key is. */
int signature_verify(const char *key, const void *text, size_t size, const char *base64, Error *reterr);

/* Whether the policy lets the image in. -EKEYREJECTED with a sentence where not. A signature counts for the manifest, and for an index
 * that leads to it. */
int signature_check(const Policy *policy, const Name *name, const Origin *origin, const RemoteImage *image, Error *reterr);
