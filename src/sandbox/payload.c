/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/caps.h"
#include "sandbox/helper.h"
#include "util/fd.h"
#include "util/strv.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void signals_reset(void) {
        struct sigaction dfl = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                (void) sigaction(i, &dfl, NULL); /* those of libc and SIGKILL cannot be set, and need not */
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The open file is one with that of the app's other instances, which may read it at the same time: its offset is nobody's. */
static int filter_read(struct sock_fprog *ret, Error *reterr) {
        _cleanup_free_ char *data = NULL;
        size_t size, done = 0;
        struct stat st;

        if (fstat(HELPER_FD_SECCOMP, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read the seccomp filter");
        size = (size_t) st.st_size;
        if (size == 0 || size % sizeof(struct sock_filter) != 0 || size > BPF_MAXINSNS * sizeof(struct sock_filter))
                return error_set(reterr, -EBADMSG, "cannot read the seccomp filter: it is damaged");
        data = malloc(size);
        if (!data)
                return -ENOMEM;
        while (done < size) {
                ssize_t n = pread(HELPER_FD_SECCOMP, data + done, size - done, (off_t) done);

                if (n <= 0)
                        return error_set_errno(reterr, n < 0 ? -errno : -EBADMSG, "cannot read the seccomp filter");
                done += (size_t) n;
        }
        ret->len = (unsigned short) (size / sizeof(struct sock_filter));
        ret->filter = (struct sock_filter *) TAKE_PTR(data);
        return 0;
}

static int env_finish(World *w, const char *home, const char **ret_path) {
        bool has_home = false;

        *ret_path = NULL;
        for (char **e = w->env; e && *e; e++) {
                has_home = has_home || str_after(*e, "HOME=");
                if (str_after(*e, "PATH="))
                        *ret_path = str_after(*e, "PATH=");
        }
        return has_home ? 0 : strv_appendf(&w->env, "HOME=%s", home);
}

/* ENOENT of execve(2) is also said of a program that is there, where what would run it is not. */
static int start_error(const char *path, int error, Error *reterr) {
        const char *interpreter;
        char head[PATH_MAX];
        _cleanup_close_ int fd = error == ENOENT ? open(path, O_RDONLY | O_CLOEXEC) : -EBADF;
        ssize_t n = fd >= 0 ? read(fd, head, sizeof(head) - 1) : -1;

        if (n < 0)
                return error_set_errno(reterr, -error, "cannot start '%s'", path);
        head[n] = 0;
        if (!str_after(head, "#!"))
                return error_set(reterr, -ENOENT, "cannot start '%s': the program interpreter (ld.so) that it needs does not exist there", path);
        interpreter = head + 2 + strspn(head + 2, " \t");
        return error_set(reterr, -ENOENT, "cannot start '%s': its interpreter '%.*s' does not exist there", path,
                (int) strcspn(interpreter, " \t\r\n"), interpreter);
}

/* The next place of PATH where name may be; false at its end. An empty element is the working directory. */
static bool candidate_next(const char **path, const char *name, char ret[static PATH_MAX]) {
        while (*path) {
                const char *element = *path;
                int n = (int) strcspn(element, ":");

                *path = element[n] ? element + n + 1 : NULL;
                if (snprintf(ret, PATH_MAX, "%.*s%s%s", n, element, n > 0 ? "/" : "", name) < PATH_MAX)
                        return true;
        }
        return false;
}

/* execvp(3) with the payload's PATH and with errors that tell why. */
static int payload_execve(const World *w, const char *path, Error *reterr) {
        const char *name = w->argv[0], *p;
        char candidate[PATH_MAX];
        int error = ENOENT;

        if (!*name)
                return error_set(reterr, -ENOENT, "cannot start '': the command is empty");
        if (strchr(name, '/')) {
                (void) execve(name, w->argv, w->env);
                return start_error(name, errno, reterr);
        }
        path = path ?: PATH_DEFAULT;
        for (p = path; candidate_next(&p, name, candidate);) {
                (void) execve(candidate, w->argv, w->env);
                if (errno != ENOENT && errno != ENOTDIR && error != EACCES) {
                        error = errno;
                        if (error != EACCES)
                                return error_set_errno(reterr, -error, "cannot start '%s'", candidate);
                }
        }
        for (p = path; error == ENOENT && candidate_next(&p, name, candidate);)
                if (access(candidate, F_OK) >= 0)
                        return start_error(candidate, error, reterr);
        return error_set(reterr, -error, "cannot start '%s': %s in PATH %s", name, strerror(error), path);
}

int payload_exec(Helper *h, Error *reterr) {
        World *w = &h->world;
        struct sock_fprog filter = { 0 };
        const char *path;
        int r;

        if (env_finish(w, h->user.home, &path) < 0)
                return error_set_errno(reterr, -ENOMEM, "cannot build the environment");
        if (w->cwd && chdir(w->cwd) < 0)
                return error_set_errno(reterr, -errno, "cannot change to the working directory '%s'", w->cwd);
        if (w->seccomp && (r = filter_read(&filter, reterr)) < 0)
                return r;
        r = limits_apply(w, reterr);
        if (r < 0)
                return r;
        (void) setsid(); /* fails where a terminal already made it one */
        (void) umask(0022);
        signals_reset();
        /* The control socket, too: the parent sees end of file when execve(2) has happened. */
        if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot close file descriptors");
        r = caps_become(w, &h->user, reterr);
        if (r < 0)
                return r;
        if (w->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot set no_new_privs");
        r = w->takeover ? takeover_begin(reterr) : 0;
        if (r < 0)
                return r;
        if (w->seccomp && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
                return error_set_errno(reterr, -errno, "cannot install the seccomp filter");
        return payload_execve(w, path, reterr);
}
