/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "util/buf.h"
#include "util/strv.h"

char *str_vformat(const char *format, va_list ap) {
        char *text;

        return vasprintf(&text, format, ap) < 0 ? NULL : text;
}

char *str_format(const char *format, ...) {
        char *text;
        va_list ap;

        va_start(ap, format);
        text = str_vformat(format, ap);
        va_end(ap);
        return text;
}

char **strv_free(char **v) {
        for (char **p = v; p && *p; p++)
                free(*p);
        free(v);
        return NULL;
}

size_t strv_length(char *const *v) {
        size_t n = 0;

        while (v && v[n])
                n++;
        return n;
}

bool strv_contains(char *const *v, const char *s) {
        for (; v && *v; v++)
                if (streq(*v, s))
                        return true;
        return false;
}

int strv_consume(char ***v, char *s) {
        size_t n = strv_length(*v);
        char **p;

        if (!s)
                return -ENOMEM;
        /* Whoever made the list made it as large as it was then. */
        p = realloc(*v, sizeof(char *) * (n + 2));
        if (!p) {
                free(s);
                return -ENOMEM;
        }
        *v = p;
        p[n] = s;
        p[n + 1] = NULL;
        return 0;
}

bool strv_equal(char *const *a, char *const *b) {
        size_t n = strv_length(a);

        if (n != strv_length(b))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!streq(a[i], b[i]))
                        return false;
        return true;
}

char **strv_copy(char *const *v) {
        size_t n = strv_length(v);
        _cleanup_strv_ char **copy = calloc(n + 1, sizeof(char *));

        if (!copy)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                copy[i] = strdup(v[i]);
                if (!copy[i])
                        return NULL;
        }
        return TAKE_PTR(copy);
}

int strv_append(char ***v, const char *s) {
        return strv_consume(v, strdup(s));
}

int strv_appendf(char ***v, const char *format, ...) {
        va_list ap;
        char *s;

        va_start(ap, format);
        s = str_vformat(format, ap);
        va_end(ap);
        return strv_consume(v, s);
}

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(char **v) {
        size_t n = strv_length(v);

        if (n > 1)
                qsort(v, n, sizeof(char *), compare_strings);
}

bool strv_sorted_contains(char *const *v, size_t n, const char *s) {
        return n > 0 && bsearch(&s, v, n, sizeof(char *), compare_strings);
}

char *strv_join(char *const *v, const char *separator) {
        _cleanup_buf_ Buf b = BUF_INIT;

        for (char *const *p = v; p && *p; p++)
                if ((p > v && buf_puts(&b, separator) < 0) || buf_puts(&b, *p) < 0)
                        return NULL;
        return buf_steal(&b);
}

const char *str_after(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix);
}

int parse_u64(const char *s, uint64_t max, uint64_t *ret) {
        uint64_t v = 0;

        if (!*s || (s[0] == '0' && s[1]))
                return -EINVAL;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t) (*s - '0'), &v))
                        return -ERANGE;
        }
        if (v > max)
                return -ERANGE;
        *ret = v;
        return 0;
}

size_t parse_decimal_start(const char *s, uint64_t scale, uint64_t *ret) {
        const char *p = s;
        uint64_t v = 0, numerator = 0, denominator = 1;

        for (; isdigit((unsigned char) *p); p++)
                if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t) (*p - '0'), &v))
                        return 0;
        if (p == s || __builtin_mul_overflow(v, scale, &v))
                return 0;
        if (*p == '.' && isdigit((unsigned char) p[1]))
                for (p++; isdigit((unsigned char) *p); p++)
                        if (denominator < 1000000000) {
                                numerator = numerator * 10 + (uint64_t) (*p - '0');
                                denominator *= 10;
                        }
        if (__builtin_add_overflow(v, (uint64_t) ((unsigned __int128) numerator * scale / denominator), ret))
                return 0;
        return (size_t) (p - s);
}

int parse_decimal(const char *s, uint64_t scale, uint64_t *ret) {
        size_t n = parse_decimal_start(s, scale, ret);

        return n > 0 && !s[n] ? 0 : -EINVAL;
}

int parse_size(const char *s, uint64_t *ret) {
        static const char suffixes[] = "bkmgtpe";
        size_t digits = strspn(s, "0123456789.");
        const char *suffix = s + digits, *found;
        uint64_t scale = 1, v;

        if (*suffix && (found = strchr(suffixes, tolower((unsigned char) *suffix)))) {
                scale = UINT64_C(1) << (10 * (found - suffixes));
                suffix++;
                if (scale > 1 && (strcasecmp(suffix, "b") == 0 || strcasecmp(suffix, "ib") == 0))
                        suffix = "";
        }
        if (*suffix || digits == 0 || parse_decimal_start(s, scale, &v) != digits)
                return -EINVAL;
        if (v == UINT64_MAX)
                return -ERANGE;
        *ret = v;
        return 0;
}

int parse_boolean(const char *s) {
        static const char *const yes[] = { "1", "yes", "y", "true", "t", "on" };
        static const char *const no[] = { "0", "no", "n", "false", "f", "off" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                if (strcasecmp(s, yes[i]) == 0)
                        return 1;
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                if (strcasecmp(s, no[i]) == 0)
                        return 0;
        return -EINVAL;
}

uint64_t hash_bytes(const void *data, size_t size) {
        const unsigned char *p = data;
        uint64_t h = UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < size; i++)
                h = (h ^ p[i]) * UINT64_C(0x100000001b3);
        h ^= h >> 33;
        h *= UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 33;
        h *= UINT64_C(0xc4ceb9fe1a85ec53);
        return h ^ (h >> 33);
}
