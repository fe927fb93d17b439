/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages of the DNS, as far as a resolver that knows some names needs them: RFC 1035, RFC 3596. */

#include "net/name.h"

#define DNS_PORT 53
#define DNS_HEADER_SIZE 12U
#define DNS_UDP_SIZE 512U /* without EDNS */
#define DNS_SIZE_MAX 65535U

typedef enum DnsCode {
        DNS_NO_ERROR = 0,
        DNS_FORMAT_ERROR = 1,
        DNS_SERVER_FAILURE = 2,
        DNS_NO_SUCH_NAME = 3,
        DNS_NOT_IMPLEMENTED = 4,
        DNS_REFUSED = 5,
} DnsCode;

typedef enum DnsType {
        DNS_A = 1,
        DNS_AAAA = 28,
        DNS_ANY = 255,
} DnsType;

typedef struct DnsQuery {
        char name[NAME_SIZE_MAX]; /* as it was written, without a dot at its end; "": the root */
        uint16_t type;
        size_t end; /* of the question */
} DnsQuery;

/* A query of one question. -EBADMSG: it is not one; with a header it gets DNS_FORMAT_ERROR for an answer. */
int dns_query_read(const uint8_t *message, size_t size, DnsQuery *ret);

/* Answers into out (at least DNS_UDP_SIZE bytes), which has room for max; returns the size. What does not fit is left out, and the answer
 * says that it is cut. Addresses of a type that was not asked for are passed over. */
size_t dns_answer(const uint8_t *query, const DnsQuery *q, const Address *addresses, size_t n, uint8_t *out, size_t max);

/* Only the header, with the code, where q is NULL. */
size_t dns_answer_code(const uint8_t *query, const DnsQuery *q, DnsCode code, uint8_t *out);
