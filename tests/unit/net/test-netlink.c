/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/link.h"
#include "net/netlink.h"
#include "suite.h"
#include "util/fd.h"

static const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };

START_TEST(messages_are_built_as_they_are_read) {
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        const struct nlmsghdr *m;
        const uint32_t *number;
        const void *in;
        size_t outer;

        netlink_begin(&b, 16, NLM_F_ACK, &header, sizeof(header));
        netlink_put_text(&b, 3, "odd");
        outer = netlink_open_nest(&b, 18);
        netlink_put_u32(&b, 1, 7);
        netlink_put_be32(&b, 2, 0x01020304);
        netlink_close_nest(&b, outer);
        netlink_put(&b, 9, NULL, 0);
        netlink_begin(&b, 17, NLM_F_ACK, &header, sizeof(header));
        ck_assert(!b.failed);
        ck_assert_uint_eq(b.n, 2);
        ck_assert_uint_eq(b.last, 1);
        m = netlink_next(&b.data, NULL);
        ck_assert_ptr_nonnull(m);
        ck_assert_str_eq(netlink_get(m, sizeof(header), 3, 1), "odd");
        in = netlink_get(m, sizeof(header), 18, 0);
        ck_assert_ptr_nonnull(in);
        number = netlink_get_in(in, netlink_size(in), 1, sizeof(*number));
        ck_assert_uint_eq(*number, 7);
        ck_assert_mem_eq(netlink_get_in(in, netlink_size(in), 2, 4), "\1\2\3\4", 4);
        ck_assert_ptr_nonnull(netlink_get(m, sizeof(header), 9, 0));
        ck_assert_ptr_null(netlink_get(m, sizeof(header), 9, 1)); /* it is there, but not as large */
        ck_assert_ptr_null(netlink_get(m, sizeof(header), 4, 0));
        m = netlink_next(&b.data, m);
        ck_assert_ptr_nonnull(m);
        ck_assert_uint_eq(m->nlmsg_type, 17);
        ck_assert_ptr_null(netlink_next(&b.data, m));
}
END_TEST

/* However an answer is cut or its lengths lie, nothing past its end is looked at: the sanitizers watch. */
START_TEST(answers_that_lie_are_survived) {
        _cleanup_batch_ NetlinkBatch b = NETLINK_BATCH_INIT;
        size_t nest;

        netlink_begin(&b, 16, 0, &header, sizeof(header));
        netlink_put_text(&b, IFLA_IFNAME, "eth0");
        nest = netlink_open_nest(&b, IFLA_LINKINFO);
        netlink_put_text(&b, IFLA_INFO_KIND, "bridge");
        netlink_close_nest(&b, nest);
        for (size_t at = 0; at + 2 <= b.data.size; at++)
                for (unsigned lie = 0; lie < 3; lie++) {
                        static const uint16_t lies[] = { 0, 1, UINT16_MAX };
                        Buf copy = { .data = malloc(b.data.size), .size = b.data.size };

                        ck_assert_ptr_nonnull(copy.data);
                        memcpy(copy.data, b.data.data, b.data.size);
                        memcpy(copy.data + at, &lies[lie], 2);
                        for (const struct nlmsghdr *m = NULL; (m = netlink_next(&copy, m));) {
                                const void *info = netlink_get(m, sizeof(header), IFLA_LINKINFO, 0);

                                (void) netlink_get(m, sizeof(header), IFLA_IFNAME, 1);
                                if (info)
                                        (void) netlink_get_in(info, netlink_size(info), IFLA_INFO_KIND, 7);
                        }
                        free(copy.data);
                }
}
END_TEST

START_TEST(the_kernel_answers) {
        _cleanup_close_ int fd = netlink_socket(NETLINK_ROUTE);
        _cleanup_free_ Route *routes = NULL;
        _cleanup_free_ Link *links = NULL;
        size_t n_links, n_routes;
        Link lo;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(link_find(fd, "lo", &lo), 0);
        ck_assert_int_eq(lo.index, (int) if_nametoindex("lo"));
        ck_assert(!lo.is_bridge && lo.master == 0);
        ck_assert_int_eq(link_find(fd, "no-such-link", &lo), -ENODEV);
        ck_assert_int_eq(link_list(fd, 0, &links, &n_links), 0);
        ck_assert_uint_ge(n_links, 1);
        ck_assert_int_eq(route_list(fd, &routes, &n_routes), 0);
        ck_assert_int_eq(links_remove(fd, (int[]){ INT32_MAX }, 1), geteuid() == 0 ? 0 : -EPERM); /* which is gone already */
        ck_assert_int_eq(links_remove(fd, (int[]){ INT32_MAX, INT32_MAX - 1 }, 2), geteuid() == 0 ? 0 : -EPERM);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("netlink");
        TCase *t = tcase_create("netlink");

        tcase_add_test(t, messages_are_built_as_they_are_read);
        tcase_add_test(t, answers_that_lie_are_survived);
        tcase_add_test(t, the_kernel_answers);
        suite_add_tcase(suite, t);
        return suite_run(suite);
}
