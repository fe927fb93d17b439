/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/netns.h"
#include "run/probe.h"
#include "suite.h"
#include "util/fd.h"

#define TIMEOUT_USEC (60U * 1000 * 1000)

/* A server of one connection on a port of its own, and the probe that asks it. */
static sd_event *event;
static int listener, netns, connection;
static uint16_t port;
static const char *answer;
static char request[1024], text[ERROR_TEXT_MAX];
static bool told, well;
static int status;

static void setup(void) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(a);

        ck_assert_int_ge(sd_event_new(&event), 0);
        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(bind(listener, (struct sockaddr *) &a, sizeof(a)), 0);
        ck_assert_int_ge(listen(listener, 1), 0);
        ck_assert_int_ge(getsockname(listener, (struct sockaddr *) &a, &size), 0);
        port = ntohs(a.sin_port);
        netns = netns_of(getpid());
        ck_assert_int_ge(netns, 0);
        connection = -EBADF;
        answer = NULL;
        told = false;
        *request = *text = 0;
}

static void teardown(void) {
        sd_event_unref(event);
        fd_close(connection);
        fd_close(listener);
        fd_close(netns);
}

static void on_result(const ProbeResult *result, void *userdata) {
        ck_assert(!told);
        told = true;
        well = result->well;
        status = result->status;
        snprintf(text, sizeof(text), "%.*s", (int) result->size, result->output);
        (void) sd_event_exit(event, 0);
}

static int on_request(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        size_t have = strlen(request);
        ssize_t n = recv(fd, request + have, sizeof(request) - have - 1, MSG_DONTWAIT);

        ck_assert_int_ge(n, 0);
        if (n == 0)
                sd_event_source_disable_unref(s); /* it was cancelled */
        request[have + (size_t) n] = 0;
        if (!strstr(request, "\r\n\r\n") || !answer)
                return 0;
        /* Byte by byte, as a slow server's. */
        for (const char *p = answer; *p; p++)
                ck_assert_int_eq(send(fd, p, 1, MSG_NOSIGNAL), 1);
        sd_event_source_disable_unref(s);
        connection = fd_close(connection);
        return 0;
}

static int on_connection(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        ck_assert_int_ge(connection, 0);
        return sd_event_add_io(event, NULL, connection, EPOLLIN, on_request, NULL);
}

static Probe *ask(uint64_t timeout_usec) {
        const ProbeTarget target = { .event = event, .pidfd = -EBADF, .cgroup = -EBADF, .timeout_usec = timeout_usec, .callback = on_result };
        Error error = { 0 };
        Probe *p = NULL;

        ck_assert_int_ge(sd_event_add_io(event, NULL, listener, EPOLLIN, on_connection, NULL), 0);
        ck_assert_int_ge(probe_http(&target, netns, port, "/healthz?deep=1", &p, &error), 0);
        return p;
}

static void answers(const char *what) {
        answer = what;
        (void) ask(TIMEOUT_USEC);
        ck_assert_int_ge(sd_event_loop(event), 0);
        ck_assert(told);
}

START_TEST(a_server_that_is_well_is_asked_as_http_1_1_has_it) {
        char wanted[256];

        answers("HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n");
        ck_assert(well);
        ck_assert_int_eq(status, 204);
        ck_assert_str_eq(text, "HTTP 204");
        snprintf(wanted, sizeof(wanted), "GET /healthz?deep=1 HTTP/1.1\r\nHost: localhost:%u\r\n", port);
        ck_assert_ptr_eq(strstr(request, wanted), request);
        ck_assert_ptr_nonnull(strstr(request, "\r\nConnection: close\r\n"));
}
END_TEST

START_TEST(a_redirection_is_well) {
        answers("HTTP/1.0 302 Found\r\n\r\n");
        ck_assert(well);
}
END_TEST

START_TEST(a_server_in_trouble_is_not_well) {
        answers("HTTP/1.1 503 Service Unavailable\r\n\r\n");
        ck_assert(!well);
        ck_assert_int_eq(status, 503);
        ck_assert_str_eq(text, "HTTP 503");
}
END_TEST

START_TEST(what_is_no_http_is_not_well) {
        answers("220 mail.example ESMTP\r\n");
        ck_assert(!well);
        ck_assert_int_eq(status, -1);
        ck_assert_ptr_nonnull(strstr(text, "no HTTP comes from port "));
}
END_TEST

START_TEST(a_line_without_end_is_given_up) {
        static char line[4096];

        memset(line, 'x', sizeof(line) - 1);
        answers(line);
        ck_assert(!well);
        ck_assert_ptr_nonnull(strstr(text, "no HTTP"));
}
END_TEST

START_TEST(a_connection_that_is_closed_is_no_answer) {
        answers("");
        ck_assert(!well);
        ck_assert_ptr_nonnull(strstr(text, "closed without an answer by port "));
}
END_TEST

START_TEST(a_server_that_says_nothing_has_its_time) {
        (void) ask(50000);
        ck_assert_int_ge(sd_event_loop(event), 0);
        ck_assert(told && !well);
        ck_assert_str_eq(text, "no end after 0.05 s");
}
END_TEST

START_TEST(where_nobody_listens_the_connection_is_refused) {
        const ProbeTarget target = { .event = event, .pidfd = -EBADF, .cgroup = -EBADF, .timeout_usec = TIMEOUT_USEC, .callback = on_result };
        Error error = { 0 };
        Probe *p;

        listener = fd_close(listener);
        if (probe_http(&target, netns, port, "/", &p, &error) < 0)
                snprintf(text, sizeof(text), "%s", error.text);
        else {
                ck_assert_int_ge(sd_event_loop(event), 0);
                ck_assert(told && !well);
        }
        ck_assert_ptr_nonnull(strstr(text, "cannot connect to port "));
        ck_assert_ptr_nonnull(strstr(text, "Connection refused"));
}
END_TEST

static int on_late(sd_event_source *s, uint64_t usec, void *userdata) {
        return sd_event_exit(event, 0);
}

START_TEST(what_is_cancelled_says_nothing_more) {
        Probe *p = ask(10000);

        p = probe_cancel(p);
        ck_assert_ptr_null(p);
        ck_assert_int_ge(sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 50000, 1, on_late, NULL), 0);
        ck_assert_int_ge(sd_event_loop(event), 0);
        ck_assert(!told);
}
END_TEST

static const struct {
        const char *line;
        int status;
} lines[] = {
        { "HTTP/1.1 200 OK\r\n",     200      },
        { "HTTP/1.0 404\r\n",        404      },
        { "HTTP/1.1 500",            500      },
        { "HTTP/1.1 099 x",          -EBADMSG },
        { "HTTP/1.1 2000 x",         -EBADMSG },
        { "HTTP/1.1 20",             -EBADMSG },
        { "HTTP/1.1  200 OK",        -EBADMSG },
        { "HTTP/1. 200 OK",          -EBADMSG },
        { "HTTP/2 200",              -EBADMSG },
        { "http/1.1 200 OK",         -EBADMSG },
        { "",                        -EBADMSG },
};

START_TEST(status_lines_are_read_strictly) {
        ck_assert_int_eq(probe_http_status(lines[_i].line), lines[_i].status);
}
END_TEST

static const struct {
        const char *text;
        size_t max;
        const char *wanted;
} texts[] = {
        { "",                              80, ""                          },
        { "\n \n",                         80, ""                          },
        { "one",                           80, "one"                       },
        { "one\ntwo\n\n",                  80, "two"                       },
        { "caf\xc3\xa9\r\n",               80, "caf\xc3\xa9"               },
        { "\x1b[31mred\x1b[0m",            80, "\\x1b[31mred\\x1b[0m"      },
        { "\xff\xc3",                      80, "\\xff\\xc3"                },
        { "\xc2\x9b" "31m",                80, "\\xc2\\x9b31m"             },
        { "abcdef",                         4, "abcd"                      },
        { "abc\xc3\xa9",                    4, "abc"                       },
        { "ab\x01",                         5, "ab"                        },
};

START_TEST(a_line_of_output_can_be_shown_anywhere) {
        _cleanup_free_ char *shown = probe_text(texts[_i].text, strlen(texts[_i].text), texts[_i].max);

        ck_assert_str_eq(shown, texts[_i].wanted);
}
END_TEST

int main(void) {
        Suite *s = suite_create("probe");
        TCase *t = tcase_create("http"), *pure = tcase_create("text");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, a_server_that_is_well_is_asked_as_http_1_1_has_it);
        tcase_add_test(t, a_redirection_is_well);
        tcase_add_test(t, a_server_in_trouble_is_not_well);
        tcase_add_test(t, what_is_no_http_is_not_well);
        tcase_add_test(t, a_line_without_end_is_given_up);
        tcase_add_test(t, a_connection_that_is_closed_is_no_answer);
        tcase_add_test(t, a_server_that_says_nothing_has_its_time);
        tcase_add_test(t, where_nobody_listens_the_connection_is_refused);
        tcase_add_test(t, what_is_cancelled_says_nothing_more);
        suite_add_tcase(s, t);
        tcase_add_loop_test(pure, status_lines_are_read_strictly, 0, ELEMENTSOF(lines));
        tcase_add_loop_test(pure, a_line_of_output_can_be_shown_anywhere, 0, ELEMENTSOF(texts));
        suite_add_tcase(s, pure);
        return suite_run(s);
}
