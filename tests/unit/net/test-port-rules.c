/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connections.h"
#include "net/link.h"
#include "net/netlink.h"
#include "net/netns.h"
#include "net/port-rules.h"
#include "suite.h"
#include "util/fd.h"

/* A network namespace of the test's own, with loopback. */
static void world_make(void) {
        _cleanup_close_ int route = -EBADF;
        Address a = { .family = AF_INET, .bytes = { 192, 0, 2, 1 } };
        Link lo;

        ck_assert_int_eq(unshare(CLONE_NEWNET | (geteuid() == 0 ? 0 : CLONE_NEWUSER)), 0);
        route = netlink_socket(NETLINK_ROUTE);
        ck_assert_int_ge(route, 0);
        ck_assert_int_eq(link_find(route, "lo", &lo), 0);
        ck_assert_int_eq(link_up(route, lo.index), 0);
        ck_assert_int_eq(link_add_address(route, lo.index, &a, 32), 0);
}

static struct sockaddr_in address_of(uint32_t address, uint16_t port) {
        return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
}

static int serve(uint32_t address, uint16_t port) {
        struct sockaddr_in a = address_of(address, port);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &a, sizeof(a)), 0);
        ck_assert_int_eq(listen(fd, 16), 0);
        return fd;
}

/* 0 or negative errno. */
static int reach(uint32_t address, uint16_t port) {
        struct sockaddr_in a = address_of(address, port);
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        return connect(fd, (struct sockaddr *) &a, sizeof(a)) < 0 ? -errno : 0;
}

#define LOOPBACK 0x7f000001U
#define OTHER 0xc0000201U

START_TEST(a_port_leads_to_another_of_the_same_address) {
        const SpecPort spec = { .host = 81 }, one = { .family = AF_INET, .address = { 127, 0, 0, 1 }, .host = 82 };
        const PortRule rules[] = { { .spec = &spec, .host = 8081, .to = 8080 }, { .spec = &one, .host = 8082, .to = 8080 } };
        _cleanup_close_ int fd = -EBADF, server = -EBADF;

        world_make();
        fd = netlink_socket(NETLINK_NETFILTER);
        server = serve(INADDR_ANY, 8080);
        ck_assert_int_eq(reach(LOOPBACK, 8081), -ECONNREFUSED);
        ck_assert_int_eq(port_rules_apply(fd, "a name@with letters", rules, 2), 0);
        ck_assert_int_eq(reach(LOOPBACK, 8081), 0);
        ck_assert_int_eq(reach(OTHER, 8081), 0);
        ck_assert_int_eq(reach(LOOPBACK, 8082), 0);
        ck_assert_int_eq(reach(OTHER, 8082), -ECONNREFUSED);
        ck_assert_int_eq(port_rules_apply(fd, "a name@with letters", rules, 1), 0);
        ck_assert_int_eq(reach(LOOPBACK, 8081), 0);
        ck_assert_int_eq(reach(LOOPBACK, 8082), -ECONNREFUSED);
        ck_assert_int_eq(port_rules_apply(fd, "a name@with letters", NULL, 0), 0);
        ck_assert_int_eq(reach(LOOPBACK, 8081), -ECONNREFUSED);
        ck_assert_int_eq(port_rules_apply(fd, "a name@with letters", NULL, 0), 0); /* twice does no harm */
}
END_TEST

/* Each of three gets a third or so, and what is sent to loopback goes to none. */
START_TEST(targets_share_what_comes) {
        const SpecPort spec = { .host = 80 };
        PortTarget targets[3];
        const PortRule rule = { .spec = &spec, .host = 80, .targets = targets, .n_targets = ELEMENTSOF(targets) };
        _cleanup_close_ int fd = -EBADF;
        int servers[3], counts[3] = { 0 };

        world_make();
        fd = netlink_socket(NETLINK_NETFILTER);
        for (int i = 0; i < 3; i++) {
                servers[i] = serve(INADDR_ANY, (uint16_t) (8080 + i));
                ck_assert_int_eq(fcntl(servers[i], F_SETFL, O_NONBLOCK), 0);
                targets[i] = (PortTarget){
                        .address = { .family = AF_INET, .bytes = { 192, 0, 2, 1 } }, .port = (uint16_t) (8080 + i),
                        .subnet = { .base = { .family = AF_INET, .bytes = { 192, 0, 2 } }, .prefix = 24 },
                };
        }
        ck_assert_int_eq(port_rules_apply(fd, "web", &rule, 1), 0);
        ck_assert_int_eq(reach(LOOPBACK, 80), -ECONNREFUSED);
        for (int n = 0; n < 300; n++) {
                ck_assert_int_eq(reach(OTHER, 80), 0);
                for (int i = 0; i < 3; i++) {
                        int client = accept4(servers[i], NULL, NULL, SOCK_CLOEXEC);

                        counts[i] += client >= 0;
                        fd_close(client);
                }
        }
        for (int i = 0; i < 3; i++)
                ck_assert_int_gt(counts[i], 50);
}
END_TEST

START_TEST(a_thousand_instances_are_many) {
        const SpecPort spec = { .host = 80 };
        static PortTarget targets[1023];
        const PortRule rule = { .spec = &spec, .host = 80, .targets = targets, .n_targets = ELEMENTSOF(targets) };
        _cleanup_close_ int fd = -EBADF, server = -EBADF;

        if (geteuid() != 0)
                return; /* the buffers of a socket are the host's root's to enlarge */
        world_make();
        fd = netlink_socket(NETLINK_NETFILTER);
        server = serve(INADDR_ANY, 8080);
        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                targets[i] = (PortTarget){
                        .address = { .family = AF_INET, .bytes = { 192, 0, 2, 1 } }, .port = 8080,
                        .subnet = { .base = { .family = AF_INET, .bytes = { 192, 0, 2 } }, .prefix = 24 },
                };
        ck_assert_int_eq(port_rules_apply(fd, "web", &rule, 1), 0);
        ck_assert_int_eq(reach(OTHER, 80), 0);
        ck_assert_int_eq(port_rules_apply(fd, "web", &rule, 1), 0);
        ck_assert_int_eq(port_rules_apply(fd, "web", NULL, 0), 0);
        ck_assert_int_eq(reach(OTHER, 80), -ECONNREFUSED);
}
END_TEST

/* Nobody else can change it, and it goes with its socket. */
START_TEST(the_table_is_the_sockets) {
        const SpecPort spec = { .host = 81 };
        const PortRule rule = { .spec = &spec, .host = 8081, .to = 8080 };
        _cleanup_close_ int server = -EBADF, other = -EBADF;
        int fd, r = 0;

        world_make();
        fd = netlink_socket(NETLINK_NETFILTER);
        other = netlink_socket(NETLINK_NETFILTER);
        server = serve(INADDR_ANY, 8080);
        ck_assert_int_eq(port_rules_apply(fd, "web", &rule, 1), 0);
        ck_assert_int_eq(port_rules_apply(other, "web", NULL, 0), -EPERM);
        ck_assert_int_eq(reach(LOOPBACK, 8081), 0);
        fd_close(fd);
        for (int i = 0; i < 1000 && r == 0; i++) /* the kernel takes a moment */
                r = reach(LOOPBACK, 8081);
        ck_assert_int_eq(r, -ECONNREFUSED);
}
END_TEST

START_TEST(who_listens_is_known_by_family) {
        _cleanup_close_ int netns = -EBADF, a = -EBADF, b = -EBADF, six = -EBADF;
        struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(83) };
        int yes = 1;

        world_make();
        netns = netns_of(getpid());
        a = serve(OTHER, 80);
        b = serve(LOOPBACK, 81);
        ck_assert_int_eq(netns_listens(netns, SPEC_PROTOCOL_TCP, 80), PORT_INSIDE_IPV4);
        ck_assert_int_eq(netns_listens(netns, SPEC_PROTOCOL_UDP, 80), 0);
        ck_assert_int_eq(netns_listens(netns, SPEC_PROTOCOL_TCP, 81), 0);
        ck_assert_int_eq(netns_listens(netns, SPEC_PROTOCOL_TCP, 82), 0);
        six = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(six, (struct sockaddr *) &any, sizeof(any)), 0);
        ck_assert_int_eq(netns_listens(netns, SPEC_PROTOCOL_UDP, 83), PORT_INSIDE_IPV4 | PORT_INSIDE_IPV6);
        fd_close(six);
        six = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)), 0);
        ck_assert_int_eq(bind(six, (struct sockaddr *) &any, sizeof(any)), 0);
        ck_assert_int_eq(netns_listens(netns, SPEC_PROTOCOL_UDP, 83), PORT_INSIDE_IPV6);
        ck_assert_int_eq(netns_has_connection(netns, 80), 0);
        ck_assert_int_eq(reach(OTHER, 80), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("port-rules");
        TCase *t = tcase_create("port-rules");

        tcase_add_test(t, a_port_leads_to_another_of_the_same_address);
        tcase_add_test(t, targets_share_what_comes);
        tcase_add_test(t, a_thousand_instances_are_many);
        tcase_add_test(t, the_table_is_the_sockets);
        tcase_add_test(t, who_listens_is_known_by_family);
        suite_add_tcase(suite, t);
        return suite_run(suite);
}
