/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "net/firewall-legacy.h"
#include "net/firewall.h"
#include "net/nat.h"
#include "net/netlink.h"
#include "util/fd.h"
#include "util/strv.h"

#define HEADER sizeof(struct nfgenmsg)

static uint8_t family_of(const struct nlmsghdr *m) {
        return ((const struct nfgenmsg *) NLMSG_DATA(m))->nfgen_family;
}

static const char *text_of(const struct nlmsghdr *m, uint16_t type) {
        const char *text = netlink_get(m, HEADER, type, 1);

        return text && text[netlink_size(text) - 1] == 0 ? text : "";
}

static int dump(int fd, unsigned type, Buf *ret) {
        const struct nfgenmsg header = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;

        netlink_begin(&b, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP, &header, sizeof(header));
        return netlink_dump(fd, &b, ret);
}

/* A base chain where forwarded packets come by. */
static bool is_forward(const struct nlmsghdr *m) {
        const void *hook = netlink_get(m, HEADER, NFTA_CHAIN_HOOK, 1);
        const uint32_t *number = hook ? netlink_get_in(hook, netlink_size(hook), NFTA_HOOK_HOOKNUM, sizeof(*number)) : NULL;
        uint8_t family = family_of(m);

        return (family == NFPROTO_IPV4 || family == NFPROTO_IPV6 || family == NFPROTO_INET) && number && ntohl(*number) == NF_INET_FORWARD &&
                !streq(text_of(m, NFTA_CHAIN_TABLE), NAT_TABLE);
}

static bool policy_drops(const struct nlmsghdr *m) {
        const uint32_t *policy = netlink_get(m, HEADER, NFTA_CHAIN_POLICY, sizeof(*policy));

        return policy && ntohl(*policy) == NF_DROP;
}

/* The expressions of a rule begin with the verdict, but for counters: it is for all. */
static bool rule_drops(const struct nlmsghdr *m) {
        const char *list = netlink_get(m, HEADER, NFTA_RULE_EXPRESSIONS, 1);
        size_t size = list ? netlink_size(list) : 0;

        while (size >= sizeof(struct nlattr)) {
                const struct nlattr *a = (const struct nlattr *) list;
                size_t step = NLA_ALIGN(a->nla_len);
                const char *name;

                if (a->nla_len < NLA_HDRLEN || a->nla_len > size)
                        return false;
                name = netlink_get_in(list + NLA_HDRLEN, a->nla_len - NLA_HDRLEN, NFTA_EXPR_NAME, 1);
                if (!name || !streq(name, "counter"))
                        return name && streq(name, "reject");
                list += MIN(step, size);
                size -= MIN(step, size);
        }
        return false;
}

static bool same_table(const struct nlmsghdr *chain, const struct nlmsghdr *rule) {
        return family_of(chain) == family_of(rule) && streq(text_of(chain, NFTA_CHAIN_TABLE), text_of(rule, NFTA_RULE_TABLE));
}

/* However a rule names the bridge, the name is in it as it is. */
static bool drops(const struct nlmsghdr *chain, const Buf *rules, const char *bridge) {
        bool result = policy_drops(chain), last = false;

        for (const struct nlmsghdr *m = NULL; (m = netlink_next(rules, m));) {
                if (!same_table(chain, m))
                        continue;
                if (memmem(m, m->nlmsg_len, bridge, strlen(bridge)))
                        return false;
                if (streq(text_of(chain, NFTA_CHAIN_NAME), text_of(m, NFTA_RULE_CHAIN)))
                        last = rule_drops(m);
        }
        return result || last;
}

int firewall_find(const char *bridge, char **ret) {
        static const char *const families[] = { [NFPROTO_INET] = "inet", [NFPROTO_IPV4] = "ip", [NFPROTO_IPV6] = "ip6" };
        _cleanup_close_ int fd = netlink_socket(NETLINK_NETFILTER);
        _cleanup_buf_ Buf chains = BUF_INIT, rules = BUF_INIT;
        int r = fd < 0 ? fd : dump(fd, NFT_MSG_GETCHAIN, &chains);

        if (r >= 0)
                r = dump(fd, NFT_MSG_GETRULE, &rules);
        if (r < 0)
                return r;
        *ret = NULL;
        for (const struct nlmsghdr *m = NULL; (m = netlink_next(&chains, m));) {
                if (!is_forward(m) || !drops(m, &rules, bridge))
                        continue;
                *ret = str_format("nftables chain '%s %s %s'", families[family_of(m)], text_of(m, NFTA_CHAIN_TABLE), text_of(m, NFTA_CHAIN_NAME));
                return *ret ? 0 : -ENOMEM;
        }
        return firewall_legacy_find(bridge, ret);
}
