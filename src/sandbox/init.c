/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/caps.h"
#include "sandbox/helper.h"

/* Signals that tell of a fault of ours are not for the payload; SIGCHLD is what we wait for. */
static bool init_forwards(int signal) {
        static const int not[] = { SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS };

        for (size_t i = 0; i < ELEMENTSOF(not); i++)
                if (signal == not[i])
                        return false;
        return true;
}

static void init_ignore(int signal) {
}

/* All are blocked, and taken one by one with sigwaitinfo(2). The handler never runs: it is there because who stops
 * an instance reads in /proc/1/status whether anybody would notice the signal. */
static int init_signals(sigset_t *set) {
        struct sigaction caught = { .sa_handler = init_ignore };

        (void) sigemptyset(set);
        for (int i = 1; i < NSIG; i++)
                if (init_forwards(i) && sigaction(i, &caught, NULL) >= 0)
                        (void) sigaddset(set, i);
        (void) sigaddset(set, SIGCHLD);
        return sigprocmask(SIG_SETMASK, set, NULL) < 0 ? -errno : 0;
}

/* Until the payload ends; its children that outlive it end with this process, which is the namespace's first. */
_noreturn_ static void init_loop(pid_t payload, const sigset_t *set) {
        for (;;) {
                siginfo_t info;
                int signal = sigwaitinfo(set, &info), status;
                pid_t pid;

                if (signal > 0 && signal != SIGCHLD)
                        (void) kill(payload, signal);
                while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                        if (pid == payload)
                                _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
        }
}

int init_run(Helper *h, Error *reterr) {
        sigset_t set;
        pid_t pid;
        int r;

        /* Before the fork, so that no signal is lost; the payload resets them. */
        r = init_signals(&set);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot block signals for the init");
        pid = fork();
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot fork for the init");
        if (pid == 0)
                return payload_exec(h, reterr);
        /* No execve(2) closes them here; the control socket must end when the payload's copy does. */
        if (syscall(SYS_close_range, 3, ~0U, 0) < 0)
                _exit(1);
        /* The filter is the payload's alone; everything else holds for the init, too. */
        h->world.seccomp = h->world.takeover = false;
        if (chdir("/") < 0 || caps_become(&h->world, &h->user, reterr) < 0)
                _exit(1);
        init_loop(pid, &set);
}
