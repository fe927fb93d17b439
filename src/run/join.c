/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "run/exit.h"
#include "run/join.h"
#include "run/pty.h"
#include "run/scope.h"
#include "run/profile.h"
#include "run/state.h"
#include "sandbox/world.h"
#include "spec/spec.h"
#include "unit/name.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

typedef struct Join {
        const JoinSettings *settings;
        const InstanceStatus *instance;
        sd_event *event;
        sd_bus *bus;
        ScopeJob *job;
        PtyForward *pty;
        int control, pidfd, outer;
        int log; /* where we read what it writes */
        Error error;
        int result; /* exit status, or negative errno */
} Join;

static void join_clear(Join *j) {
        scope_job_free(j->job);
        pty_forward_free(j->pty);
        sd_bus_flush_close_unref(j->bus);
        sd_event_unref(j->event);
        fd_close(j->control);
        fd_close(j->pidfd);
        fd_close(j->outer);
        fd_close(j->log);
}

#define LOG_REST_MAX (1U << 20) /* what is passed on after the command's end, of what it left running perhaps */

/* Returns how much there was, 0 at the end, -EAGAIN where there is no more now. */
static ssize_t log_pass(int fd) {
        char data[4096];
        ssize_t n = read(fd, data, sizeof(data));

        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        return n > 0 && write_all(STDOUT_FILENO, data, (size_t) n) < 0 ? -EIO : n;
}

static int on_log(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        ssize_t n = log_pass(fd);

        return n > 0 || n == -EAGAIN ? 0 : sd_event_source_set_enabled(s, SD_EVENT_OFF);
}

/* *ret_end is for the command. */
static int log_open(Join *j, int *ret_end) {
        int pair[2], r;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        j->log = pair[0];
        r = fcntl(j->log, F_SETFL, O_NONBLOCK) < 0 ? -errno : sd_event_add_io(j->event, NULL, j->log, EPOLLIN, on_log, j);
        if (r < 0)
                fd_close(pair[1]);
        else
                *ret_end = pair[1];
        return r;
}

static int join_end(Join *j, int result, const Error *error) {
        if (error && *error->text && !*j->error.text)
                j->error = *error;
        j->result = result;
        return sd_event_exit(j->event, 0);
}

static void on_scope(ScopeJob *job, int result, const Error *error, void *userdata) {
        const HelperMessage go = { .type = HELPER_GO };
        Join *j = userdata;

        j->job = scope_job_free(j->job);
        if (result < 0) {
                (void) pidfd_send_signal(j->pidfd, SIGKILL, NULL, 0);
                (void) join_end(j, result, error);
                return;
        }
        (void) send(j->control, &go, sizeof(go), MSG_NOSIGNAL);
}

static int on_payload_exit(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Join *j = userdata;
        int code, status;

        exit_status_read(fd, false, &code, &status);
        if (j->pty)
                pty_forward_drain(j->pty);
        for (size_t done = 0; j->log >= 0 && done < LOG_REST_MAX;) {
                ssize_t n = log_pass(j->log);

                if (n <= 0)
                        break;
                done += (size_t) n;
        }
        if (*j->error.text)
                return join_end(j, j->result, NULL);
        return join_end(j, exit_by_signal(code) ? 128 + status : status, NULL);
}

static int scope_ask(Join *j, pid_t pid) {
        ScopeSettings settings = SCOPE_SETTINGS_INIT;
        _cleanup_free_ char *name = NULL, *description = NULL, *slice = NULL;
        int r;

        r = unit_slice_name(j->settings->app, &slice);
        if (r < 0)
                return r;
        name = str_format("%.*s.exec-%d.scope", (int) (strlen(j->instance->scope) - STRLEN(".scope")), j->instance->scope,
                (int) pid);
        description = str_format("Command in instance %s of app %s", j->instance->name, j->settings->app);
        if (!name || !description)
                return -ENOMEM;
        settings.name = name;
        settings.description = description;
        settings.slice = slice;
        settings.pid = pid;
        return scope_start(j->bus, &settings, on_scope, j, &j->job);
}

static int payload_known(Join *j, pid_t pid) {
        _cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;
        int r;

        j->pidfd = pidfd_open(pid, 0);
        if (j->pidfd < 0)
                return -errno;
        r = sd_event_add_io(j->event, &source, j->pidfd, EPOLLIN, on_payload_exit, j);
        /* What the helper has said comes first. */
        if (r >= 0)
                r = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_NORMAL + 1);
        if (r >= 0)
                r = sd_event_source_set_floating(source, true);
        return r < 0 ? r : scope_ask(j, pid);
}

static int on_control(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        _cleanup_close_ int master = -EBADF;
        Join *j = userdata;
        HelperMessage m;
        int r;

        r = helper_receive(fd, MSG_DONTWAIT, &m, &master);
        if (r == -EAGAIN)
                return 0;
        if (r <= 0) {
                /* It is the payload now, or the helper is dead and its parent will tell. */
                (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
                if (j->pidfd < 0)
                        return join_end(j, -EPROTO, NULL);
                return 0;
        }
        r = 0;
        switch (m.type) {
        case HELPER_PID:
                r = payload_known(j, m.pid);
                break;
        case HELPER_ERROR:
                j->error = m.error;
                j->result = m.error.code == -ENOENT ? JOIN_NOT_FOUND : JOIN_NOT_STARTED;
                if (j->pidfd < 0)
                        return join_end(j, j->result, NULL);
                break;
        case HELPER_MASTER:
                if (master >= 0 && !j->pty)
                        r = pty_forward_new(j->event, TAKE_FD(master), &j->pty);
                break;
        case HELPER_BINDS: /* not of a world that says nothing of takeover */
        case HELPER_NETWORK:
        case HELPER_GO:
        case _HELPER_MESSAGE_MAX:
        case _HELPER_MESSAGE_INVALID:
                break;
        }
        return r < 0 ? join_end(j, r, NULL) : 0;
}

/* Ctrl-C and termination are the command's business; with a pty they come through that. */
static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        Join *j = userdata;

        if (j->pidfd >= 0)
                (void) pidfd_send_signal(j->pidfd, (int) si->ssi_signo, NULL, 0);
        /* A service that is stopped does not wait for what it was told to reload with, nor has that failed. */
        return j->settings->log && si->ssi_signo == SIGTERM ? join_end(j, 0, NULL) : 0;
}

int join_world(const JoinSettings *settings, World *ret, Error *reterr) {
        _cleanup_(world_clear) World w = { 0 };
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        path = str_format(BERTH_RUN_DIR "/%s/%s/world", settings->app, settings->instance);
        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open '%s'", path);
        r = world_read(fd, &w, reterr);
        if (r < 0)
                return r;
        w.argv = strv_free(w.argv);
        w.argv = strv_copy(settings->argv);
        if (!w.argv)
                return -ENOMEM;
        for (char *const *e = settings->env; e && *e && r >= 0; e++) {
                const char *equals = strchr(*e, '=');
                _cleanup_free_ char *name = strndup(*e, equals ? (size_t) (equals - *e) : strlen(*e));

                r = name && equals ? spec_env_set(&w.env, name, equals + 1) : -EINVAL;
        }
        if (r >= 0 && settings->terminal)
                r = spec_env_set(&w.env, "TERM", getenv("TERM") ? getenv("TERM") : "dumb");
        if (r >= 0 && settings->user) {
                free(w.user);
                w.user = strdup(settings->user);
        }
        if (r >= 0 && settings->cwd) {
                free(w.cwd);
                w.cwd = strdup(settings->cwd);
                w.cwd_given = true;
        }
        if (r < 0)
                return r;
        w.terminal = settings->terminal;
        w.run_init = w.takeover = false;
        *ret = w;
        w = (World){ 0 };
        return 0;
}

int join_start_helper(const JoinSettings *settings, const char *process, unsigned release, const World *w, int leader, const int std[3],
        int *ret_control, int *ret_outer, Error *reterr) {
        _cleanup_close_ int world = memfd_create("berth-world", MFD_CLOEXEC), helper = -EBADF, seccomp = -EBADF;
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        pid_t outer;
        int pair[2], r;

        if (world < 0)
                return -errno;
        r = world_write(w, world);
        if (r < 0 || lseek(world, 0, SEEK_SET) < 0)
                return r < 0 ? r : -errno;
        if (w->seccomp) {
                seccomp = profile_stored_open(settings->app, process, release);
                if (seccomp < 0)
                        return error_set_errno(reterr, seccomp, "cannot open the seccomp profile of instance '%s'", settings->instance);
        }
        helper = helper_open(reterr);
        if (helper < 0)
                return helper;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        r = helper_spawn(helper, "join", world, theirs, seccomp, leader, std, &outer, ret_outer, reterr);
        if (r >= 0)
                *ret_control = TAKE_FD(ours);
        return r;
}

static int helper_join(Join *j, Error *reterr) {
        _cleanup_close_ int leader = pidfd_open(j->instance->pid, 0), log = -EBADF;
        int std[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
        _cleanup_(world_clear) World w = { 0 };
        JoinSettings settings = *j->settings;
        int r;

        if (leader < 0)
                return error_set_errno(reterr, -errno, "cannot reach process %d of instance '%s'", (int) j->instance->pid,
                        j->instance->name);
        settings.instance = j->instance->key;
        r = join_world(&settings, &w, reterr);
        if (r >= 0 && settings.log) {
                r = log_open(j, &log);
                std[1] = std[2] = log;
        }
        if (r >= 0)
                r = join_start_helper(&settings, j->instance->process, j->instance->release, &w, leader, std, &j->control, &j->outer, reterr);
        return r < 0 ? r : sd_event_add_io(j->event, NULL, j->control, EPOLLIN, on_control, j);
}

static bool is_running(const InstanceStatus *s) {
        return s->state == INSTANCE_READY || s->state == INSTANCE_STARTING;
}

/* While one is replaced there are two of a name: the newer one is meant, where it runs. */
static const InstanceStatus *instance_find(const AppState *state, const char *name) {
        const InstanceStatus *found = NULL;

        for (size_t i = 0; i < state->n_instances; i++) {
                const InstanceStatus *s = &state->instances[i];

                if (name ? !streq(s->name, name) : !is_running(s))
                        continue;
                if (!found || is_running(s) > is_running(found) || (name && is_running(s) == is_running(found) && s->release > found->release))
                        found = s;
        }
        return found;
}

static int events_open(Join *j) {
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
        sigset_t mask;
        int r;

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGWINCH);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaddset(&mask, signals[i]);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        r = sd_event_new(&j->event);
        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_event_add_signal(j->event, NULL, signals[i], on_signal, j);
        if (r >= 0)
                r = sd_bus_open_system(&j->bus);
        return r < 0 ? r : sd_bus_attach_event(j->bus, j->event, SD_EVENT_PRIORITY_NORMAL);
}

int join_run(const JoinSettings *settings, Error *reterr) {
        _cleanup_(join_clear) Join j = { .settings = settings, .control = -EBADF, .pidfd = -EBADF, .outer = -EBADF, .log = -EBADF };
        _cleanup_(app_state_clear) AppState state = { 0 };
        int r;

        *reterr = (Error){ 0 };
        r = app_state_read(BERTH_RUN_DIR, settings->app, &state);
        if (r < 0)
                return error_set(reterr, r, r == -ENOENT ? "App '%s' is not running" : "cannot read the state of app '%s'", settings->app);
        j.instance = instance_find(&state, settings->instance);
        if (!j.instance)
                return error_set(reterr, -ENOENT, "App '%s' has no %s '%s'", settings->app,
                        settings->instance ? "instance" : "running instance", settings->instance ? settings->instance : "");
        if (j.instance->pid <= 0)
                return error_set(reterr, -ENOENT, "Instance '%s' of app '%s' is not running (%s)", j.instance->name, settings->app,
                        instance_state_to_string(j.instance->state));
        r = events_open(&j);
        if (r >= 0)
                r = helper_join(&j, reterr);
        if (r >= 0)
                r = sd_event_loop(j.event);
        if (r < 0)
                return *reterr->text ? r : error_set_errno(reterr, r, "cannot run a command in app '%s'", settings->app);
        if (j.outer >= 0)
                (void) waitid(P_PIDFD, (id_t) j.outer, &(siginfo_t){ 0 }, WEXITED);
        *reterr = j.error;
        if (j.result < 0 && !*reterr->text)
                (void) error_set_errno(reterr, j.result, "cannot run a command in app '%s'", settings->app);
        return j.result;
}
