/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>

#include "image/digest.h"
#include "image/gunzip.h"
#include "image/stream.h"

struct Stream {
        Blob *blob;
        Gunzip *gunzip; /* or */
        struct archive *archive; /* decompresses only: its format is "raw" */
        /* What was read before anybody knew which of them it is for. */
        char head[GUNZIP_MAGIC_SIZE];
        size_t head_size;
        const char *rest;
        size_t rest_size;
        Digest *packed, *unpacked;
        StreamResult result;
        bool blob_ended, ended;
        Error error; /* of the blob, behind libarchive's back */
        void (*progress)(void *userdata, uint64_t bytes);
        void *userdata;
};

/* Error: in s->error. */
static ssize_t read_blob(Stream *s, const void **ret) {
        ssize_t n = blob_read(s->blob, ret, &s->error);

        if (n < 0) {
                s->error.code = s->error.code < 0 ? s->error.code : (int) n;
                return n;
        }
        if (n == 0)
                s->blob_ended = true;
        digest_update(s->packed, *ret, (size_t) n);
        s->result.size += (uint64_t) n;
        if (s->progress)
                s->progress(s->userdata, s->result.size);
        return n;
}

static ssize_t read_packed(void *userdata, const void **ret) {
        Stream *s = userdata;
        size_t n = s->head_size;

        if (n > 0) {
                *ret = s->head;
                s->head_size = 0;
                return (ssize_t) n;
        }
        n = s->rest_size;
        if (n > 0) {
                *ret = s->rest;
                s->rest_size = 0;
                return (ssize_t) n;
        }
        return s->blob_ended ? 0 : read_blob(s, ret);
}

static la_ssize_t read_for_archive(struct archive *a, void *userdata, const void **ret) {
        Stream *s = userdata;
        ssize_t n = read_packed(s, ret);

        if (n < 0)
                archive_set_error(a, (int) -n, "%s", s->error.text);
        return n < 0 ? ARCHIVE_FATAL : n;
}

static int fail(Stream *s, Error *reterr) {
        const char *text = s->archive ? archive_error_string(s->archive) : NULL;

        if (s->error.code < 0) {
                if (reterr)
                        *reterr = s->error;
                return s->error.code;
        }
        /* libarchive's own numbers (ARCHIVE_ERRNO_…) are no errno to report: what it says is enough. */
        return error_set(reterr, archive_errno(s->archive) == ENOMEM ? -ENOMEM : -EBADMSG, "cannot decompress %s: %s",
                blob_name(s->blob), text ? text : "unknown reason");
}

static int open_archive(Stream *s, Error *reterr) {
        struct archive_entry *entry;
        int r;

        s->archive = archive_read_new();
        if (!s->archive)
                return -ENOMEM;
        if (archive_read_support_filter_zstd(s->archive) != ARCHIVE_OK ||
                archive_read_support_filter_bzip2(s->archive) != ARCHIVE_OK ||
                archive_read_support_filter_xz(s->archive) != ARCHIVE_OK ||
                archive_read_support_format_raw(s->archive) != ARCHIVE_OK ||
                archive_read_support_format_empty(s->archive) != ARCHIVE_OK)
                return error_set(reterr, -EOPNOTSUPP, "libarchive lacks a decompressor: %s", archive_error_string(s->archive));
        if (archive_read_open(s->archive, s, NULL, read_for_archive, NULL) != ARCHIVE_OK)
                return fail(s, reterr);
        r = archive_read_next_header(s->archive, &entry);
        if (r == ARCHIVE_EOF)
                s->ended = true;
        else if (r != ARCHIVE_OK)
                return fail(s, reterr);
        return 0;
}

static int read_head(Stream *s, Error *reterr) {
        while (s->head_size < sizeof(s->head) && !s->blob_ended) {
                const void *piece;
                ssize_t n = read_blob(s, &piece);
                size_t m;

                if (n < 0)
                        return fail(s, reterr);
                if (n == 0)
                        break;
                m = MIN((size_t) n, sizeof(s->head) - s->head_size);
                memcpy(s->head + s->head_size, piece, m);
                s->head_size += m;
                s->rest = (const char *) piece + m;
                s->rest_size = (size_t) n - m;
        }
        return 0;
}

static int open_decompressor(Stream *s, Error *reterr) {
        int r = read_head(s, reterr);

        if (r < 0)
                return r;
        if (!gunzip_is(s->head, s->head_size))
                return open_archive(s, reterr);
        s->gunzip = gunzip_new(read_packed, s);
        return s->gunzip ? 0 : -ENOMEM;
}

int stream_new(Blob *blob, Stream **ret, Error *reterr) {
        _cleanup_stream_ Stream *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->blob = blob;
        s->packed = digest_new();
        s->unpacked = digest_new();
        if (!s->packed || !s->unpacked)
                return -ENOMEM;
        r = open_decompressor(s, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

Stream *stream_free(Stream *s) {
        if (!s)
                return NULL;
        gunzip_free(s->gunzip);
        (void) archive_read_free(s->archive);
        digest_free(s->packed);
        digest_free(s->unpacked);
        free(s);
        return NULL;
}

void stream_set_progress(Stream *s, void (*progress)(void *userdata, uint64_t bytes), void *userdata) {
        s->progress = progress;
        s->userdata = userdata;
}

static int check_limits(Stream *s, Error *reterr) {
        if (s->result.unpacked_size > STREAM_SIZE_MAX)
                return error_set(reterr, -EFBIG, "%s unpacks to more than %llu GiB", blob_name(s->blob),
                        (unsigned long long) (STREAM_SIZE_MAX >> 30));
        if (s->result.unpacked_size > STREAM_RATIO_FREE &&
                s->result.unpacked_size / STREAM_RATIO_MAX > s->result.size)
                return error_set(reterr, -EFBIG, "%s unpacks to more than %d times its size", blob_name(s->blob),
                        STREAM_RATIO_MAX);
        return 0;
}

static ssize_t read_gunzip(Stream *s, const void **ret, Error *reterr) {
        ssize_t n = gunzip_read(s->gunzip, ret, reterr);

        if (n < 0 && s->error.code < 0)
                return fail(s, reterr);
        if (n < 0)
                (void) error_prefix(reterr, "cannot decompress %s", blob_name(s->blob));
        return n;
}

static ssize_t read_archive(Stream *s, const void **ret, Error *reterr) {
        size_t size = 0;
        la_int64_t offset;

        /* A decompressor may hand out empty pieces before its end. */
        while (size == 0) {
                int r = archive_read_data_block(s->archive, ret, &size, &offset);

                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK)
                        return fail(s, reterr);
        }
        return (ssize_t) size;
}

ssize_t stream_read(Stream *s, const void **ret, Error *reterr) {
        ssize_t n;
        int r;

        if (s->ended)
                return 0;
        n = s->gunzip ? read_gunzip(s, ret, reterr) : read_archive(s, ret, reterr);
        if (n <= 0) {
                s->ended = n == 0;
                return n;
        }
        digest_update(s->unpacked, *ret, (size_t) n);
        s->result.unpacked_size += (uint64_t) n;
        r = check_limits(s, reterr);
        return r < 0 ? r : n;
}

static PackFormat format_of(Stream *s) {
        if (s->gunzip)
                return PACK_GZIP;
        switch (archive_filter_code(s->archive, 0)) {
        case ARCHIVE_FILTER_NONE:
                return PACK_NONE;
        case ARCHIVE_FILTER_ZSTD:
                return PACK_ZSTD;
        default:
                return _PACK_FORMAT_INVALID;
        }
}

int stream_finish(Stream *s, StreamResult *ret, Error *reterr) {
        const void *piece;
        ssize_t n;

        while ((n = stream_read(s, &piece, reterr)) > 0)
                ;
        /* What stands behind the compressed data belongs to the blob's digest. */
        while (n >= 0 && !s->blob_ended)
                if (read_blob(s, &piece) < 0)
                        return fail(s, reterr);
        if (n < 0)
                return (int) n;
        digest_finish(s->packed, s->result.digest);
        digest_finish(s->unpacked, s->result.diff_id);
        s->result.format = format_of(s);
        *ret = s->result;
        return 0;
}
