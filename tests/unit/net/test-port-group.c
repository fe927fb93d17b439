/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/port-group.h"
#include "suite.h"
#include "util/fd.h"

#define PATIENCE_MSEC 10000
#define CLIENTS 40

static const SpecPort tcp = { .container = 80, .protocol = SPEC_PROTOCOL_TCP }, udp = { .container = 53, .protocol = SPEC_PROTOCOL_UDP };

static Port opened(const SpecPort *s) {
        Error error = { 0 };
        Port p;

        port_init(&p, s);
        ck_assert_msg(port_open(&p, true, &error) >= 0, "%s", error.text);
        ck_assert(port_is_grouped(&p));
        return p;
}

/* An instance of the port that has bound such a socket. */
typedef struct Server {
        unsigned slot;
        int fd;
} Server;

static Server server(Port *p, PortKind kind) {
        Error error = { 0 };
        int slot = port_slot_new(p);
        Server s = { .slot = (unsigned) slot };

        ck_assert_int_gt(slot, 0);
        ck_assert_msg(port_listener(p, kind, s.slot, &s.fd, &error) > 0, "%s", error.text);
        ck_assert_int_ge(set_nonblock(s.fd, true), 0);
        p->held[kind]++;
        port_settle(p);
        return s;
}

static void set_live(Port *p, const Server *s, bool live) {
        ck_assert_int_ge(port_slot_set_live(p, s->slot, live), 0);
}

static void die(Port *p, const Server *s) {
        port_slot_free(p, s->slot);
}

static int client(PortKind kind, uint16_t port) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        int fd = socket(kind == PORT_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

        ck_assert_int_ge(fd, 0);
        r = kind == PORT_IPV6 ? connect(fd, (struct sockaddr *) &in6, sizeof(in6)) : connect(fd, (struct sockaddr *) &in, sizeof(in));
        if (r >= 0)
                return fd;
        r = -errno;
        fd_close(fd);
        return r;
}

static void clients(PortKind kind, const Port *p, int fds[CLIENTS]) {
        for (int i = 0; i < CLIENTS; i++) {
                fds[i] = client(kind, p->host);
                ck_assert_msg(fds[i] >= 0, "%s", strerror(-fds[i]));
        }
}

static void go(int fds[CLIENTS]) {
        for (int i = 0; i < CLIENTS; i++)
                fds[i] = fd_close(fds[i]);
}

/* The connections that wait at a listener. */
static int waiting(int fd) {
        int n = 0, c;

        while ((c = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                fd_close(c);
                n++;
        }
        return n;
}

/* "Connected", or the errno, of a socket that was left connecting. */
static int connected(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        int error = 0;
        socklen_t size = sizeof(error);

        ck_assert_int_eq(poll(&p, 1, PATIENCE_MSEC), 1);
        ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
        return -error;
}

START_TEST(only_the_live_have_clients) {
        Port p = opened(&tcp);
        Server one = server(&p, PORT_IPV4), two = server(&p, PORT_IPV4);
        int fds[CLIENTS], n;

        set_live(&p, &one, true);
        clients(PORT_IPV4, &p, fds);
        ck_assert_int_eq(waiting(one.fd), CLIENTS);
        ck_assert_int_eq(waiting(two.fd), 0);
        go(fds);
        set_live(&p, &two, true);
        clients(PORT_IPV4, &p, fds);
        n = waiting(one.fd);
        ck_assert_int_gt(n, 0);
        ck_assert_int_lt(n, CLIENTS);
        ck_assert_int_eq(waiting(two.fd), CLIENTS - n);
        go(fds);
        set_live(&p, &one, false);
        clients(PORT_IPV4, &p, fds);
        ck_assert_int_eq(waiting(one.fd), 0);
        ck_assert_int_eq(waiting(two.fd), CLIENTS);
        go(fds);
        die(&p, &one);
        die(&p, &two);
        port_close(&p);
}
END_TEST

START_TEST(clients_wait_for_the_first_that_is_live) {
        static const PortKind kinds[] = { PORT_IPV4, PORT_IPV6, PORT_DUAL };
        PortKind kind = kinds[_i];
        Port p = opened(&tcp);
        int early[CLIENTS], late[CLIENTS];
        Server s;

        /* The dual socket is served once there is one who wants it. */
        s = server(&p, kind);
        clients(kind, &p, early);
        clients(kind, &p, late);
        ck_assert_int_eq(waiting(s.fd), 0);
        set_live(&p, &s, true);
        ck_assert_int_eq(waiting(s.fd), 2 * CLIENTS);
        go(early);
        go(late);
        die(&p, &s);
        port_close(&p);
}
END_TEST

START_TEST(what_waits_at_a_dead_one_is_anothers) {
        Port p = opened(&tcp);
        Server servers[3];
        int fds[CLIENTS];

        for (int i = 0; i < 3; i++)
                servers[i] = server(&p, PORT_IPV4);
        set_live(&p, &servers[0], true);
        clients(PORT_IPV4, &p, fds);
        set_live(&p, &servers[1], true);
        die(&p, &servers[0]);
        ck_assert_int_eq(waiting(servers[1].fd), CLIENTS);
        go(fds);
        /* The last one's wait for the next. */
        clients(PORT_IPV4, &p, fds);
        die(&p, &servers[1]);
        ck_assert_int_eq(waiting(servers[2].fd), 0);
        set_live(&p, &servers[2], true);
        ck_assert_int_eq(waiting(servers[2].fd), CLIENTS);
        go(fds);
        die(&p, &servers[2]);
        clients(PORT_IPV4, &p, fds);
        go(fds);
        port_close(&p);
}
END_TEST

/* As a payload does that ends by itself. */
START_TEST(one_that_has_stopped_to_listen_has_no_clients_though_nobody_knows) {
        Port p = opened(&tcp);
        Server servers[9];
        int fds[CLIENTS];

        for (int i = 0; i < 9; i++) {
                servers[i] = server(&p, PORT_DUAL);
                set_live(&p, &servers[i], true);
        }
        for (int i = 0; i < 9; i++)
                if (i != 4)
                        ck_assert_int_eq(shutdown(servers[i].fd, SHUT_RD), 0);
        clients(PORT_IPV4, &p, fds);
        ck_assert_int_eq(waiting(servers[4].fd), CLIENTS);
        go(fds);
        /* It may bind anew. */
        for (int i = 0; i < 9; i++) {
                Error error = { 0 };
                int fd;

                ck_assert_int_eq(port_listener(&p, PORT_DUAL, servers[i].slot, &fd, &error), 1);
                ck_assert_int_eq(fd, servers[i].fd);
        }
        clients(PORT_IPV4, &p, fds);
        ck_assert_int_lt(waiting(servers[4].fd), CLIENTS);
        go(fds);
        port_close(&p);
}
END_TEST

/* Who sleeps until somebody comes is woken by those that another has left. */
START_TEST(who_sleeps_is_woken) {
        Port p = opened(&tcp);
        Server one = server(&p, PORT_IPV4), two = server(&p, PORT_IPV4);
        struct pollfd poller = { .fd = two.fd, .events = POLLIN };
        int fds[CLIENTS];
        pid_t pid;
        int status;

        set_live(&p, &one, true);
        clients(PORT_IPV4, &p, fds);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(poll(&poller, 1, PATIENCE_MSEC) == 1 ? 0 : 1);
        set_live(&p, &two, true);
        die(&p, &one);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        go(fds);
        port_close(&p);
}
END_TEST

START_TEST(a_probe_reaches_its_instance_whatever_its_state) {
        static const PortKind kinds[] = { PORT_IPV4, PORT_IPV6, PORT_DUAL };
        PortKind kind = kinds[_i];
        Port p = opened(&tcp);
        Server servers[3];

        for (int i = 0; i < 3; i++)
                servers[i] = server(&p, kind);
        set_live(&p, &servers[1], true);
        for (int i = 0; i < 3; i++) {
                for (int k = 0; k < 10; k++) {
                        _cleanup_close_ int fd = port_connect(&p, kind, servers[i].slot);

                        ck_assert_int_ge(fd, 0);
                        ck_assert_int_eq(connected(fd), 0);
                }
                for (int k = 0; k < 3; k++)
                        ck_assert_int_eq(waiting(servers[k].fd), k == i ? 10 : 0);
        }
        /* None of another answers for one that is not there. */
        die(&p, &servers[0]);
        for (int k = 0; k < 10; k++) {
                _cleanup_close_ int fd = port_connect(&p, kind, servers[0].slot);

                ck_assert(fd == -ECONNREFUSED || connected(fd) == -ECONNREFUSED);
        }
        die(&p, &servers[1]);
        die(&p, &servers[2]);
        port_close(&p);
}
END_TEST

START_TEST(others_cannot_have_the_port) {
        Port p = opened(&tcp), other;
        SpecPort same = tcp;
        Error error = { 0 };

        same.host = p.host;
        for (int grouped = 0; grouped < 2; grouped++) {
                port_init(&other, &same);
                ck_assert_int_eq(port_open(&other, grouped, &error), -EADDRINUSE);
        }
        port_close(&p);
}
END_TEST

START_TEST(a_slot_is_given_back) {
        Port p = opened(&tcp);

        for (unsigned i = 1; i < PORT_SLOTS; i++)
                ck_assert_int_eq(port_slot_new(&p), (int) i);
        ck_assert_int_eq(port_slot_new(&p), -ENOBUFS);
        ck_assert_int_eq(port_slot_claim(&p, PORT_SLOTS), -ERANGE);
        port_slot_free(&p, 77);
        ck_assert_int_eq(port_slot_new(&p), 77);
        port_close(&p);
}
END_TEST

START_TEST(an_earlier_supervisors_group_goes_on) {
        Port before = opened(&tcp), p;
        Server s = server(&before, PORT_IPV4), next;
        int fds[CLIENTS];

        port_settle(&before);
        set_live(&before, &s, true);
        port_init(&p, &tcp);
        ck_assert_int_eq(port_adopt_map(&p, before.map), 0);
        for (int i = 0; i < _PORT_KIND_MAX; i++)
                if (before.sockets[i] >= 0)
                        ck_assert_int_eq(port_adopt(&p, dup(before.sockets[i]), before.host), 1);
        ck_assert_int_eq(port_adopt_map(&p, before.sockets[PORT_IPV4]), 0);
        ck_assert_int_eq(port_adopt_map(&p, dup(before.map)), 1);
        ck_assert_int_ge(port_slot_claim(&p, s.slot), 0);
        s.fd = dup(s.fd);
        ck_assert_int_eq(port_slot_adopt(&p, s.slot, s.fd), 1);
        ck_assert_int_eq(port_slot_adopt(&p, s.slot, s.fd), 0);
        port_close(&before);
        next = server(&p, PORT_IPV4);
        ck_assert_uint_ne(next.slot, s.slot);
        clients(PORT_IPV4, &p, fds);
        ck_assert_int_eq(waiting(s.fd), CLIENTS);
        go(fds);
        set_live(&p, &s, false);
        set_live(&p, &next, true);
        clients(PORT_IPV4, &p, fds);
        ck_assert_int_eq(waiting(next.fd), CLIENTS);
        go(fds);
        die(&p, &s);
        die(&p, &next);
        port_close(&p);
}
END_TEST

/* It died at the wrong moment. */
START_TEST(a_listener_that_did_not_listen_listens_again) {
        Port before = opened(&tcp), p;
        int fds[CLIENTS], fd;
        Error error = { 0 };
        Server s;

        ck_assert_int_eq(shutdown(before.sockets[PORT_IPV4], SHUT_RD), 0);
        port_init(&p, &tcp);
        ck_assert_int_eq(port_adopt(&p, dup(before.sockets[PORT_IPV4]), before.host), 1);
        ck_assert_int_eq(port_adopt_map(&p, dup(before.map)), 1);
        port_close(&before);
        ck_assert_int_eq(client(PORT_IPV4, p.host), -ECONNREFUSED);
        ck_assert_int_eq(port_socket(&p, PORT_IPV4, &fd, &error), 1);
        clients(PORT_IPV4, &p, fds);
        s = server(&p, PORT_IPV4);
        set_live(&p, &s, true);
        ck_assert_int_eq(waiting(s.fd), CLIENTS);
        go(fds);
        port_close(&p);
}
END_TEST

static void send_datagrams(const Port *p) {
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(p->host), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

        for (int i = 0; i < CLIENTS; i++) {
                _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

                ck_assert_int_eq(sendto(fd, "x", 1, 0, (struct sockaddr *) &to, sizeof(to)), 1);
        }
}

static int datagrams(int fd) {
        char c;
        int n = 0;

        while (recv(fd, &c, 1, MSG_DONTWAIT) == 1)
                n++;
        return n;
}

START_TEST(datagrams_are_shared_and_wait_for_the_first) {
        Port p = opened(&udp);
        Server one, two;
        int n;

        send_datagrams(&p);
        one = server(&p, PORT_IPV4);
        ck_assert_int_eq(datagrams(one.fd), CLIENTS);
        set_live(&p, &one, true);
        two = server(&p, PORT_IPV4);
        send_datagrams(&p);
        ck_assert_int_eq(datagrams(one.fd), CLIENTS);
        ck_assert_int_eq(datagrams(two.fd), 0);
        set_live(&p, &two, true);
        send_datagrams(&p);
        n = datagrams(one.fd);
        ck_assert_int_gt(n, 0);
        ck_assert_int_lt(n, CLIENTS);
        ck_assert_int_eq(datagrams(two.fd), CLIENTS - n);
        die(&p, &one);
        die(&p, &two);
        send_datagrams(&p);
        one = server(&p, PORT_IPV4);
        ck_assert_int_eq(datagrams(one.fd), CLIENTS);
        die(&p, &one);
        port_close(&p);
}
END_TEST

/* ---- under load ---- */

#define LOADERS 4
#define DEATHS 60

static atomic_bool over;
static atomic_uint refused, answered;

/* A client of the kind that asks again after an end, which it cannot tell from its server's death; only not to be let in counts. */
static void *load(void *userdata) {
        const uint16_t *port = userdata;
        char c;

        while (!over) {
                int fd = client(PORT_IPV4, *port);

                if (fd < 0) {
                        refused++;
                        continue;
                }
                if (recv(fd, &c, 1, 0) == 1)
                        answered++;
                fd_close(fd);
        }
        return NULL;
}

static pid_t payload(int listener) {
        pid_t pid = fork();

        /* Of a process with threads: nothing but calls of the kernel from here on. */
        if (pid != 0) {
                ck_assert_int_gt(pid, 0);
                return pid;
        }
        (void) fcntl(listener, F_SETFL, 0);
        for (;;) {
                int c = accept(listener, NULL, NULL);

                if (c >= 0 && send(c, "x", 1, MSG_NOSIGNAL) == 1)
                        fd_close(c);
        }
}

static void end(pid_t pid) {
        int status;

        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

static void answered_more(void) {
        unsigned before = answered;

        for (int i = 0; answered < before + 20; i++) {
                ck_assert_int_lt(i, PATIENCE_MSEC);
                (void) poll(NULL, 0, 1);
        }
}

/* Of so many instances one after the other is killed and comes back; the only one, too. */
START_TEST(nobody_is_refused_while_instances_die) {
        int n = _i;
        Port p = opened(&tcp);
        pthread_t threads[LOADERS];
        Server servers[3];
        pid_t pids[3];

        over = false;
        refused = answered = 0;
        for (int i = 0; i < n; i++) {
                servers[i] = server(&p, PORT_IPV4);
                pids[i] = payload(servers[i].fd);
                set_live(&p, &servers[i], true);
        }
        for (int i = 0; i < LOADERS; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, load, &p.host), 0);
        for (int i = 0; i < DEATHS; i++) {
                Server *s = &servers[i % n];

                answered_more();
                end(pids[i % n]);
                die(&p, s);
                *s = server(&p, PORT_IPV4);
                pids[i % n] = payload(s->fd);
                set_live(&p, s, true);
        }
        answered_more();
        over = true;
        for (int i = 0; i < LOADERS; i++)
                ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < n; i++)
                end(pids[i]);
        ck_assert_uint_eq(refused, 0);
        port_close(&p);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("port-group");
        TCase *t = tcase_create("port-group");

        suite_add_tcase(suite, t);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, only_the_live_have_clients);
        tcase_add_loop_test(t, clients_wait_for_the_first_that_is_live, 0, 3);
        tcase_add_test(t, what_waits_at_a_dead_one_is_anothers);
        tcase_add_test(t, one_that_has_stopped_to_listen_has_no_clients_though_nobody_knows);
        tcase_add_test(t, who_sleeps_is_woken);
        tcase_add_loop_test(t, a_probe_reaches_its_instance_whatever_its_state, 0, 3);
        tcase_add_test(t, others_cannot_have_the_port);
        tcase_add_test(t, a_slot_is_given_back);
        tcase_add_test(t, an_earlier_supervisors_group_goes_on);
        tcase_add_test(t, a_listener_that_did_not_listen_listens_again);
        tcase_add_test(t, datagrams_are_shared_and_wait_for_the_first);
        tcase_add_loop_test(t, nobody_is_refused_while_instances_die, 1, 4);
        return suite_run(suite);
}
