/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <netinet/in.h>
#include <stdio.h>

#include "net/nft.h"
#include "net/port-rules.h"
#include "util/strv.h"

#define CHAIN_IN "in"           /* what comes from elsewhere */
#define CHAIN_OUT "out"         /* what the host sends itself */
#define CHAIN_BACK "back"       /* the way back to where it came from */

/* What nft(8) reads as a name without quotes. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

typedef struct TableName {
        char text[128]; /* NFT_NAME_MAXLEN is 256 */
} TableName;

static TableName table_name(const char *app) {
        size_t n = strlen(app);
        TableName t;

        if (n < 100 && strspn(app, NAME_LETTERS) == n)
                (void) snprintf(t.text, sizeof(t.text), "berth-%s", app);
        else
                (void) snprintf(t.text, sizeof(t.text), "berth-%016llx", (unsigned long long) hash_bytes(app, n));
        return t;
}

/* The published address. */
static void match_address(NftRule *r, const PortRule *rule, int family) {
        static const Subnet loopback[] = {
                { .base = { .family = AF_INET, .bytes = { 127 } }, .prefix = 8 },
                { .base = { .family = AF_INET6, .bytes = { [15] = 1 } }, .prefix = 128 },
        };
        Subnet s = { .base = { .family = family }, .prefix = family == AF_INET ? 32 : 128 };

        nft_match_family(r, family);
        if (spec_port_is_any(rule->spec))
                nft_match_local(r);
        else {
                memcpy(s.base.bytes, rule->spec->address, sizeof(s.base.bytes));
                nft_match_subnet(r, NFT_DESTINATION, NFT_CMP_EQ, &s);
        }
        if (rule->n_targets > 0)
                nft_match_subnet(r, NFT_DESTINATION, NFT_CMP_NEQ, &loopback[family == AF_INET6]);
}

static void put_rule(NetlinkBatch *b, const char *table, const char *chain, const PortRule *rule, int family, const PortTarget *to, uint32_t one_of) {
        NftRule r = nft_rule_begin(b, table, chain);

        match_address(&r, rule, family);
        nft_match_port(&r, rule->spec->protocol == SPEC_PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP, rule->host);
        if (one_of > 1)
                nft_match_one_of(&r, one_of);
        nft_translate(&r, family, to ? &to->address : NULL, to ? to->port : rule->to);
        nft_rule_end(&r);
}

/* The first of n gets every nth connection, the next every (n-1)th of what is left, and so on. */
static void put_targets(NetlinkBatch *b, const char *table, const char *chain, const PortRule *rule, int family) {
        uint32_t left = 0;

        for (size_t i = 0; i < rule->n_targets; i++)
                left += rule->targets[i].address.family == family;
        for (size_t i = 0; i < rule->n_targets; i++)
                if (rule->targets[i].address.family == family)
                        put_rule(b, table, chain, rule, family, &rule->targets[i], left--);
}

static void put_rules(NetlinkBatch *b, const char *table, const char *chain, const PortRule *rule) {
        static const int families[] = { AF_INET, AF_INET6 };

        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                if (rule->spec->family != 0 && rule->spec->family != families[i])
                        continue;
                if (rule->n_targets == 0)
                        put_rule(b, table, chain, rule, families[i], NULL, 1);
                else
                        put_targets(b, table, chain, rule, families[i]);
        }
}

/* Neighbours of an instance that reach it by way of the host must hear from the host. */
static void put_back(NetlinkBatch *b, const char *table, const Subnet *s) {
        NftRule r = nft_rule_begin(b, table, CHAIN_BACK);

        nft_match_translated(&r);
        nft_match_family(&r, s->base.family);
        nft_match_subnet(&r, NFT_SOURCE, NFT_CMP_EQ, s);
        nft_match_subnet(&r, NFT_DESTINATION, NFT_CMP_EQ, s);
        nft_masquerade(&r);
        nft_rule_end(&r);
}

static bool is_same(const Subnet *a, const Subnet *b) {
        return a->prefix == b->prefix && address_equal(&a->base, &b->base);
}

/* Was the subnet of target `at` of rule `rule` that of an earlier one? */
static bool is_earlier(const PortRule *rules, size_t rule, size_t at) {
        for (size_t i = 0; i <= rule; i++)
                for (size_t k = 0; k < (i == rule ? at : rules[i].n_targets); k++)
                        if (is_same(&rules[i].targets[k].subnet, &rules[rule].targets[at].subnet))
                                return true;
        return false;
}

int port_rules_apply(int socket, const char *app, const PortRule *rules, size_t n) {
        static const struct {
                const char *name;
                uint32_t hook;
                int32_t priority;
        } chains[] = {
                { CHAIN_IN,   NF_INET_PRE_ROUTING,  NFT_PRIORITY_DSTNAT },
                { CHAIN_OUT,  NF_INET_LOCAL_OUT,    NFT_PRIORITY_DSTNAT },
                { CHAIN_BACK, NF_INET_POST_ROUTING, NFT_PRIORITY_SRCNAT },
        };
        TableName t = table_name(app);
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        int r;

        nft_batch_begin(&b);
        if (n > 0)
                nft_table_make(&b, t.text, NFT_TABLE_F_OWNER);
        else
                nft_table_delete(&b, t.text);
        for (size_t i = 0; n > 0 && i < ELEMENTSOF(chains); i++)
                nft_chain_make(&b, t.text, chains[i].name, "nat", chains[i].hook, chains[i].priority);
        for (size_t i = 0; i < n; i++) {
                put_rules(&b, t.text, CHAIN_IN, &rules[i]);
                put_rules(&b, t.text, CHAIN_OUT, &rules[i]);
                for (size_t k = 0; k < rules[i].n_targets; k++)
                        if (!is_earlier(rules, i, k))
                                put_back(&b, t.text, &rules[i].targets[k].subnet);
        }
        nft_batch_end(&b);
        r = netlink_call(socket, &b);
        return r == -ENOENT && n == 0 ? 0 : r;
}
