/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The JSON of images, through every reader of it. */

#include "image/name.h"
#include "image/oci.h"
#include "image/plain.h"
#include "util/strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

static void check_failure(int r, const Error *e) {
        check(r == 0 || r == -ENOMEM || (r < 0 && e->code == r && e->text[0] && !strchr(e->text, '\n')));
}

static void try_config(const char *text, size_t size) {
        _cleanup_image_ Image *image = calloc(1, sizeof(*image)), *again = calloc(1, sizeof(*again));
        _cleanup_buf_ Buf plain = BUF_INIT, plain2 = BUF_INIT;
        _cleanup_strv_ char **ids = NULL;
        Error e = { 0 };
        int r = oci_config_parse(text, size, image, &ids, &e);

        check_failure(r, &e);
        if (r < 0)
                return;
        for (char **id = ids; *id; id++)
                check(digest_valid(*id));
        /* What is read from it survives the store. */
        image->id = strdup("sha256:x");
        check(plain_write(image, &plain) == 0);
        check(plain_read(plain.data, plain.size, again, &e) == 0);
        check(plain_write(again, &plain2) == 0);
        check(plain.size == plain2.size && memcmp(plain.data, plain2.data, plain.size) == 0);
}

static void try_plain(const char *text, size_t size) {
        _cleanup_image_ Image *image = calloc(1, sizeof(*image));
        Error e = { 0 };

        check_failure(plain_read(text, size, image, &e), &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_docker_archive_ DockerArchive archive = { 0 };
        _cleanup_oci_manifest_ OciManifest manifest = { 0 };
        _cleanup_oci_index_ OciIndex index = { 0 };
        const char *text = (const char *) data;
        Error e = { 0 };
        int r = oci_kind(text, size, &e);

        check(r == OCI_INDEX || r == OCI_MANIFEST || (r < 0 && e.text[0]));
        r = oci_index_parse(text, size, &index, &e);
        check_failure(r, &e);
        for (size_t i = 0; i < index.n_manifests; i++) {
                const OciDescriptor *one = index.manifests + i;

                check(digest_valid(one->digest));
                (void) oci_pick(&one, 1);
        }
        r = oci_manifest_parse(text, size, &manifest, &e);
        check_failure(r, &e);
        check(manifest.n_layers <= OCI_LAYERS_MAX);
        check_failure(docker_archive_parse(text, size, &archive, &e), &e);
        try_config(text, size);
        try_plain(text, size);
        return 0;
}
