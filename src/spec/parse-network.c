/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <net/if.h>
#include <sys/socket.h>

#include "spec/parse.h"
#include "util/address.h"
#include "util/strv.h"

/* Network= and what goes with it in [Container], and the keys of [Network]. */

#define NETWORKS "private, none, host, NAME.network and container:NAME"
#define NETWORK_NAME_MAX 64
#define MTU_MIN 68 /* RFC 791; IPv6 wants 1280 */
#define MTU_MAX 65535
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

static int keep(SpecParse *c, void *place, char *text) {
        SpecText *t = place;

        spec_store_reset(STORE_TEXT, t, NULL);
        *t = (SpecText){ .value = text, .origin = spec_origin_at(c, c->line->value) };
        return 1;
}

static int take_text(SpecParse *c, char **ret) {
        return spec_expand(c, c->line->value, c->line->value, ret);
}

/* ---- [Container] ---- */

/* Is the line before it, in the same section of the same file, about the same thing? */
static bool is_said_before(const SpecParse *c, SpecOrigin o) {
        return o.line != 0 && o.file == c->file && o.line < c->line->line && o.line > c->source->lines[c->line->section].line;
}

/* An app by its name. */
static int take_app(SpecParse *c, const char *name) {
        _cleanup_free_ char *service = NULL;
        SpecProcess *p = c->process;

        if (!*name || (!c->unknown && !spec_name_valid(name)))
                return spec_complain(c, c->line->value, "'%s' is not a name of an app", name);
        if (streq(name, c->spec->name))
                return spec_complain(c, c->line->value, "the network of '%s' is this app's own", name);
        free(TAKE_PTR(p->network_app));
        free(TAKE_PTR(p->network_unit));
        service = spec_service_of(c, SPEC_CONTAINER, name);
        if (service) {
                p->network_app = strdup(name);
                p->network_unit = str_format("%s.service", service);
        }
        return p->network_app && p->network_unit ? 1 : -ENOMEM;
}

static int take_network(SpecParse *c, SpecNetwork *place, const char *text) {
        static const struct {
                const char *name;
                SpecNetwork network;
        } names[] = {
                { "private", SPEC_NETWORK_PRIVATE }, { "bridge", SPEC_NETWORK_PRIVATE },
                { "none",    SPEC_NETWORK_NONE    }, { "host",   SPEC_NETWORK_HOST    },
        };
        static const char *const podman[] = { "pasta", "slirp4netns", "ns:" };
        const char *app = str_after(text, "container:");
        SpecProcess *p = c->process;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *rest = str_after(text, names[i].name);

                if (rest && *rest == ':')
                        return spec_complain(c, c->line->value, "options of a network are not supported; the address is IP= or IP6=, a name NetworkAlias=");
                if (rest && !*rest) {
                        *place = names[i].network;
                        return 1;
                }
        }
        if (str_ends_with(text, spec_kind_suffix(SPEC_NETWORK))) {
                *place = SPEC_NETWORK_FILE;
                return spec_take_file(c, SPEC_NETWORK, text, &p->network_file, &p->network_unit);
        }
        if (app) {
                *place = SPEC_NETWORK_CONTAINER;
                return take_app(c, app);
        }
        if (str_ends_with(text, spec_kind_suffix(SPEC_CONTAINER))) {
                _cleanup_free_ char *name = strndup(text, strlen(text) - strlen(spec_kind_suffix(SPEC_CONTAINER)));

                *place = SPEC_NETWORK_CONTAINER;
                return name ? take_app(c, name) : -ENOMEM;
        }
        if (strstr(text, ".network:"))
                return spec_complain(c, c->line->value, "options of a network are not supported; the address is IP= or IP6=, a name NetworkAlias=");
        for (size_t i = 0; i < ELEMENTSOF(podman); i++)
                if (str_after(text, podman[i]))
                        return spec_complain(c, c->line->value, "network '%s' is known from Quadlet, not supported; there are " NETWORKS, text);
        return spec_complain(c, c->line->value, "'%s' is not a network; there are " NETWORKS, text);
}

int parse_network(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        SpecProcess *p = c->process;
        int r;

        r = take_text(c, &text);
        if (r <= 0)
                return r;
        if (is_said_before(c, p->network_origin) && *(SpecNetwork *) place != SPEC_NETWORK_UNSET)
                return spec_complain(c, c->line->value, "an app is on one network, line %u says which", p->network_origin.line);
        p->network_origin = spec_origin_at(c, c->line->value);
        return take_network(c, place, text);
}

static int take_address(SpecParse *c, void *place, int family, const char *what) {
        _cleanup_free_ char *text = NULL;
        Address a;
        int r;

        r = take_text(c, &text);
        if (r <= 0)
                return r;
        if (address_parse(text, &a) < 0 || a.family != family)
                return spec_complain(c, c->line->value, "'%s' is not an %s address", text, what);
        return keep(c, place, TAKE_PTR(text));
}

int parse_ip(SpecParse *c, void *place) {
        return take_address(c, place, AF_INET, "IPv4");
}

int parse_ip6(SpecParse *c, void *place) {
        return take_address(c, place, AF_INET6, "IPv6");
}

/* Lists of words that one function finds valid, and gives their one spelling. NULL from it: it is not. */
typedef char *(*Spell)(const char *text);

static int checked_word(SpecParse *c, void *place, const char *word, const char *at, Spell spell, const char *what) {
        SpecText item = { .origin = spec_origin_at(c, at) };
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        item.value = spell(text);
        if (!item.value)
                return spec_complain(c, at, "'%s' is not %s", text, what);
        r = spec_list_add(c, place, &item, sizeof(item), at);
        if (r <= 0)
                free(item.value);
        return r;
}

/* One of each family. */
static int checked_family_word(SpecParse *c, void *place, const char *word, const char *at, Spell spell, const char *what) {
        const SPEC_LIST(SpecText) *list = place;
        size_t before = list->n;
        int r = checked_word(c, place, word, at, spell, what);

        for (size_t i = 0; r > 0 && list->n > before && i < before; i++)
                if (!strchr(list->items[i].value, ':') == !strchr(list->items[before].value, ':'))
                        return spec_complain(c, at, "a network has one of each family, '%s' was said before", list->items[i].value);
        return r;
}

static char *spell_host_name(const char *text) {
        size_t n = strlen(text);

        return n > 0 && n <= 63 && strspn(text, NAME_LETTERS) == n && *text != '-' && *text != '.' ? strdup(text) : NULL;
}

static int alias_word(SpecParse *c, void *place, const char *word, const char *at) {
        return checked_word(c, place, word, at, spell_host_name, "a name of a host");
}

int parse_network_aliases(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, alias_word);
}

/* PORT[-PORT][/tcp|/udp] */
static char *spell_expose(const char *text) {
        const char *slash = strchr(text, '/'), *dash;
        _cleanup_free_ char *ports = strndup(text, slash ? (size_t) (slash - text) : strlen(text));
        uint64_t first, last;

        if (!ports || (slash && !streq(slash, "/tcp") && !streq(slash, "/udp") && !streq(slash, "/sctp")))
                return NULL;
        dash = strchr(ports, '-');
        if (dash) {
                ports[dash - ports] = 0;
                if (parse_u64(dash + 1, UINT16_MAX, &last) < 0)
                        return NULL;
        }
        if (parse_u64(ports, UINT16_MAX, &first) < 0 || first == 0 || (dash && last < first))
                return NULL;
        return strdup(text);
}

static int expose_word(SpecParse *c, void *place, const char *word, const char *at) {
        return checked_word(c, place, word, at, spell_expose, "a port or range of ports: 80, 8000-8010, 53/udp");
}

int parse_expose(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, expose_word);
}

/* ---- [Network] ---- */

int parse_network_name(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = take_text(c, &text);
        if (r <= 0)
                return r;
        if (!*text || strlen(text) > NETWORK_NAME_MAX || text[strspn(text, NAME_LETTERS)] || *text == '.' || *text == '-')
                return spec_complain(c, c->line->value, "'%s' is not a name of a network: at most %d letters, digits, '_', '.' and '-'", text,
                        NETWORK_NAME_MAX);
        return keep(c, place, TAKE_PTR(text));
}

static char *spell_subnet(const char *text) {
        Subnet s;

        return subnet_parse(text, &s) >= 0 && s.prefix >= 8 && subnet_addresses(&s) >= 4 ? strdup(subnet_text(&s).text) : NULL;
}

static int subnet_word(SpecParse *c, void *place, const char *word, const char *at) {
        return checked_family_word(c, place, word, at, spell_subnet, "a subnet with room for two hosts: ADDRESS/PREFIX");
}

int parse_subnets(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, subnet_word);
}

static char *spell_address(const char *text) {
        Address a;

        return address_parse(text, &a) >= 0 ? strdup(address_text(&a).text) : NULL;
}

static int gateway_word(SpecParse *c, void *place, const char *word, const char *at) {
        return checked_family_word(c, place, word, at, spell_address, "an IPv4 or IPv6 address");
}

int parse_gateways(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, gateway_word);
}

/* "FIRST-LAST", whatever way it was said. */
static char *spell_range(const char *text) {
        const char *dash = strchr(text, '-');
        _cleanup_free_ char *from = dash ? strndup(text, (size_t) (dash - text)) : NULL;
        Address first, last;
        Subnet s;

        if (dash) {
                if (!from || address_parse(from, &first) < 0 || address_parse(dash + 1, &last) < 0 || first.family != last.family ||
                        memcmp(first.bytes, last.bytes, address_size(&first)) > 0)
                        return NULL;
        } else {
                if (subnet_parse(text, &s) < 0)
                        return NULL;
                first = s.base;
                last = subnet_at(&s, subnet_addresses(&s) - 1);
        }
        return str_format("%s-%s", address_text(&first).text, address_text(&last).text);
}

static int range_word(SpecParse *c, void *place, const char *word, const char *at) {
        return checked_family_word(c, place, word, at, spell_range, "a range of addresses: ADDRESS/PREFIX or FIRST-LAST");
}

int parse_ranges(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, range_word);
}

int parse_interface(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = take_text(c, &text);
        if (r <= 0)
                return r;
        if (!*text || strlen(text) >= IFNAMSIZ || text[strspn(text, NAME_LETTERS)] || *text == '.')
                return spec_complain(c, c->line->value, "'%s' is not a name of an interface: at most %d letters, digits, '_', '.' and '-'", text,
                        IFNAMSIZ - 1);
        return keep(c, place, TAKE_PTR(text));
}

static int take_only(SpecParse *c, void *place, const char *only, const char *what) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = take_text(c, &text);
        if (r <= 0)
                return r;
        if (!streq(text, only))
                return spec_complain(c, c->line->value, "%s '%s' is not supported; there is %s", what, text, only);
        return keep(c, place, TAKE_PTR(text));
}

int parse_driver(SpecParse *c, void *place) {
        return take_only(c, place, "bridge", "driver");
}

int parse_ipam(SpecParse *c, void *place) {
        return take_only(c, place, "host-local", "address management");
}

static int take_mtu(SpecParse *c, const char *value, const char *at) {
        uint64_t mtu;

        if (parse_u64(value, MTU_MAX, &mtu) < 0 || mtu < MTU_MIN)
                return spec_complain(c, at, "'%s' is not an MTU: %d to %d", value, MTU_MIN, MTU_MAX);
        c->spec->net.mtu = (SpecNumber){ .set = true, .value = mtu, .origin = spec_origin_at(c, at) };
        return 1;
}

static int take_isolate(SpecParse *c, const char *value, const char *at) {
        int on = streq(value, "strict") ? 1 : parse_boolean(value);

        if (on < 0)
                return spec_complain(c, at, "'%s' is not yes or no", value);
        c->spec->net.isolate = (SpecNumber){ .set = true, .value = (uint64_t) on, .origin = spec_origin_at(c, at) };
        return 1;
}

static int option_word(SpecParse *c, void *place, const char *word, const char *at) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_expand(c, word, at, &text);
        for (char *rest = text, *option; r > 0 && (option = strsep(&rest, ","));) {
                const char *mtu = str_after(option, "mtu="), *isolate = str_after(option, "isolate=");

                if (!mtu)
                        mtu = str_after(option, "com.docker.network.driver.mtu=");
                r = mtu ? take_mtu(c, mtu, at) : isolate ? take_isolate(c, isolate, at) :
                        spec_complain(c, at, "option '%s' of a network is not supported; there are mtu= and isolate=", option);
        }
        return r;
}

int parse_network_options(SpecParse *c, void *place) {
        if (*c->line->value)
                return spec_each_word(c, WORD_UNQUOTE, place, option_word);
        c->spec->net.mtu = c->spec->net.isolate = (SpecNumber){ 0 };
        return 0;
}
