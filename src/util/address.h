/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Addresses of IPv4 and IPv6, and the subnets that they are in. */

#include <sys/socket.h>

#include "util/macro.h"

typedef struct Address {
        int family;        /* AF_INET, AF_INET6; 0: none */
        uint8_t bytes[16]; /* in network order; an IPv4 one has the first four */
} Address;

typedef struct Subnet {
        Address base;    /* the first address: all bits of hosts are zero */
        unsigned prefix; /* bits */
} Subnet;

typedef struct AddressText {
        char text[64];
} AddressText;

/* -EINVAL: it is no address, or no ADDRESS/PREFIX. Bits of hosts are dropped. */
int address_parse(const char *text, Address *ret);
int subnet_parse(const char *text, Subnet *ret);

AddressText address_text(const Address *a);
AddressText subnet_text(const Subnet *s);

size_t address_size(const Address *a); /* 4 or 16 */
socklen_t address_socket(const Address *a, uint16_t port, struct sockaddr_storage *ret); /* for bind(2) and connect(2), and how much of it is used */
bool address_equal(const Address *a, const Address *b) _pure_;
bool subnet_has(const Subnet *s, const Address *a) _pure_;
bool subnet_overlaps(const Subnet *a, const Subnet *b) _pure_;

/* How many addresses it has; of very large ones only the first 2^48 are counted. */
#define SUBNET_ADDRESSES_MAX (UINT64_C(1) << 48)
uint64_t subnet_addresses(const Subnet *s) _pure_;

/* Address number n, counted from 0, the base; and the number of an address, UINT64_MAX where it is not among them. */
Address subnet_at(const Subnet *s, uint64_t n) _pure_;
uint64_t subnet_number(const Subnet *s, const Address *a) _pure_;
