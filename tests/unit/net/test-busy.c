/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/busy.h"
#include "suite.h"
#include "util/clock.h"
#include "util/fd.h"

START_TEST(who_spoke_last_does_not_wait) {
        static const struct {
                struct tcp_info info;
                uint32_t unread, unsent;
                bool busy;
        } cases[] = {
                { { .tcpi_last_data_sent = 10 }, 0, 0, true },   /* it has just come */
                { { .tcpi_last_data_sent = 5000 }, 0, 0, false }, /* and says nothing */
                { { .tcpi_last_data_sent = 5000, .tcpi_last_data_recv = 4000, .tcpi_bytes_received = 9 }, 0, 0, true },
                { { .tcpi_last_data_sent = 10, .tcpi_last_data_recv = 4000, .tcpi_bytes_received = 9, .tcpi_bytes_sent = 9 }, 0, 0, false },
                { { .tcpi_last_data_sent = 4000, .tcpi_last_data_recv = 10, .tcpi_bytes_received = 9, .tcpi_bytes_sent = 9 }, 0, 0, true },
                { { .tcpi_last_data_sent = 10, .tcpi_last_data_recv = 4000, .tcpi_bytes_received = 9, .tcpi_bytes_sent = 9 }, 1, 0, true },
                { { .tcpi_last_data_sent = 10, .tcpi_last_data_recv = 4000, .tcpi_bytes_received = 9, .tcpi_bytes_sent = 9 }, 0, 1, true },
                { { .tcpi_last_data_sent = 8, .tcpi_last_data_recv = 8, .tcpi_bytes_received = 9, .tcpi_bytes_sent = 9 }, 0, 0, true },
                { { .tcpi_last_data_sent = 800, .tcpi_last_data_recv = 800, .tcpi_bytes_received = 9, .tcpi_bytes_sent = 9 }, 0, 0, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ck_assert_msg(connection_is_busy(&cases[i].info, cases[i].unread, cases[i].unsent) == cases[i].busy, "case %zu", i);
}
END_TEST

/* How many are busy, and whether fd is the one of them. */
static size_t busy(const Port *p, int fd, bool *ret_is) {
        _cleanup_free_ uint64_t *inodes = NULL;
        struct stat st;
        size_t n = 0;

        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_int_eq(port_busy_sockets(p, &inodes, &n), 0);
        *ret_is = n == 1 && inodes[0] == st.st_ino;
        return n;
}

START_TEST(the_kernel_knows_who_waits) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        _cleanup_close_ int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server = -EBADF;
        socklen_t size = sizeof(address);
        uint64_t begin = clock_usec(CLOCK_MONOTONIC);
        Port p = { 0 };
        bool is;

        ck_assert_int_eq(bind(listener, (struct sockaddr *) &address, size), 0);
        ck_assert_int_eq(listen(listener, 1), 0);
        ck_assert_int_eq(getsockname(listener, (struct sockaddr *) &address, &size), 0);
        ck_assert_int_eq(connect(client, (struct sockaddr *) &address, size), 0);
        server = accept(listener, NULL, NULL);
        ck_assert_int_ge(server, 0);
        p.spec.protocol = SPEC_PROTOCOL_TCP;
        p.spec.family = AF_INET;
        p.host = ntohs(address.sin_port);
        ck_assert_int_eq(write(client, "?", 1), 1);
        ck_assert_uint_eq(busy(&p, server, &is), 1);
        ck_assert(is);
        ck_assert_int_eq(read(server, &(char){ 0 }, 1), 1);
        ck_assert_uint_eq(busy(&p, server, &is), 1);
        ck_assert_int_eq(write(server, "!", 1), 1);
        ck_assert_int_eq(read(client, &(char){ 0 }, 1), 1);
        while (busy(&p, server, &is) > 0)
                ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, 10 * 1000 * 1000);
        ck_assert_int_eq(write(client, "?", 1), 1);
        ck_assert_uint_eq(busy(&p, server, &is), 1);
        ck_assert(is);
        p.spec.family = AF_INET6;
        ck_assert_uint_eq(busy(&p, server, &is), 0);
        p.spec.family = AF_INET;
        p.spec.protocol = SPEC_PROTOCOL_UDP;
        ck_assert_uint_eq(busy(&p, server, &is), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("busy");
        TCase *t = tcase_create("busy");

        tcase_add_test(t, who_spoke_last_does_not_wait);
        tcase_add_test(t, the_kernel_knows_who_waits);
        suite_add_tcase(s, t);
        return suite_run(s);
}
