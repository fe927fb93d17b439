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

/* ---- messages ---- */

static void begin(NetlinkBatch *b, unsigned type, uint16_t flags) {
        const struct nfgenmsg header = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

        netlink_begin(b, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type), flags, &header, sizeof(header));
}

static void border(NetlinkBatch *b, uint16_t type) {
        const struct nfgenmsg header = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

        netlink_begin(b, type, 0, &header, sizeof(header));
}

/* The last message before the end is the one that is answered. */
static int commit(NetlinkBatch *b) {
        _cleanup_close_ int fd = netlink_socket(NETLINK_NETFILTER);
        uint32_t last = b->n;

        if (fd < 0)
                return fd;
        begin(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK);
        netlink_put_text(b, NFTA_TABLE_NAME, NAT_TABLE);
        (void) last;
        border(b, NFNL_MSG_BATCH_END);
        return netlink_call(fd, b, NULL);
}
