/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <systemd/sd-daemon.h>

#include "run/adopt.h"
#include "run/control.h"
#include "run/fetch.h"
#include "run/idle.h"
#include "run/instance.h"
#include "run/journal.h"
#include "run/maintenance.h"
#include "run/rollout.h"
#include "run/status.h"
#include "run/translate.h"
#include "run/supervisor.h"
#include "unit/name.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

/* ---- what instances share ---- */

sd_bus *supervisor_bus(Supervisor *sv, Error *reterr) {
        int r;

        /* dbus-daemon may have been restarted since. */
        if (sv->bus && sd_bus_is_open(sv->bus) <= 0)
                sv->bus = sd_bus_close_unref(sv->bus);
        if (sv->bus)
                return sv->bus;
        r = sd_bus_open_system(&sv->bus);
        if (r >= 0)
                r = sd_bus_attach_event(sv->bus, sv->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0) {
                sv->bus = sd_bus_close_unref(sv->bus);
                (void) error_set_errno(reterr, r, "cannot connect to the system bus");
                return NULL;
        }
        return sv->bus;
}

/* Nobody keeps a connection open while nothing happens: dbus-daemon allows a user 256 of them, and there may be more apps. */
static void bus_leave(Supervisor *sv) {
        if (sv->fetch)
                return;
        for (size_t i = 0; i < sv->n_instances; i++)
                if (instance_needs_bus(sv->instances[i]))
                        return;
        sv->bus = sd_bus_flush_close_unref(sv->bus);
}

/* ---- the journal ---- */

static int on_journal(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Supervisor *sv = userdata;

        (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        for (size_t i = 0; i < sv->n_instances; i++)
                instance_relay(sv->instances[i]);
        return 0;
}

void supervisor_wait_for_journal(Supervisor *sv) {
        if (sv->journal_source)
                (void) sd_event_source_set_enabled(sv->journal_source, SD_EVENT_ON);
}

int supervisor_journal_reopen(Supervisor *sv) {
        int fd = journal_connect(JOURNAL_SOCKET), r;

        if (fd < 0)
                return fd;
        sv->journal_source = sd_event_source_disable_unref(sv->journal_source);
        fd_close(sv->journal);
        sv->journal = fd;
        r = sd_event_add_io(sv->event, &sv->journal_source, fd, EPOLLOUT, on_journal, sv);
        return r < 0 ? r : sd_event_source_set_enabled(sv->journal_source, SD_EVENT_OFF);
}

/* ---- what happens ---- */

void supervisor_exit(Supervisor *sv, int status) {
        sv->exit_status = status;
        sv->phase = PHASE_FINISHED;
        (void) sd_event_exit(sv->event, 0);
}

void supervisor_stop_all(Supervisor *sv) {
        for (size_t i = 0; i < sv->n_instances; i++)
                instance_event(sv->instances[i], EVENT_STOP);
}

static int on_changes_done(sd_event_source *s, void *userdata) {
        Supervisor *sv = userdata;

        if (sv->phase == PHASE_FINISHED)
                return 0;
        translate_update(sv); /* before anybody hears that all is ready */
        if (status_update(sv) > 0 && (sv->phase == PHASE_RUNNING || sv->phase == PHASE_STOPPING))
                (void) sd_notifyf(0, "STATUS=%s", sv->status);
        rollout_advance(sv);
        if (sv->phase != PHASE_FINISHED)
                status_write_state(sv);
        bus_leave(sv);
        return 0;
}

void supervisor_changed(Supervisor *sv) {
        if (sv->change_source)
                (void) sd_event_source_set_enabled(sv->change_source, SD_EVENT_ONESHOT);
}

/* ---- begin and end ---- */

void supervisor_stop(Supervisor *sv) {
        if (sv->phase == PHASE_STOPPING || sv->phase == PHASE_FINISHED)
                return;
        sv->phase = PHASE_STOPPING;
        rollout_cancel(sv);
        (void) sd_notify(0, "STOPPING=1");
        remover_hurry(sv->remover);
        supervisor_stop_all(sv);
        supervisor_changed(sv);
}

static int on_stop_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        supervisor_stop(userdata);
        return 0;
}

/* `systemctl kill -s HUP` means the app. The kernel keeps from process 1 of a PID namespace what that does not handle. */
static int on_passed_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        const Supervisor *sv = userdata;

        for (size_t i = 0; i < sv->n_instances; i++)
                if (sv->instances[i]->pidfd >= 0)
                        (void) pidfd_send_signal(sv->instances[i]->pidfd, (int) si->ssi_signo, NULL, 0);
        return 0;
}

static int event_open(Supervisor *sv) {
        static const struct {
                int signal;
                sd_event_signal_handler_t handler;
        } signals[] = {
                { SIGTERM,  on_stop_signal   },
                { SIGINT,   on_stop_signal   },
                { SIGHUP,   on_passed_signal },
                { SIGQUIT,  on_passed_signal },
                { SIGUSR1,  on_passed_signal },
                { SIGUSR2,  on_passed_signal },
                { SIGWINCH, on_passed_signal },
        };
        sigset_t mask;
        int r;

        (void) sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaddset(&mask, signals[i].signal);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        r = sd_event_default(&sv->event);
        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_event_add_signal(sv->event, NULL, signals[i].signal, signals[i].handler, sv);
        if (r >= 0)
                r = sd_event_add_defer(sv->event, &sv->change_source, on_changes_done, sv);
        if (r >= 0)
                r = sd_event_source_set_enabled(sv->change_source, SD_EVENT_OFF);
        return r;
}

static int run_directory_lock(Supervisor *sv) {
        int r = mkdir_parents(AT_FDCWD, sv->run_directory, 0755);

        if (r < 0)
                return r;
        sv->lock = open(sv->run_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (sv->lock < 0 || flock(sv->lock, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        return 0;
}

static int removers_make(Supervisor *sv) {
        _cleanup_free_ char *directory = str_format(BERTH_APP_DIR "/%s/removed", sv->name);

        sv->remover = directory ? remover_new(directory) : NULL;
        sv->detacher = detacher_new(sv->name, network_detach);
        return sv->remover && sv->detacher ? 0 : -ENOMEM;
}

int supervisor_instance_add(Supervisor *sv, Process *process, unsigned index, const char *key, Instance **ret) {
        Instance **instances = reallocarray(sv->instances, sv->n_instances + 1, sizeof(*instances));
        int r;

        if (!instances)
                return -ENOMEM;
        sv->instances = instances;
        r = instance_new(sv, process, index, key, ret);
        if (r >= 0)
                instances[sv->n_instances++] = *ret;
        return r;
}

static int fail(Supervisor *sv, int r, const char *what) {
        log_error("Supervisor '%s': cannot %s: %s", sv->name, what, strerror(-r));
        (void) sd_notifyf(0, "STATUS=cannot %s: %s", what, strerror(-r));
        return r;
}

void supervisor_say_why(const Supervisor *sv, const char *text) {
        log_error("App '%s': %s", sv->name, text);
        (void) sd_notifyf(0, "STATUS=%s", text);
}

int supervisor_start(Supervisor *sv, const char *name) {
        int r;

        *sv = (Supervisor){ .name = name, .phase = PHASE_STARTING, .helper = -EBADF, .journal = -EBADF, .lock = -EBADF, .slice_cgroup = -EBADF };
        sv->since_usec = clock_usec(CLOCK_REALTIME);
        sv->run_directory = str_format(BERTH_RUN_DIR "/%s", name);
        sv->adoption = calloc(1, sizeof(*sv->adoption));
        if (!sv->run_directory || !sv->adoption)
                return fail(sv, -ENOMEM, "start");
        r = adoption_collect(sv->adoption);
        if (r < 0)
                return fail(sv, r, "take over stored file descriptors");
        r = unit_slice_name(name, &sv->slice);
        if (r >= 0)
                r = event_open(sv);
        if (r >= 0)
                r = supervisor_journal_reopen(sv);
        if (r >= 0)
                r = run_directory_lock(sv);
        if (r == -EWOULDBLOCK)
                return fail(sv, -EBUSY, "start, another supervisor runs it");
        if (r >= 0)
                r = control_open(sv->event, sv->run_directory, rollout_reload, sv, &sv->control);
        if (r >= 0)
                r = removers_make(sv);
        if (r < 0)
                return fail(sv, r, "start");
        sv->slice_cgroup = adopt_slice_open(sv->slice);
        r = adopt_all(sv);
        if (r < 0)
                return fail(sv, r, "take over what an earlier supervisor left");
        return r > 0 ? 0 : rollout_start(sv);
}

int supervisor_run(Supervisor *sv) {
        int r = sd_event_loop(sv->event);

        return r < 0 ? EXIT_STARTED_BADLY : sv->exit_status;
}

void supervisor_clear(Supervisor *sv) {
        maintenance_end(sv);
        idle_free(sv->idle);
        for (size_t i = 0; i < sv->n_instances; i++)
                instance_free(sv->instances[i]);
        sv->ports.kept = true;
        translate_free(sv);
        while (sv->n_releases > 0)
                release_free(sv, sv->releases[0]);
        free(sv->instances);
        free(sv->releases);
        port_pool_clear(&sv->ports);
        rollout_free(sv);
        wanted_clear(&sv->wanted);
        control_free(sv->control);
        sd_event_source_disable_unref(sv->journal_source);
        sd_event_source_disable_unref(sv->change_source);
        fetch_free(sv->fetch);
        sd_bus_flush_close_unref(sv->bus);
        sd_event_unref(sv->event);
        remover_free(sv->remover);
        detacher_free(sv->detacher);
        if (sv->adoption)
                adoption_clear(sv->adoption);
        free(sv->adoption);
        fd_close(sv->helper);
        fd_close(sv->journal);
        fd_close(sv->slice_cgroup);
        fd_close(sv->lock);
        free(sv->slice);
        free(sv->run_directory);
        free(sv->status);
        *sv = (Supervisor){ 0 };
}
