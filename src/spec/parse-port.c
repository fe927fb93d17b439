/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>

#include "spec/parse.h"
#include "util/strv.h"

/* PublishPort=[[ADDRESS:][HOST]:]CONTAINER[/PROTOCOL], where HOST and CONTAINER may be ranges FIRST-LAST. */

typedef struct PortRange {
        uint16_t first;
        uint32_t count; /* 0: nothing was said */
} PortRange;

static int take_range(SpecParse *c, char *text, const char *at, PortRange *ret) {
        char *dash = strchr(text, '-');
        uint64_t first, last;

        if (dash)
                *dash = 0;
        if (parse_u64(text, UINT16_MAX, &first) < 0 || first == 0 ||
                (dash && (parse_u64(dash + 1, UINT16_MAX, &last) < 0 || last == 0)))
                return spec_complain(c, at, "'%s%s%s' is not a port or range of ports: 1 to 65535, FIRST-LAST", text, dash ? "-" : "",
                        dash ? dash + 1 : "");
        if (!dash)
                last = first;
        if (last < first)
                return spec_complain(c, at, "range %s-%s ends before it begins", text, dash + 1);
        *ret = (PortRange){ .first = (uint16_t) first, .count = (uint32_t) (last - first + 1) };
        return 1;
}

static int take_protocol(SpecParse *c, char *text, const char *at, SpecProtocol *ret) {
        char *slash = strchr(text, '/');

        *ret = SPEC_PROTOCOL_TCP;
        if (!slash)
                return 1;
        *slash = 0;
        if (streq(slash + 1, "tcp"))
                return 1;
        if (streq(slash + 1, "udp")) {
                *ret = SPEC_PROTOCOL_UDP;
                return 1;
        }
        if (streq(slash + 1, "sctp"))
                return spec_complain(c, at, "protocol 'sctp' is known from Quadlet, not supported yet; there are tcp and udp");
        return spec_complain(c, at, "'%s' is not a protocol; there are tcp and udp", slash + 1);
}

static int take_address(SpecParse *c, char *text, const char *at, SpecPort *port) {
        size_t n = strlen(text);

        if (n == 0)
                return spec_complain(c, at, "an address is missing before ':'");
        if (text[0] == '[' && text[n - 1] == ']') {
                text[n - 1] = 0;
                if (inet_pton(AF_INET6, text + 1, port->address) != 1)
                        return spec_complain(c, at, "'%s' is not an IPv6 address", text + 1);
                port->family = AF_INET6;
                return 1;
        }
        if (inet_pton(AF_INET, text, port->address) != 1)
                return spec_complain(c, at, "'%s' is not an IPv4 address, nor an IPv6 address in brackets", text);
        port->family = AF_INET;
        return 1;
}

/* Cuts text at its last colon that is in no brackets. Returns what is behind it; text itself where there is none. */
static char *cut_last(char *text) {
        char *bracket = strrchr(text, ']'), *colon = strrchr(text, ':');

        if (!colon || (bracket && colon < bracket))
                return text;
        *colon = 0;
        return colon + 1;
}

static int add_ports(SpecParse *c, void *place, const SpecPort *port, const PortRange *host, const PortRange *container, const char *at) {
        int r = 1;

        for (uint32_t i = 0; i < container->count && r > 0; i++) {
                SpecPort item = *port;

                item.host = host->count > 0 ? (uint16_t) (host->first + i) : 0;
                item.container = (uint16_t) (container->first + i);
                r = spec_list_add(c, place, &item, sizeof(item), at);
        }
        return r;
}

/* What cannot be known yet is kept for the socket unit as it is written, up to the container's port. Ranges are not for that. */
static int unknown_port(SpecParse *c, void *place, const char *word, SpecPort *port) {
        const char *colon = strrchr(word, ':');
        size_t n = colon ? (size_t) (colon - word) : 0;

        if (n < sizeof(port->unknown) && !memchr(word, '-', n)) {
                memcpy(port->unknown, word, n);
                port->unknown[n] = 0;
        }
        return spec_list_add(c, place, port, sizeof(*port), word);
}

static int port_word(SpecParse *c, void *place, const char *word, const char *at) {
        _cleanup_free_ char *text = NULL;
        SpecPort port = { .origin = spec_origin_at(c, at) };
        PortRange host = { 0 }, container;
        char *behind, *middle;
        int r;

        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        r = take_protocol(c, text, at, &port.protocol);
        if (r <= 0)
                return r;
        if (c->unknown && strchr(word, '%'))
                return unknown_port(c, place, word, &port);
        behind = cut_last(text);
        r = take_range(c, behind, at, &container);
        if (r <= 0 || behind == text)
                return r <= 0 ? r : add_ports(c, place, &port, &host, &container, at);
        middle = cut_last(text);
        if (*middle) {
                r = take_range(c, middle, at, &host);
                if (r <= 0)
                        return r;
                if (host.count != container.count)
                        return spec_complain(c, at, "'%s' has %u ports of the host for %u of the container", word, host.count,
                                container.count);
        } else if (middle == text)
                return spec_complain(c, at, "'%s' has nothing before ':'; a port alone gets any free port of the host", word);
        if (middle != text) {
                r = take_address(c, text, at, &port);
                if (r <= 0)
                        return r;
        }
        return add_ports(c, place, &port, &host, &container, at);
}

int parse_ports(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, port_word);
}

int parse_publish_by(SpecParse *c, void *place) {
        static const char *const names[_SPEC_PUBLISH_BY_MAX] = {
                [SPEC_PUBLISH_BY_AUTO] = "auto", [SPEC_PUBLISH_BY_TAKEOVER] = "takeover", [SPEC_PUBLISH_BY_NAT] = "nat",
        };

        return spec_take_choice(c, names, ELEMENTSOF(names), "a way to publish ports", "auto, takeover and nat", place);
}
