/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Docker's protocol of credential helpers: `docker-credential-NAME get`, the server on standard input, JSON on standard
 * output. */

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "image/registry/credentials.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

extern char **environ;

static int64_t now_ms(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static int start(const char *program, int in, int out, pid_t *ret) {
        char *const argv[] = { (char *) program, (char *) "get", NULL };
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none;
        int r;

        (void) sigemptyset(&none);
        (void) posix_spawnattr_init(&attributes);
        (void) posix_spawnattr_setsigmask(&attributes, &none);
        (void) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        (void) posix_spawn_file_actions_init(&actions);
        r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawnp(ret, program, &actions, &attributes, argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        (void) posix_spawnattr_destroy(&attributes);
        return -r;
}

static int read_all(int fd, Buf *out) {
        int64_t deadline = now_ms() + CREDENTIALS_HELPER_SECONDS * INT64_C(1000);
        char piece[4096];
        ssize_t n = 1;

        while (n > 0) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                int64_t left = deadline - now_ms();
                int r = left > 0 ? poll(&p, 1, (int) left) : 0;

                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0)
                        return r < 0 ? -errno : -ETIMEDOUT;
                n = read(fd, piece, sizeof(piece));
                if (n < 0 && errno == EINTR)
                        n = 1;
                else if (n < 0)
                        return -errno;
                else if (out->size + (size_t) n > CREDENTIALS_HELPER_OUTPUT_MAX)
                        return -E2BIG;
                else if (buf_append(out, piece, (size_t) n) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int wait_for(pid_t pid) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A pipe with text in it and its writing end closed: a program that does not read it breaks nothing. */
static int pipe_with(const char *text, int *ret) {
        _cleanup_close_ int in = -EBADF, out = -EBADF;
        int pair[2], r;

        if (strlen(text) > PIPE_BUF)
                return -E2BIG;
        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        in = pair[0];
        out = pair[1];
        r = write_all(out, text, strlen(text));
        if (r >= 0)
                *ret = TAKE_FD(in);
        return r;
}

/* The helper's exit status, with what it wrote in out; or negative errno. */
static int run(const char *program, const char *server, Buf *out) {
        _cleanup_close_ int in = -EBADF, from = -EBADF, to = -EBADF;
        int pair[2], status, r = pipe_with(server, &in);
        pid_t pid;

        if (r < 0)
                return r;
        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        from = pair[0];
        to = pair[1];
        r = start(program, in, to, &pid);
        if (r < 0)
                return r;
        to = fd_close(to);
        r = read_all(from, out);
        if (r < 0)
                (void) kill(pid, SIGKILL);
        status = wait_for(pid);
        if (r < 0)
                return r;
        /* How a child says it that could not become the program, where the parent was not told (under valgrind). */
        return status == 127 ? -ENOENT : status;
}

int credentials_ask(const char *helper, const char *server, Credentials *ret, Error *reterr) {
        _cleanup_free_ char *program = str_format("docker-credential-%s", helper);
        _cleanup_buf_ Buf out = BUF_INIT;
        int r;

        if (!program || buf_reserve(&out, CREDENTIALS_HELPER_OUTPUT_MAX) < 0)
                return -ENOMEM;
        r = run(program, server, &out);
        if (r < 0)
                r = error_set_errno(reterr, r, "cannot ask credential helper %s", program);
        else if (r > 0 && out.data && strstr(out.data, "credentials not found"))
                r = 0;
        else if (r > 0)
                r = error_set(reterr, -EIO, "credential helper %s failed with status %d%s%.100s", program, r, out.size > 0 ? ": " : "",
                        out.size > 0 ? out.data : "");
        else {
                r = credentials_parse_helper(out.data, out.size, ret, reterr);
                if (r < 0)
                        (void) error_prefix(reterr, "what credential helper %s says", program);
                else
                        r = (ret->from = TAKE_PTR(program)) ? 1 : -ENOMEM;
        }
        explicit_bzero(out.data, out.size);
        return r;
}
