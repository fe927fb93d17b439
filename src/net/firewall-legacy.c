/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <netinet/in.h> /* before the kernel's, which know it */
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "net/firewall-legacy.h"
#include "util/fd.h"
#include "util/strv.h"

#define NAMES_SIZE_MAX 65536U
#define TABLE_SIZE_MAX (64U << 20) /* bytes; some 300000 rules */
#define TABLE "filter"

/* The two families have the same layout but for the addresses that an entry begins with. */
static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo) && sizeof(struct ipt_get_entries) == sizeof(struct ip6t_get_entries), "one is read as the other");
static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO && IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES, "one is asked as the other");

typedef struct Family {
        const char *program, *names;
        int domain, level;
        size_t match, entry; /* sizes: of what an entry matches by itself, and of an entry without its matches and its target */
        size_t target_offset, next_offset;
} Family;

static const Family families[] = {
        { "iptables-legacy",  "/proc/net/ip_tables_names",  AF_INET,  SOL_IP,   sizeof(struct ipt_ip), sizeof(struct ipt_entry),
                offsetof(struct ipt_entry, target_offset), offsetof(struct ipt_entry, next_offset) },
        { "ip6tables-legacy", "/proc/net/ip6_tables_names", AF_INET6, SOL_IPV6, sizeof(struct ip6t_ip6), sizeof(struct ip6t_entry),
                offsetof(struct ip6t_entry, target_offset), offsetof(struct ip6t_entry, next_offset) },
};

/* To ask for a table would make it. */
static bool has_table(const Family *f) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;

        if (read_file(AT_FDCWD, f->names, NAMES_SIZE_MAX, &text, NULL) < 0)
                return false;
        rest = text;
        while ((line = strsep(&rest, "\n")))
                if (streq(line, TABLE))
                        return true;
        return false;
}

/* Another one may have changed the table between the two calls: -EAGAIN. */
static int table_read(const Family *f, struct ipt_getinfo *info, struct ipt_get_entries **ret) {
        _cleanup_close_ int fd = socket(f->domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
        _cleanup_free_ struct ipt_get_entries *entries = NULL;
        socklen_t size = sizeof(*info);

        *info = (struct ipt_getinfo){ .name = TABLE };
        if (fd < 0 || getsockopt(fd, f->level, IPT_SO_GET_INFO, info, &size) < 0)
                return -errno;
        if (info->size > TABLE_SIZE_MAX)
                return -E2BIG;
        size = (socklen_t) (sizeof(*entries) + info->size);
        entries = calloc(1, size);
        if (!entries)
                return -ENOMEM;
        memcpy(entries->name, TABLE, sizeof(TABLE));
        entries->size = info->size;
        if (getsockopt(fd, f->level, IPT_SO_GET_ENTRIES, entries, &size) < 0)
                return -errno;
        *ret = TAKE_PTR(entries);
        return 0;
}

static uint16_t number_at(const char *entry, size_t offset) {
        uint16_t n;

        memcpy(&n, entry + offset, sizeof(n));
        return n;
}

/* Whatever comes is dropped: nothing is matched, and the target is DROP or REJECT. */
static bool entry_drops(const Family *f, const char *entry, size_t size) {
        static const char nothing[sizeof(struct ip6t_ip6)];
        size_t at = size >= f->entry ? number_at(entry, f->target_offset) : 0;
        const struct xt_standard_target *target = (const void *) (entry + at);

        if (at != f->entry || at + sizeof(target->target) > size || memcmp(entry, nothing, f->match) != 0)
                return false;
        if (strncmp(target->target.u.user.name, "REJECT", sizeof(target->target.u.user.name)) == 0)
                return true;
        return !*target->target.u.user.name && at + sizeof(*target) <= size && target->verdict == -NF_DROP - 1;
}

/* By its policy, or by the rule before that. */
static bool forward_drops(const Family *f, const struct ipt_getinfo *info, const struct ipt_get_entries *entries) {
        const char *table = (const char *) entries->entrytable;
        size_t at = info->hook_entry[NF_INET_FORWARD], policy = info->underflow[NF_INET_FORWARD], last = policy, step;

        if (!(info->valid_hooks & 1U << NF_INET_FORWARD) || policy >= entries->size)
                return false;
        for (; at < policy; at += step) {
                if (at + f->entry > entries->size)
                        return false;
                step = number_at(table + at, f->next_offset);
                if (step < f->entry)
                        return false;
                last = at;
        }
        return entry_drops(f, table + policy, entries->size - policy) || (last < policy && entry_drops(f, table + last, policy - last));
}

int firewall_legacy_find(const char *bridge, char **ret) {
        *ret = NULL;
        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                _cleanup_free_ struct ipt_get_entries *entries = NULL;
                struct ipt_getinfo info;
                int r = has_table(&families[i]) ? table_read(&families[i], &info, &entries) : 0;

                if (r < 0)
                        return r;
                if (!entries || !forward_drops(&families[i], &info, entries) || memmem(entries->entrytable, entries->size, bridge, strlen(bridge)))
                        continue;
                *ret = str_format("chain 'FORWARD' of %s", families[i].program);
                return *ret ? 0 : -ENOMEM;
        }
        return 0;
}
