/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "image/digest.h"
#include "image/json.h"
#include "image/registry/signature.h"
#include "util/fd.h"
#include "util/strv.h"

#define SIGNATURE_ANNOTATION "dev.cosignproject.cosign/signature"
#define PAYLOAD_MEDIA_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"

/* Why not, of one kind of requirement and over all signatures. */
typedef struct Check {
        const PolicyRequirement *requirement;
        const Name *name;
        const Origin *origin;
        char **keys;   /* PEM, all of the requirement's */
        size_t seen;   /* signatures */
        Error last;    /* what was wrong with the last one */
} Check;

static int load_keys(Check *c, Error *reterr) {
        int r = 0;

        for (char **p = c->requirement->keys; r >= 0 && p && *p; p++)
                r = strv_append(&c->keys, *p);
        for (char **p = c->requirement->key_files; r >= 0 && p && *p; p++) {
                char *text;

                r = read_file(AT_FDCWD, *p, POLICY_KEY_SIZE_MAX, &text, NULL);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot read key %s", *p);
                r = strv_consume(&c->keys, text);
        }
        return r;
}

/* Of any of the keys. */
static int verify(const Check *c, const char *text, size_t size, const char *base64, Error *reterr) {
        int r = -EKEYREJECTED;

        for (char **key = c->keys; *key && r < 0; key++) {
                r = signature_verify(*key, text, size, base64, reterr);
                if (r < 0 && r != -EKEYREJECTED)
                        break;
        }
        return r;
}

/* One signature: good, and of this image under this name. The payload is looked at only once it is known to be the signer's. */
static int check_payload(const Check *c, const char *digest, const char *text, size_t size, const char *base64, Error *reterr) {
        _cleanup_payload_ SignaturePayload payload = { 0 };
        int r = verify(c, text, size, base64, reterr);

        if (r >= 0)
                r = signature_payload_parse(text, size, &payload, reterr);
        if (r < 0)
                return r;
        if (!streq(payload.digest, digest))
                return error_set(reterr, -EKEYREJECTED, "the signature is of another image, %.100s", payload.digest);
        if (!policy_identity_fits(&c->requirement->identity, c->name, payload.reference))
                return error_set(reterr, -EKEYREJECTED, "the signature is for an image that is called '%.200s'", payload.reference);
        return 0;
}

static int check_layer(Check *c, const char *digest, const OciDescriptor *d, const json_t *layer) {
        const char *base64 = json_string_value(json_object_get(json_object_get(layer, "annotations"), SIGNATURE_ANNOTATION));
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        if (!streq_ptr(d->media_type, PAYLOAD_MEDIA_TYPE))
                return -ENOENT;
        c->seen++;
        if (!base64 || strlen(base64) > SIGNATURE_LENGTH_MAX)
                return error_set(&c->last, -EBADMSG, "the signature has no text, or one of more than %d bytes", SIGNATURE_LENGTH_MAX);
        if (d->size > SIGNATURE_PAYLOAD_MAX)
                return error_set(&c->last, -E2BIG, "the signature's payload has more than %d bytes", SIGNATURE_PAYLOAD_MAX);
        r = remote_read(c->origin, d, "a signature's payload", SIGNATURE_PAYLOAD_MAX, &text, &size, &c->last);
        return r < 0 ? r : check_payload(c, digest, text, size, base64, &c->last);
}

/* 0: one of the signatures beside the manifest of that digest is good; -ENOENT: there are none; or what is wrong with the last. */
static int check_manifest(Check *c, const char *digest) {
        _cleanup_free_ char *tag = str_format("sha256-%s.sig", digest_hex(digest)), *text = NULL;
        _cleanup_oci_manifest_ OciManifest manifest = { 0 };
        _cleanup_json_ json_t *root = NULL;
        char own[72];
        Error error = { 0 };
        size_t size;
        int r = tag ? remote_manifest(c->origin, tag, &text, &size, own, &error) : -ENOMEM;

        if (r < 0 && r != -ENOENT)
                c->last = error;
        if (r >= 0)
                r = oci_manifest_parse(text, size, &manifest, &c->last);
        if (r >= 0)
                r = json_parse(text, size, OCI_JSON_MAX, &root, &c->last);
        if (r < 0)
                return r;
        if (manifest.n_layers > SIGNATURES_MAX)
                return error_set(&c->last, -E2BIG, "there are more than %d signatures", SIGNATURES_MAX);
        r = -ENOENT;
        for (size_t i = 0; r < 0 && r != -ENOMEM && r != -ECANCELED && i < manifest.n_layers; i++) {
                int q = check_layer(c, digest, manifest.layers + i, json_array_get(json_object_get(root, "layers"), i));

                if (q != -ENOENT || r == -ENOENT)
                        r = q;
        }
        return r;
}

static int check_signatures(const PolicyRequirement *requirement, const Name *name, const Origin *origin, const RemoteImage *image,
        Error *reterr) {
        Check c = { .requirement = requirement, .name = name, .origin = origin };
        int r = load_keys(&c, reterr), q = -ENOENT;

        /* The image's own, then those of what leads to it, which name it by its digest. */
        for (size_t i = image->n_manifests; r >= 0 && q < 0 && q != -ENOMEM && q != -ECANCELED && i > 0; i--) {
                int one = check_manifest(&c, image->manifests[i - 1].digest);

                if (one != -ENOENT || q == -ENOENT)
                        q = one;
        }
        strv_free(c.keys);
        if (r < 0 || q >= 0)
                return r < 0 ? r : q;
        if (q == -ENOMEM || q == -ECANCELED)
                return error_set(reterr, q, "%s", c.last.text);
        if (c.seen == 0 && q == -ENOENT)
                return error_set(reterr, -EKEYREJECTED, "it has no signature");
        return error_set(reterr, -EKEYREJECTED, "%s", c.last.text);
}

static int check_requirement(const PolicyRequirement *q, const Name *name, const Origin *origin, const RemoteImage *image, Error *reterr) {
        switch (q->type) {
        case POLICY_ACCEPT:
                return 0;
        case POLICY_REJECT:
                return error_set(reterr, -EKEYREJECTED, "it is rejected");
        case POLICY_SIGSTORE:
                return check_signatures(q, name, origin, image, reterr);
        case POLICY_GPG:
                return error_set(reterr, -EOPNOTSUPP, "it wants 'signedBy', an OpenPGP signature, which cannot be verified here");
        case _POLICY_TYPE_MAX:
        case _POLICY_TYPE_INVALID:
                break;
        }
        return error_set(reterr, -EKEYREJECTED, "the requirement is not known");
}

int signature_check(const Policy *policy, const Name *name, const Origin *origin, const RemoteImage *image, Error *reterr) {
        for (size_t i = 0; i < policy->n_requirements; i++) {
                int r = check_requirement(policy->requirements + i, name, origin, image, reterr);

                if (r < 0) {
                        (void) error_prefix(reterr, POLICY_FILE " ('%s') does not let %s in", policy->scope, name->repository);
                        return r;
                }
        }
        return 0;
}
