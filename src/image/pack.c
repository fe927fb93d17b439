/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include "image/pack.h"

#define GZIP_LEVEL 2 /* of ISA-L; level 3 is no smaller, and its bytes depend on the processor */
#define ZSTD_LEVEL 3

typedef struct Pack {
        Blob *blob;
        bool blob_ended, ended;
        const void *in; /* the rest of the piece that is being packed */
        size_t in_size;
        int (*pack)(struct Pack *p, size_t *ret_size, Error *reterr); /* what fits into buffer of what was read */
        ZSTD_CCtx *zstd;
        struct isal_zstream gzip;
        void *gzip_level;
        unsigned char buffer[BLOB_CHUNK];
} Pack;

static const char *const formats[_PACK_FORMAT_MAX] = {
        [PACK_NONE] = "none",
        [PACK_GZIP] = "gzip",
        [PACK_ZSTD] = "zstd",
};

PackFormat pack_format_from_string(const char *text) {
        for (PackFormat f = 0; f < _PACK_FORMAT_MAX; f++)
                if (streq(formats[f], text))
                        return f;
        return _PACK_FORMAT_INVALID;
}

const char *pack_format_to_string(PackFormat format) {
        return formats[format];
}

static void pack_free(void *userdata) {
        Pack *p = userdata;

        if (!p)
                return;
        blob_free(p->blob);
        (void) ZSTD_freeCCtx(p->zstd);
        free(p->gzip_level);
        free(p);
}

static int pack_gzip(Pack *p, size_t *ret_size, Error *reterr) {
        struct isal_zstream *s = &p->gzip;
        int r;

        s->next_in = (uint8_t *) p->in; /* it is only read */
        s->avail_in = (uint32_t) p->in_size;
        s->end_of_stream = p->blob_ended;
        s->next_out = p->buffer;
        s->avail_out = sizeof(p->buffer);
        r = isal_deflate(s);
        if (r != COMP_OK)
                return error_set(reterr, -EIO, "cannot compress with gzip: error %d", r);
        p->in = s->next_in;
        p->in_size = s->avail_in;
        p->ended = s->internal_state.state == ZSTATE_END;
        *ret_size = sizeof(p->buffer) - s->avail_out;
        return 0;
}

static int pack_zstd(Pack *p, size_t *ret_size, Error *reterr) {
        ZSTD_inBuffer in = { .src = p->in, .size = p->in_size };
        ZSTD_outBuffer out = { .dst = p->buffer, .size = sizeof(p->buffer) };
        size_t left = ZSTD_compressStream2(p->zstd, &out, &in, p->blob_ended ? ZSTD_e_end : ZSTD_e_continue);

        if (ZSTD_isError(left))
                return error_set(reterr, -EIO, "cannot compress with zstd: %s", ZSTD_getErrorName(left));
        p->in = (const char *) p->in + in.pos;
        p->in_size -= in.pos;
        p->ended = p->blob_ended && left == 0;
        *ret_size = out.pos;
        return 0;
}

static ssize_t pack_read(void *userdata, const void **ret, Error *reterr) {
        Pack *p = userdata;
        size_t size = 0;

        while (size == 0 && !p->ended) {
                int r;

                if (p->in_size == 0 && !p->blob_ended) {
                        ssize_t n = blob_read_below(p->blob, &p->in, reterr);

                        if (n < 0)
                                return n;
                        p->in_size = (size_t) n;
                        p->blob_ended = n == 0;
                }
                r = p->pack(p, &size, reterr);
                if (r < 0)
                        return r;
        }
        *ret = p->buffer;
        return (ssize_t) size;
}

static int prepare_gzip(Pack *p) {
        p->pack = pack_gzip;
        p->gzip_level = malloc(ISAL_DEF_LVL2_DEFAULT);
        if (!p->gzip_level)
                return -ENOMEM;
        isal_deflate_init(&p->gzip);
        p->gzip.gzip_flag = IGZIP_GZIP;
        p->gzip.level = GZIP_LEVEL;
        p->gzip.level_buf = p->gzip_level;
        p->gzip.level_buf_size = ISAL_DEF_LVL2_DEFAULT;
        return 0;
}

static int prepare_zstd(Pack *p) {
        p->pack = pack_zstd;
        p->zstd = ZSTD_createCCtx();
        if (!p->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ||
                ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1)))
                return -ENOMEM;
        return 0;
}

int pack_blob(Blob *blob, PackFormat format, Blob **ret, Error *reterr) {
        Pack *p;
        int r = 0;

        if (format == PACK_NONE) {
                *ret = blob;
                return 0;
        }
        p = calloc(1, sizeof(*p));
        if (!p) {
                blob_free(blob);
                return -ENOMEM;
        }
        p->blob = blob;
        switch (format) {
        case PACK_GZIP:
                r = prepare_gzip(p);
                break;
        case PACK_ZSTD:
                r = prepare_zstd(p);
                break;
        case PACK_NONE:
        case _PACK_FORMAT_MAX:
        case _PACK_FORMAT_INVALID:
                assert(false);
        }
        if (r < 0) {
                pack_free(p);
                return r;
        }
        *ret = blob_new(blob_name(blob), pack_read, pack_free, p);
        return *ret ? 0 : -ENOMEM;
}
