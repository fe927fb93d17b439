/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "run/journal.h"
#include "run/relay.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

/* A socket in journald's place. */
static char directory[] = "/tmp/test-relay.XXXXXX", path[64];
static int journald = -EBADF, journal = -EBADF, writer = -EBADF;
static Relay *relay;

static void setup(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int pipes[2];

        temporary_make(directory);
        snprintf(path, sizeof(path), "%s/socket", directory);
        strcpy(address.sun_path, path);
        journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(bind(journald, (struct sockaddr *) &address, sizeof(address)), 0);
        journal = journal_connect(path);
        ck_assert_int_ge(journal, 0);
        ck_assert_int_ge(pipe2(pipes, O_CLOEXEC), 0);
        writer = pipes[1];
        ck_assert_int_ge(fcntl(writer, F_SETPIPE_SZ, 1024 * 1024), 0);
        ck_assert_int_eq(relay_new(pipes[0], -EBADF, "F=1\n", &relay), 0);
}

static void teardown(void) {
        relay = relay_free(relay);
        journald = fd_close(journald);
        journal = fd_close(journal);
        writer = fd_close(writer);
        temporary_remove();
}

static void say(const char *text, size_t size) {
        ck_assert_int_eq(write_all(writer, text, size), 0);
}

static void say_text(const char *text) {
        say(text, strlen(text));
}

/* The next entry as it arrived; "" when there is none. */
static const char *heard(size_t *ret_size) {
        static char entry[RELAY_LINE_MAX + 4096];
        ssize_t n = recv(journald, entry, sizeof(entry) - 1, 0);

        entry[n < 0 ? 0 : n] = 0;
        if (ret_size)
                *ret_size = n < 0 ? 0 : (size_t) n;
        return entry;
}

START_TEST(whole_lines_arrive_with_the_fields_of_the_instance) {
        say_text("one\ntwo\n");
        ck_assert_int_eq(relay_process(relay, journal), RELAY_DRAINED);
        ck_assert_str_eq(heard(NULL), "F=1\nPRIORITY=6\nMESSAGE=one\n");
        ck_assert_str_eq(heard(NULL), "F=1\nPRIORITY=6\nMESSAGE=two\n");
        ck_assert_str_eq(heard(NULL), "");
}
END_TEST

START_TEST(an_incomplete_line_waits_for_its_rest) {
        say_text("begin");
        ck_assert_int_eq(relay_process(relay, journal), RELAY_DRAINED);
        ck_assert_str_eq(heard(NULL), "");
        say_text(" end\n");
        ck_assert_int_eq(relay_process(relay, journal), RELAY_DRAINED);
        ck_assert_str_eq(heard(NULL), "F=1\nPRIORITY=6\nMESSAGE=begin end\n");
}
END_TEST

START_TEST(the_last_line_needs_no_newline) {
        say_text("last");
        writer = fd_close(writer);
        ck_assert_int_eq(relay_process(relay, journal), RELAY_EOF);
        ck_assert_str_eq(heard(NULL), "F=1\nLINE_BREAK=eof\nPRIORITY=6\nMESSAGE=last\n");
}
END_TEST

START_TEST(priority_prefixes_are_read_and_taken_off) {
        static const struct {
                const char *line, *entry;
        } cases[] = {
                { "<3>bad\n",   "F=1\nPRIORITY=3\nMESSAGE=bad\n"     },
                { "<7>\n",      "F=1\nPRIORITY=7\nMESSAGE=\n"        },
                { "<29>x\n",    "F=1\nPRIORITY=6\nMESSAGE=<29>x\n"   },
                { "<30>x\n",    "F=1\nPRIORITY=0\nMESSAGE=x\n"       },
                { "<8>x\n",     "F=1\nPRIORITY=6\nMESSAGE=<8>x\n"    },
                { "<>x\n",      "F=1\nPRIORITY=6\nMESSAGE=<>x\n"     },
                { "<1234>x\n",  "F=1\nPRIORITY=6\nMESSAGE=<1234>x\n" },
                { " <3>x\n",    "F=1\nPRIORITY=6\nMESSAGE= <3>x\n"   },
                { "<b>html\n",  "F=1\nPRIORITY=6\nMESSAGE=<b>html\n" },
                { "\n",         "F=1\nPRIORITY=6\nMESSAGE=\n"        },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                say_text(cases[i].line);
                ck_assert_int_eq(relay_process(relay, journal), RELAY_DRAINED);
                ck_assert_str_eq(heard(NULL), cases[i].entry);
        }
}
END_TEST

START_TEST(long_lines_are_cut_where_journald_cuts_them) {
        char *line = malloc(RELAY_LINE_MAX * 2 + 12);
        const char *entry;
        size_t size;

        memset(line, 'x', RELAY_LINE_MAX * 2);
        strcpy(line + RELAY_LINE_MAX * 2, "<3>tail\nn\n");
        say(line, RELAY_LINE_MAX * 2 + 10);
        free(line);
        while (relay_process(relay, journal) == RELAY_BUSY)
                ;
        for (unsigned i = 0; i < 2; i++) {
                entry = heard(&size);
                ck_assert_int_eq(strncmp(entry, "F=1\nLINE_BREAK=line-max\nPRIORITY=6\nMESSAGE=xxx", 46), 0);
                ck_assert_uint_eq(size, strlen("F=1\nLINE_BREAK=line-max\nPRIORITY=6\nMESSAGE=\n") + RELAY_LINE_MAX);
        }
        /* Not the beginning of a line, so not a priority. */
        ck_assert_str_eq(heard(NULL), "F=1\nPRIORITY=6\nMESSAGE=<3>tail\n");
        ck_assert_str_eq(heard(NULL), "F=1\nPRIORITY=6\nMESSAGE=n\n");
}
END_TEST

START_TEST(binary_is_kept) {
        size_t size;
        const char *entry;

        say("a\0b\xff\n", 5);
        ck_assert_int_eq(relay_process(relay, journal), RELAY_DRAINED);
        entry = heard(&size);
        ck_assert_uint_eq(size, strlen("F=1\nPRIORITY=6\nMESSAGE=") + 5);
        ck_assert_int_eq(memcmp(entry + size - 5, "a\0b\xff\n", 5), 0);
}
END_TEST

static unsigned count_heard(void) {
        unsigned n = 0;

        while (*heard(NULL))
                n++;
        return n;
}

START_TEST(a_full_journal_loses_nothing_and_keeps_the_order) {
        char line[32], wanted[64];
        unsigned next = 0;
        int r;

        for (unsigned i = 0; i < 20000; i++)
                say(line, (size_t) snprintf(line, sizeof(line), "line %u\n", i));
        writer = fd_close(writer);
        do {
                const char *entry;

                r = relay_process(relay, journal);
                ck_assert_int_ge(r, 0);
                while (*(entry = heard(NULL))) {
                        snprintf(wanted, sizeof(wanted), "F=1\nPRIORITY=6\nMESSAGE=line %u\n", next++);
                        ck_assert_str_eq(entry, wanted);
                }
        } while (r != RELAY_EOF);
        ck_assert_uint_eq(next + count_heard(), 20000);
}
END_TEST

/* The next supervisor has the pipe and the memory, and nothing else. */
static void succeed(void) {
        int pipe = fcntl(relay_pipe(relay), F_DUPFD_CLOEXEC, 3), memory = fcntl(relay_memory(relay), F_DUPFD_CLOEXEC, 3);

        relay = relay_free(relay);
        ck_assert_int_eq(relay_new(pipe, memory, "F=2\n", &relay), 0);
}

START_TEST(the_next_relay_goes_on_in_the_middle_of_a_line) {
        say_text("whole\nbeg");
        ck_assert_int_eq(relay_process(relay, journal), RELAY_DRAINED);
        ck_assert_str_eq(heard(NULL), "F=1\nPRIORITY=6\nMESSAGE=whole\n");
        succeed();
        say_text("in\n");
        ck_assert_int_eq(relay_process(relay, journal), RELAY_DRAINED);
        ck_assert_str_eq(heard(NULL), "F=2\nPRIORITY=6\nMESSAGE=begin\n");
}
END_TEST

START_TEST(the_next_relay_sends_what_the_journal_had_no_room_for) {
        unsigned n = 0;
        char line[32];
        int r;

        for (unsigned i = 0; i < 3000; i++)
                say(line, (size_t) snprintf(line, sizeof(line), "line %u\n", i));
        r = relay_process(relay, journal);
        ck_assert_int_eq(r, RELAY_BLOCKED);
        succeed();
        do {
                n += count_heard();
                r = relay_process(relay, journal);
        } while (r == RELAY_BLOCKED || r == RELAY_BUSY);
        ck_assert_uint_eq(n + count_heard(), 3000);
}
END_TEST

START_TEST(a_memory_of_nonsense_is_survived) {
        char nonsense[4096];

        memset(nonsense, 0xff, sizeof(nonsense));
        ck_assert_int_eq(pwrite(relay_memory(relay), nonsense, sizeof(nonsense), 0), sizeof(nonsense));
        succeed();
        say_text("fine\n");
        ck_assert_int_ge(relay_process(relay, journal), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("relay");
        TCase *t = tcase_create("relay");

        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, whole_lines_arrive_with_the_fields_of_the_instance);
        tcase_add_test(t, an_incomplete_line_waits_for_its_rest);
        tcase_add_test(t, the_last_line_needs_no_newline);
        tcase_add_test(t, priority_prefixes_are_read_and_taken_off);
        tcase_add_test(t, long_lines_are_cut_where_journald_cuts_them);
        tcase_add_test(t, binary_is_kept);
        tcase_add_test(t, a_full_journal_loses_nothing_and_keeps_the_order);
        tcase_add_test(t, the_next_relay_goes_on_in_the_middle_of_a_line);
        tcase_add_test(t, the_next_relay_sends_what_the_journal_had_no_room_for);
        tcase_add_test(t, a_memory_of_nonsense_is_survived);
        suite_add_tcase(s, t);
        return suite_run(s);
}
