/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "image/json.h"
#include "image/registry/base64.h"
#include "image/registry/signature.h"
#include "util/strv.h"

#define PAYLOAD_TYPE "cosign container image signature"

void signature_payload_clear(SignaturePayload *p) {
        free(p->reference);
        free(p->digest);
        *p = (SignaturePayload){ 0 };
}

/* The members that say what was signed, and nothing else: another reader could go by what is beside them. */
static int only_members(const json_t *object, const char *where, const char *const *known, Error *reterr) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) object, key, value) {
                const char *const *p = known;

                while (*p && !streq(*p, key))
                        p++;
                if (!*p)
                        return error_set(reterr, -EBADMSG, "'%s' has '%.60s' in it", where, key);
        }
        return 0;
}

static int parse_critical(const json_t *critical, SignaturePayload *p, Error *reterr) {
        static const char *const members[] = { "type", "image", "identity", NULL };
        _cleanup_free_ char *type = NULL;
        json_t *image, *identity;
        int r = only_members(critical, "critical", members, reterr);

        if (r >= 0)
                r = json_member_string(critical, "type", &type, reterr);
        if (r >= 0)
                r = json_member(critical, "image", JSON_OBJECT, &image, reterr);
        if (r >= 0)
                r = json_member(critical, "identity", JSON_OBJECT, &identity, reterr);
        if (r < 0)
                return r;
        if (!streq_ptr(type, PAYLOAD_TYPE))
                return error_set(reterr, -EBADMSG, "'type' is not '" PAYLOAD_TYPE "'");
        r = only_members(image, "image", (const char *const[]){ "docker-manifest-digest", NULL }, reterr);
        if (r >= 0)
                r = only_members(identity, "identity", (const char *const[]){ "docker-reference", NULL }, reterr);
        if (r >= 0)
                r = json_member_string(image, "docker-manifest-digest", &p->digest, reterr);
        if (r >= 0)
                r = json_member_string(identity, "docker-reference", &p->reference, reterr);
        if (r >= 0 && (!p->digest || !p->reference))
                r = error_set(reterr, -EBADMSG, "'docker-manifest-digest' or 'docker-reference' is not there");
        return r;
}

int signature_payload_parse(const char *text, size_t size, SignaturePayload *ret, Error *reterr) {
        _cleanup_payload_ SignaturePayload p = { 0 };
        _cleanup_json_ json_t *root = NULL;
        json_t *critical;
        int r = json_parse(text, size, SIGNATURE_PAYLOAD_MAX, &root, reterr);

        if (r < 0)
                return r;
        if (!json_is_object(root))
                return error_set(reterr, -EBADMSG, "it is no object");
        r = only_members(root, "the payload", (const char *const[]){ "critical", "optional", NULL }, reterr);
        if (r >= 0)
                r = json_member(root, "critical", JSON_OBJECT, &critical, reterr);
        if (r >= 0)
                r = critical ? parse_critical(critical, &p, reterr) : error_set(reterr, -EBADMSG, "it lacks 'critical'");
        if (r < 0)
                return r;
        *ret = p;
        p = (SignaturePayload){ 0 };
        return 0;
}

static EVP_PKEY *read_key(const char *pem) {
        BIO *bio = BIO_new_mem_buf(pem, -1);
        EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

        BIO_free(bio);
        if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) {
                EVP_PKEY_free(key);
                key = NULL;
        }
        return key;
}

int signature_verify(const char *pem, const void *text, size_t size, const char *base64, Error *reterr) {
        _cleanup_free_ char *signature = NULL;
        size_t signature_size;
        EVP_MD_CTX *md;
        EVP_PKEY *key;
        int r = base64_decode(base64, &signature, &signature_size);

        if (r == -EINVAL)
                return error_set(reterr, -EBADMSG, "the signature is not base64");
        if (r < 0)
                return r;
        key = read_key(pem);
        if (!key)
                return error_set(reterr, -EBADMSG, "the key is no public EC key in PEM");
        md = EVP_MD_CTX_new();
        r = md && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1 ? 0 : -ENOMEM;
        if (r >= 0 && EVP_DigestVerify(md, (const unsigned char *) signature, signature_size, text, size) != 1)
                r = error_set(reterr, -EKEYREJECTED, "the signature is not by that key");
        EVP_MD_CTX_free(md);
        EVP_PKEY_free(key);
        return r;
}
