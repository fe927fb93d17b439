/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/registry/toml-internal.h"

static int put_utf8(Toml *t, Buf *out, uint32_t c) {
        char s[4];
        size_t n;

        if (c < 0x80) {
                s[0] = (char) c;
                n = 1;
        } else if (c < 0x800) {
                s[0] = (char) (0xc0 | c >> 6);
                s[1] = (char) (0x80 | (c & 0x3f));
                n = 2;
        } else if (c < 0x10000) {
                s[0] = (char) (0xe0 | c >> 12);
                s[1] = (char) (0x80 | (c >> 6 & 0x3f));
                s[2] = (char) (0x80 | (c & 0x3f));
                n = 3;
        } else {
                s[0] = (char) (0xf0 | c >> 18);
                s[1] = (char) (0x80 | (c >> 12 & 0x3f));
                s[2] = (char) (0x80 | (c >> 6 & 0x3f));
                s[3] = (char) (0x80 | (c & 0x3f));
                n = 4;
        }
        return buf_append(out, s, n);
}

static int unicode(Toml *t, unsigned digits, Buf *out) {
        uint32_t c = 0;

        for (unsigned i = 0; i < digits; i++, t->p++) {
                static const char hex[] = "0123456789abcdef";
                const char *d = t->p < t->end && *t->p ? strchr(hex, *t->p >= 'A' && *t->p <= 'F' ? *t->p + 32 : *t->p) : NULL;

                if (!d)
                        return toml_fail(t, -EBADMSG, "'\\%c' wants %u hexadecimal digits", digits == 4 ? 'u' : 'U', digits);
                c = c << 4 | (uint32_t) (d - hex);
        }
        if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                return toml_fail(t, -EBADMSG, "U+%04X cannot stand in a text here", c);
        return put_utf8(t, out, c);
}

/* Behind a backslash. */
static int escape(Toml *t, bool multi, Buf *out) {
        static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
        char c = t->p < t->end ? *t->p : 0;
        const char *known = c ? strchr(from, c) : NULL;

        if (known) {
                t->p++;
                return buf_putc(out, to[known - from]);
        }
        if (c == 'u' || c == 'U') {
                t->p++;
                return unicode(t, c == 'u' ? 4 : 8, out);
        }
        if (multi && c && strchr(" \t\r\n", c)) {
                const char *q = t->p + strspn(t->p, " \t\r");

                /* A backslash at the end of a line swallows all white space up to the next word. */
                if (*q == '\n') {
                        for (; t->p < t->end && strchr(" \t\r\n", *t->p); t->p++)
                                t->line += *t->p == '\n';
                        return 0;
                }
        }
        return toml_fail(t, -EBADMSG, "'\\%c' means nothing", c >= ' ' && c < 0x7f ? c : '?');
}

/* Takes the closing quotation marks: 1 when they are the end. Up to two of them may stand before the end of a long string. */
static int closing(Toml *t, char quote, bool is_long, Buf *out) {
        size_t n;

        if (t->p >= t->end || *t->p != quote)
                return 0;
        if (!is_long) {
                t->p++;
                return 1;
        }
        for (n = 0; n < 5 && t->p + n < t->end && t->p[n] == quote; n++)
                ;
        t->p += n;
        for (size_t i = n >= 3 ? 3 : 0; i < n; i++)
                if (buf_putc(out, quote) < 0)
                        return -ENOMEM;
        return n >= 3;
}

int toml_string(Toml *t, bool multi, Buf *out) {
        char quote = *t->p;
        bool is_long = t->end - t->p >= 3 && t->p[1] == quote && t->p[2] == quote;
        unsigned first = t->line;
        int r;

        if (is_long && !multi)
                return toml_fail(t, -EBADMSG, "a key cannot go over several lines");
        t->p += is_long ? 3 : 1;
        if (is_long && *t->p == '\r' && t->p[1] == '\n')
                t->p++;
        if (is_long && t->p < t->end && *t->p == '\n') { /* right behind the marks it does not count */
                t->p++;
                t->line++;
        }
        for (;;) {
                const char *before = t->p;

                r = closing(t, quote, is_long, out);
                if (r != 0)
                        return r < 0 ? r : 0;
                if (t->p != before)
                        continue;
                if (t->p >= t->end || (*t->p == '\n' && !is_long)) {
                        t->line = first;
                        return toml_fail(t, -EBADMSG, "a text has no closing %c", quote);
                }
                if (*t->p == '\\' && quote == '"') {
                        t->p++;
                        r = escape(t, is_long, out);
                } else {
                        char c = *t->p++;

                        t->line += c == '\n';
                        if (((unsigned char) c < ' ' && c != '\t' && !(is_long && (c == '\n' || (c == '\r' && *t->p == '\n')))) ||
                                c == 0x7f)
                                return toml_fail(t, -EBADMSG, "a text has a control character");
                        r = buf_putc(out, c);
                }
                if (r < 0)
                        return r;
        }
}
