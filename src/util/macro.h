/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ownership and table helpers that every floor uses. */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(freep)
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _pure_ __attribute__((pure))
#define _unused_ __attribute__((unused))
#define _noreturn_ __attribute__((noreturn))

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))
#define STRLEN(literal) (sizeof("" literal "") - 1)
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define TAKE_GENERIC(var, nullvalue)         \
        ({                                   \
                typeof(var) *_p = &(var);    \
                typeof(var) _v = *_p;        \
                *_p = (nullvalue);           \
                _v;                          \
        })
#define TAKE_PTR(p) TAKE_GENERIC(p, NULL)
#define TAKE_FD(fd) TAKE_GENERIC(fd, -EBADF)

/* Defines `namep(T **)` for _cleanup_() out of a destructor that takes NULL. */
#define DEFINE_CLEANUP(type, func)                              \
        static inline _unused_ void func##p(type *p) {          \
                if (*p)                                         \
                        func(*p);                               \
        }

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* Equal when both are NULL or both are the same text. */
static inline bool streq_ptr(const char *a, const char *b) {
        return a == b || (a && b && streq(a, b));
}
