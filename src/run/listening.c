/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "net/dns.h"
#include "run/listening.h"
#include "run/resolver.h"
#include "util/address.h"
#include "util/fd.h"
#include "util/strv.h"

#define TABLE_SIZE_MAX (4U * 1024 * 1024)
#define STATE_LISTEN 0x0a /* TCP_LISTEN of linux/tcp_states.h */

/* Words of 32 bits in hexadecimal, each in the order of bytes of this machine. */
static int address_read(const char *hex, int family, Address *ret) {
        size_t words = family == AF_INET ? 1 : 4;

        *ret = (Address){ .family = family };
        for (size_t i = 0; i < words; i++) {
                uint32_t word;

                if (sscanf(hex + 8 * i, "%8x", &word) != 1)
                        return -EBADMSG;
                memcpy(ret->bytes + 4 * i, &word, sizeof(word));
        }
        return 0;
}

int listening_parse(const char *text, int family, unsigned *n, Buf *b) {
        const char *line = strchr(text, '\n'); /* behind the headings */
        int r = 0;

        for (; r >= 0 && line && *n < LISTENING_MAX; line = strchr(line + 1, '\n')) {
                unsigned port, state;
                char hex[33];
                Address a;

                if (sscanf(line + 1, " %*u: %32[0-9A-Fa-f]:%4x %*[0-9A-Fa-f]:%*x %2x", hex, &port, &state) != 3)
                        continue;
                if (state != STATE_LISTEN || strlen(hex) != (family == AF_INET ? 8 : 32) || address_read(hex, family, &a) < 0)
                        continue;
                if (family == AF_INET && streq(address_text(&a).text, RESOLVER_ADDRESS) && port == DNS_PORT)
                        continue; /* berth's own */
                r = buf_printf(b, family == AF_INET ? "%s%s:%u" : "%s[%s]:%u", *n > 0 ? ", " : "", address_text(&a).text, port);
                (*n)++;
        }
        return r;
}

int listening_text(pid_t pid, Buf *b) {
        static const struct {
                const char *name;
                int family;
        } tables[] = {
                { "tcp",  AF_INET  },
                { "tcp6", AF_INET6 },
        };
        unsigned n = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(tables); i++) {
                _cleanup_free_ char *path = str_format("/proc/%d/net/%s", (int) pid, tables[i].name), *text = NULL;

                r = path ? read_file(AT_FDCWD, path, TABLE_SIZE_MAX, &text, NULL) : -ENOMEM;
                if (r == -ENOENT)
                        r = 0; /* a kernel without IPv6 */
                else if (r >= 0)
                        r = listening_parse(text, tables[i].family, &n, b);
        }
        return r;
}
