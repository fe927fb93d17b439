/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <netinet/in.h>

#include "spec/parse.h"
#include "util/strv.h"

/* IPAddressAllow=, SocketBindAllow= and their opposites, systemd.resource-control(5), which are for the instances. */

static int add_subnet(SpecParse *c, void *place, const char *text, const char *at) {
        SpecAccess item = { .origin = spec_origin_at(c, at) };
        Address a;

        if (subnet_parse(text, &item.subnet) < 0) {
                if (address_parse(text, &a) < 0)
                        return spec_complain(c, at, "'%s' is not an address, ADDRESS/PREFIX, any, localhost, link-local or multicast", text);
                item.subnet = (Subnet){ .base = a, .prefix = (unsigned) address_size(&a) * 8 };
        }
        return spec_list_add(c, place, &item, sizeof(item), at);
}

static int access_word(SpecParse *c, void *place, const char *word, const char *at) {
        static const struct {
                const char *name, *subnets[2];
        } names[] = {
                { "any",        { "0.0.0.0/0", "::/0" }             },
                { "localhost",  { "127.0.0.0/8", "::1/128" }        },
                { "link-local", { "169.254.0.0/16", "fe80::/64" }   },
                { "multicast",  { "224.0.0.0/4", "ff00::/8" }       },
        };
        _cleanup_free_ char *text = NULL;
        int r = spec_expand(c, word, at, &text);

        if (r <= 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(text, names[i].name)) {
                        r = add_subnet(c, place, names[i].subnets[0], at);
                        return r > 0 ? add_subnet(c, place, names[i].subnets[1], at) : r;
                }
        return add_subnet(c, place, text, at);
}

int parse_access(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, access_word);
}

static bool take_ports(const char *text, SpecSocketBind *item) {
        const char *dash = strchr(text, '-');
        _cleanup_free_ char *from = strndup(text, dash ? (size_t) (dash - text) : strlen(text));
        uint64_t first, last;

        if (streq(text, "any"))
                return true;
        if (!from || parse_u64(from, UINT16_MAX, &first) < 0 || first == 0)
                return false;
        last = first;
        if (dash && (parse_u64(dash + 1, UINT16_MAX, &last) < 0 || last < first))
                return false;
        item->first = (uint16_t) first;
        item->count = (uint16_t) (last - first + 1);
        return true;
}

/* [ipv4:|ipv6:][tcp:|udp:]PORT[-PORT]|any */
static int socket_bind_word(SpecParse *c, void *place, const char *word, const char *at) {
        SpecSocketBind item = { .family = AF_UNSPEC, .origin = spec_origin_at(c, at) };
        _cleanup_free_ char *text = NULL;
        const char *p, *rest;
        int r = spec_expand(c, word, at, &text);

        if (r <= 0)
                return r;
        p = text;
        if ((rest = str_after(p, "ipv4:")) || (rest = str_after(p, "ipv6:"))) {
                item.family = p[3] == '4' ? AF_INET : AF_INET6;
                p = rest;
        }
        if ((rest = str_after(p, "tcp:")) || (rest = str_after(p, "udp:"))) {
                item.protocol = *p == 't' ? IPPROTO_TCP : IPPROTO_UDP;
                p = rest;
        }
        /* systemd's rule may end in a family or protocol: all of it. */
        if (!take_ports(streq(p, "tcp") || streq(p, "udp") || streq(p, "ipv4") || streq(p, "ipv6") ? "any" : p, &item))
                return spec_complain(c, at, "'%s' is not [ipv4:|ipv6:][tcp:|udp:] and a port, FIRST-LAST or any", text);
        if (streq(p, "tcp") || streq(p, "udp"))
                item.protocol = *p == 't' ? IPPROTO_TCP : IPPROTO_UDP;
        else if (streq(p, "ipv4") || streq(p, "ipv6"))
                item.family = p[3] == '4' ? AF_INET : AF_INET6;
        return spec_list_add(c, place, &item, sizeof(item), at);
}

int parse_socket_binds(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, socket_bind_word);
}
