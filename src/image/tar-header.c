/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>

#include "image/tar-header.h"

/* As it is in the archive. */
typedef struct RawHeader {
        uint8_t name[TAR_NAME_FIELD], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[TAR_NAME_FIELD];
        uint8_t magic[8]; /* and version */
        uint8_t user[32], group[32], major[8], minor[8], prefix[TAR_PREFIX_FIELD], rest[12];
} RawHeader;

_Static_assert(sizeof(RawHeader) == TAR_BLOCK, "a header is a block");

#define MAGIC_POSIX "ustar" /* with its NUL; what stands behind it does not matter */
#define MAGIC_GNU "ustar  " /* with its NUL */

static bool is_blank(uint8_t c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

static int parse_binary(const uint8_t *field, size_t size, int64_t *ret) {
        int64_t n = field[0] == 0xff ? -1 : 0;

        for (size_t i = 1; i < size; i++)
                if (__builtin_mul_overflow(n, 256, &n) || __builtin_add_overflow(n, field[i], &n))
                        return -EBADMSG;
        *ret = n;
        return 0;
}

int tar_number_parse(const uint8_t *field, size_t size, int64_t *ret) {
        size_t i = 0;
        int64_t n = 0;

        if (field[0] == 0x80 || field[0] == 0xff)
                return parse_binary(field, size, ret);
        /* One that a long field before this one ends with. */
        if (field[0] == 0)
                i++;
        while (i < size && is_blank(field[i]))
                i++;
        if (i == size)
                return -EBADMSG;
        for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
                n = n * 8 + (field[i] - '0'); /* no field is long enough to overflow */
        if (i < size && field[i] != 0 && !is_blank(field[i]))
                return -EBADMSG;
        *ret = n;
        return 0;
}

/* Old programs summed signed bytes. */
static bool checksum_right(const uint8_t *block, int64_t wanted) {
        const size_t start = offsetof(RawHeader, checksum), end = offsetof(RawHeader, type);
        int64_t plain = 0, with_sign = 0;

        for (size_t i = 0; i < TAR_BLOCK; i++) {
                uint8_t c = i >= start && i < end ? ' ' : block[i];

                plain += c;
                with_sign += (int8_t) c;
        }
        return wanted == plain || wanted == with_sign;
}

static bool all_zeros(const uint8_t *block) {
        for (size_t i = 0; i < TAR_BLOCK; i++)
                if (block[i])
                        return false;
        return true;
}

static void take_text(char *to, const uint8_t *field, size_t size) {
        memcpy(to, field, size);
        to[size] = 0;
}

static void take_name(const RawHeader *raw, TarHeader *h) {
        char *to = h->name;

        if (raw->prefix[0] && memcmp(raw->magic, MAGIC_POSIX, sizeof(MAGIC_POSIX)) == 0) {
                take_text(to, raw->prefix, sizeof(raw->prefix));
                to += strlen(to);
                *to++ = '/';
        }
        take_text(to, raw->name, sizeof(raw->name));
}

static int take_numbers(const RawHeader *raw, TarHeader *h, Error *reterr) {
        const bool device = h->type == '3' || h->type == '4';
        const struct {
                const char *what;
                const uint8_t *field;
                size_t size;
                int64_t *ret;
                bool wanted;
        } numbers[] = {
                { "mode",          raw->mode,  sizeof(raw->mode),  &h->mode,  true   },
                { "user id",       raw->uid,   sizeof(raw->uid),   &h->uid,   true   },
                { "group id",      raw->gid,   sizeof(raw->gid),   &h->gid,   true   },
                { "size",          raw->size,  sizeof(raw->size),  &h->size,  true   },
                { "time",          raw->mtime, sizeof(raw->mtime), &h->mtime, true   },
                { "device number", raw->major, sizeof(raw->major), &h->major, device },
                { "device number", raw->minor, sizeof(raw->minor), &h->minor, device },
        };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (numbers[i].wanted && tar_number_parse(numbers[i].field, numbers[i].size, numbers[i].ret) < 0)
                        return error_set(reterr, -EBADMSG, "the archive is broken: the %s of '%.200s' is no number", numbers[i].what,
                                h->name);
        if (h->size < 0)
                return error_set(reterr, -EBADMSG, "the archive is broken: the size of '%.200s' is negative", h->name);
        return 0;
}

int tar_header_parse(const uint8_t block[static TAR_BLOCK], TarHeader *ret, Error *reterr) {
        const RawHeader *raw = (const RawHeader *) block;
        TarHeader h = { .type = (char) raw->type, .gnu = memcmp(raw->magic, MAGIC_GNU, sizeof(MAGIC_GNU)) == 0 };
        int64_t checksum;
        int r;

        if (all_zeros(block))
                return 0;
        if (tar_number_parse(raw->checksum, sizeof(raw->checksum), &checksum) < 0 || !checksum_right(block, checksum))
                return error_set(reterr, -EBADMSG, "the archive is broken: where a header should be there is none");
        take_name(raw, &h);
        take_text(h.link, raw->link, sizeof(raw->link));
        r = take_numbers(raw, &h, reterr);
        if (r < 0)
                return r;
        *ret = h;
        return 1;
}
