/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "net/last-packet.h"
#include "suite.h"
#include "util/clock.h"
#include "util/fd.h"

static LastPacket last;
static struct sockaddr_in address;

static int open_socket(int type) {
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

        address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        ck_assert_int_eq(last_packet_open(&last), 0);
        ck_assert_int_eq(last_packet_attach(&last, fd), 0);
        return fd;
}

static uint64_t known(void) {
        uint64_t usec;

        ck_assert_int_eq(last_packet_usec(&last, &usec), 0);
        return usec;
}

/* A later packet than those at `before`; its time lies between then and now. */
static uint64_t later(uint64_t before) {
        uint64_t usec = known(), until = clock_usec(CLOCK_MONOTONIC) + 5000000;

        while (usec == before && clock_usec(CLOCK_MONOTONIC) < until) {
                (void) poll(NULL, 0, 1);
                usec = known();
        }
        ck_assert_uint_gt(usec, before);
        ck_assert_uint_le(usec, clock_usec(CLOCK_MONOTONIC));
        return usec;
}

START_TEST(a_connection_is_seen_from_its_first_packet_to_its_last) {
        int listener = open_socket(SOCK_STREAM), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;
        uint64_t began = clock_usec(CLOCK_MONOTONIC), usec;
        char byte;

        ck_assert_int_eq(listen(listener, 1), 0);
        ck_assert_uint_eq(known(), 0);
        ck_assert_int_eq(connect(client, (struct sockaddr *) &address, sizeof(address)), 0);
        usec = later(0);
        ck_assert_uint_ge(usec, began);
        server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ck_assert_int_ge(server, 0);
        /* All passes. */
        usec = known();
        ck_assert_int_eq(send(client, "x", 1, 0), 1);
        ck_assert_int_eq(recv(server, &byte, 1, 0), 1);
        ck_assert_int_eq(byte, 'x');
        usec = later(usec);
        fd_close(client);
        ck_assert_int_eq(recv(server, &byte, 1, 0), 0);
        (void) later(usec);
        fd_close(server);
        fd_close(listener);
        last_packet_close(&last);
}
END_TEST

START_TEST(a_datagram_is_seen) {
        int server = open_socket(SOCK_DGRAM), client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        char byte;

        ck_assert_int_eq(sendto(client, "x", 1, 0, (struct sockaddr *) &address, sizeof(address)), 1);
        ck_assert_int_eq(recv(server, &byte, 1, 0), 1);
        (void) later(0);
        fd_close(client);
        fd_close(server);
        last_packet_close(&last);
}
END_TEST

int main(void) {
        Suite *s = suite_create("last-packet");
        TCase *t = tcase_create("last-packet");

        suite_add_tcase(s, t);
        tcase_add_test(t, a_connection_is_seen_from_its_first_packet_to_its_last);
        tcase_add_test(t, a_datagram_is_seen);
        return suite_run(s);
}
