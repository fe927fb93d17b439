/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A message from a client of an instance's name server, and the answers to it. */
#include <stdlib.h>
#include <sys/socket.h>

#include "net/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const Address addresses[] = { { AF_INET, { 10, 1, 2, 3 } }, { AF_INET6, { 0xfd } } };
        char name[NAME_SIZE_MAX];
        uint8_t out[DNS_UDP_SIZE];
        DnsQuery q;
        int r = dns_query_read(data, size, &q);

        if (r == 0 || r == -EOPNOTSUPP) {
                assert(q.end <= size && strlen(q.name) < NAME_SIZE_MAX);
                assert(dns_answer(data, &q, addresses, ELEMENTSOF(addresses), out, sizeof(out)) <= sizeof(out));
                assert(dns_answer_code(data, &q, DNS_NO_SUCH_NAME, out) == q.end);
                if (name_normalize(q.name, name) >= 0)
                        assert(*name && *name != '.' && !strchr(name, '/'));
        } else if (size >= DNS_HEADER_SIZE)
                assert(dns_answer_code(data, NULL, DNS_FORMAT_ERROR, out) == DNS_HEADER_SIZE);
        return 0;
}
