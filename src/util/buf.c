/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "util/buf.h"

int buf_reserve(Buf *b, size_t more) {
        size_t need;
        char *p;

        if (__builtin_add_overflow(b->size, more, &need) || __builtin_add_overflow(need, 1, &need))
                return -ENOMEM;
        if (need <= b->allocated)
                return 0;
        need = MAX(need, b->allocated * 2);
        need = MAX(need, (size_t) 64);
        p = realloc(b->data, need);
        if (!p)
                return -ENOMEM;
        b->data = p;
        b->allocated = need;
        b->data[b->size] = 0;
        return 0;
}

int buf_append(Buf *b, const void *data, size_t size) {
        if (buf_reserve(b, size) < 0)
                return -ENOMEM;
        if (size > 0)
                memcpy(b->data + b->size, data, size);
        b->size += size;
        b->data[b->size] = 0;
        return 0;
}

int buf_puts(Buf *b, const char *text) {
        return buf_append(b, text, strlen(text));
}

int buf_putc(Buf *b, char c) {
        return buf_append(b, &c, 1);
}

int buf_printf(Buf *b, const char *format, ...) {
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(NULL, 0, format, ap);
        va_end(ap);
        if (n < 0 || buf_reserve(b, (size_t) n) < 0)
                return -ENOMEM;
        va_start(ap, format);
        (void) vsnprintf(b->data + b->size, (size_t) n + 1, format, ap);
        va_end(ap);
        b->size += (size_t) n;
        return 0;
}

char *buf_steal(Buf *b) {
        if (buf_reserve(b, 0) < 0)
                return NULL;
        b->size = b->allocated = 0;
        return TAKE_PTR(b->data);
}

void buf_clear(Buf *b) {
        free(b->data);
        *b = BUF_INIT;
}
