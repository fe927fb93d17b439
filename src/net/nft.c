/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "net/nft.h"

static_assert(sizeof(NftLinkName) == IFNAMSIZ, "the name of a link");

/* ---- messages ---- */

static void border(NetlinkBatch *b, uint16_t type) {
        const struct nfgenmsg header = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

        netlink_begin(b, type, 0, &header, sizeof(header));
}

void nft_batch_begin(NetlinkBatch *b) {
        border(b, NFNL_MSG_BATCH_BEGIN);
}

void nft_batch_end(NetlinkBatch *b) {
        border(b, NFNL_MSG_BATCH_END);
}

void nft_message(NetlinkBatch *b, unsigned type, uint16_t flags) {
        const struct nfgenmsg header = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

        netlink_begin(b, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type), flags | NLM_F_ACK, &header, sizeof(header));
}

void nft_put_data(NetlinkBatch *b, uint16_t type, const void *data, size_t size) {
        size_t nest = netlink_open_nest(b, type);

        netlink_put(b, NFTA_DATA_VALUE, data, size);
        netlink_close_nest(b, nest);
}

void nft_table_make(NetlinkBatch *b, const char *table, uint32_t flags) {
        nft_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        netlink_put_text(b, NFTA_TABLE_NAME, table);
        if (flags != 0)
                netlink_put_be32(b, NFTA_TABLE_FLAGS, flags);
}

void nft_table_delete(NetlinkBatch *b, const char *table) {
        nft_message(b, NFT_MSG_DELTABLE, 0);
        netlink_put_text(b, NFTA_TABLE_NAME, table);
}

static void rules_delete(NetlinkBatch *b, const char *table, const char *chain) {
        nft_message(b, NFT_MSG_DELRULE, 0);
        netlink_put_text(b, NFTA_RULE_TABLE, table);
        netlink_put_text(b, NFTA_RULE_CHAIN, chain);
}

void nft_chain_make(NetlinkBatch *b, const char *table, const char *chain, const char *type, uint32_t hook, int32_t priority) {
        size_t nest;

        nft_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        netlink_put_text(b, NFTA_CHAIN_TABLE, table);
        netlink_put_text(b, NFTA_CHAIN_NAME, chain);
        nest = netlink_open_nest(b, NFTA_CHAIN_HOOK);
        netlink_put_be32(b, NFTA_HOOK_HOOKNUM, hook);
        netlink_put_be32(b, NFTA_HOOK_PRIORITY, (uint32_t) priority);
        netlink_close_nest(b, nest);
        netlink_put_text(b, NFTA_CHAIN_TYPE, type);
        rules_delete(b, table, chain);
}

void nft_chain_delete(NetlinkBatch *b, const char *table, const char *chain) {
        rules_delete(b, table, chain);
        nft_message(b, NFT_MSG_DELCHAIN, 0);
        netlink_put_text(b, NFTA_CHAIN_TABLE, table);
        netlink_put_text(b, NFTA_CHAIN_NAME, chain);
}

/* ---- rules: lists of expressions ---- */

NftRule nft_rule_begin(NetlinkBatch *b, const char *table, const char *chain) {
        nft_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
        netlink_put_text(b, NFTA_RULE_TABLE, table);
        netlink_put_text(b, NFTA_RULE_CHAIN, chain);
        return (NftRule){ .batch = b, .expressions = netlink_open_nest(b, NFTA_RULE_EXPRESSIONS) };
}

void nft_rule_end(NftRule *r) {
        netlink_close_nest(r->batch, r->expressions);
}

static void expression_begin(NftRule *r, const char *name) {
        r->element = netlink_open_nest(r->batch, NFTA_LIST_ELEM);
        netlink_put_text(r->batch, NFTA_EXPR_NAME, name);
        r->data = netlink_open_nest(r->batch, NFTA_EXPR_DATA);
}

static void expression_end(const NftRule *r) {
        netlink_close_nest(r->batch, r->data);
        netlink_close_nest(r->batch, r->element);
}

/* Matches work on the first register. */

static void compare(NftRule *r, enum nft_cmp_ops op, const void *data, size_t size) {
        expression_begin(r, "cmp");
        netlink_put_be32(r->batch, NFTA_CMP_SREG, NFT_REG_1);
        netlink_put_be32(r->batch, NFTA_CMP_OP, op);
        nft_put_data(r->batch, NFTA_CMP_DATA, data, size);
        expression_end(r);
}

static void mask(NftRule *r, const void *bits, size_t size) {
        static const uint8_t zero[16];

        expression_begin(r, "bitwise");
        netlink_put_be32(r->batch, NFTA_BITWISE_SREG, NFT_REG_1);
        netlink_put_be32(r->batch, NFTA_BITWISE_DREG, NFT_REG_1);
        netlink_put_be32(r->batch, NFTA_BITWISE_LEN, (uint32_t) size);
        nft_put_data(r->batch, NFTA_BITWISE_MASK, bits, size);
        nft_put_data(r->batch, NFTA_BITWISE_XOR, zero, size);
        expression_end(r);
}

static void load_payload(NftRule *r, enum nft_payload_bases base, uint32_t offset, uint32_t size) {
        expression_begin(r, "payload");
        netlink_put_be32(r->batch, NFTA_PAYLOAD_DREG, NFT_REG_1);
        netlink_put_be32(r->batch, NFTA_PAYLOAD_BASE, base);
        netlink_put_be32(r->batch, NFTA_PAYLOAD_OFFSET, offset);
        netlink_put_be32(r->batch, NFTA_PAYLOAD_LEN, size);
        expression_end(r);
}

static void load_meta(NftRule *r, enum nft_meta_keys key) {
        expression_begin(r, "meta");
        netlink_put_be32(r->batch, NFTA_META_DREG, NFT_REG_1);
        netlink_put_be32(r->batch, NFTA_META_KEY, key);
        expression_end(r);
}

NftLinkName nft_link_name(const char *name) {
        NftLinkName n = { 0 };

        (void) memcpy(n.text, name, strnlen(name, sizeof(n.text) - 1));
        return n;
}

void nft_match_meta(NftRule *r, enum nft_meta_keys key, enum nft_cmp_ops op, const void *data, size_t size) {
        load_meta(r, key);
        compare(r, op, data, size);
}

void nft_match_link(NftRule *r, enum nft_meta_keys key, enum nft_cmp_ops op, const char *name) {
        NftLinkName n = nft_link_name(name);

        nft_match_meta(r, key, op, &n, sizeof(n));
}

void nft_match_link_set(NftRule *r, enum nft_meta_keys key, const char *set) {
        load_meta(r, key);
        expression_begin(r, "lookup");
        netlink_put_text(r->batch, NFTA_LOOKUP_SET, set);
        netlink_put_be32(r->batch, NFTA_LOOKUP_SREG, NFT_REG_1);
        expression_end(r);
}

static uint8_t family_number(int family) {
        return family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

void nft_match_family(NftRule *r, int family) {
        const uint8_t number = family_number(family);

        nft_match_meta(r, NFT_META_NFPROTO, NFT_CMP_EQ, &number, sizeof(number));
}

void nft_match_subnet(NftRule *r, NftSide side, enum nft_cmp_ops op, const Subnet *s) {
        const uint32_t size = (uint32_t) address_size(&s->base), offset = s->base.family == AF_INET6 ? 8 : 12;
        uint8_t bits[16] = { 0 };

        for (unsigned i = 0; i < s->prefix; i++)
                bits[i / 8] |= (uint8_t) (0x80U >> i % 8);
        load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, side == NFT_DESTINATION ? offset + size : offset, size);
        if (s->prefix < 8 * size)
                mask(r, bits, size);
        compare(r, op, s->base.bytes, size);
}

void nft_match_local(NftRule *r) {
        const uint32_t local = RTN_LOCAL;

        expression_begin(r, "fib");
        netlink_put_be32(r->batch, NFTA_FIB_DREG, NFT_REG_1);
        netlink_put_be32(r->batch, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
        netlink_put_be32(r->batch, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
        expression_end(r);
        compare(r, NFT_CMP_EQ, &local, sizeof(local));
}

void nft_match_port(NftRule *r, uint8_t protocol, uint16_t port) {
        const uint16_t number = htons(port);

        nft_match_meta(r, NFT_META_L4PROTO, NFT_CMP_EQ, &protocol, sizeof(protocol));
        load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(number)); /* TCP and UDP have it at the same place */
        compare(r, NFT_CMP_EQ, &number, sizeof(number));
}

void nft_match_translated(NftRule *r) {
        const uint32_t status = 1U << 5, zero = 0; /* IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h */

        expression_begin(r, "ct");
        netlink_put_be32(r->batch, NFTA_CT_DREG, NFT_REG_1);
        netlink_put_be32(r->batch, NFTA_CT_KEY, NFT_CT_STATUS);
        expression_end(r);
        mask(r, &status, sizeof(status));
        compare(r, NFT_CMP_NEQ, &zero, sizeof(zero));
}

void nft_match_one_of(NftRule *r, uint32_t n) {
        const uint32_t zero = 0;

        expression_begin(r, "numgen");
        netlink_put_be32(r->batch, NFTA_NG_DREG, NFT_REG_1);
        netlink_put_be32(r->batch, NFTA_NG_MODULUS, n);
        netlink_put_be32(r->batch, NFTA_NG_TYPE, NFT_NG_RANDOM);
        netlink_put_be32(r->batch, NFTA_NG_OFFSET, 0);
        expression_end(r);
        compare(r, NFT_CMP_EQ, &zero, sizeof(zero));
}

void nft_masquerade(NftRule *r) {
        expression_begin(r, "masq");
        expression_end(r);
}

void nft_verdict(NftRule *r, uint32_t verdict) {
        size_t data, nest;

        expression_begin(r, "immediate");
        netlink_put_be32(r->batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        data = netlink_open_nest(r->batch, NFTA_IMMEDIATE_DATA);
        nest = netlink_open_nest(r->batch, NFTA_DATA_VERDICT);
        netlink_put_be32(r->batch, NFTA_VERDICT_CODE, verdict);
        netlink_close_nest(r->batch, nest);
        netlink_close_nest(r->batch, data);
        expression_end(r);
}

static void set_register(NftRule *r, uint32_t number, const void *data, size_t size) {
        expression_begin(r, "immediate");
        netlink_put_be32(r->batch, NFTA_IMMEDIATE_DREG, number);
        nft_put_data(r->batch, NFTA_IMMEDIATE_DATA, data, size);
        expression_end(r);
}

void nft_translate(NftRule *r, int family, const Address *address, uint16_t port) {
        const uint16_t number = htons(port);

        if (address)
                set_register(r, NFT_REG_1, address->bytes, address_size(address));
        set_register(r, NFT_REG_2, &number, sizeof(number));
        expression_begin(r, "nat");
        netlink_put_be32(r->batch, NFTA_NAT_TYPE, NFT_NAT_DNAT);
        netlink_put_be32(r->batch, NFTA_NAT_FAMILY, family_number(family));
        if (address)
                netlink_put_be32(r->batch, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
        netlink_put_be32(r->batch, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
        expression_end(r);
}
