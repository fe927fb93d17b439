/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/text.h"
#include "util/buf.h"

bool utf8_valid(const char *text, size_t size) {
        const unsigned char *s = (const unsigned char *) text;

        for (size_t i = 0; i < size;) {
                static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
                size_t n = s[i] < 0x80 ? 1 : s[i] >= 0xf8 ? 0 : s[i] >= 0xf0 ? 4 : s[i] >= 0xe0 ? 3 : s[i] >= 0xc0 ? 2 : 0;
                uint32_t c;

                if (n == 0 || n > size - i || s[i] == 0)
                        return false;
                c = n == 1 ? s[i] : s[i] & (0x7fU >> n);
                for (size_t k = 1; k < n; k++) {
                        if ((s[i + k] & 0xc0) != 0x80)
                                return false;
                        c = c << 6 | (s[i + k] & 0x3f);
                }
                if (n > 1 && (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)))
                        return false;
                i += n;
        }
        return true;
}

size_t utf8_encode(uint32_t c, char ret[static 4]) {
        if (c < 0x80) {
                ret[0] = (char) c;
                return 1;
        }
        if (c < 0x800) {
                ret[0] = (char) (0xc0 | c >> 6);
                ret[1] = (char) (0x80 | (c & 0x3f));
                return 2;
        }
        if (c >= 0xd800 && c <= 0xdfff)
                return 0;
        if (c < 0x10000) {
                ret[0] = (char) (0xe0 | c >> 12);
                ret[1] = (char) (0x80 | (c >> 6 & 0x3f));
                ret[2] = (char) (0x80 | (c & 0x3f));
                return 3;
        }
        if (c > 0x10ffff)
                return 0;
        ret[0] = (char) (0xf0 | c >> 18);
        ret[1] = (char) (0x80 | (c >> 12 & 0x3f));
        ret[2] = (char) (0x80 | (c >> 6 & 0x3f));
        ret[3] = (char) (0x80 | (c & 0x3f));
        return 4;
}

static int digit_of(char c, unsigned base) {
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

        return v < (int) base ? v : -1;
}

/* The number of `digits` digits at s, or -1. */
static int64_t number_of(const char *s, size_t digits, unsigned base) {
        int64_t v = 0;

        for (size_t i = 0; i < digits; i++) {
                int d = digit_of(s[i], base);

                if (d < 0)
                        return -1;
                v = v * base + d;
        }
        return v;
}

/* The escape whose first character after the backslash is at s: writes its bytes and returns how many characters it
 * takes; 0 where the table has no such escape, -EBADMSG where it has but the value is no character. */
static int unescape(const char *s, char ret[static 4], size_t *ret_size) {
        static const char plain[] = "abfnrtv\\\"'s", meaning[] = "\a\b\f\n\r\t\v\\\"' ";
        const char *found = *s ? strchr(plain, *s) : NULL;
        size_t digits;
        unsigned base = 16;
        int64_t v;

        if (found) {
                ret[0] = meaning[found - plain];
                *ret_size = 1;
                return 1;
        }
        if (*s == 'x')
                digits = 2;
        else if (*s == 'u')
                digits = 4;
        else if (*s == 'U')
                digits = 8;
        else if (*s >= '0' && *s <= '7') {
                digits = 3;
                base = 8;
        } else
                return 0;
        v = number_of(base == 8 ? s : s + 1, digits, base);
        if (v < 0)
                return 0;
        if (v == 0 || (base == 8 && v > 255))
                return -EBADMSG;
        if (*s == 'u' || *s == 'U')
                *ret_size = utf8_encode((uint32_t) v, ret);
        else {
                ret[0] = (char) v;
                *ret_size = 1;
        }
        return *ret_size == 0 ? -EBADMSG : (int) (digits + (base == 16));
}

/* One backslash at s: appends what it means and returns how far to go, at least 1. */
static int take_escape(Buf *b, const char *s, const char **ret_odd) {
        char bytes[4];
        size_t size;
        int n;

        n = unescape(s + 1, bytes, &size);
        if (n < 0)
                return n;
        if (n > 0)
                return buf_append(b, bytes, size) < 0 ? -ENOMEM : n + 1;
        if (ret_odd)
                *ret_odd = s;
        n = s[1] ? 2 : 1;
        return buf_append(b, s, (size_t) n) < 0 ? -ENOMEM : n;
}

int word_next(const char **p, WordFlags flags, char **ret, const char **ret_odd) {
        _cleanup_buf_ Buf b = BUF_INIT;
        const char *s = *p + strspn(*p, WHITESPACE), *opened = NULL;
        char quote = 0;

        *p = s;
        if (!*s)
                return 0;
        if ((flags & WORD_COMMAND) && s[0] == '\\' && s[1] == ';' && strchr(WHITESPACE, s[2])) {
                *ret = strdup(";");
                *p = s + 2;
                return *ret ? 1 : -ENOMEM;
        }
        while (*s && (quote || !strchr(WHITESPACE, *s))) {
                int n = 1, r = 0;

                if (*s == quote)
                        quote = 0;
                else if (!quote && (flags & WORD_UNQUOTE) && (*s == '"' || *s == '\'')) {
                        quote = *s;
                        opened = s;
                } else if ((flags & WORD_UNESCAPE) && *s == '\\') {
                        n = take_escape(&b, s, ret_odd);
                        if (n < 0) {
                                *p = s;
                                return n;
                        }
                } else
                        r = buf_putc(&b, *s);
                if (r < 0)
                        return r;
                s += n;
        }
        if (quote && !(flags & WORD_RELAX)) {
                *p = opened;
                return -EBADMSG;
        }
        *ret = buf_steal(&b);
        if (!*ret)
                return -ENOMEM;
        *p = s;
        return 1;
}
