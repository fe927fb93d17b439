/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include "image/gunzip.h"

enum {
        GZIP_TEXT = 1,
        GZIP_HEADER_CRC = 2,
        GZIP_EXTRA = 4,
        GZIP_NAME = 8,
        GZIP_COMMENT = 16,
};

#define GZIP_TIME_TO_SYSTEM 6 /* bytes of the header that nobody here asks for */

struct Gunzip {
        GunzipRead read;
        void *userdata;
        struct inflate_state state; /* its next_in and avail_in are what is left of the piece that came last */
        uint32_t header_crc;
        bool in_member, input_ended, ended;
};

bool gunzip_is(const void *data, size_t size) {
        static const uint8_t magic[GUNZIP_MAGIC_SIZE] = { 0x1f, 0x8b, 8 /* deflate */ };

        return size >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}

Gunzip *gunzip_new(GunzipRead read, void *userdata) {
        Gunzip *g = malloc(sizeof(*g));

        if (!g)
                return NULL;
        g->read = read;
        g->userdata = userdata;
        g->in_member = g->input_ended = g->ended = false;
        isal_inflate_init(&g->state);
        return g;
}

Gunzip *gunzip_free(Gunzip *g) {
        free(g);
        return NULL;
}

static int fill(Gunzip *g) {
        const void *piece;
        ssize_t n;

        if (g->state.avail_in > 0 || g->input_ended)
                return 0;
        n = g->read(g->userdata, &piece);
        if (n < 0)
                return (int) n;
        assert((size_t) n <= UINT32_MAX);
        g->input_ended = n == 0;
        g->state.next_in = (uint8_t *) piece; /* it is only read */
        g->state.avail_in = (uint32_t) n;
        return 0;
}

static int inflate(Gunzip *g, Error *reterr) {
        int r = isal_inflate(&g->state);

        if (r == ISAL_INCORRECT_CHECKSUM)
                return error_set(reterr, -EBADMSG, "the gzip stream is broken: its checksum is wrong");
        if (r < 0 || r == ISAL_NEED_DICT)
                return error_set(reterr, -EBADMSG, "the gzip stream is broken");
        return 0;
}

static int cut_off(Error *reterr) {
        return error_set(reterr, -EBADMSG, "the gzip stream is cut off");
}

/* One of the header, which its checksum covers. */
static int next_byte(Gunzip *g, Error *reterr) {
        uint8_t byte;
        int r = fill(g);

        if (r < 0)
                return r;
        if (g->input_ended)
                return cut_off(reterr);
        byte = *g->state.next_in++;
        g->state.avail_in--;
        g->header_crc = crc32_gzip_refl(g->header_crc, &byte, 1);
        return byte;
}

static int next_u16(Gunzip *g, Error *reterr) {
        int low = next_byte(g, reterr), high = low < 0 ? low : next_byte(g, reterr);

        return high < 0 ? high : low | high << 8;
}

static int skip(Gunzip *g, size_t n, Error *reterr) {
        int r = 0;

        while (r >= 0 && n-- > 0)
                r = next_byte(g, reterr);
        return r;
}

static int skip_text(Gunzip *g, Error *reterr) {
        int r;

        do
                r = next_byte(g, reterr);
        while (r > 0);
        return r;
}

/* What is behind the magic. That of ISA-L 2.30 gets the checksum wrong of a header that comes in pieces. */
static int read_header(Gunzip *g, Error *reterr) {
        int flags = next_byte(g, reterr), r;
        uint16_t crc;

        if (flags < 0)
                return flags;
        if (flags & ~(GZIP_TEXT | GZIP_HEADER_CRC | GZIP_EXTRA | GZIP_NAME | GZIP_COMMENT))
                return error_set(reterr, -EBADMSG, "the gzip stream is broken");
        r = skip(g, GZIP_TIME_TO_SYSTEM, reterr);
        if (r >= 0 && flags & GZIP_EXTRA) {
                r = next_u16(g, reterr);
                if (r >= 0)
                        r = skip(g, (size_t) r, reterr);
        }
        if (r >= 0 && flags & GZIP_NAME)
                r = skip_text(g, reterr);
        if (r >= 0 && flags & GZIP_COMMENT)
                r = skip_text(g, reterr);
        if (r < 0 || !(flags & GZIP_HEADER_CRC))
                return r;
        crc = (uint16_t) g->header_crc;
        r = next_u16(g, reterr);
        return r < 0 ? r : r == crc ? 0 : error_set(reterr, -EBADMSG, "the gzip stream is broken: the checksum of its header is wrong");
}

/* 1: a member has begun; 0: nothing more comes, or nothing that is gzip. */
static int begin_member(Gunzip *g, Error *reterr) {
        uint8_t magic[GUNZIP_MAGIC_SIZE];
        const uint8_t *rest;
        uint32_t n_rest;
        int r;

        g->header_crc = 0;
        for (size_t n = 0; n < sizeof(magic); n++) {
                r = fill(g);
                if (r < 0)
                        return r;
                if (g->input_ended)
                        return 0;
                magic[n] = (uint8_t) next_byte(g, reterr);
        }
        if (!gunzip_is(magic, sizeof(magic)))
                return 0;
        r = read_header(g, reterr);
        if (r < 0)
                return r;
        rest = g->state.next_in;
        n_rest = g->state.avail_in;
        isal_inflate_reset(&g->state);
        g->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
        g->state.next_in = (uint8_t *) rest;
        g->state.avail_in = n_rest;
        return 1;
}

static ssize_t continue_member(Gunzip *g, void *buffer, size_t size, Error *reterr) {
        struct inflate_state *s = &g->state;

        s->next_out = buffer;
        s->avail_out = (uint32_t) size;
        while (s->avail_out > 0 && s->block_state != ISAL_BLOCK_FINISH) {
                uint32_t in, out = s->avail_out;
                int r = fill(g);

                if (r < 0)
                        return r;
                in = s->avail_in;
                r = inflate(g, reterr);
                if (r < 0)
                        return r;
                /* All that was taken in may have come out only now. */
                if (g->input_ended && s->block_state != ISAL_BLOCK_FINISH && s->avail_in == in && s->avail_out == out)
                        return cut_off(reterr);
        }
        g->in_member = s->block_state != ISAL_BLOCK_FINISH;
        return (ssize_t) (size - s->avail_out);
}

ssize_t gunzip_read(Gunzip *g, void *buffer, size_t size, Error *reterr) {
        ssize_t n = 0;

        assert(size > 0 && size <= UINT32_MAX);

        /* A member may be empty. */
        while (n == 0 && !g->ended) {
                if (!g->in_member) {
                        int r = begin_member(g, reterr);

                        if (r < 0)
                                return r;
                        g->in_member = r > 0;
                        g->ended = r == 0;
                }
                if (!g->ended)
                        n = continue_member(g, buffer, size, reterr);
        }
        return n;
}
