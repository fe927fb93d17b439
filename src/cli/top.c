/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/apps.h"
#include "cli/usage.h"
#include "util/fd.h"
#include "util/strv.h"

#define DELAY_USEC (1U * 1000 * 1000)
#define DELAY_LEAST_USEC (100U * 1000)
#define ROWS_WITHOUT_SIZE 1000
#define SCREEN_OPEN "\033[?1049h\033[?25l"
#define SCREEN_HOME "\033[H\033[J"
#define SCREEN_CLOSE "\033[?25h\033[?1049l"

typedef struct Row {
        char *app, *instance;
        pid_t pid;
        InstanceState state;
        unsigned release, restarts;
        uint64_t since_usec;
        Usage usage;
        double cpu; /* percent of one processor since the look before; negative: not known */
} Row;

typedef struct Look {
        Row *rows;
        size_t n;
        uint64_t usec; /* CLOCK_MONOTONIC */
} Look;

static int usage_text(void) {
        puts("Usage: berth top [OPTION…] [APP…]\n\n"
             "Shows what the instances of all apps, or of these, use: live on a terminal, until q or Control-C; once elsewhere.\n\n"
             "  -d, --delay=SECONDS  between two looks (default 1)\n"
             "      --json           once, for programs\n"
             "  -h, --help           show this");
        return 0;
}

static uint64_t now_monotonic(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static void look_clear(Look *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->rows[i].app);
                free(l->rows[i].instance);
        }
        free(l->rows);
        *l = (Look){ 0 };
}

static int look_add(Look *l, const App *app, const InstanceStatus *i) {
        Row *rows = reallocarray(l->rows, l->n + 1, sizeof(Row));

        if (!rows)
                return -ENOMEM;
        l->rows = rows;
        rows[l->n] = (Row){ .app = strdup(app->name), .instance = strdup(i->name), .pid = i->pid, .state = i->state, .release = i->release,
                .restarts = i->restarts, .since_usec = i->since_usec, .usage = usage_of(app->name, i), .cpu = -1 };
        return rows[l->n].app && rows[l->n++].instance ? 0 : -ENOMEM;
}

static int look_take(char *const *names, Look *ret) {
        _cleanup_(apps_clear) Apps apps = { 0 };
        Look l = { .usec = now_monotonic() };
        int r = apps_load(&apps);

        for (size_t i = 0; i < apps.n && r >= 0; i++)
                for (size_t k = 0; k < apps.items[i]->run.n_instances && r >= 0; k++)
                        if (!*names || strv_contains(names, apps.items[i]->name))
                                r = look_add(&l, apps.items[i], &apps.items[i]->run.instances[k]);
        if (r < 0) {
                look_clear(&l);
                return r;
        }
        *ret = l;
        return 0;
}

static void look_compare(Look *now, const Look *before) {
        for (size_t i = 0; i < now->n; i++)
                for (size_t k = 0; k < before->n; k++) {
                        Row *a = &now->rows[i];
                        const Row *b = &before->rows[k];

                        if (a->pid != b->pid || !streq(a->app, b->app) || !streq(a->instance, b->instance))
                                continue;
                        if (a->usage.cpu_usec != USAGE_UNKNOWN && a->usage.cpu_usec >= b->usage.cpu_usec && now->usec > before->usec)
                                a->cpu = 100.0 * (double) (a->usage.cpu_usec - b->usage.cpu_usec) / (double) (now->usec - before->usec);
                        break;
                }
}

static int row_compare(const void *x, const void *y) {
        const Row *a = x, *b = y;
        uint64_t m = a->usage.memory == USAGE_UNKNOWN ? 0 : a->usage.memory, n = b->usage.memory == USAGE_UNKNOWN ? 0 : b->usage.memory;
        int r;

        if (a->cpu != b->cpu)
                return a->cpu > b->cpu ? -1 : 1;
        if (m != n)
                return m > n ? -1 : 1;
        r = strcmp(a->app, b->app);
        return r != 0 ? r : strcmp(a->instance, b->instance);
}

static int add_row(Table *t, const Row *row) {
        char text[USAGE_TEXT_MAX], since[64];
        int r = table_add(t, STYLE_BOLD, row->app);

        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, row->instance);
        if (r >= 0)
                r = table_add(t, instance_state_style(row->state), instance_state_to_string(row->state));
        if (r >= 0)
                r = row->cpu < 0 ? table_add(t, STYLE_NORMAL, NULL) : table_addf(t, STYLE_NORMAL, "%.1f%%", row->cpu);
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, usage_memory_text(&row->usage, text));
        if (r >= 0)
                r = row->usage.pids == USAGE_UNKNOWN ? table_add(t, STYLE_NORMAL, NULL) : table_addf(t, STYLE_NORMAL, "%" PRIu64, row->usage.pids);
        if (r >= 0)
                r = table_addf(t, STYLE_NORMAL, "v%u", row->release);
        if (r >= 0)
                r = table_addf(t, STYLE_NORMAL, "%u", row->restarts);
        return r < 0 ? r : table_add(t, STYLE_NORMAL, time_ago(row->since_usec, since, sizeof(since)));
}

static int print_table(Look *l, size_t most) {
        static const char *const header[] = { "APP", "INSTANCE", "STATE", "CPU", "MEMORY", "PIDS", "RELEASE", "RESTARTS", "SINCE" };
        _cleanup_(table_freep) Table *t = table_headed(header, ELEMENTSOF(header));
        int r = t ? 0 : -ENOMEM;

        if (l->n > 0)
                qsort(l->rows, l->n, sizeof(Row), row_compare);
        for (size_t i = 0; r >= 0 && i < l->n && i < most; i++)
                r = add_row(t, &l->rows[i]);
        if (r >= 0)
                table_print(t, stdout);
        return r;
}

static int row_json(Buf *b, const Row *row) {
        int r = buf_puts(b, "{\"app\":");

        if (r >= 0)
                r = json_quote(b, row->app);
        if (r >= 0)
                r = buf_puts(b, ",\"instance\":");
        if (r >= 0)
                r = json_quote(b, row->instance);
        if (r >= 0)
                r = buf_printf(b, ",\"state\":\"%s\",\"release\":%u,\"restarts\":%u,\"since_usec\":%" PRIu64,
                        instance_state_to_string(row->state), row->release, row->restarts, row->since_usec);
        if (r >= 0)
                r = usage_json(b, &row->usage);
        if (r >= 0)
                r = row->cpu < 0 ? buf_puts(b, ",\"cpu_percent\":null}") : buf_printf(b, ",\"cpu_percent\":%.1f}", row->cpu);
        return r;
}

static int print_json(const Look *l) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_putc(&b, '[');

        for (size_t i = 0; r >= 0 && i < l->n; i++) {
                if (i > 0)
                        r = buf_puts(&b, ",\n ");
                if (r >= 0)
                        r = row_json(&b, &l->rows[i]);
        }
        if (r >= 0)
                r = buf_putc(&b, ']');
        return r < 0 ? r : json_print(&b);
}

/* ---- once, and live ---- */

/* Waits until the time is over or somebody wants to leave: 1 then. */
static int wait_usec(int signals, bool keys, uint64_t usec) {
        uint64_t end = now_monotonic() + usec;

        for (;;) {
                struct pollfd fds[] = { { .fd = signals, .events = POLLIN }, { .fd = keys ? STDIN_FILENO : -1, .events = POLLIN } };
                uint64_t now = now_monotonic();
                struct timespec left = { .tv_sec = (time_t) ((end - now) / 1000000), .tv_nsec = (long) ((end - now) % 1000000 * 1000) };
                struct signalfd_siginfo si;
                char key;

                if (now >= end)
                        return 0;
                if (ppoll(fds, ELEMENTSOF(fds), &left, NULL) < 0)
                        return errno == EINTR ? 0 : -errno;
                if (fds[0].revents)
                        return read(signals, &si, sizeof(si)) == (ssize_t) sizeof(si) && si.ssi_signo == SIGWINCH ? 0 : 1;
                if (fds[1].revents && (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q'))
                        return 1;
        }
}

static size_t screen_rows(void) {
        struct winsize size;

        /* The header, and a line that scrolls nothing away. */
        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) >= 0 && size.ws_row > 3 ? size.ws_row - 2U : ROWS_WITHOUT_SIZE;
}

static int once(char *const *names, int signals, uint64_t delay, bool json) {
        __attribute__((cleanup(look_clear))) Look before = { 0 }, now = { 0 };
        int r = look_take(names, &before);

        if (r >= 0)
                r = wait_usec(signals, false, delay);
        if (r > 0)
                return CLI_FAILED;
        if (r >= 0)
                r = look_take(names, &now);
        if (r < 0)
                return r;
        look_compare(&now, &before);
        return json ? print_json(&now) : print_table(&now, SIZE_MAX);
}

static int live(char *const *names, int signals, uint64_t delay) {
        __attribute__((cleanup(look_clear))) Look before = { 0 };
        struct termios old, raw;
        bool keys = tcgetattr(STDIN_FILENO, &old) >= 0;
        int r = 0;

        if (keys) {
                raw = old;
                raw.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
                (void) tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        }
        fputs(SCREEN_OPEN, stdout);
        while (r == 0) {
                Look now = { 0 };

                r = look_take(names, &now);
                if (r < 0)
                        break;
                look_compare(&now, &before);
                fputs(SCREEN_HOME, stdout);
                r = print_table(&now, screen_rows());
                fflush(stdout);
                look_clear(&before);
                before = now;
                if (r >= 0)
                        r = wait_usec(signals, keys, delay);
        }
        fputs(SCREEN_CLOSE, stdout);
        fflush(stdout);
        if (keys)
                (void) tcsetattr(STDIN_FILENO, TCSANOW, &old);
        return MIN(r, 0);
}

static int run(char *const *names, uint64_t delay, bool json) {
        _cleanup_close_ int signals = -EBADF;
        sigset_t set;
        int r;

        for (char *const *name = names; *name; name++) {
                _cleanup_(app_freep) App *app = NULL;

                if (app_load(*name, &app) < 0)
                        return cli_fail("there is no app '%s'", *name);
        }
        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGWINCH);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || (signals = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
                return cli_fail("cannot wait for signals: %s", strerror(errno));
        r = json || !isatty(STDOUT_FILENO) ? once(names, signals, delay, json) : live(names, signals, delay);
        return r < 0 ? cli_fail("cannot read the apps: %s", strerror(-r)) : r;
}

int cmd_top(int argc, char *argv[]) {
        static const struct option options[] = {
                { "delay", required_argument, NULL, 'd' },
                { "json",  no_argument,       NULL, 'j' },
                { "help",  no_argument,       NULL, 'h' },
                { NULL,    0,                 NULL, 0   },
        };
        uint64_t delay = DELAY_USEC;
        bool json = false;
        int c;

        while ((c = getopt_long(argc, argv, "d:h", options, NULL)) >= 0)
                switch (c) {
                case 'd':
                        if (parse_decimal(optarg, 1000000, &delay) < 0 || delay < DELAY_LEAST_USEC)
                                return cli_usage("--delay takes seconds, 0.1 or more, not '%s'", optarg);
                        break;
                case 'j':
                        json = true;
                        break;
                case 'h':
                        return usage_text();
                default:
                        return CLI_USAGE;
                }
        return run(argv + optind, delay, json);
}
