/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>

#include "net/link.h"
#include "net/netlink.h"
#include "util/strv.h"

#define REMOVED_GROUP 0x62727468U /* of links that are about to be removed; nobody else's */
#define NEW (NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

static void link_read(const struct nlmsghdr *m, Link *ret) {
        const size_t header = sizeof(struct ifinfomsg);
        const struct ifinfomsg *i = NLMSG_DATA(m);
        const uint32_t *mtu = netlink_get(m, header, IFLA_MTU, sizeof(*mtu));
        const int *master = netlink_get(m, header, IFLA_MASTER, sizeof(*master));
        const char *name = netlink_get(m, header, IFLA_IFNAME, 1);
        const void *info = netlink_get(m, header, IFLA_LINKINFO, 0);
        const char *kind = info ? netlink_get_in(info, netlink_size(info), IFLA_INFO_KIND, sizeof("bridge")) : NULL;

        *ret = (Link){ .index = i->ifi_index, .master = master ? *master : 0, .mtu = mtu ? *mtu : 0 };
        ret->is_bridge = kind && memcmp(kind, "bridge", sizeof("bridge")) == 0;
        if (name)
                (void) memcpy(ret->name, name, MIN(netlink_size(name), sizeof(ret->name) - 1));
}

/* Out of the list: in the namespaces where this is asked there are two. */
int link_find(int fd, const char *name, Link *ret) {
        _cleanup_free_ Link *links = NULL;
        size_t n;
        int r = link_list(fd, 0, &links, &n);

        for (size_t i = 0; r == 0 && i < n; i++)
                if (streq(links[i].name, name)) {
                        *ret = links[i];
                        return 0;
                }
        return r < 0 ? r : -ENODEV;
}

int link_list(int fd, int master_or_zero, Link **ret, size_t *ret_n) {
        const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        _cleanup_buf_ Buf answers = BUF_INIT;
        _cleanup_free_ Link *links = NULL;
        size_t n = 0, count = 0;
        int r;

        netlink_begin(&b, RTM_GETLINK, NLM_F_DUMP, &header, sizeof(header));
        netlink_put_u32(&b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        if (master_or_zero > 0)
                netlink_put_u32(&b, IFLA_MASTER, (uint32_t) master_or_zero);
        r = netlink_dump(fd, &b, &answers);
        if (r < 0)
                return r;
        for (const struct nlmsghdr *m = NULL; (m = netlink_next(&answers, m));)
                count++;
        links = calloc(count + 1, sizeof(*links));
        if (!links)
                return -ENOMEM;
        for (const struct nlmsghdr *m = NULL; (m = netlink_next(&answers, m));)
                if (m->nlmsg_type == RTM_NEWLINK && m->nlmsg_len >= NLMSG_LENGTH(sizeof(header)))
                        link_read(m, &links[n++]);
        *ret = TAKE_PTR(links);
        *ret_n = n;
        return 0;
}

static int link_remove(int fd, int index) {
        const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        int r;

        netlink_begin(&b, RTM_DELLINK, NLM_F_ACK, &header, sizeof(header));
        r = netlink_call(fd, &b);
        return r == -ENODEV ? 0 : r;
}

int links_remove(int fd, const int *indexes, size_t n) {
        const struct ifinfomsg none = { .ifi_family = AF_UNSPEC };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        int r;

        if (n < 2)
                return n == 1 ? link_remove(fd, indexes[0]) : 0;
        for (size_t i = 0; i < n; i++) {
                const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = indexes[i] };

                netlink_begin(&b, RTM_SETLINK, NLM_F_ACK, &header, sizeof(header));
                netlink_put_u32(&b, IFLA_GROUP, REMOVED_GROUP);
        }
        netlink_begin(&b, RTM_DELLINK, NLM_F_ACK, &none, sizeof(none));
        netlink_put_u32(&b, IFLA_GROUP, REMOVED_GROUP);
        r = netlink_call(fd, &b);
        return r == -ENODEV ? 0 : r;
}

/* A hardware address of the local kind that follows from data. Where it is always the same, nobody holds an old one in mind. */
static void put_hardware_address(NetlinkBatch *b, const void *data, size_t size) {
        uint64_t hash = hash_bytes(data, size);
        uint8_t address[6];

        memcpy(address, &hash, sizeof(address));
        address[0] = (uint8_t) ((address[0] & 0xfc) | 0x02);
        netlink_put(b, IFLA_ADDRESS, address, sizeof(address));
}

static void put_alias(NetlinkBatch *b, const char *name, const char *alias) {
        const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };

        netlink_begin(b, RTM_SETLINK, NLM_F_ACK, &header, sizeof(header));
        netlink_put_text(b, IFLA_IFNAME, name);
        netlink_put(b, IFLA_IFALIAS, alias, strlen(alias));
}

int bridge_make(int fd, const char *name, const char *alias, uint32_t mtu) {
        const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        size_t info;

        netlink_begin(&b, RTM_NEWLINK, NEW, &header, sizeof(header));
        netlink_put_text(&b, IFLA_IFNAME, name);
        if (mtu > 0)
                netlink_put_u32(&b, IFLA_MTU, mtu);
        /* Left alone it would change with the links that come and go. */
        put_hardware_address(&b, name, strlen(name));
        info = netlink_open_nest(&b, IFLA_LINKINFO);
        netlink_put_text(&b, IFLA_INFO_KIND, "bridge");
        netlink_close_nest(&b, info);
        put_alias(&b, name, alias);
        return netlink_call(fd, &b);
}

int pair_make(int fd, const Pair *p) {
        const struct ifinfomsg here = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP }, there = { 0 };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        size_t info, data, peer;

        netlink_begin(&b, RTM_NEWLINK, NEW, &here, sizeof(here));
        netlink_put_text(&b, IFLA_IFNAME, p->name);
        if (p->mtu > 0)
                netlink_put_u32(&b, IFLA_MTU, p->mtu);
        netlink_put_u32(&b, IFLA_MASTER, (uint32_t) p->bridge);
        info = netlink_open_nest(&b, IFLA_LINKINFO);
        netlink_put_text(&b, IFLA_INFO_KIND, "veth");
        data = netlink_open_nest(&b, IFLA_INFO_DATA);
        peer = netlink_open_nest(&b, VETH_INFO_PEER);
        if (buf_append(&b.data, &there, sizeof(there)) < 0) /* the other link's header, behind which are its attributes */
                b.failed = true;
        netlink_put_text(&b, IFLA_IFNAME, p->inner);
        if (p->mtu > 0)
                netlink_put_u32(&b, IFLA_MTU, p->mtu);
        put_hardware_address(&b, p->address->bytes, address_size(p->address));
        netlink_put_u32(&b, IFLA_NET_NS_FD, (uint32_t) p->netns);
        netlink_close_nest(&b, peer);
        netlink_close_nest(&b, data);
        netlink_close_nest(&b, info);
        put_alias(&b, p->name, p->alias);
        return netlink_call(fd, &b);
}

int link_up(int fd, int index) {
        const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;

        netlink_begin(&b, RTM_NEWLINK, NLM_F_ACK, &header, sizeof(header));
        return netlink_call(fd, &b);
}

int link_add_address(int fd, int index, const Address *a, unsigned prefix) {
        const struct ifaddrmsg header = {
                .ifa_family = (uint8_t) a->family, .ifa_prefixlen = (uint8_t) prefix, .ifa_index = (uint32_t) index,
        };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        int r;

        netlink_begin(&b, RTM_NEWADDR, NEW, &header, sizeof(header));
        netlink_put(&b, IFA_LOCAL, a->bytes, address_size(a));
        netlink_put(&b, IFA_ADDRESS, a->bytes, address_size(a));
        if (a->family == AF_INET && prefix < 31) {
                uint32_t all, hosts = htobe32(UINT32_MAX >> prefix);

                memcpy(&all, a->bytes, sizeof(all));
                all |= hosts;
                netlink_put(&b, IFA_BROADCAST, &all, sizeof(all));
        } else if (a->family == AF_INET6) /* it is ours; nobody has to be asked for a second first */
                netlink_put_u32(&b, IFA_FLAGS, IFA_F_NODAD);
        r = netlink_call(fd, &b);
        return r == -EEXIST ? 0 : r;
}

int link_add_default_route(int fd, int index, const Address *gateway) {
        const struct rtmsg header = {
                .rtm_family = (uint8_t) gateway->family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
                .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST,
        };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;

        netlink_begin(&b, RTM_NEWROUTE, NEW, &header, sizeof(header));
        netlink_put(&b, RTA_GATEWAY, gateway->bytes, address_size(gateway));
        netlink_put_u32(&b, RTA_OIF, (uint32_t) index);
        return netlink_call(fd, &b);
}

static bool route_read(const struct nlmsghdr *m, Route *ret) {
        const struct rtmsg *r = NLMSG_DATA(m);
        const size_t header = sizeof(*r);
        const int *index = netlink_get(m, header, RTA_OIF, sizeof(*index));
        const void *destination;

        if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < NLMSG_LENGTH(header) || r->rtm_type != RTN_UNICAST || !index ||
                (r->rtm_family != AF_INET && r->rtm_family != AF_INET6))
                return false;
        *ret = (Route){ .index = *index, .destination = { .base.family = r->rtm_family, .prefix = r->rtm_dst_len } };
        destination = netlink_get(m, header, RTA_DST, address_size(&ret->destination.base));
        if (destination)
                memcpy(ret->destination.base.bytes, destination, address_size(&ret->destination.base));
        return true;
}

int route_list(int fd, Route **ret, size_t *ret_n) {
        const struct rtmsg header = { .rtm_family = AF_UNSPEC };
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        _cleanup_buf_ Buf answers = BUF_INIT;
        _cleanup_free_ Route *routes = NULL;
        size_t n = 0, count = 0;
        int r;

        netlink_begin(&b, RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
        r = netlink_dump(fd, &b, &answers);
        if (r < 0)
                return r;
        for (const struct nlmsghdr *m = NULL; (m = netlink_next(&answers, m));)
                count++;
        routes = calloc(count + 1, sizeof(*routes));
        if (!routes)
                return -ENOMEM;
        for (const struct nlmsghdr *m = NULL; (m = netlink_next(&answers, m));)
                n += route_read(m, &routes[n]);
        *ret = TAKE_PTR(routes);
        *ret_n = n;
        return 0;
}
