/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <stdio.h>

#include "util/address.h"
#include "util/strv.h"

size_t address_size(const Address *a) {
        return a->family == AF_INET6 ? 16 : 4;
}

socklen_t address_socket(const Address *a, uint16_t port, struct sockaddr_storage *ret) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

        memcpy(&in.sin_addr, a->bytes, sizeof(in.sin_addr));
        memcpy(&in6.sin6_addr, a->bytes, sizeof(in6.sin6_addr));
        memcpy(ret, a->family == AF_INET ? (void *) &in : (void *) &in6, a->family == AF_INET ? sizeof(in) : sizeof(in6));
        return a->family == AF_INET ? sizeof(in) : sizeof(in6);
}

int address_parse(const char *text, Address *ret) {
        Address a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

        if (inet_pton(a.family, text, a.bytes) != 1)
                return -EINVAL;
        *ret = a;
        return 0;
}

/* Keeps the first `prefix` bits. */
static void mask(Address *a, unsigned prefix) {
        for (unsigned i = 0; i < address_size(a); i++) {
                unsigned kept = prefix > i * 8 ? MIN(prefix - i * 8, 8U) : 0;

                a->bytes[i] &= (uint8_t) (0xff00U >> kept);
        }
}

int subnet_parse(const char *text, Subnet *ret) {
        const char *slash = strchr(text, '/');
        char address[INET6_ADDRSTRLEN];
        uint64_t prefix;
        Subnet s;

        if (!slash || (size_t) (slash - text) >= sizeof(address))
                return -EINVAL;
        memcpy(address, text, (size_t) (slash - text));
        address[slash - text] = 0;
        if (address_parse(address, &s.base) < 0 || parse_u64(slash + 1, address_size(&s.base) * 8, &prefix) < 0)
                return -EINVAL;
        s.prefix = (unsigned) prefix;
        mask(&s.base, s.prefix);
        *ret = s;
        return 0;
}

AddressText address_text(const Address *a) {
        AddressText t = { 0 };

        if (a->family != 0)
                (void) inet_ntop(a->family, a->bytes, t.text, sizeof(t.text));
        return t;
}

AddressText subnet_text(const Subnet *s) {
        AddressText t = address_text(&s->base);
        size_t n = strlen(t.text);

        (void) snprintf(t.text + n, sizeof(t.text) - n, "/%u", s->prefix);
        return t;
}

bool address_equal(const Address *a, const Address *b) {
        return a->family == b->family && memcmp(a->bytes, b->bytes, address_size(a)) == 0;
}

bool subnet_has(const Subnet *s, const Address *a) {
        Address masked = *a;

        mask(&masked, s->prefix);
        return a->family == s->base.family && address_equal(&masked, &s->base);
}

bool subnet_overlaps(const Subnet *a, const Subnet *b) {
        return a->prefix <= b->prefix ? subnet_has(a, &b->base) : subnet_has(b, &a->base);
}

static unsigned host_bits(const Subnet *s) {
        return (unsigned) address_size(&s->base) * 8 - s->prefix;
}

uint64_t subnet_addresses(const Subnet *s) {
        return host_bits(s) >= 48 ? SUBNET_ADDRESSES_MAX : UINT64_C(1) << host_bits(s);
}

Address subnet_at(const Subnet *s, uint64_t n) {
        Address a = s->base;

        for (size_t i = address_size(&a); i-- > 0 && n > 0; n >>= 8)
                a.bytes[i] |= (uint8_t) n;
        return a;
}

uint64_t subnet_number(const Subnet *s, const Address *a) {
        size_t size = address_size(a);
        uint64_t n = 0;

        if (!subnet_has(s, a))
                return UINT64_MAX;
        for (size_t i = 0; i < size; i++) {
                uint8_t host = a->bytes[i] ^ s->base.bytes[i];

                if (i + 6 < size && host != 0)
                        return UINT64_MAX;
                n = n << 8 | host;
        }
        return n;
}
