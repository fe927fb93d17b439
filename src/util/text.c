/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/text.h"

size_t utf8_length(const char *text) {
        const unsigned char *s = (const unsigned char *) text;
        size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

        for (size_t i = 1; i < n; i++)
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
        if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)))
                return 0;
        if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
                return 0;
        return n;
}

int json_quote(Buf *b, const char *s) {
        int r;

        if (!s)
                return buf_puts(b, "null");
        r = buf_putc(b, '"');
        for (const char *p = s; r >= 0 && *p;) {
                size_t n = utf8_length(p);

                if (n == 0) {
                        r = buf_puts(b, "\xef\xbf\xbd");
                        p++;
                        continue;
                }
                if (*p == '"' || *p == '\\')
                        r = buf_printf(b, "\\%c", *p);
                else if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        r = buf_printf(b, "\\u%04x", *p);
                else
                        r = buf_append(b, p, n);
                p += n;
        }
        return r < 0 ? r : buf_putc(b, '"');
}
