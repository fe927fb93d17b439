/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A growing byte buffer that is always NUL-terminated. */

#include "util/macro.h"

typedef struct Buf {
        char *data; /* NULL only while nothing was ever appended */
        size_t size;
        size_t allocated;
} Buf;

#define BUF_INIT ((Buf){ 0 })

/* All return 0 or -ENOMEM; the buffer is unchanged on failure. */
int buf_append(Buf *b, const void *data, size_t size);
int buf_puts(Buf *b, const char *text);
int buf_putc(Buf *b, char c);
int buf_printf(Buf *b, const char *format, ...) _printf_(2, 3);

/* Makes room for `more` bytes past size (plus the NUL) without changing size. */
int buf_reserve(Buf *b, size_t more);

/* Hands the text over and leaves the buffer empty; NULL when out of memory. The caller frees. */
char *buf_steal(Buf *b);

void buf_clear(Buf *b);
static inline void buf_clearp(Buf *b) {
        buf_clear(b);
}
#define _cleanup_buf_ _cleanup_(buf_clearp)
