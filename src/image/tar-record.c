/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include "image/tar-record.h"
#include "util/buf.h"
#include "util/fd.h"

#define LEVEL 3              /* headers are mostly zeros: what comes after this is slower and no smaller */
#define FLUSH_SIZE (64U << 10)

struct TarRecord {
        int fd;
        ZSTD_CCtx *zstd;
        char *packed;
        size_t packed_room;
        Buf operations; /* not yet compressed */

        /* What of the piece that came last is neither literal nor content yet. */
        const char *piece;
        size_t piece_size;
        uint64_t written; /* its position in the archive */

        /* The last operation D, not written yet: it may grow. */
        char *path;
        uint64_t offset, length;
};

int tar_record_new(int layer, TarRecord **ret, Error *reterr) {
        _cleanup_tar_record_ TarRecord *r = calloc(1, sizeof(*r));

        if (!r)
                return -ENOMEM;
        r->fd = openat(layer, TAR_RECORD_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (r->fd < 0)
                return error_set_errno(reterr, -errno, "cannot make a file in the image store");
        r->packed_room = ZSTD_CStreamOutSize();
        r->packed = malloc(r->packed_room);
        r->zstd = ZSTD_createCCtx();
        if (!r->packed || !r->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(r->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
                ZSTD_isError(ZSTD_CCtx_setParameter(r->zstd, ZSTD_c_checksumFlag, 1)) ||
                buf_puts(&r->operations, TAR_RECORD_HEADER) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(r);
        return 0;
}

TarRecord *tar_record_free(TarRecord *r) {
        if (!r)
                return NULL;
        fd_close(r->fd);
        (void) ZSTD_freeCCtx(r->zstd);
        free(r->packed);
        free(r->path);
        buf_clear(&r->operations);
        free(r);
        return NULL;
}

static int compress(TarRecord *r, ZSTD_EndDirective end, Error *reterr) {
        ZSTD_inBuffer in = { .src = r->operations.data, .size = r->operations.size };
        size_t left;

        do {
                ZSTD_outBuffer out = { .dst = r->packed, .size = r->packed_room };
                int q;

                left = ZSTD_compressStream2(r->zstd, &out, &in, end);
                if (ZSTD_isError(left))
                        return error_set(reterr, -ENOMEM, "cannot compress: %s", ZSTD_getErrorName(left));
                q = write_all(r->fd, out.dst, out.pos);
                if (q < 0)
                        return error_set_errno(reterr, q, "cannot write into the image store");
        } while (end == ZSTD_e_end ? left > 0 : in.pos < in.size);
        r->operations.size = 0;
        return 0;
}

static int put_number(Buf *b, uint64_t n) {
        int q = 0;

        for (; q >= 0 && n >= 0x80; n >>= 7)
                q = buf_putc(b, (char) (n | 0x80));
        return q < 0 ? q : buf_putc(b, (char) n);
}

static int put_text(Buf *b, const char *text, size_t size) {
        int q = put_number(b, size);

        return q < 0 ? q : buf_append(b, text, size);
}

/* One operation of up to a text and two numbers; text NULL: none. */
static int put(TarRecord *r, TarRecordOp op, const char *text, size_t size, const uint64_t *numbers, size_t n, Error *reterr) {
        int q = buf_putc(&r->operations, (char) op);

        if (q >= 0 && text)
                q = put_text(&r->operations, text, size);
        for (size_t i = 0; q >= 0 && i < n; i++)
                q = put_number(&r->operations, numbers[i]);
        if (q >= 0 && r->operations.size >= FLUSH_SIZE)
                q = compress(r, ZSTD_e_continue, reterr);
        return q;
}

static int put_data(TarRecord *r, Error *reterr) {
        int q = r->length > 0 ? put(r, TAR_RECORD_DATA, NULL, 0, (uint64_t[]){ r->offset, r->length }, 2, reterr) : 0;

        r->length = 0;
        return q;
}

/* The next n pending bytes are done with. */
static void drop(TarRecord *r, size_t n) {
        r->piece += n;
        r->piece_size -= n;
        r->written += n;
}

static int put_literal(TarRecord *r, size_t n, Error *reterr) {
        int q;

        if (n == 0)
                return 0;
        q = put_data(r, reterr);
        if (q >= 0)
                q = put(r, TAR_RECORD_LITERAL, r->piece, n, NULL, 0, reterr);
        drop(r, n);
        return q;
}

void tar_record_bytes(TarRecord *r, const void *data, size_t size) {
        assert(r->piece_size == 0);
        r->piece = data;
        r->piece_size = size;
}

int tar_record_settle(TarRecord *r, Error *reterr) {
        return put_literal(r, r->piece_size, reterr);
}

static int name_file(TarRecord *r, const TarRecordContent *c, Error *reterr) {
        char *copy;
        int q;

        if (streq_ptr(r->path, c->path))
                return 0;
        q = put_data(r, reterr);
        copy = strdup(c->path);
        if (q < 0 || !copy) {
                free(copy);
                return q < 0 ? q : -ENOMEM;
        }
        free(r->path);
        r->path = copy;
        return put(r, TAR_RECORD_NAME, copy, strlen(copy), &c->file_size, 1, reterr);
}

int tar_record_content(TarRecord *r, const TarRecordContent *c, Error *reterr) {
        int q;

        assert(c->position >= r->written && (const char *) c->data == r->piece + (c->position - r->written) &&
                c->size <= r->piece_size - (c->position - r->written));
        q = put_literal(r, (size_t) (c->position - r->written), reterr);
        if (q >= 0)
                q = name_file(r, c, reterr);
        if (q >= 0 && r->length > 0 && r->offset + r->length != c->offset)
                q = put_data(r, reterr);
        if (q < 0)
                return q;
        if (r->length == 0)
                r->offset = c->offset;
        r->length += c->size;
        drop(r, c->size);
        return 0;
}

int tar_record_replaced(TarRecord *r, const char *path, unsigned number, Error *reterr) {
        uint64_t n = number;
        int q = put_data(r, reterr);

        /* The next file may have the same name. */
        free(TAKE_PTR(r->path));
        return q < 0 ? q : put(r, TAR_RECORD_MOVED, path, strlen(path), &n, 1, reterr);
}

int tar_record_finish(TarRecord *r, Error *reterr) {
        int q = put_literal(r, r->piece_size, reterr);

        if (q >= 0)
                q = put_data(r, reterr);
        if (q >= 0)
                q = put(r, TAR_RECORD_END, NULL, 0, &r->written, 1, reterr);
        return q < 0 ? q : compress(r, ZSTD_e_end, reterr);
}
