/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>

#include "net/dns.h"

/* The header's bytes, RFC 1035 section 4.1.1. */
enum { ID = 0, FLAGS = 2, CODE = 3, QUESTIONS = 4, ANSWERS = 6, AUTHORITIES = 8, ADDITIONALS = 10 };
enum { RESPONSE = 0x80, OPCODE = 0x78, AUTHORITATIVE = 0x04, CUT = 0x02, RECURSION_DESIRED = 0x01, RECURSION_AVAILABLE = 0x80 };

#define CLASS_IN 1
#define LABEL_MAX 63
#define TTL_SECONDS 0U /* an instance may be gone at once */
#define NAME_POINTER (0xc000U | DNS_HEADER_SIZE) /* the name of the question */
#define RECORD_SIZE 12U /* without its data */

static uint16_t get16(const uint8_t *p) {
        return (uint16_t) (p[0] << 8 | p[1]);
}

static uint8_t *put16(uint8_t *p, unsigned value) {
        p[0] = (uint8_t) (value >> 8);
        p[1] = (uint8_t) value;
        return p + 2;
}

/* Returns where the name ends, 0 for what is none. A question's name has no pointers. */
static size_t name_read(const uint8_t *m, size_t size, size_t at, char ret[NAME_SIZE_MAX]) {
        size_t n = 0;

        for (;;) {
                size_t label;

                if (at >= size || m[at] > LABEL_MAX)
                        return 0;
                label = m[at++];
                if (label == 0)
                        break;
                if (at + label > size || n + label + 1 >= NAME_SIZE_MAX)
                        return 0;
                if (n > 0)
                        ret[n++] = '.';
                for (size_t i = 0; i < label; i++) {
                        uint8_t c = m[at++];

                        ret[n++] = c == 0 || c == '.' ? '?' : (char) c; /* no name of ours */
                }
        }
        ret[n] = 0;
        return at;
}

int dns_query_read(const uint8_t *message, size_t size, DnsQuery *ret) {
        size_t end;

        if (size < DNS_HEADER_SIZE || (message[FLAGS] & RESPONSE) || get16(message + QUESTIONS) != 1)
                return -EBADMSG;
        end = name_read(message, size, DNS_HEADER_SIZE, ret->name);
        if (end == 0 || end + 4 > size)
                return -EBADMSG;
        ret->type = get16(message + end);
        ret->end = end + 4;
        return (message[FLAGS] & OPCODE) != 0 || get16(message + end + 2) != CLASS_IN ? -EOPNOTSUPP : 0;
}

size_t dns_answer_code(const uint8_t *query, const DnsQuery *q, DnsCode code, uint8_t *out) {
        size_t size = q ? MIN(q->end, (size_t) DNS_UDP_SIZE) : DNS_HEADER_SIZE;

        memcpy(out, query, size);
        out[FLAGS] = (uint8_t) (RESPONSE | (query[FLAGS] & (OPCODE | RECURSION_DESIRED)) |
                (code == DNS_NO_ERROR || code == DNS_NO_SUCH_NAME ? AUTHORITATIVE : 0));
        out[CODE] = (uint8_t) (RECURSION_AVAILABLE | code);
        (void) put16(out + QUESTIONS, q ? 1 : 0);
        memset(out + ANSWERS, 0, DNS_HEADER_SIZE - ANSWERS);
        return size;
}

static bool is_wanted(const DnsQuery *q, const Address *a) {
        return q->type == DNS_ANY || q->type == (a->family == AF_INET ? DNS_A : DNS_AAAA);
}

size_t dns_answer(const uint8_t *query, const DnsQuery *q, const Address *addresses, size_t n, uint8_t *out, size_t max) {
        size_t size = dns_answer_code(query, q, DNS_NO_ERROR, out);
        unsigned answers = 0;

        for (size_t i = 0; i < n; i++) {
                size_t data = address_size(&addresses[i]);
                uint8_t *p = out + size;

                if (!is_wanted(q, &addresses[i]))
                        continue;
                if (size + RECORD_SIZE + data > max) {
                        out[FLAGS] |= CUT;
                        break;
                }
                p = put16(p, NAME_POINTER);
                p = put16(p, addresses[i].family == AF_INET ? DNS_A : DNS_AAAA);
                p = put16(p, CLASS_IN);
                p = put16(p, TTL_SECONDS >> 16);
                p = put16(p, TTL_SECONDS & 0xffff);
                p = put16(p, (unsigned) data);
                memcpy(p, addresses[i].bytes, data);
                size += RECORD_SIZE + data;
                answers++;
        }
        (void) put16(out + ANSWERS, answers);
        return size;
}
