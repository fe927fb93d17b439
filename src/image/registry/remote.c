/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "image/digest.h"
#include "image/name.h"
#include "image/registry/remote.h"
#include "util/strv.h"

char *origin_place(const Origin *o) {
        return str_format("%s/%s", registry_host(o->registry), o->repository);
}

/* All that is understood; a registry that has an image in several forms gives the first. */
static char *const accept_manifests[] = {
        (char *) "Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
                 "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json",
        NULL,
};

static int check_digest(const char *text, size_t size, const char *wanted, char ret[static 72], Error *reterr) {
        if (digest_of(text, size, ret) < 0)
                return -ENOMEM;
        if (wanted && !streq(wanted, ret))
                return error_set(reterr, -EBADMSG, "it is broken: its digest is %s", ret);
        return 0;
}

static int try_manifest(const Origin *o, const RegistryRequest *q, Retry *retry, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_http_transfer_ HttpTransfer *t = NULL;
        int r = registry_send(o->registry, q, retry, &t, NULL, reterr);

        if (r < 0)
                return r;
        r = http_read_all(t, OCI_JSON_MAX, ret, ret_size, reterr);
        if (r < 0)
                (void) error_prefix(reterr, "registry %s", registry_host(o->registry));
        return r;
}

int remote_manifest(const Origin *o, const char *reference, char **ret, size_t *ret_size, char ret_digest[static 72], Error *reterr) {
        _cleanup_free_ char *url = str_format("/v2/%s/manifests/%s", o->repository, reference), *text = NULL;
        RegistryRequest q = { .method = "GET", .url = url, .repository = o->repository, .headers = accept_manifests };
        Retry retry = registry_retry(o->registry);
        Error error = { 0 };
        size_t size;
        int r;

        if (!url)
                return -ENOMEM;
        do {
                r = try_manifest(o, &q, &retry, &text, &size, &error);
                if (r < 0 && !http_temporary(r))
                        break;
        } while (r < 0 && (r = retry_wait(&retry, NULL, &error)) >= 0);
        if (r >= 0) {
                r = check_digest(text, size, digest_valid(reference) ? reference : NULL, ret_digest, &error);
                if (r < 0)
                        (void) error_prefix(&error, "registry %s, manifest %s", registry_host(o->registry), reference);
        }
        if (r < 0) {
                if (reterr)
                        *reterr = error;
                return r;
        }
        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}

typedef struct RemoteBlob {
        const Origin *origin;
        const OciDescriptor *descriptor;
        HttpTransfer *transfer; /* NULL: none under way */
        Retry retry;
        uint64_t position;
        uint64_t progress; /* where the tries were counted anew */
        uint64_t skip;     /* bytes that come although they were there already */
} RemoteBlob;

static int check_range(RemoteBlob *b, Error *reterr) {
        const char *range = http_header(b->transfer, HTTP_CONTENT_RANGE);
        uint64_t start;

        b->skip = 0;
        if (!range) { /* not every registry can */
                b->skip = b->position;
                return 0;
        }
        if (sscanf(range, "bytes %" SCNu64 "-", &start) != 1 || start != b->position)
                return error_set(reterr, -EBADMSG, "it was asked for the bytes from %" PRIu64 " on and sends '%.60s'", b->position, range);
        return 0;
}

static int open_transfer(RemoteBlob *b, Error *reterr) {
        _cleanup_free_ char *url = str_format("/v2/%s/blobs/%s", b->origin->repository, b->descriptor->digest);
        _cleanup_free_ char *range = str_format("Range: bytes=%" PRIu64 "-", b->position);
        char *headers[] = { b->position > 0 ? range : NULL, NULL };
        RegistryRequest q = {
                .method = "GET",
                .url = url,
                .repository = b->origin->repository,
                .headers = headers,
                .bulk = true,
        };
        int r;

        if (!url || !range)
                return -ENOMEM;
        r = registry_send(b->origin->registry, &q, &b->retry, &b->transfer, NULL, reterr);
        return r < 0 || b->position == 0 ? r : check_range(b, reterr);
}

/* The next bytes that are new; 0 at the end of all. */
static ssize_t read_transfer(RemoteBlob *b, const void **ret, Error *reterr) {
        for (;;) {
                ssize_t n = http_read(b->transfer, ret, reterr);
                uint64_t skip;

                if (n < 0)
                        return n;
                if (n == 0 && b->position < b->descriptor->size)
                        return error_set(reterr, -ECONNRESET, "it ended after %" PRIu64 " of %" PRIu64 " bytes", b->position,
                                b->descriptor->size);
                if (n == 0)
                        return 0;
                skip = MIN(b->skip, (uint64_t) n);
                b->skip -= skip;
                n -= (ssize_t) skip;
                if (n == 0)
                        continue;
                if ((uint64_t) n > b->descriptor->size - b->position)
                        return error_set(reterr, -EBADMSG, "it is longer than the %" PRIu64 " bytes that the manifest says",
                                b->descriptor->size);
                *ret = (const char *) *ret + skip;
                b->position += (uint64_t) n;
                return n;
        }
}

static void close_transfer(RemoteBlob *b) {
        http_transfer_free(b->transfer);
        b->transfer = NULL;
}

static ssize_t remote_blob_read(void *userdata, const void **ret, Error *reterr) {
        RemoteBlob *b = userdata;
        Error error = { 0 };
        ssize_t n;

        for (;;) {
                n = b->transfer ? 0 : open_transfer(b, &error);
                if (n < 0) /* tries are over */
                        break;
                n = read_transfer(b, ret, &error);
                if (n >= 0) {
                        if (b->position - b->progress >= REMOTE_PROGRESS_BYTES) {
                                b->progress = b->position;
                                retry_reset(&b->retry);
                        }
                        return n;
                }
                close_transfer(b);
                (void) error_prefix(&error, "registry %s, %.19s", registry_host(b->origin->registry), b->descriptor->digest);
                if (!registry_temporary((int) n))
                        break;
                n = retry_wait(&b->retry, NULL, &error);
                if (n < 0)
                        break;
        }
        close_transfer(b);
        if (reterr)
                *reterr = error;
        return n;
}

static void remote_blob_free(void *userdata) {
        close_transfer(userdata);
        free(userdata);
}

int remote_blob(const Origin *o, const OciDescriptor *d, const char *name, Blob **ret) {
        RemoteBlob *b = calloc(1, sizeof(*b));

        if (!b)
                return -ENOMEM;
        *b = (RemoteBlob){ .origin = o, .descriptor = d, .retry = registry_retry(o->registry) };
        *ret = blob_new(name, remote_blob_read, remote_blob_free, b);
        return *ret ? 0 : -ENOMEM;
}

int remote_read(const Origin *o, const OciDescriptor *d, const char *name, size_t max, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_blob_ Blob *blob = NULL;
        _cleanup_free_ char *text = NULL;
        char digest[72];
        size_t size;
        int r = remote_blob(o, d, name, &blob);

        if (r < 0)
                return r;
        r = blob_read_all(blob, max, &text, &size, reterr);
        if (r < 0)
                return r;
        r = check_digest(text, size, d->digest, digest, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "registry %s, %s", registry_host(o->registry), name);
                return r;
        }
        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}
