/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include "image/record-reader.h"
#include "util/fd.h"

#define BUFFER_SIZE (128U << 10)
#define WINDOW_LOG_MAX 23 /* the writer's level needs no more */

struct RecordReader {
        int fd;
        ZSTD_DCtx *zstd;
        ZSTD_inBuffer packed;
        bool ended;           /* the file */
        size_t position, size; /* in bytes */
        uint64_t literal;     /* that are left of an L */
        char in[BUFFER_SIZE], bytes[BUFFER_SIZE];
};

static int broken(Error *reterr, const char *why) {
        return error_set(reterr, -EBADMSG, "its file " TAR_RECORD_FILE " is broken: %s", why);
}

/* More bytes; there must be some. */
static int refill(RecordReader *r, Error *reterr) {
        ZSTD_outBuffer out = { .dst = r->bytes, .size = sizeof(r->bytes) };

        while (out.pos == 0) {
                size_t left;

                if (r->packed.pos == r->packed.size) {
                        ssize_t n = r->ended ? 0 : read(r->fd, r->in, sizeof(r->in));

                        if (n < 0 && errno == EINTR)
                                continue;
                        if (n < 0)
                                return error_set_errno(reterr, -errno, "cannot read its file " TAR_RECORD_FILE);
                        if (n == 0)
                                return broken(reterr, "it is cut off");
                        r->packed = (ZSTD_inBuffer){ .src = r->in, .size = (size_t) n };
                }
                left = ZSTD_decompressStream(r->zstd, &out, &r->packed);
                if (ZSTD_isError(left))
                        return broken(reterr, ZSTD_getErrorName(left));
                r->ended = left == 0 && r->packed.pos == r->packed.size;
        }
        r->position = 0;
        r->size = out.pos;
        return 0;
}

static int get(RecordReader *r, void *data, size_t size, Error *reterr) {
        for (char *to = data; size > 0;) {
                size_t n;

                if (r->position == r->size) {
                        int q = refill(r, reterr);

                        if (q < 0)
                                return q;
                }
                n = MIN(size, r->size - r->position);
                if (to) {
                        memcpy(to, r->bytes + r->position, n);
                        to += n;
                }
                r->position += n;
                size -= n;
        }
        return 0;
}

static int get_number(RecordReader *r, uint64_t *ret, Error *reterr) {
        uint64_t n = 0;

        for (unsigned shift = 0; shift < 64; shift += 7) {
                unsigned char c;
                int q = get(r, &c, 1, reterr);

                if (q < 0)
                        return q;
                n |= (uint64_t) (c & 0x7f) << shift;
                if (!(c & 0x80)) {
                        *ret = n;
                        return 0;
                }
        }
        return broken(reterr, "a number has no end");
}

static int get_path(RecordReader *r, char path[static TAR_RECORD_PATH_MAX + 1], Error *reterr) {
        uint64_t size = 0;
        int q = get_number(r, &size, reterr);

        if (q < 0)
                return q;
        if (size == 0 || size > TAR_RECORD_PATH_MAX)
                return broken(reterr, "a path is empty or too long");
        q = get(r, path, (size_t) size, reterr);
        if (q < 0)
                return q;
        path[size] = 0;
        return strlen(path) == size ? 0 : broken(reterr, "a path has a NUL byte");
}

int record_reader_open(int layer, RecordReader **ret, Error *reterr) {
        _cleanup_record_reader_ RecordReader *r = calloc(1, sizeof(*r));
        char header[STRLEN(TAR_RECORD_HEADER)];
        int q;

        if (!r)
                return -ENOMEM;
        r->fd = openat(layer, TAR_RECORD_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (r->fd < 0)
                return errno == ENOENT ? -ENOENT : error_set_errno(reterr, -errno, "cannot open its file " TAR_RECORD_FILE);
        r->zstd = ZSTD_createDCtx();
        if (!r->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
                return -ENOMEM;
        q = get(r, header, sizeof(header), reterr);
        if (q < 0)
                return q;
        if (memcmp(header, TAR_RECORD_HEADER, sizeof(header)) != 0)
                return broken(reterr, "another version of berth wrote it");
        *ret = TAKE_PTR(r);
        return 0;
}

RecordReader *record_reader_free(RecordReader *r) {
        if (!r)
                return NULL;
        fd_close(r->fd);
        (void) ZSTD_freeDCtx(r->zstd);
        free(r);
        return NULL;
}

int record_reader_literal(RecordReader *r, void *data, size_t size, Error *reterr) {
        assert(size <= r->literal);
        r->literal -= size;
        return get(r, data, size, reterr);
}

static int skip_literal(RecordReader *r, Error *reterr) {
        int q = 0;

        while (q >= 0 && r->literal > 0)
                q = record_reader_literal(r, NULL, (size_t) MIN(r->literal, (uint64_t) BUFFER_SIZE), reterr);
        return q;
}

int record_reader_next(RecordReader *r, RecordStep *ret, Error *reterr) {
        static const struct {
                TarRecordOp op;
                bool path;
                size_t numbers;
        } shapes[] = {
                { TAR_RECORD_LITERAL, false, 1 },
                { TAR_RECORD_NAME,    true,  1 },
                { TAR_RECORD_DATA,    false, 2 },
                { TAR_RECORD_MOVED,   true,  1 },
                { TAR_RECORD_END,     false, 1 },
        };
        char op;
        int q = skip_literal(r, reterr);

        if (q >= 0)
                q = get(r, &op, 1, reterr);
        if (q < 0)
                return q;
        for (size_t i = 0; i < ELEMENTSOF(shapes); i++) {
                if ((char) shapes[i].op != op)
                        continue;
                ret->op = shapes[i].op;
                if (shapes[i].path)
                        q = get_path(r, ret->path, reterr);
                for (size_t j = 0; q >= 0 && j < shapes[i].numbers; j++)
                        q = get_number(r, ret->numbers + j, reterr);
                if (q >= 0 && ret->op == TAR_RECORD_LITERAL)
                        r->literal = ret->numbers[0];
                return q;
        }
        return broken(reterr, "it has an unknown operation");
}
