/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "image/registry/base64.h"
#include "image/registry/signature.h"
#include "suite.h"
#include "util/strv.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"

static void parse_name(const char *text, Name *name) {
        Error error = { 0 };

        ck_assert_msg(name_parse(text, NAME_DOCKER, name, &error) == 0, "%s", error.text);
}

/* Each scope rejects with as many requirements as its number says. */
static const char scopes[] =
        "{\"default\":" ACCEPT ",\"transports\":{\"docker-daemon\":{\"\":" REJECT "},\"docker\":{"
        "\"\":[{\"type\":\"reject\"},{\"type\":\"reject\"}],"
        "\"quay.io\":" REJECT ",\"quay.io/team/app\":" ACCEPT ",\"quay.io/team/app:old\":" REJECT ","
        "\"*.example.com\":" REJECT ",\"a.b.example.com\":" ACCEPT ",\"host:5000\":" REJECT ","
        "\"docker.io/library/nginx@sha256:" HEX "\":" REJECT "}}}";

static const struct {
        const char *name, *scope;
        PolicyType type;
        size_t n;
} found[] = {
        { "quay.io/x",                       "quay.io",              POLICY_REJECT, 1 },
        { "quay.io/team/other:1",            "quay.io",              POLICY_REJECT, 1 },
        { "quay.io/team/app:1",              "quay.io/team/app",     POLICY_ACCEPT, 1 },
        { "quay.io/team/app/part",           "quay.io/team/app",     POLICY_ACCEPT, 1 },
        { "quay.io/team/apps",               "quay.io",              POLICY_REJECT, 1 },
        { "quay.io/team/app:old",            "quay.io/team/app:old", POLICY_REJECT, 1 },
        { "quay.io/team/app@sha256:" HEX,    "quay.io/team/app",     POLICY_ACCEPT, 1 },
        { "x.example.com/y",                 "*.example.com",        POLICY_REJECT, 1 },
        { "x.y.example.com:5000/y",          "*.example.com",        POLICY_REJECT, 1 },
        { "a.b.example.com/y",               "a.b.example.com",      POLICY_ACCEPT, 1 },
        { "example.com/y",                   "all registries",       POLICY_REJECT, 2 },
        { "host:5000/y",                     "host:5000",            POLICY_REJECT, 1 },
        { "nginx",                           "all registries",       POLICY_REJECT, 2 },
        { "nginx@sha256:" HEX, "docker.io/library/nginx@sha256:" HEX, POLICY_REJECT, 1 },
};

START_TEST(the_most_exact_scope_holds) {
        _cleanup_policy_ Policy p = { 0 };
        _cleanup_name_ Name name = { 0 };
        Error error = { 0 };

        parse_name(found[_i].name, &name);
        ck_assert_msg(policy_parse(scopes, strlen(scopes), &name, &p, &error) == 0, "%s", error.text);
        ck_assert_str_eq(p.scope, found[_i].scope);
        ck_assert_uint_eq(p.n_requirements, found[_i].n);
        ck_assert_int_eq(p.requirements[0].type, found[_i].type);
}
END_TEST

static const struct {
        const char *text, *words;
} bad[] = {
        { "", "line 1" },
        { "[]", "no object" },
        { "{}", "lacks 'default'" },
        { "{\"default\":{}}", "not a list of requirements" },
        { "{\"default\":[]}", "not a list of requirements" },
        { "{\"default\":" ACCEPT ",\"transport\":{}}", "'transport' of the policy is not known" },
        { "{\"default\":[{\"type\":\"accept\"}]}", "'accept' is not known" },
        { "{\"default\":[{}]}", "is not known" },
        { "{\"default\":[5]}", "not an object" },
        { "{\"default\":[{\"type\":\"reject\",\"unless\":1}]}", "'unless' of reject is not known" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\"}]}", "neither keyPath" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"keyData\":\"\"}]}", "both 'keyPath' and 'keyData'" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPaths\":[]}]}", "is empty" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyData\":\"!\"}]}", "not base64" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\",\"fulcio\":{}}]}", "'fulcio' cannot be verified here" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"rekorPublicKeyPath\":\"/r\"}]}", "'rekorPublicKeyPath' cannot" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"any\"}}]}", "'any', which is not known" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"matchExact\",\"x\":1}}]}",
                "'x' of 'signedIdentity'" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"exactReference\"}}]}",
                "lacks 'dockerReference'" },
        { "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":\"remapIdentity\",\"prefix\":\"a\"}}]}",
                "lacks 'signedPrefix'" },
};

START_TEST(what_a_policy_cannot_say_is_refused) {
        _cleanup_policy_ Policy p = { 0 };
        _cleanup_name_ Name name = { 0 };
        Error error = { 0 };

        parse_name("nginx", &name);
        ck_assert_msg(policy_parse(bad[_i].text, strlen(bad[_i].text), &name, &p, &error) < 0, "%s", bad[_i].text);
        ck_assert_msg(strstr(error.text, bad[_i].words), "'%s' gives '%s'", bad[_i].text,
                error.text);
}
END_TEST

START_TEST(keys_are_files_or_data) {
        static const char text[] =
                "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPaths\":[\"/a\",\"/b\"]},{\"type\":\"sigstoreSigned\",\"keyData\":\"UEVN\","
                "\"signedIdentity\":{\"type\":\"remapIdentity\",\"prefix\":\"a.b\",\"signedPrefix\":\"c.d/e\"}},{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"}]}";
        _cleanup_policy_ Policy p = { 0 };
        _cleanup_name_ Name name = { 0 };
        Error error = { 0 };

        parse_name("nginx", &name);
        ck_assert_msg(policy_parse(text, strlen(text), &name, &p, &error) == 0, "%s", error.text);
        ck_assert_uint_eq(p.n_requirements, 3);
        ck_assert_str_eq(p.requirements[0].key_files[1], "/b");
        ck_assert_int_eq(p.requirements[0].identity.match, IDENTITY_REPO_DIGEST_OR_EXACT);
        ck_assert_str_eq(p.requirements[1].keys[0], "PEM");
        ck_assert_str_eq(p.requirements[1].identity.signed_prefix, "c.d/e");
        ck_assert_int_eq(p.requirements[2].type, POLICY_GPG);
}
END_TEST

static const struct {
        IdentityMatch match;
        const char *reference, *prefix, *signed_prefix; /* of the policy */
        const char *name, *signed_name;
        bool fits;
} identities[] = {
        { IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, NULL, "a.b/c:1", "a.b/c:1", true },
        { IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, NULL, "a.b/c:1", "a.b/c:2", false },
        { IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, NULL, "a.b/c", "a.b/c", false }, /* not said to be latest */
        { IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, NULL, "a.b/c@sha256:" HEX, "a.b/c:2", true },
        { IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, NULL, "a.b/c@sha256:" HEX, "a.b/d:2", false },
        { IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, NULL, "nginx:1", "docker.io/library/nginx:1", true },
        { IDENTITY_EXACT, NULL, NULL, NULL, "a.b/c:1", "a.b/c:1", true },
        { IDENTITY_EXACT, NULL, NULL, NULL, "a.b/c@sha256:" HEX, "a.b/c:1", false },
        { IDENTITY_EXACT, NULL, NULL, NULL, "a.b/c@sha256:" HEX, "a.b/c@sha256:" HEX, true },
        { IDENTITY_REPOSITORY, NULL, NULL, NULL, "a.b/c:1", "a.b/c", true },
        { IDENTITY_REPOSITORY, NULL, NULL, NULL, "a.b/c:1", "a.b/c:9", true },
        { IDENTITY_REPOSITORY, NULL, NULL, NULL, "a.b/c:1", "a.b/cc", false },
        { IDENTITY_EXACT_REFERENCE, "x.y/z:1", NULL, NULL, "a.b/c:1", "x.y/z:1", true },
        { IDENTITY_EXACT_REFERENCE, "x.y/z:1", NULL, NULL, "a.b/c:1", "x.y/z:2", false },
        { IDENTITY_EXACT_REFERENCE, "x.y/z", NULL, NULL, "a.b/c:1", "x.y/z", false },
        { IDENTITY_EXACT_REPOSITORY, "x.y/z", NULL, NULL, "a.b/c:1", "x.y/z:2", true },
        { IDENTITY_EXACT_REPOSITORY, "x.y/z", NULL, NULL, "a.b/c:1", "a.b/c:1", false },
        { IDENTITY_REMAP, NULL, "mirror.local", "a.b", "mirror.local/c:1", "a.b/c:1", true },
        { IDENTITY_REMAP, NULL, "mirror.local", "a.b", "mirror.local/c:1", "mirror.local/c:1", false },
        { IDENTITY_REMAP, NULL, "mirror.local", "a.b", "mirror.locally/c:1", "a.bly/c:1", false },
        { IDENTITY_REMAP, NULL, "mirror.local", "a.b", "other/c:1", "docker.io/other/c:1", true },
        { IDENTITY_EXACT, NULL, NULL, NULL, "a.b/c:1", "", false },
        { IDENTITY_REPOSITORY, NULL, NULL, NULL, "a.b/c:1", "a.b/C:1", false },
};

START_TEST(a_signature_is_for_a_name) {
        PolicyIdentity identity = {
                .match = identities[_i].match,
                .reference = (char *) identities[_i].reference,
                .prefix = (char *) identities[_i].prefix,
                .signed_prefix = (char *) identities[_i].signed_prefix,
        };
        _cleanup_name_ Name name = { 0 };

        parse_name(identities[_i].name, &name);
        ck_assert_msg(policy_identity_fits(&identity, &name, identities[_i].signed_name) == identities[_i].fits, "%s for %s",
                identities[_i].signed_name, identities[_i].name);
}
END_TEST

#define IMAGE "\"image\":{\"docker-manifest-digest\":\"sha256:" HEX "\"}"
#define IDENTITY "\"identity\":{\"docker-reference\":\"a.b/c:1\"}"
#define TYPE "\"type\":\"cosign container image signature\""

START_TEST(a_payload_says_what_was_signed) {
        static const char text[] = "{\"critical\":{" IMAGE "," IDENTITY "," TYPE "},\"optional\":{\"creator\":\"x\"}}";
        _cleanup_payload_ SignaturePayload p = { 0 };
        Error error = { 0 };

        ck_assert_msg(signature_payload_parse(text, strlen(text), &p, &error) == 0, "%s", error.text);
        ck_assert_str_eq(p.digest, "sha256:" HEX);
        ck_assert_str_eq(p.reference, "a.b/c:1");
}
END_TEST

static const char *const bad_payloads[] = {
        "", "[]", "{}", "{\"critical\":{}}", "{\"critical\":{" IMAGE "," IDENTITY "}}", "{\"critical\":{" IMAGE "," TYPE "}}",
        "{\"critical\":{" IDENTITY "," TYPE "}}", "{\"critical\":{" IMAGE "," IDENTITY ",\"type\":\"atomic container signature\"}}",
        "{\"critical\":{" IMAGE "," IDENTITY "," TYPE ",\"more\":1}}", "{\"critical\":{" IMAGE "," IDENTITY "," TYPE "},\"more\":1}",
        "{\"critical\":{" IMAGE "," IMAGE "," IDENTITY "," TYPE "}}",
        "{\"critical\":{\"image\":{\"docker-manifest-digest\":5}," IDENTITY "," TYPE "}}",
        "{\"critical\":{\"image\":[]," IDENTITY "," TYPE "}}",
};

START_TEST(a_payload_that_says_less_or_more_is_refused) {
        _cleanup_payload_ SignaturePayload p = { 0 };
        Error error = { 0 };

        ck_assert_msg(signature_payload_parse(bad_payloads[_i], strlen(bad_payloads[_i]), &p, &error) < 0, "%s", bad_payloads[_i]);
        ck_assert(error.text[0]);
}
END_TEST

static char *public_pem(EVP_PKEY *key) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *data, *text;
        long size;

        ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, key), 1);
        size = BIO_get_mem_data(bio, &data);
        text = strndup(data, (size_t) size);
        BIO_free(bio);
        return text;
}

static char *sign(EVP_PKEY *key, const char *text) {
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        unsigned char signature[512];
        size_t size = sizeof(signature);

        ck_assert_int_eq(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key), 1);
        ck_assert_int_eq(EVP_DigestSign(md, signature, &size, (const unsigned char *) text, strlen(text)), 1);
        EVP_MD_CTX_free(md);
        return base64_encode(signature, size);
}

START_TEST(signatures_are_by_a_key) {
        EVP_PKEY *ours = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
        _cleanup_free_ char *pem = public_pem(ours), *other_pem = public_pem(other), *rsa_pem = public_pem(rsa), *good = sign(ours, "text");
        Error error = { 0 };

        ck_assert_msg(signature_verify(pem, "text", 4, good, &error) == 0, "%s", error.text);
        ck_assert_int_eq(signature_verify(pem, "Text", 4, good, &error), -EKEYREJECTED);
        ck_assert_int_eq(signature_verify(pem, "text", 3, good, &error), -EKEYREJECTED);
        ck_assert_int_eq(signature_verify(other_pem, "text", 4, good, &error), -EKEYREJECTED);
        ck_assert_int_eq(signature_verify(pem, "text", 4, "", &error), -EKEYREJECTED);
        ck_assert_int_eq(signature_verify(pem, "text", 4, "QUJD", &error), -EKEYREJECTED);
        ck_assert_int_eq(signature_verify(pem, "text", 4, "!", &error), -EBADMSG);
        ck_assert_int_eq(signature_verify(rsa_pem, "text", 4, good, &error), -EBADMSG);
        ck_assert_int_eq(signature_verify("nonsense", "text", 4, good, &error), -EBADMSG);
        EVP_PKEY_free(ours);
        EVP_PKEY_free(other);
        EVP_PKEY_free(rsa);
}
END_TEST

int main(void) {
        Suite *s = suite_create("registry-policy");
        TCase *t = tcase_create("policy");

        tcase_add_loop_test(t, the_most_exact_scope_holds, 0, (int) ELEMENTSOF(found));
        tcase_add_loop_test(t, what_a_policy_cannot_say_is_refused, 0, (int) ELEMENTSOF(bad));
        tcase_add_test(t, keys_are_files_or_data);
        tcase_add_loop_test(t, a_signature_is_for_a_name, 0, (int) ELEMENTSOF(identities));
        tcase_add_test(t, a_payload_says_what_was_signed);
        tcase_add_loop_test(t, a_payload_that_says_less_or_more_is_refused, 0, (int) ELEMENTSOF(bad_payloads));
        tcase_add_test(t, signatures_are_by_a_key);
        suite_add_tcase(s, t);
        return suite_run(s);
}
