/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "image/digest.h"
#include "image/registry/answer.h"
#include "image/registry/upload.h"
#include "image/registry/url.h"
#include "util/strv.h"

#define REFRESHES_MAX 3 /* tokens that ran out on the way, in a row */

static char *const octets[] = { (char *) "Content-Type: application/octet-stream", NULL };

/* A session that was lost is not the end: the registry forgot it, or has other bytes of it than was thought. */
static bool is_lost(int status) {
        return status == 404 || status == 416;
}

int upload_has(const Origin *o, const char *digest, Error *reterr) {
        _cleanup_free_ char *url = str_format("/v2/%s/blobs/%s", o->repository, digest);
        _cleanup_http_transfer_ HttpTransfer *t = NULL;
        RegistryRequest q = { .method = "HEAD", .url = url, .repository = o->repository, .push = true };
        Retry retry = registry_retry(o->registry);
        int r = url ? registry_send(o->registry, &q, &retry, &t, NULL, reterr) : -ENOMEM;

        return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int upload_mount(const Origin *o, const char *digest, const char *from, char **ret_session, Error *reterr) {
        _cleanup_free_ char *url = str_format("/v2/%s/blobs/uploads/", o->repository);
        _cleanup_http_transfer_ HttpTransfer *t = NULL;
        RegistryRequest q = { .method = "POST", .repository = o->repository, .push = true, .mount_from = from, .headers = octets };
        Retry retry = registry_retry(o->registry);
        int r = url ? url_add_query(&url, "mount", digest) : -ENOMEM;

        *ret_session = NULL;
        if (r >= 0)
                r = url_add_query(&url, "from", from);
        q.url = url;
        if (r >= 0)
                r = registry_send(o->registry, &q, &retry, &t, NULL, reterr);
        if (r < 0)
                return r;
        if (http_status(t, NULL) == 201)
                return 1;
        return registry_location(o->registry, url, t, ret_session, NULL) == -ENOMEM ? -ENOMEM : 0;
}

typedef struct Upload {
        const Origin *origin;
        const UploadSource *source;
        Retry retry;
        char *session;   /* NULL: none yet, or lost */
        uint64_t offset; /* bytes that the registry has got in it */
        unsigned refreshed;
        char *after;     /* when the registry wants to be tried again; NULL: it does not say */
        bool own_fault;  /* the source failed: no other try can help */
        uint64_t size;
        char digest[72];
} Upload;

static int begin_session(Upload *u, Error *reterr) {
        _cleanup_free_ char *url = str_format("/v2/%s/blobs/uploads/", u->origin->repository);
        _cleanup_http_transfer_ HttpTransfer *t = NULL;
        RegistryRequest q = { .method = "POST", .url = url, .repository = u->origin->repository, .push = true, .headers = octets };
        int r = url ? registry_send(u->origin->registry, &q, &u->retry, &t, NULL, reterr) : -ENOMEM;

        u->offset = 0;
        return r < 0 ? r : registry_location(u->origin->registry, url, t, &u->session, reterr);
}

static void lose_session(Upload *u) {
        free(TAKE_PTR(u->session));
        u->offset = 0;
}

/* How much of it came through, with one try only; a registry that does not say has to have all of it again. "0-0" is nothing, or
 * one byte. */
static void ask_session(Upload *u) {
        RegistryRequest q = { .method = "GET", .url = u->session, .repository = u->origin->repository, .push = true };
        static const RetryPolicy never = { 0 };
        Retry once = { .policy = &never, .http = u->retry.http };
        _cleanup_http_transfer_ HttpTransfer *t = NULL;
        _cleanup_free_ char *session = NULL;
        const char *range;
        uint64_t last;
        char end;

        if (registry_send(u->origin->registry, &q, &once, &t, NULL, NULL) < 0)
                return lose_session(u);
        range = http_header(t, HTTP_RANGE);
        if (!range || sscanf(str_after(range, "bytes=") ? str_after(range, "bytes=") : range, "0-%" SCNu64 "%c", &last, &end) != 1 || last == 0)
                return lose_session(u);
        if (http_header(t, HTTP_LOCATION) && registry_location(u->origin->registry, u->session, t, &session, NULL) < 0)
                return lose_session(u);
        if (session) {
                free(u->session);
                u->session = TAKE_PTR(session);
        }
        if (last + 1 > u->offset)
                retry_reset(&u->retry);
        u->offset = last + 1;
}

/* A piece of the blob, of which u->size bytes came before, as far as the registry does not have it. */
static int send_piece(Upload *u, const RegistryRequest *q, RegistryStream **s, const char *piece, size_t size, Error *reterr) {
        uint64_t skip = u->offset > u->size ? MIN(u->offset - u->size, (uint64_t) size) : 0;
        int r = 0;

        u->size += size;
        if (size == skip)
                return 0;
        if (!*s)
                r = registry_stream_open(u->origin->registry, q, s, reterr);
        return r < 0 ? r : registry_stream_write(*s, piece + skip, size - skip, reterr);
}

/* The source's bytes, all of them hashed. -EPIPE: the registry answered before it had all. */
static int send_pieces(Upload *u, Blob *blob, const RegistryRequest *q, RegistryStream **s, Error *reterr) {
        _cleanup_digest_ Digest *digest = digest_new();
        const void *piece;
        ssize_t n;

        if (!digest)
                return -ENOMEM;
        u->size = 0;
        while ((n = blob_read(blob, &piece, reterr)) > 0) {
                int r;

                digest_update(digest, piece, (size_t) n);
                r = send_piece(u, q, s, piece, (size_t) n, reterr);
                if (r < 0)
                        return r;
        }
        u->own_fault = n < 0;
        digest_finish(digest, u->digest);
        return (int) n;
}

/* What came after the last byte, or before it. */
static int end_stream(Upload *u, RegistryStream *s, bool early, Error *reterr) {
        const HttpTransfer *t = registry_stream_transfer(s);
        char *session = NULL;
        int status = 0, r = registry_stream_finish(s, &status, reterr);

        if (r < 0 && status > 0 && http_header(t, HTTP_RETRY_AFTER))
                u->after = strdup(http_header(t, HTTP_RETRY_AFTER));
        if (r == -EAGAIN && ++u->refreshed > REFRESHES_MAX)
                return error_set(reterr, -EACCES, "registry %s: %s, with each of %d new tokens", registry_host(u->origin->registry),
                        answer_status_text(status), REFRESHES_MAX);
        if (r < 0 && is_lost(status)) {
                lose_session(u);
                return -EREMOTEIO;
        }
        if (r >= 0 && early)
                return error_set(reterr, -EREMOTEIO, "registry %s: it took only a part", registry_host(u->origin->registry));
        if (r >= 0)
                r = registry_location(u->origin->registry, u->session, t, &session, reterr);
        if (r < 0)
                return r;
        free(u->session);
        u->session = session;
        u->offset = u->size;
        u->refreshed = 0;
        return 0;
}

static int send_all(Upload *u, Error *reterr) {
        _cleanup_registry_stream_ RegistryStream *s = NULL;
        _cleanup_blob_ Blob *blob = NULL;
        _cleanup_free_ char *url = strdup(u->session);
        RegistryRequest q = {
                .method = "PATCH",
                .url = url,
                .repository = u->origin->repository,
                .push = true,
                .headers = octets,
                .bulk = true,
        };
        int r = url ? u->source->open(u->source->userdata, &blob, reterr) : -ENOMEM;

        if (r < 0) {
                u->own_fault = true;
                return r;
        }
        r = send_pieces(u, blob, &q, &s, reterr);
        if (r >= 0 && u->size < u->offset) { /* it has more than there is */
                lose_session(u);
                return error_set(reterr, -EREMOTEIO, "registry %s: it has more bytes than were sent", registry_host(u->origin->registry));
        }
        if (s && (r >= 0 || r == -EPIPE))
                r = end_stream(u, s, r == -EPIPE, reterr);
        return r;
}

/* An answer that was lost leaves no session behind, but the blob. */
static int commit(Upload *u, Error *reterr) {
        _cleanup_http_transfer_ HttpTransfer *t = NULL;
        _cleanup_free_ char *url = strdup(u->session);
        RegistryRequest q = { .method = "PUT", .repository = u->origin->repository, .push = true, .headers = octets };
        int status = 0, r = url ? url_add_query(&url, "digest", u->digest) : -ENOMEM;

        q.url = url;
        if (r >= 0)
                r = registry_send(u->origin->registry, &q, &u->retry, &t, &status, reterr);
        if (r >= 0 || !is_lost(status))
                return r;
        lose_session(u);
        r = upload_has(u->origin, u->digest, NULL);
        return r > 0 ? 0 : -EREMOTEIO;
}

static int try_once(Upload *u, Error *reterr) {
        int r = 0;

        if (!u->session)
                r = begin_session(u, reterr);
        if (r >= 0)
                r = send_all(u, reterr);
        return r < 0 ? r : commit(u, reterr);
}

/* For the registry's sake, which else keeps for days what came. */
static void give_up_session(const Upload *u) {
        RegistryRequest q = { .method = "DELETE", .url = u->session, .repository = u->origin->repository, .push = true };
        static const RetryPolicy never = { 0 };
        Retry once = { .policy = &never, .http = u->retry.http };
        _cleanup_http_transfer_ HttpTransfer *t = NULL;

        (void) registry_send(u->origin->registry, &q, &once, &t, NULL, NULL);
}

int upload_blob(const Origin *o, const UploadSource *source, const char *session, char ret_digest[static 72], uint64_t *ret_size,
        Error *reterr) {
        Upload u = { .origin = o, .source = source, .retry = registry_retry(o->registry) };
        Error error = { 0 };
        int r = 0;

        if (session) {
                u.session = strdup(session);
                if (!u.session)
                        return -ENOMEM;
        }
        for (;;) {
                r = try_once(&u, &error);
                if (r == -EAGAIN && !u.own_fault)
                        continue;
                if (r >= 0 || u.own_fault || !registry_temporary(r))
                        break;
                error.code = r;
                r = retry_wait(&u.retry, u.after, &error);
                if (r < 0)
                        break;
                free(TAKE_PTR(u.after));
                if (u.session)
                        ask_session(&u);
        }
        if (r < 0 && u.session)
                give_up_session(&u);
        free(u.session);
        free(u.after);
        if (r < 0) {
                if (reterr)
                        *reterr = error;
                return r;
        }
        memcpy(ret_digest, u.digest, sizeof(u.digest));
        *ret_size = u.size;
        return 0;
}

typedef struct Text {
        const char *digest;
        const void *data;
        size_t size;
} Text;

static int open_text(void *userdata, Blob **ret, Error *reterr) {
        const Text *t = userdata;

        *ret = blob_new_text(t->digest, t->data, t->size);
        return *ret ? 0 : -ENOMEM;
}

int upload_text(const Origin *o, const char *digest, const void *data, size_t size, Error *reterr) {
        Text text = { .digest = digest, .data = data, .size = size };
        UploadSource source = { .open = open_text, .userdata = &text };
        char real[72];
        uint64_t n;
        int r = upload_has(o, digest, reterr);

        return r == 0 ? upload_blob(o, &source, NULL, real, &n, reterr) : MIN(r, 0);
}

int upload_manifest(const Origin *o, const char *reference, OciForm form, const char *digest, const char *text, size_t size,
        Error *reterr) {
        _cleanup_free_ char *url = str_format("/v2/%s/manifests/%s", o->repository, reference);
        _cleanup_free_ char *type = str_format("Content-Type: %s", oci_form_manifest_type(form));
        _cleanup_http_transfer_ HttpTransfer *t = NULL;
        RegistryRequest q = {
                .method = "PUT",
                .url = url,
                .repository = o->repository,
                .push = true,
                .headers = (char *[]){ type, NULL },
                .body = text,
                .body_size = size,
        };
        Retry retry = registry_retry(o->registry);
        const char *said;
        int r = url && type ? registry_send(o->registry, &q, &retry, &t, NULL, reterr) : -ENOMEM;

        if (r < 0)
                return r;
        said = http_header(t, HTTP_DOCKER_CONTENT_DIGEST);
        if (said && !streq(said, digest))
                return error_set(reterr, -EBADMSG, "registry %s: it says that the manifest is %.100s, and it is %s",
                        registry_host(o->registry), said, digest);
        return 0;
}
