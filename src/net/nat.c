/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>

#include "net/nat.h"
#include "net/netlink.h"
#include "util/fd.h"

#define BRIDGES_SET "bridges"    /* names of all bridges of ours */
#define BRIDGES_KEY_TYPE 41      /* how nft(8) calls names of links; the kernel only keeps it */
#define PRIORITY_FILTER 0
#define PRIORITY_SRCNAT 100

typedef struct ChainName {
        char text[64];
} ChainName;

static ChainName chain_name(const char *what, const char *bridge) {
        ChainName n;

        (void) snprintf(n.text, sizeof(n.text), "%s-%s", what, bridge);
        return n;
}

/* ---- messages; all between two borders are one transaction ---- */

static void border(NetlinkBatch *b, uint16_t type) {
        const struct nfgenmsg header = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

        netlink_begin(b, type, 0, &header, sizeof(header));
}

static void begin(NetlinkBatch *b, unsigned type, uint16_t flags) {
        const struct nfgenmsg header = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

        netlink_begin(b, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type), flags | NLM_F_ACK, &header, sizeof(header));
}

static void put_table(NetlinkBatch *b) {
        begin(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        netlink_put_text(b, NFTA_TABLE_NAME, NAT_TABLE);
}

/* As nft -f "flush chain": the chain is made where it is missing, and has no rules then. */
static void put_chain(NetlinkBatch *b, const char *name, const char *type, uint32_t hook, uint32_t priority) {
        size_t nest;

        begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        netlink_put_text(b, NFTA_CHAIN_TABLE, NAT_TABLE);
        netlink_put_text(b, NFTA_CHAIN_NAME, name);
        nest = netlink_open_nest(b, NFTA_CHAIN_HOOK);
        netlink_put_be32(b, NFTA_HOOK_HOOKNUM, hook);
        netlink_put_be32(b, NFTA_HOOK_PRIORITY, priority);
        netlink_close_nest(b, nest);
        netlink_put_text(b, NFTA_CHAIN_TYPE, type);
        begin(b, NFT_MSG_DELRULE, 0);
        netlink_put_text(b, NFTA_RULE_TABLE, NAT_TABLE);
        netlink_put_text(b, NFTA_RULE_CHAIN, name);
}

static void put_chain_end(NetlinkBatch *b, const char *name) {
        begin(b, NFT_MSG_DELRULE, 0);
        netlink_put_text(b, NFTA_RULE_TABLE, NAT_TABLE);
        netlink_put_text(b, NFTA_RULE_CHAIN, name);
        begin(b, NFT_MSG_DELCHAIN, 0);
        netlink_put_text(b, NFTA_CHAIN_TABLE, NAT_TABLE);
        netlink_put_text(b, NFTA_CHAIN_NAME, name);
}

static void put_data(NetlinkBatch *b, uint16_t type, const void *data, size_t size) {
        size_t nest = netlink_open_nest(b, type);

        netlink_put(b, NFTA_DATA_VALUE, data, size);
        netlink_close_nest(b, nest);
}

/* A name of a link as the kernel compares it. */
typedef struct LinkName {
        char text[IFNAMSIZ];
} LinkName;

static LinkName link_name(const char *name) {
        LinkName n = { 0 };

        (void) memcpy(n.text, name, strnlen(name, sizeof(n.text) - 1));
        return n;
}

static void put_set(NetlinkBatch *b) {
        static const uint8_t host_byte_order[] = { 0, sizeof(uint32_t), 1, 0, 0, 0 }; /* for nft(8), which shows the names by it */

        begin(b, NFT_MSG_NEWSET, NLM_F_CREATE);
        netlink_put_text(b, NFTA_SET_TABLE, NAT_TABLE);
        netlink_put_text(b, NFTA_SET_NAME, BRIDGES_SET);
        netlink_put_be32(b, NFTA_SET_ID, 1);
        netlink_put_be32(b, NFTA_SET_KEY_TYPE, BRIDGES_KEY_TYPE);
        netlink_put_be32(b, NFTA_SET_KEY_LEN, sizeof(LinkName));
        netlink_put(b, NFTA_SET_USERDATA, host_byte_order, sizeof(host_byte_order));
}

static void put_set_element(NetlinkBatch *b, unsigned message, const char *bridge) {
        LinkName name = link_name(bridge);
        size_t list, element;

        begin(b, message, message == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
        netlink_put_text(b, NFTA_SET_ELEM_LIST_TABLE, NAT_TABLE);
        netlink_put_text(b, NFTA_SET_ELEM_LIST_SET, BRIDGES_SET);
        list = netlink_open_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
        element = netlink_open_nest(b, NFTA_LIST_ELEM);
        put_data(b, NFTA_SET_ELEM_KEY, &name, sizeof(name));
        netlink_close_nest(b, element);
        netlink_close_nest(b, list);
}

/* ---- rules: lists of expressions ---- */

typedef struct Rule {
        size_t expressions, element, data; /* nests */
} Rule;

static Rule rule_begin(NetlinkBatch *b, const char *chain) {
        begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
        netlink_put_text(b, NFTA_RULE_TABLE, NAT_TABLE);
        netlink_put_text(b, NFTA_RULE_CHAIN, chain);
        return (Rule){ .expressions = netlink_open_nest(b, NFTA_RULE_EXPRESSIONS) };
}

static void expression_begin(NetlinkBatch *b, Rule *r, const char *name) {
        r->element = netlink_open_nest(b, NFTA_LIST_ELEM);
        netlink_put_text(b, NFTA_EXPR_NAME, name);
        r->data = netlink_open_nest(b, NFTA_EXPR_DATA);
}

static void expression_end(NetlinkBatch *b, const Rule *r) {
        netlink_close_nest(b, r->data);
        netlink_close_nest(b, r->element);
}

static void load_meta(NetlinkBatch *b, Rule *r, enum nft_meta_keys key) {
        expression_begin(b, r, "meta");
        netlink_put_be32(b, NFTA_META_DREG, NFT_REG_1);
        netlink_put_be32(b, NFTA_META_KEY, key);
        expression_end(b, r);
}

static void compare(NetlinkBatch *b, Rule *r, enum nft_cmp_ops op, const void *data, size_t size) {
        expression_begin(b, r, "cmp");
        netlink_put_be32(b, NFTA_CMP_SREG, NFT_REG_1);
        netlink_put_be32(b, NFTA_CMP_OP, op);
        put_data(b, NFTA_CMP_DATA, data, size);
        expression_end(b, r);
}

/* `iifname "berth0"`, `oifname != "berth0"` */
static void match_link(NetlinkBatch *b, Rule *r, enum nft_meta_keys key, enum nft_cmp_ops op, const char *name) {
        LinkName n = link_name(name);

        load_meta(b, r, key);
        compare(b, r, op, &n, sizeof(n));
}

/* `iifname @bridges` */
static void match_bridges(NetlinkBatch *b, Rule *r, enum nft_meta_keys key) {
        load_meta(b, r, key);
        expression_begin(b, r, "lookup");
        netlink_put_text(b, NFTA_LOOKUP_SET, BRIDGES_SET);
        netlink_put_be32(b, NFTA_LOOKUP_SREG, NFT_REG_1);
        expression_end(b, r);
}

/* `ip saddr 10.77.0.0/16` */
static void match_source(NetlinkBatch *b, Rule *r, const Subnet *s) {
        const uint8_t protocol = s->base.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
        const uint32_t size = (uint32_t) address_size(&s->base), offset = s->base.family == AF_INET6 ? 8 : 12;
        static const uint8_t zero[16];
        uint8_t mask[16] = { 0 };

        for (unsigned i = 0; i < s->prefix; i++)
                mask[i / 8] |= (uint8_t) (0x80U >> i % 8);
        load_meta(b, r, NFT_META_NFPROTO);
        compare(b, r, NFT_CMP_EQ, &protocol, sizeof(protocol));
        expression_begin(b, r, "payload");
        netlink_put_be32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
        netlink_put_be32(b, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
        netlink_put_be32(b, NFTA_PAYLOAD_OFFSET, offset);
        netlink_put_be32(b, NFTA_PAYLOAD_LEN, size);
        expression_end(b, r);
        expression_begin(b, r, "bitwise");
        netlink_put_be32(b, NFTA_BITWISE_SREG, NFT_REG_1);
        netlink_put_be32(b, NFTA_BITWISE_DREG, NFT_REG_1);
        netlink_put_be32(b, NFTA_BITWISE_LEN, size);
        put_data(b, NFTA_BITWISE_MASK, mask, size);
        put_data(b, NFTA_BITWISE_XOR, zero, size);
        expression_end(b, r);
        compare(b, r, NFT_CMP_EQ, s->base.bytes, size);
}

static void masquerade(NetlinkBatch *b, Rule *r) {
        expression_begin(b, r, "masq");
        expression_end(b, r);
}

static void drop(NetlinkBatch *b, Rule *r) {
        size_t data, verdict;

        expression_begin(b, r, "immediate");
        netlink_put_be32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        data = netlink_open_nest(b, NFTA_IMMEDIATE_DATA);
        verdict = netlink_open_nest(b, NFTA_DATA_VERDICT);
        netlink_put_be32(b, NFTA_VERDICT_CODE, NF_DROP);
        netlink_close_nest(b, verdict);
        netlink_close_nest(b, data);
        expression_end(b, r);
}

/* ---- the table ---- */

/* What comes from the bridge, or goes to it, and has the other end elsewhere; or, with bridges, in another bridge of ours. */
static void put_drop_rules(NetlinkBatch *b, const char *chain, const Nat *n, bool bridges) {
        static const enum nft_meta_keys ways[][2] = { { NFT_META_IIFNAME, NFT_META_OIFNAME }, { NFT_META_OIFNAME, NFT_META_IIFNAME } };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                Rule r = rule_begin(b, chain);

                match_link(b, &r, ways[i][0], NFT_CMP_EQ, n->bridge);
                match_link(b, &r, ways[i][1], NFT_CMP_NEQ, n->bridge);
                if (bridges)
                        match_bridges(b, &r, ways[i][1]);
                drop(b, &r);
                netlink_close_nest(b, r.expressions);
        }
}

static void put_masquerade_rule(NetlinkBatch *b, const char *chain, const Nat *n, const Subnet *s) {
        Rule r = rule_begin(b, chain);

        match_source(b, &r, s);
        match_link(b, &r, NFT_META_OIFNAME, NFT_CMP_NEQ, n->bridge);
        masquerade(b, &r);
        netlink_close_nest(b, r.expressions);
}

static unsigned rules_wanted(const Nat *n) {
        unsigned wanted = n->internal ? 2 : 0;

        for (size_t i = 0; i < n->n_subnets && !n->internal; i++)
                wanted += n->subnets[i].base.family != 0;
        return wanted + (n->isolated && !n->internal ? 2 : 0);
}

/* How many rules the bridge's chains have; somebody may have flushed them. */
static int rules_count(int fd, const char *forward, const char *nat, unsigned *ret) {
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        _cleanup_buf_ Buf answers = BUF_INIT;
        const struct nfgenmsg header = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
        int r;

        *ret = 0;
        netlink_begin(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP, &header, sizeof(header));
        netlink_put_text(&b, NFTA_RULE_TABLE, NAT_TABLE);
        r = netlink_dump(fd, &b, &answers);
        if (r == -ENOENT)
                return 0;
        for (const struct nlmsghdr *m = NULL; r == 0 && (m = netlink_next(&answers, m));) {
                const char *chain = netlink_get(m, sizeof(header), NFTA_RULE_CHAIN, 1);

                *ret += chain && (strncmp(chain, forward, netlink_size(chain)) == 0 || strncmp(chain, nat, netlink_size(chain)) == 0);
        }
        return r;
}

int nat_apply(const Nat *n) {
        ChainName forward = chain_name("forward", n->bridge), nat = chain_name("nat", n->bridge);
        _cleanup_close_ int fd = netlink_socket(NETLINK_NETFILTER);
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        unsigned count;
        int r;

        if (fd < 0)
                return fd;
        r = rules_count(fd, forward.text, nat.text, &count);
        if (r < 0 || count == rules_wanted(n))
                return r;
        border(&b, NFNL_MSG_BATCH_BEGIN);
        put_table(&b);
        put_set(&b);
        put_set_element(&b, NFT_MSG_NEWSETELEM, n->bridge);
        put_chain(&b, forward.text, "filter", NF_INET_FORWARD, PRIORITY_FILTER);
        put_chain(&b, nat.text, "nat", NF_INET_POST_ROUTING, PRIORITY_SRCNAT);
        if (n->internal || n->isolated)
                put_drop_rules(&b, forward.text, n, !n->internal);
        for (size_t i = 0; i < n->n_subnets && !n->internal; i++)
                if (n->subnets[i].base.family != 0)
                        put_masquerade_rule(&b, nat.text, n, &n->subnets[i]);
        border(&b, NFNL_MSG_BATCH_END);
        return netlink_call(fd, &b);
}

int nat_remove(const char *bridge, bool all) {
        ChainName forward = chain_name("forward", bridge), nat = chain_name("nat", bridge);
        _cleanup_close_ int fd = netlink_socket(NETLINK_NETFILTER);
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        int r;

        if (fd < 0)
                return fd;
        border(&b, NFNL_MSG_BATCH_BEGIN);
        if (all) {
                begin(&b, NFT_MSG_DELTABLE, 0);
                netlink_put_text(&b, NFTA_TABLE_NAME, NAT_TABLE);
        } else {
                put_chain_end(&b, forward.text);
                put_chain_end(&b, nat.text);
                put_set_element(&b, NFT_MSG_DELSETELEM, bridge);
        }
        border(&b, NFNL_MSG_BATCH_END);
        r = netlink_call(fd, &b);
        return r == -ENOENT ? 0 : r; /* somebody has flushed it */
}
