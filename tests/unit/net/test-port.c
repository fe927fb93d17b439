/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/port.h"
#include "suite.h"
#include "util/fd.h"
#include "util/strv.h"

static SpecPort spec_port(int family, const char *address, uint16_t host, SpecProtocol protocol) {
        SpecPort s = { .family = family, .host = host, .container = 80, .protocol = protocol };

        if (family != 0)
                ck_assert_int_eq(inet_pton(family, address, s.address), 1);
        return s;
}

static Port opened(const SpecPort *s) {
        Error error = { 0 };
        Port p;

        port_init(&p, s);
        ck_assert_msg(port_open(&p, false, &error) >= 0, "%s", error.text);
        ck_assert_uint_ne(p.host, 0);
        return p;
}

/* 0 or a negative errno. */
static int client(const char *address, uint16_t port) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
        bool four = inet_pton(AF_INET, address, &in.sin_addr) == 1;
        _cleanup_close_ int fd = socket(four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) inet_pton(AF_INET6, address, &in6.sin6_addr);
        return connect(fd, four ? (struct sockaddr *) &in : (struct sockaddr *) &in6, four ? sizeof(in) : sizeof(in6)) < 0 ? -errno : 0;
}

/* As takeover does it for an instance that binds with such a socket. */
static int hold(Port *p, PortKind kind) {
        Error error = { 0 };
        int fd = -EBADF;

        ck_assert_msg(port_socket(p, kind, &fd, &error) > 0, "%s", error.text);
        p->held[kind]++;
        port_settle(p);
        return fd;
}

START_TEST(clients_of_both_families_wait_until_somebody_serves) {
        SpecPort s = spec_port(0, NULL, 0, SPEC_PROTOCOL_TCP);
        Port p = opened(&s);

        ck_assert_int_eq(client("127.0.0.1", p.host), 0);
        ck_assert_int_eq(client("::1", p.host), 0);
        port_close(&p);
        ck_assert(!port_is_open(&p));
        ck_assert_uint_eq(p.host, 0);
}
END_TEST

START_TEST(a_port_can_be_had_once) {
        SpecPort first = spec_port(0, NULL, 0, SPEC_PROTOCOL_TCP), second;
        Port p = opened(&first), other;
        Error error = { 0 };

        static const struct {
                int family;
                const char *address;
        } same[] = { { 0, NULL }, { AF_INET, "127.0.0.1" }, { AF_INET6, "::1" } };
        for (size_t i = 0; i < ELEMENTSOF(same); i++) {
                second = spec_port(same[i].family, same[i].address, p.host, SPEC_PROTOCOL_TCP);
                port_init(&other, &second);
                ck_assert_int_eq(port_open(&other, false, &error), -EADDRINUSE);
                ck_assert(!port_is_open(&other));
        }
        ck_assert_ptr_nonnull(strstr(error.text, "cannot publish '[::1]:"));
        /* The other protocol is another matter. */
        second = spec_port(0, NULL, p.host, SPEC_PROTOCOL_UDP);
        other = opened(&second);
        port_close(&other);
        port_close(&p);
}
END_TEST

START_TEST(who_has_it_is_found) {
        SpecPort s = spec_port(AF_INET, "127.0.0.1", 0, SPEC_PROTOCOL_TCP);
        Port p = opened(&s);
        _cleanup_free_ char *owner = NULL;

        ck_assert_int_ge(port_find_owner(&p, &owner), 0);
        ck_assert_uint_gt(strlen(owner), 0);
        port_close(&p);
        free(owner);
        owner = NULL;
        p.host = 1;
        ck_assert_int_eq(port_find_owner(&p, &owner), -ESRCH);
}
END_TEST

START_TEST(only_the_kinds_that_are_held_turn_nobody_away) {
        SpecPort s = spec_port(0, NULL, 0, SPEC_PROTOCOL_TCP);
        Port p = opened(&s);

        (void) hold(&p, PORT_IPV4);
        ck_assert_int_eq(client("127.0.0.1", p.host), 0);
        ck_assert_int_eq(client("::1", p.host), -ECONNREFUSED);
        (void) hold(&p, PORT_IPV6);
        ck_assert_int_eq(client("::1", p.host), 0);
        /* Nobody has it: who comes waits for the next one. */
        p.held[PORT_IPV4] = p.held[PORT_IPV6] = 0;
        port_settle(&p);
        ck_assert_int_eq(client("127.0.0.1", p.host), 0);
        ck_assert_int_eq(client("::1", p.host), 0);
        port_close(&p);
}
END_TEST

START_TEST(a_dual_socket_stands_beside_the_others_and_then_alone) {
        SpecPort s = spec_port(0, NULL, 0, SPEC_PROTOCOL_TCP);
        _cleanup_close_ int accepted = -EBADF;
        Port p = opened(&s);
        int fd;

        (void) hold(&p, PORT_IPV4);
        fd = hold(&p, PORT_DUAL);
        ck_assert(p.serving[PORT_IPV4]);
        p.held[PORT_IPV4]--;
        port_settle(&p);
        ck_assert(!p.serving[PORT_IPV4]);
        ck_assert_int_eq(client("127.0.0.1", p.host), 0);
        accepted = accept(fd, NULL, NULL);
        ck_assert_int_ge(accepted, 0);
        /* And back, as an earlier release wants it. */
        (void) hold(&p, PORT_IPV4);
        ck_assert_int_eq(client("127.0.0.1", p.host), 0);
        port_close(&p);
}
END_TEST

START_TEST(an_address_has_the_sockets_that_can_serve_it) {
        SpecPort four = spec_port(AF_INET, "127.0.0.1", 0, SPEC_PROTOCOL_TCP), six = spec_port(AF_INET6, "::1", 0, SPEC_PROTOCOL_TCP);
        Port p = opened(&four);
        Error error = { 0 };
        int fd;

        ck_assert_int_eq(port_socket(&p, PORT_IPV6, &fd, &error), 0);
        (void) hold(&p, PORT_DUAL);
        ck_assert_int_eq(client("127.0.0.1", p.host), 0);
        port_close(&p);
        p = opened(&six);
        ck_assert_int_eq(port_socket(&p, PORT_IPV4, &fd, &error), 0);
        (void) hold(&p, PORT_DUAL);
        ck_assert_int_eq(client("::1", p.host), 0);
        port_close(&p);
}
END_TEST

START_TEST(an_earlier_supervisors_sockets_are_known_by_their_kind) {
        SpecPort s = spec_port(0, NULL, 0, SPEC_PROTOCOL_TCP), other = spec_port(0, NULL, 0, SPEC_PROTOCOL_UDP);
        Port before = opened(&s), p;

        (void) hold(&before, PORT_DUAL);
        port_init(&p, &other);
        ck_assert_int_eq(port_adopt(&p, before.sockets[PORT_IPV4], before.host), 0);
        port_init(&p, &s);
        for (int i = 0; i < _PORT_KIND_MAX; i++)
                ck_assert_int_eq(port_adopt(&p, before.sockets[i], before.host), 1);
        for (int i = 0; i < _PORT_KIND_MAX; i++) {
                ck_assert_int_eq(p.sockets[i], before.sockets[i]);
                ck_assert_int_eq(p.serving[i], before.serving[i]);
        }
        ck_assert_uint_eq(p.host, before.host);
        port_close(&p);
}
END_TEST

START_TEST(a_socket_of_systemd_is_not_ours_to_stop) {
        SpecPort s = spec_port(0, NULL, 0, SPEC_PROTOCOL_TCP), wanted;
        Port theirs = opened(&s), p;

        (void) hold(&theirs, PORT_DUAL);
        wanted = spec_port(0, NULL, theirs.host, SPEC_PROTOCOL_TCP);
        port_init(&p, &wanted);
        ck_assert_int_eq(port_adopt_foreign(&p, theirs.sockets[PORT_DUAL]), 1);
        p.held[PORT_IPV4]++;
        port_settle(&p);
        ck_assert(p.serving[PORT_DUAL]);
        wanted = spec_port(0, NULL, (uint16_t) (theirs.host - 1), SPEC_PROTOCOL_TCP);
        port_init(&p, &wanted);
        ck_assert_int_eq(port_adopt_foreign(&p, theirs.sockets[PORT_DUAL]), 0);
        port_close(&theirs);
}
END_TEST

START_TEST(udp_is_gathered_by_no_socket_that_nobody_reads) {
        SpecPort s = spec_port(0, NULL, 0, SPEC_PROTOCOL_UDP);
        Port p = opened(&s);

        (void) hold(&p, PORT_DUAL);
        ck_assert_int_lt(p.sockets[PORT_IPV4], 0);
        ck_assert_int_lt(p.sockets[PORT_IPV6], 0);
        ck_assert_int_ge(p.sockets[PORT_DUAL], 0);
        port_close(&p);
}
END_TEST

START_TEST(texts) {
        SpecPort all = spec_port(0, NULL, 8080, SPEC_PROTOCOL_TCP), six = spec_port(AF_INET6, "::1", 81, SPEC_PROTOCOL_TCP),
                 any = spec_port(AF_INET, "0.0.0.0", 82, SPEC_PROTOCOL_TCP);
        Port p;

        port_init(&p, &all);
        ck_assert_str_eq(port_text(&p).text, "*:8080");
        port_init(&p, &six);
        ck_assert_str_eq(port_text(&p).text, "[::1]:81");
        port_init(&p, &any);
        ck_assert_str_eq(port_text(&p).text, "0.0.0.0:82");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("port");
        TCase *t = tcase_create("port");

        suite_add_tcase(suite, t);
        tcase_add_test(t, clients_of_both_families_wait_until_somebody_serves);
        tcase_add_test(t, a_port_can_be_had_once);
        tcase_add_test(t, who_has_it_is_found);
        tcase_add_test(t, only_the_kinds_that_are_held_turn_nobody_away);
        tcase_add_test(t, a_dual_socket_stands_beside_the_others_and_then_alone);
        tcase_add_test(t, an_address_has_the_sockets_that_can_serve_it);
        tcase_add_test(t, an_earlier_supervisors_sockets_are_known_by_their_kind);
        tcase_add_test(t, a_socket_of_systemd_is_not_ours_to_stop);
        tcase_add_test(t, udp_is_gathered_by_no_socket_that_nobody_reads);
        tcase_add_test(t, texts);
        return suite_run(suite);
}
