/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "run/control.h"
#include "run/join.h"
#include "run/release.h"
#include "run/reload.h"
#include "run/scope.h"
#include "run/state.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

#define FAILURE_NAME "reload-failure"

static char *failure_path(const char *name) {
        return str_format(BERTH_RUN_DIR "/%s/" FAILURE_NAME, name);
}

static void failure_write(const char *name, const char *text) {
        _cleanup_free_ char *path = failure_path(name);

        if (path)
                (void) write_file(AT_FDCWD, path, text, strlen(text), 0644, false);
}

int reload_failure(const char *name, char **ret) {
        _cleanup_free_ char *path = failure_path(name);

        return path ? read_file(AT_FDCWD, path, ERROR_TEXT_MAX, ret, NULL) : -ENOMEM;
}

static void failure_forget(const char *name) {
        _cleanup_free_ char *path = failure_path(name);

        if (path)
                (void) unlink(path);
}

static int signal_send(const InstanceStatus *i, int signal) {
        _cleanup_close_ int pidfd = pidfd_open(i->pid, 0);

        return pidfd < 0 || pidfd_send_signal(pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* $VAR in ReloadCmd= is of the instance's own environment. */
static int command_run(const Spec *spec, const SpecProcess *p, const InstanceStatus *i, Error *reterr) {
        _cleanup_(world_clear) World w = { 0 };
        _cleanup_strv_ char **argv = NULL;
        JoinSettings settings = { .app = spec->name, .instance = i->key, .log = true };
        int r;

        r = join_world(&settings, &w, reterr);
        if (r >= 0)
                r = spec_command_expand(p->reload_cmd.words, w.env, &argv);
        if (r < 0)
                return *reterr->text ? r : error_set_errno(reterr, r, "cannot make the command of ReloadCmd=");
        settings.instance = i->name;
        settings.argv = argv;
        r = join_run(&settings, reterr);
        if (r > 0 && !*reterr->text)
                (void) error_set(reterr, -EIO, "ReloadCmd= ended with status %d", r);
        return r > 0 ? -EIO : r;
}

static int instance_reload(const Spec *spec, const InstanceStatus *i, Error *reterr) {
        const SpecProcess *p = spec_process(spec, *i->process ? i->process : NULL);
        int r;

        if (!p || i->pid <= 0)
                return 0;
        if (p->reload_cmd.words)
                return command_run(spec, p, i, reterr);
        if (!p->reload_signal.set)
                return 0;
        r = signal_send(i, (int) p->reload_signal.value);
        return r < 0 ? error_set_errno(reterr, r, "cannot send signal %d", (int) p->reload_signal.value) : 0;
}

/* The instances that run already have what they shall: the app may read its files again. */
static int reload_in_place(const char *name) {
        _cleanup_(app_state_clear) AppState state = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;
        int r, status = EXIT_SUCCESS;

        r = app_state_read(BERTH_RUN_DIR, name, &state);
        if (r >= 0)
                r = release_spec(name, state.release, &spec);
        if (r < 0) {
                log_error("App '%s': cannot be reloaded: %s", name, strerror(-r));
                return EXIT_FAILURE;
        }
        for (size_t i = 0; i < state.n_instances; i++) {
                Error error = { 0 };

                r = instance_reload(spec, &state.instances[i], &error);
                if (r < 0) {
                        log_error("Instance '%s' of app '%s': %s", state.instances[i].name, name, error.text);
                        (void) error_prefix(&error, "%s", state.instances[i].name);
                        failure_write(name, error.text);
                        status = EXIT_FAILURE;
                }
        }
        return status;
}

static void say(const char *text) {
        log_info("%s", text);
}

/* What is waited for ends with the service, too, which may be seen before the signal. */
static bool is_being_stopped(void) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_free_ char *unit = NULL, *state = NULL;

        return sd_pid_get_unit(0, &unit) >= 0 && sd_bus_open_system(&bus) >= 0 &&
                unit_property(bus, unit, "Unit", "ActiveState", &state) >= 0 && streq(state, "deactivating");
}

/* systemd ends a reload when the service is stopped, and calls the service failed where that is not a clean exit. */
static void on_termination(int signal) {
        _exit(EXIT_SUCCESS);
}

static int reload(const char *name) {
        Error error = { 0 };
        int r;

        failure_forget(name);
        r = control_ask(name, say, &error);
        if (r == CONTROL_UNCHANGED)
                return reload_in_place(name);
        if (r == CONTROL_DONE)
                return EXIT_SUCCESS;
        log_error("App '%s': cannot be reloaded: %s", name, error.text);
        failure_write(name, error.text);
        return EXIT_FAILURE;
}

int reload_app(const char *name) {
        const struct sigaction action = { .sa_handler = on_termination };
        int status;

        (void) sigaction(SIGTERM, &action, NULL);
        status = reload(name);
        return status == EXIT_SUCCESS || is_being_stopped() ? EXIT_SUCCESS : status;
}
