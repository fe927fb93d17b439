/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The block that begins an entry of a tar archive: V7's, POSIX's (ustar, pax) or GNU's, told apart and read as GNU tar does
 * (POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format"). */

#include "util/error.h"

#define TAR_BLOCK 512
#define TAR_NAME_FIELD 100
#define TAR_PREFIX_FIELD 155

typedef struct TarHeader {
        char type; /* '0' file, also 0 and '7'; '1' hard link, '2' link, '3' '4' devices, '5' directory, '6' pipe; other: extensions */
        bool gnu;  /* else V7's or POSIX's */
        char name[TAR_PREFIX_FIELD + 1 + TAR_NAME_FIELD + 1];
        char link[TAR_NAME_FIELD + 1];
        int64_t mode, uid, gid, size, mtime;
        int64_t major, minor; /* of devices */
} TarHeader;

/* 1; 0: a block of zeros, with which an archive ends; -EBADMSG with a sentence. */
int tar_header_parse(const uint8_t block[static TAR_BLOCK], TarHeader *ret, Error *reterr);

/* A field: octal, or binary behind a byte 0x80 or 0xff. -EBADMSG: neither, or beyond 64 bits. */
int tar_number_parse(const uint8_t *field, size_t size, int64_t *ret);
