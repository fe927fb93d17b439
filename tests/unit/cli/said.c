/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "said.h"
#include "util/fd.h"

#define WORDS_MAX 32
#define OUTPUT_MAX (1U << 20)

int berth_main(int argc, char *argv[]); /* main() of src/cli/main.c */

static const char *output;

void said_to(const char *path) {
        output = path;
}

static char *taken(int fd) {
        char *text = NULL;

        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
        ck_assert_int_eq(read_fd(fd, OUTPUT_MAX, &text, NULL), 0);
        return text;
}

static _noreturn_ void speak(int argc, char *argv[], int out, int err) {
        int file = output ? open(output, O_WRONLY | O_CLOEXEC) : out;
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (file < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
                _exit(99);
        exit(berth_main(argc, argv));
}

const Said *said(const char *first, ...) {
        static Said s;
        _cleanup_close_ int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
        char *argv[WORDS_MAX + 1] = { (char *) "berth" };
        int argc = 1, status;
        va_list ap;
        pid_t pid;

        va_start(ap, first);
        for (const char *word = first; word && argc < WORDS_MAX; word = va_arg(ap, const char *))
                argv[argc++] = (char *) word;
        va_end(ap);
        (void) fflush(NULL);
        pid = fork();
        if (pid == 0)
                speak(argc, argv, out, err);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
        free(s.out);
        free(s.err);
        s = (Said){ .code = WEXITSTATUS(status), .out = taken(out), .err = taken(err) };
        return &s;
}

void said_check(const Said *s, int code, const char *words) {
        const char *text = code == 0 ? s->out : s->err;

        ck_assert_msg(s->code == code, "code %d: %s%s", s->code, s->out, s->err);
        ck_assert_msg(strstr(text, words) != NULL, "no '%s' in: %s", words, text);
}
