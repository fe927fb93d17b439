/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/netns.h"
#include "run/cgroup.h"
#include "run/exit.h"
#include "run/join.h"
#include "run/probe.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"
#include "util/text.h"

#define STATUS_LINE_MAX 512
#define TEXT_MAX 256
#define READ_SHARE 16 /* of one turn, so that a loud command does not silence the others */

/* With callback it is its caller's. Without, it has told its result, and lives until its processes are reaped. */
struct Probe {
        probe_callback callback;
        void *userdata;
        sd_event *event;
        uint64_t timeout_usec;
        sd_event_source *timer;

        int control, outer, pidfd, cgroup; /* cgroup: PROBE_CGROUP */
        sd_event_source *control_source, *outer_source, *pid_source;
        Error error;                       /* why the command was not reached */

        int fd;                            /* a pipe with the command's output, or the connection */
        sd_event_source *fd_source;
        Buf data;                          /* what came out of it */
        size_t limit;                      /* of that */
        Buf request;
        size_t sent;
        uint16_t port;
        int netns, family;                 /* of the connection */
};

static sd_event_source *source_drop(sd_event_source *s) {
        return sd_event_source_disable_unref(s);
}

static void probe_free(Probe *p) {
        source_drop(p->timer);
        source_drop(p->control_source);
        source_drop(p->outer_source);
        source_drop(p->pid_source);
        source_drop(p->fd_source);
        fd_close(p->control);
        fd_close(p->outer);
        fd_close(p->pidfd);
        fd_close(p->cgroup);
        fd_close(p->fd);
        fd_close(p->netns);
        buf_clear(&p->data);
        buf_clear(&p->request);
        sd_event_unref(p->event);
        free(p);
}

static Probe *probe_new(const ProbeTarget *t) {
        Probe *p = calloc(1, sizeof(*p));

        if (p)
                *p = (Probe){ .callback = t->callback, .userdata = t->userdata, .event = sd_event_ref(t->event),
                        .timeout_usec = t->timeout_usec, .control = -EBADF, .outer = -EBADF, .pidfd = -EBADF, .cgroup = -EBADF, .fd = -EBADF, .netns = -EBADF };
        return p;
}

/* Nobody waits for it any more. */
static void probe_leave(Probe *p) {
        p->callback = NULL;
        p->timer = source_drop(p->timer);
        p->fd_source = source_drop(p->fd_source);
        p->fd = fd_close(p->fd);
        if (p->cgroup >= 0)
                (void) cgroup_kill(p->cgroup);
        if (p->pidfd >= 0)
                (void) pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
        /* The helper, if it still runs, has first to say whom it has begun. */
        if (p->pidfd < 0 && p->outer < 0)
                probe_free(p);
}

Probe *probe_cancel(Probe *p) {
        if (p)
                probe_leave(p);
        return NULL;
}

static void probe_report(Probe *p, const ProbeResult *result) {
        if (p->callback)
                p->callback(result, p->userdata);
        probe_leave(p);
}

static void probe_fail(Probe *p, const char *text) {
        const ProbeResult result = { .status = -1, .output = text, .size = strlen(text) };

        probe_report(p, &result);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Probe *p = userdata;
        char text[TEXT_MAX + 64];
        _cleanup_free_ char *last = probe_text(p->data.data ? p->data.data : "", p->data.size, TEXT_MAX);

        (void) snprintf(text, sizeof(text), "no end after %.6g s%s%s", (double) p->timeout_usec / 1e6, last && *last ? ": " : "",
                last ? last : "");
        probe_fail(p, text);
        return 0;
}

static int timer_begin(Probe *p) {
        if (p->timeout_usec == UINT64_MAX)
                return 0;
        return sd_event_add_time_relative(p->event, &p->timer, CLOCK_MONOTONIC, p->timeout_usec, 1000, on_timer, p);
}

/* ---- a command ---- */

static void output_keep(Probe *p, const char *data, size_t size) {
        if (buf_append(&p->data, data, size) < 0)
                return;
        if (p->data.size > 2 * p->limit) {
                memmove(p->data.data, p->data.data + p->data.size - p->limit, p->limit + 1);
                p->data.size = p->limit;
        }
}

/* Returns 0, or 1 at the end of file. */
static int output_read(Probe *p) {
        char block[4096];

        for (int turn = 0; p->fd >= 0 && turn < READ_SHARE; turn++) {
                ssize_t n = read(p->fd, block, sizeof(block));

                if (n < 0 && errno == EAGAIN)
                        return 0;
                if (n <= 0)
                        return 1;
                output_keep(p, block, (size_t) n);
        }
        return 0;
}

static int on_output(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Probe *p = userdata;

        if (output_read(p) > 0) {
                p->fd_source = source_drop(p->fd_source);
                p->fd = fd_close(p->fd);
        }
        return 0;
}

static int control_read(Probe *p);

static int on_command_exit(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        ProbeResult result = { 0 };
        Probe *p = userdata;
        int code, status;

        /* Why it did not come so far was said before. */
        (void) control_read(p);
        exit_status_read(p->pidfd, false, &code, &status);
        p->pid_source = source_drop(p->pid_source);
        p->pidfd = fd_close(p->pidfd);
        if (*p->error.text) {
                probe_fail(p, p->error.text);
                return 0;
        }
        (void) output_read(p);
        result.size = MIN(p->data.size, p->limit);
        result.output = p->data.data ? p->data.data + p->data.size - result.size : "";
        result.status = code == EXIT_CODE_UNKNOWN ? -1 : exit_by_signal(code) ? 128 + status : status;
        result.well = result.status == 0;
        probe_report(p, &result);
        return 0;
}

/* The helper has named the command's process, which waits. */
static int command_known(Probe *p, pid_t pid) {
        const HelperMessage go = { .type = HELPER_GO };
        char text[16];
        int r;

        p->pidfd = pidfd_open(pid, 0);
        if (p->pidfd < 0)
                return error_set_errno(&p->error, -errno, "cannot reach the command");
        r = sd_event_add_io(p->event, &p->pid_source, p->pidfd, EPOLLIN, on_command_exit, p);
        if (r < 0)
                return error_set_errno(&p->error, r, "cannot wait for the command");
        if (!p->callback) {
                (void) pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
                return 0;
        }
        (void) snprintf(text, sizeof(text), "%d", (int) pid);
        r = write_existing(p->cgroup, "cgroup.procs", text);
        if (r < 0) {
                (void) pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
                return error_set_errno(&p->error, r, "cannot move the command into control group '" PROBE_CGROUP "'");
        }
        (void) send(p->control, &go, sizeof(go), MSG_NOSIGNAL);
        return 0;
}

/* Reads what is there. Returns 0, or 1 at the end of file. */
static int control_read(Probe *p) {
        HelperMessage m;

        while (p->control >= 0) {
                int r = helper_receive(p->control, MSG_DONTWAIT, &m, NULL);

                if (r == -EAGAIN)
                        return 0;
                if (r <= 0)
                        break;
                if (m.type == HELPER_PID && p->pidfd < 0)
                        (void) command_known(p, m.pid);
                else if (m.type == HELPER_ERROR && !*p->error.text)
                        p->error = m.error;
        }
        p->control_source = source_drop(p->control_source);
        p->control = fd_close(p->control);
        return 1;
}

static int on_control(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        (void) control_read(userdata);
        return 0;
}

static int on_outer_exit(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Probe *p = userdata;

        (void) control_read(p);
        (void) waitid(P_PIDFD, (id_t) p->outer, &(siginfo_t){ 0 }, WEXITED);
        p->outer_source = source_drop(p->outer_source);
        p->outer = fd_close(p->outer);
        if (p->pidfd < 0 && p->callback)
                probe_fail(p, *p->error.text ? p->error.text : "berth-helper ended without a word");
        else if (p->pidfd < 0)
                probe_free(p);
        return 0;
}

/* There from the first attempt to the instance's end. */
static int cgroup_make(int parent) {
        int fd;

        if (mkdirat(parent, PROBE_CGROUP, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(parent, PROBE_CGROUP, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return fd < 0 ? -errno : fd;
}

/* ret_output gets the end of the pipe that is read. */
static int command_start(Probe *p, const ProbeTarget *t, char *const *argv, int *ret_output, Error *reterr) {
        const JoinSettings settings = { .app = t->app, .instance = t->instance, .argv = argv };
        _cleanup_close_ int output = -EBADF, input = -EBADF, null = open("/dev/null", O_RDWR | O_CLOEXEC);
        _cleanup_(world_clear) World w = { 0 };
        int pipes[2], std[3], r;

        if (null < 0 || pipe2(pipes, O_CLOEXEC) < 0)
                return -errno;
        output = pipes[0];
        input = pipes[1];
        r = set_nonblock(output, true);
        if (r >= 0)
                r = join_world(&settings, &w, reterr);
        if (r < 0)
                return r;
        std[0] = null;
        std[1] = std[2] = input;
        r = join_start_helper(&settings, t->process, t->release, &w, t->pidfd, std, &p->control, &p->outer, reterr);
        if (r >= 0)
                *ret_output = TAKE_FD(output);
        return r;
}

int probe_command(const ProbeTarget *t, char *const *argv, size_t limit, Probe **ret, Error *reterr) {
        _cleanup_(probe_cancelp) Probe *p = probe_new(t);
        int r;

        if (!p)
                return error_set_errno(reterr, -ENOMEM, "cannot run the command");
        p->limit = MIN(limit, (size_t) PROBE_OUTPUT_MAX);
        p->cgroup = cgroup_make(t->cgroup);
        if (p->cgroup < 0)
                return error_set_errno(reterr, p->cgroup, "cannot make control group '" PROBE_CGROUP "'");
        r = command_start(p, t, argv, &p->fd, reterr);
        /* Reaped in any case. */
        if (r >= 0)
                r = sd_event_add_io(p->event, &p->outer_source, p->outer, EPOLLIN, on_outer_exit, p);
        if (r >= 0)
                r = sd_event_add_io(p->event, &p->control_source, p->control, EPOLLIN, on_control, p);
        if (r >= 0)
                r = sd_event_add_io(p->event, &p->fd_source, p->fd, EPOLLIN, on_output, p);
        if (r >= 0)
                r = timer_begin(p);
        if (r < 0)
                return reterr && *reterr->text ? r : error_set_errno(reterr, r, "cannot run the command");
        *ret = TAKE_PTR(p);
        return 0;
}

/* ---- HTTP ---- */

int probe_http_status(const char *line) {
        const char *rest = str_after(line, "HTTP/1.");

        if (!rest || rest[0] < '0' || rest[0] > '9' || rest[1] != ' ')
                return -EBADMSG;
        rest += 2;
        for (int i = 0; i < 3; i++)
                if (rest[i] < '0' || rest[i] > '9')
                        return -EBADMSG;
        if (rest[0] == '0' || (rest[3] != 0 && !strchr(" \r\n", rest[3])))
                return -EBADMSG;
        return (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + rest[2] - '0';
}

static int http_fail(Probe *p, const char *what, int error) {
        char text[TEXT_MAX], reason[128];

        (void) snprintf(text, sizeof(text), "%s port %u%s%s", what, p->port, error ? ": " : "",
                error ? strerror_r(error, reason, sizeof(reason)) : "");
        probe_fail(p, text);
        return 0;
}

static int http_done(Probe *p) {
        ProbeResult result = { .status = probe_http_status(p->data.data) };
        char text[32];

        if (result.status < 0)
                return http_fail(p, "no HTTP comes from", 0);
        result.well = result.status >= 200 && result.status < 400;
        result.size = (size_t) snprintf(text, sizeof(text), "HTTP %d", result.status);
        result.output = text;
        probe_report(p, &result);
        return 0;
}

static int http_read(Probe *p) {
        char block[STATUS_LINE_MAX];

        for (;;) {
                ssize_t n = recv(p->fd, block, sizeof(block) - p->data.size, 0);

                if (n < 0 && errno == EAGAIN)
                        return 0;
                if (n < 0)
                        return http_fail(p, "cannot read from", errno);
                if (n == 0)
                        return http_fail(p, "the connection is closed without an answer by", 0);
                if (buf_append(&p->data, block, (size_t) n) < 0)
                        return http_fail(p, "cannot read from", ENOMEM);
                if (memchr(p->data.data, '\n', p->data.size) || p->data.size == sizeof(block))
                        return http_done(p);
        }
}

static int http_connect(Probe *p);

static int on_connection(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Probe *p = userdata;
        socklen_t size = sizeof(int);
        int error = 0, r;

        if (p->sent == p->request.size)
                return http_read(p);
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        if (error == ECONNREFUSED && p->family == AF_INET) {
                p->family = AF_INET6;
                r = http_connect(p);
                return r < 0 ? http_fail(p, "cannot connect to", -r) : 0;
        }
        if (error != 0)
                return http_fail(p, "cannot connect to", error);
        while (p->sent < p->request.size) {
                ssize_t n = send(fd, p->request.data + p->sent, p->request.size - p->sent, MSG_NOSIGNAL);

                if (n < 0 && errno == EAGAIN)
                        return 0;
                if (n < 0)
                        return http_fail(p, "cannot send to", errno);
                p->sent += (size_t) n;
        }
        return sd_event_source_set_io_events(s, EPOLLIN);
}

static int http_connect(Probe *p) {
        const struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(p->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        const struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(p->port), .sin6_addr = in6addr_loopback };
        const struct sockaddr *address = p->family == AF_INET ? (const struct sockaddr *) &ipv4 : (const struct sockaddr *) &ipv6;

        p->fd_source = source_drop(p->fd_source);
        fd_close(p->fd);
        p->fd = netns_socket(p->netns, p->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (p->fd < 0)
                return p->fd;
        /* A refusal comes by the event, as all else. */
        if (connect(p->fd, address, p->family == AF_INET ? sizeof(ipv4) : sizeof(ipv6)) < 0 && errno != EINPROGRESS)
                return -errno;
        return sd_event_add_io(p->event, &p->fd_source, p->fd, EPOLLOUT, on_connection, p);
}

int probe_http(const ProbeTarget *t, int netns, uint16_t port, const char *path, Probe **ret, Error *reterr) {
        _cleanup_(probe_cancelp) Probe *p = probe_new(t);
        int r;

        if (!p)
                return error_set_errno(reterr, -ENOMEM, "cannot connect to port %u", port);
        p->port = port;
        p->family = AF_INET;
        p->netns = fcntl(netns, F_DUPFD_CLOEXEC, 3);
        r = buf_printf(&p->request, "GET %s HTTP/1.1\r\nHost: localhost:%u\r\nUser-Agent: berth/" BERTH_VERSION " (health)\r\n"
                                    "Accept: */*\r\nConnection: close\r\n\r\n", path, port);
        if (r >= 0)
                r = p->netns < 0 ? -EMFILE : http_connect(p);
        if (r >= 0)
                r = timer_begin(p);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot connect to port %u", port);
        *ret = TAKE_PTR(p);
        return 0;
}

/* ---- what is shown of it ---- */

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *probe_text(const char *text, size_t size, size_t max) {
        _cleanup_buf_ Buf b = BUF_INIT;
        const char *newline;
        int r = buf_puts(&b, "");

        while (size > 0 && is_blank(text[size - 1]))
                size--;
        newline = memrchr(text, '\n', size);
        if (newline) {
                size -= (size_t) (newline + 1 - text);
                text = newline + 1;
        }
        while (r >= 0 && size > 0) {
                size_t n = MIN(utf8_length(text), size);
                unsigned char c = (unsigned char) *text;
                bool plain = n > 1 ? c != 0xc2 || (unsigned char) text[1] >= 0xa0 : n == 1 && c >= ' ' && c != 0x7f;

                n = MAX(n, (size_t) 1);
                if (b.size + (plain ? n : 4 * n) > max)
                        break;
                if (plain)
                        r = buf_append(&b, text, n);
                for (size_t i = 0; r >= 0 && !plain && i < n; i++)
                        r = buf_printf(&b, "\\x%02x", (unsigned char) text[i]);
                text += n;
                size -= n;
        }
        return r < 0 ? NULL : buf_steal(&b);
}
