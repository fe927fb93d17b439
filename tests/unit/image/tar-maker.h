/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tar archives made byte by byte, as no honest tool would. */

#include "util/buf.h"

typedef struct TarEntry {
        char type; /* '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5' directory, '6' pipe, 'x' pax, 'L' 'K' GNU */
        const char *name;
        const char *link;
        unsigned mode; /* 0: 0755 for a directory, 0644 else */
        unsigned uid, gid, major, minor;
        long mtime;
        const void *data;
        size_t size;
        size_t claim; /* the size that the header says, when it is not size */
} TarEntry;

void tar_add(Buf *tar, TarEntry e);
/* A pax header for the entry after it: "key=value". value_size -1: a string. */
void tar_pax(Buf *tar, const char *key, const void *value, long value_size);
void tar_end(Buf *tar);

#define tar_file(tar, path, text) tar_add(tar, (TarEntry){ .type = '0', .name = path, .data = text, .size = strlen(text) })
#define tar_directory(tar, path) tar_add(tar, (TarEntry){ .type = '5', .name = path })
#define tar_link(tar, path, target) tar_add(tar, (TarEntry){ .type = '2', .name = path, .link = target })
#define tar_hard_link(tar, path, target) tar_add(tar, (TarEntry){ .type = '1', .name = path, .link = target })
