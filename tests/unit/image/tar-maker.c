/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "tar-maker.h"

#define BLOCK 512

/* POSIX ustar. */
typedef struct Header {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2];
        char user[32], group[32], major[8], minor[8], prefix[155], padding[12];
} Header;
_Static_assert(sizeof(Header) == BLOCK, "a header is a block");

static void put_octal(char *field, size_t size, unsigned long value) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%0*lo", (int) size - 1, value);
        memcpy(field, text, size - 1);
}

static void append(Buf *tar, const void *data, size_t size) {
        static const char zeros[BLOCK];

        if (buf_append(tar, data, size) < 0 || buf_append(tar, zeros, (BLOCK - size % BLOCK) % BLOCK) < 0)
                abort();
}

static void put_name(char *field, const char *text) {
        if (text)
                memcpy(field, text, MIN(strlen(text), (size_t) 100));
}

void tar_add(Buf *tar, TarEntry e) {
        Header h = { 0 };
        unsigned sum = 0;

        put_name(h.name, e.name);
        put_name(h.link, e.link);
        put_octal(h.mode, sizeof(h.mode), e.mode ? e.mode : e.type == '5' ? 0755 : 0644);
        put_octal(h.uid, sizeof(h.uid), e.uid);
        put_octal(h.gid, sizeof(h.gid), e.gid);
        put_octal(h.size, sizeof(h.size), e.claim ? e.claim : e.size);
        put_octal(h.mtime, sizeof(h.mtime), (unsigned long) e.mtime);
        put_octal(h.major, sizeof(h.major), e.major);
        put_octal(h.minor, sizeof(h.minor), e.minor);
        h.type = e.type;
        memcpy(h.magic, "ustar", 6);
        memcpy(h.version, "00", 2);
        memset(h.checksum, ' ', sizeof(h.checksum));
        for (size_t i = 0; i < sizeof(h); i++)
                sum += ((unsigned char *) &h)[i];
        (void) snprintf(h.checksum, sizeof(h.checksum), "%06o", sum);
        append(tar, &h, sizeof(h));
        append(tar, e.data, e.size);
}

void tar_pax(Buf *tar, const char *key, const void *value, long value_size) {
        size_t size = value_size < 0 ? strlen(value) : (size_t) value_size, length = strlen(key) + size + 3, digits;
        _cleanup_buf_ Buf record = BUF_INIT;
        char number[32];

        /* The length counts its own digits. */
        do
                digits = (size_t) snprintf(number, sizeof(number), "%zu", length);
        while (strlen(key) + size + 3 + digits != length && (length = strlen(key) + size + 3 + digits));
        if (buf_printf(&record, "%zu %s=", length, key) < 0 || buf_append(&record, value, size) < 0 || buf_putc(&record, '\n') < 0)
                abort();
        tar_add(tar, (TarEntry){ .type = 'x', .name = "pax", .data = record.data, .size = record.size });
}

void tar_end(Buf *tar) {
        static const char zeros[2 * BLOCK];

        append(tar, zeros, sizeof(zeros));
}
