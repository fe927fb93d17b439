/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strings and NULL-terminated arrays of strings. */

#include <stdarg.h>

#include "util/macro.h"

/* As sprintf(3), into a new string; NULL when out of memory, where asprintf(3) leaves it undefined. The caller frees. */
char *str_format(const char *format, ...) _printf_(1, 2);
char *str_vformat(const char *format, va_list ap) _printf_(1, 0);

char **strv_free(char **v);
DEFINE_CLEANUP(char **, strv_free);
#define _cleanup_strv_ _cleanup_(strv_freep)

size_t strv_length(char *const *v); /* v may be NULL */
bool strv_contains(char *const *v, const char *s);
bool strv_equal(char *const *a, char *const *b); /* NULL is an empty array */
char **strv_copy(char *const *v); /* NULL when out of memory; a copy of NULL is an empty array */

/* Append to *v, which may be NULL: a copy of s, or s itself (freed on failure). 0 or -ENOMEM. */
int strv_append(char ***v, const char *s);
int strv_consume(char ***v, char *s);
int strv_appendf(char ***v, const char *format, ...) _printf_(2, 3);

/* In the order of strcmp(3). v may be NULL. */
void strv_sort(char **v);
/* Is s among the first n of v, which are in that order? */
bool strv_sorted_contains(char *const *v, size_t n, const char *s);

/* All of v with the separator between them; NULL when out of memory. The caller frees. */
char *strv_join(char *const *v, const char *separator);

/* The rest of s after prefix, or NULL. */
const char *str_after(const char *s, const char *prefix) _pure_;
bool str_ends_with(const char *s, const char *suffix) _pure_;

/* The whole of s as a number in decimal (0x… and 0… are refused): 0, -EINVAL, or -ERANGE past max. */
int parse_u64(const char *s, uint64_t max, uint64_t *ret);
/* Digits with an optional fraction, times scale, cut to whole units. The characters taken, or 0. */
size_t parse_decimal_start(const char *s, uint64_t scale, uint64_t *ret);
/* The whole of s: "1.5" times scale. 0 or -EINVAL. */
int parse_decimal(const char *s, uint64_t scale, uint64_t *ret);
/* Bytes with podman's or systemd's suffixes ("b", "k", "20g", "1.5GiB"), of base 1024, in either case. UINT64_MAX is what
 * specs call infinity, and -ERANGE. */
int parse_size(const char *s, uint64_t *ret);
/* "1 yes true on y t" and their opposites, in any case: 0 or 1, else -EINVAL. systemd.syntax(7). */
int parse_boolean(const char *s);

/* FNV-1a, 64 bit, then mixed so that all bits depend on all of the input. Stable for ever. */
uint64_t hash_bytes(const void *data, size_t size) _pure_;
