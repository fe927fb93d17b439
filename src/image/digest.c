/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/evp.h>
#include <stdio.h>

#include "image/digest.h"

/* libcrypto's functions fail here only for want of memory or through misuse. */

Digest *digest_new(void) {
        EVP_MD_CTX *md = EVP_MD_CTX_new();

        if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) {
                EVP_MD_CTX_free(md);
                md = NULL;
        }
        return (Digest *) md;
}

Digest *digest_free(Digest *d) {
        EVP_MD_CTX_free((EVP_MD_CTX *) d);
        return NULL;
}

void digest_update(Digest *d, const void *data, size_t size) {
        int ok = EVP_DigestUpdate((EVP_MD_CTX *) d, data, size);

        assert(ok == 1);
        (void) ok;
}

void digest_finish(Digest *d, char ret[static 72]) {
        unsigned char hash[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        int ok = EVP_DigestFinal_ex((EVP_MD_CTX *) d, hash, &size);

        assert(ok == 1 && size == 32);
        (void) ok;
        memcpy(ret, "sha256:", STRLEN("sha256:"));
        for (unsigned i = 0; i < size; i++)
                (void) snprintf(ret + STRLEN("sha256:") + 2 * i, 3, "%02x", hash[i]);
}

int digest_of(const void *data, size_t size, char ret[static 72]) {
        _cleanup_digest_ Digest *d = digest_new();

        if (!d)
                return -ENOMEM;
        digest_update(d, data, size);
        digest_finish(d, ret);
        return 0;
}
