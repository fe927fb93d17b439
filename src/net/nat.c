/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include "net/nat.h"
#include "net/nft.h"
#include "util/fd.h"

#define BRIDGES_SET "bridges"    /* names of all bridges of ours */
#define BRIDGES_KEY_TYPE 41      /* how nft(8) calls names of links; the kernel only keeps it */

typedef struct ChainName {
        char text[64];
} ChainName;

static ChainName chain_name(const char *what, const char *bridge) {
        ChainName n;

        (void) snprintf(n.text, sizeof(n.text), "%s-%s", what, bridge);
        return n;
}

static void put_set(NetlinkBatch *b) {
        static const uint8_t host_byte_order[] = { 0, sizeof(uint32_t), 1, 0, 0, 0 }; /* for nft(8), which shows the names by it */

        nft_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);
        netlink_put_text(b, NFTA_SET_TABLE, NAT_TABLE);
        netlink_put_text(b, NFTA_SET_NAME, BRIDGES_SET);
        netlink_put_be32(b, NFTA_SET_ID, 1);
        netlink_put_be32(b, NFTA_SET_KEY_TYPE, BRIDGES_KEY_TYPE);
        netlink_put_be32(b, NFTA_SET_KEY_LEN, sizeof(NftLinkName));
        netlink_put(b, NFTA_SET_USERDATA, host_byte_order, sizeof(host_byte_order));
}

static void put_set_element(NetlinkBatch *b, unsigned message, const char *bridge) {
        NftLinkName name = nft_link_name(bridge);
        size_t list, element;

        nft_message(b, message, message == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
        netlink_put_text(b, NFTA_SET_ELEM_LIST_TABLE, NAT_TABLE);
        netlink_put_text(b, NFTA_SET_ELEM_LIST_SET, BRIDGES_SET);
        list = netlink_open_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
        element = netlink_open_nest(b, NFTA_LIST_ELEM);
        nft_put_data(b, NFTA_SET_ELEM_KEY, &name, sizeof(name));
        netlink_close_nest(b, element);
        netlink_close_nest(b, list);
}

/* What comes from the bridge, or goes to it, and has the other end elsewhere; or, with bridges, in another bridge of ours. */
static void put_drop_rules(NetlinkBatch *b, const char *chain, const Nat *n, bool bridges) {
        static const enum nft_meta_keys ways[][2] = { { NFT_META_IIFNAME, NFT_META_OIFNAME }, { NFT_META_OIFNAME, NFT_META_IIFNAME } };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                NftRule r = nft_rule_begin(b, NAT_TABLE, chain);

                nft_match_link(&r, ways[i][0], NFT_CMP_EQ, n->bridge);
                nft_match_link(&r, ways[i][1], NFT_CMP_NEQ, n->bridge);
                if (bridges)
                        nft_match_link_set(&r, ways[i][1], BRIDGES_SET);
                nft_verdict(&r, NF_DROP);
                nft_rule_end(&r);
        }
}

/* What goes to a published port goes to the host, whoever sends it and wherever it is served. */
static void put_published_rule(NetlinkBatch *b, const char *chain) {
        NftRule r = nft_rule_begin(b, NAT_TABLE, chain);

        nft_match_translated(&r);
        nft_verdict(&r, NF_ACCEPT);
        nft_rule_end(&r);
}

static void put_masquerade_rule(NetlinkBatch *b, const char *chain, const Nat *n, const Subnet *s) {
        NftRule r = nft_rule_begin(b, NAT_TABLE, chain);

        nft_match_family(&r, s->base.family);
        nft_match_subnet(&r, NFT_SOURCE, NFT_CMP_EQ, s);
        nft_match_link(&r, NFT_META_OIFNAME, NFT_CMP_NEQ, n->bridge);
        nft_masquerade(&r);
        nft_rule_end(&r);
}

static unsigned rules_wanted(const Nat *n) {
        unsigned wanted = n->internal ? 2 : 0;

        for (size_t i = 0; i < n->n_subnets && !n->internal; i++)
                wanted += n->subnets[i].base.family != 0;
        return wanted + (n->isolated && !n->internal ? 3 : 0);
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
        nft_batch_begin(&b);
        nft_table_make(&b, NAT_TABLE, 0);
        put_set(&b);
        put_set_element(&b, NFT_MSG_NEWSETELEM, n->bridge);
        nft_chain_make(&b, NAT_TABLE, forward.text, "filter", NF_INET_FORWARD, NFT_PRIORITY_FILTER);
        nft_chain_make(&b, NAT_TABLE, nat.text, "nat", NF_INET_POST_ROUTING, NFT_PRIORITY_SRCNAT);
        if (n->isolated && !n->internal)
                put_published_rule(&b, forward.text);
        if (n->internal || n->isolated)
                put_drop_rules(&b, forward.text, n, !n->internal);
        for (size_t i = 0; i < n->n_subnets && !n->internal; i++)
                if (n->subnets[i].base.family != 0)
                        put_masquerade_rule(&b, nat.text, n, &n->subnets[i]);
        nft_batch_end(&b);
        return netlink_call(fd, &b);
}

int nat_remove(const char *bridge, bool all) {
        ChainName forward = chain_name("forward", bridge), nat = chain_name("nat", bridge);
        _cleanup_close_ int fd = netlink_socket(NETLINK_NETFILTER);
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        int r;

        if (fd < 0)
                return fd;
        nft_batch_begin(&b);
        if (all)
                nft_table_delete(&b, NAT_TABLE);
        else {
                nft_chain_delete(&b, NAT_TABLE, forward.text);
                nft_chain_delete(&b, NAT_TABLE, nat.text);
                put_set_element(&b, NFT_MSG_DELSETELEM, bridge);
        }
        nft_batch_end(&b);
        r = netlink_call(fd, &b);
        return r == -ENOENT ? 0 : r; /* somebody has flushed it */
}
