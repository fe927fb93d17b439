/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>

#include "image/decompressor.h"
#include "image/gunzip.h"

struct Decompressor {
        DecompressorRead read;
        void *userdata;
        Gunzip *gunzip; /* or */
        struct archive *archive; /* whose format is "raw" */
        /* What was read before anybody knew which of them it is for. */
        char head[GUNZIP_MAGIC_SIZE];
        size_t head_size;
        const char *rest;
        size_t rest_size;
        int error; /* of read, behind libarchive's back */
        bool ended;
        /* What libarchive handed out and nobody has taken. */
        const char *piece;
        size_t piece_size;
};

static ssize_t read_packed(void *userdata, const void **ret) {
        Decompressor *d = userdata;
        size_t n = TAKE_GENERIC(d->head_size, 0);

        if (n > 0) {
                *ret = d->head;
                return (ssize_t) n;
        }
        n = TAKE_GENERIC(d->rest_size, 0);
        if (n > 0) {
                *ret = d->rest;
                return (ssize_t) n;
        }
        return d->read(d->userdata, ret);
}

static la_ssize_t read_for_archive(struct archive *a, void *userdata, const void **ret) {
        Decompressor *d = userdata;
        ssize_t n = read_packed(d, ret);

        if (n < 0) {
                d->error = (int) n;
                archive_set_error(a, (int) -n, "cannot read");
        }
        return n < 0 ? ARCHIVE_FATAL : n;
}

static int fail(const Decompressor *d, Error *reterr) {
        const char *text = archive_error_string(d->archive);

        if (d->error < 0)
                return d->error;
        /* libarchive's own numbers (ARCHIVE_ERRNO_…) are no errno to report: what it says is enough. */
        return error_set(reterr, archive_errno(d->archive) == ENOMEM ? -ENOMEM : -EBADMSG, "%s", text ? text : "unknown reason");
}

static int open_archive(Decompressor *d, Error *reterr) {
        struct archive_entry *entry;
        int r;

        d->archive = archive_read_new();
        if (!d->archive)
                return -ENOMEM;
        if (archive_read_support_filter_zstd(d->archive) != ARCHIVE_OK ||
                archive_read_support_filter_bzip2(d->archive) != ARCHIVE_OK ||
                archive_read_support_filter_xz(d->archive) != ARCHIVE_OK ||
                archive_read_support_format_raw(d->archive) != ARCHIVE_OK ||
                archive_read_support_format_empty(d->archive) != ARCHIVE_OK)
                return error_set(reterr, -EOPNOTSUPP, "libarchive lacks a decompressor: %s", archive_error_string(d->archive));
        if (archive_read_open(d->archive, d, NULL, read_for_archive, NULL) != ARCHIVE_OK)
                return fail(d, reterr);
        r = archive_read_next_header(d->archive, &entry);
        if (r == ARCHIVE_EOF)
                d->ended = true;
        else if (r != ARCHIVE_OK)
                return fail(d, reterr);
        return 0;
}

static int read_head(Decompressor *d) {
        while (d->head_size < sizeof(d->head)) {
                const void *piece;
                ssize_t n = d->read(d->userdata, &piece);
                size_t m;

                if (n <= 0)
                        return (int) n;
                m = MIN((size_t) n, sizeof(d->head) - d->head_size);
                memcpy(d->head + d->head_size, piece, m);
                d->head_size += m;
                d->rest = (const char *) piece + m;
                d->rest_size = (size_t) n - m;
        }
        return 0;
}

int decompressor_new(DecompressorRead read, void *userdata, Decompressor **ret, Error *reterr) {
        _cleanup_decompressor_ Decompressor *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return -ENOMEM;
        d->read = read;
        d->userdata = userdata;
        r = read_head(d);
        if (r < 0)
                return r;
        if (gunzip_is(d->head, d->head_size)) {
                d->gunzip = gunzip_new(read_packed, d);
                r = d->gunzip ? 0 : -ENOMEM;
        } else
                r = open_archive(d, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

Decompressor *decompressor_free(Decompressor *d) {
        if (!d)
                return NULL;
        gunzip_free(d->gunzip);
        (void) archive_read_free(d->archive);
        free(d);
        return NULL;
}

static int fetch(Decompressor *d, Error *reterr) {
        /* It may hand out empty pieces before its end. */
        while (!d->ended && d->piece_size == 0) {
                la_int64_t offset;
                const void *piece;
                int r = archive_read_data_block(d->archive, &piece, &d->piece_size, &offset);

                d->piece = piece;
                if (r == ARCHIVE_EOF)
                        d->ended = true;
                else if (r != ARCHIVE_OK)
                        return fail(d, reterr);
        }
        return 0;
}

static ssize_t read_archive(Decompressor *d, void *buffer, size_t size, Error *reterr) {
        int r = fetch(d, reterr);
        size_t n;

        if (r < 0 || d->ended)
                return r;
        n = MIN(size, d->piece_size);
        memcpy(buffer, d->piece, n);
        d->piece += n;
        d->piece_size -= n;
        return (ssize_t) n;
}

ssize_t decompressor_read(Decompressor *d, void *buffer, size_t size, Error *reterr) {
        return d->gunzip ? gunzip_read(d->gunzip, buffer, size, reterr) : read_archive(d, buffer, size, reterr);
}

PackFormat decompressor_format(const Decompressor *d) {
        if (d->gunzip)
                return PACK_GZIP;
        switch (archive_filter_code(d->archive, 0)) {
        case ARCHIVE_FILTER_NONE:
                return PACK_NONE;
        case ARCHIVE_FILTER_ZSTD:
                return PACK_ZSTD;
        default:
                return _PACK_FORMAT_INVALID;
        }
}
