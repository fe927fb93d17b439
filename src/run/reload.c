/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "run/adopt.h"
#include "run/environment.h"
#include "run/join.h"
#include "run/reload.h"
#include "run/state.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

static int signal_send(const InstanceStatus *i, int signal) {
        _cleanup_close_ int pidfd = pidfd_open(i->pid, 0);

        return pidfd < 0 || pidfd_send_signal(pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* $VAR in ReloadCmd= is of the environment that the spec and the image give. */
static int command_run(const Spec *spec, const SpecProcess *p, const InstanceStatus *i, Error *reterr) {
        _cleanup_strv_ char **env = NULL, **argv = NULL;
        _cleanup_image_ Image *image = NULL;
        JoinSettings settings = { .app = spec->name, .instance = i->name };
        int r = 0;

        if (p->image.value)
                r = image_open(NULL, p->image.value, &image, reterr);
        if (r >= 0)
                r = environment_make(spec, p, image, &env, reterr);
        if (r >= 0)
                r = spec_command_expand(p->reload_cmd.words, env, &argv);
        if (r < 0)
                return *reterr->text ? r : error_set_errno(reterr, r, "cannot make the command of ReloadCmd=");
        settings.argv = argv;
        r = join_run(&settings, reterr);
        return r <= 0 ? r : error_set(reterr, -EIO, "ReloadCmd= ended with status %d", r);
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

int reload_app(const char *name) {
        _cleanup_(app_state_clear) AppState state = { 0 };
        _cleanup_free_ char *directory = NULL;
        _cleanup_(spec_freep) Spec *spec = NULL;
        int r, status = EXIT_SUCCESS;

        directory = str_format(BERTH_RUN_DIR "/%s", name);
        if (!directory)
                return EXIT_FAILURE;
        r = app_state_read(BERTH_RUN_DIR, name, &state);
        if (r >= 0)
                r = adopt_spec_load(name, directory, &spec);
        if (r < 0) {
                log_error("App '%s': cannot be reloaded, it is not running: %s", name, strerror(-r));
                return EXIT_FAILURE;
        }
        for (size_t i = 0; i < state.n_instances; i++) {
                Error error = { 0 };

                r = instance_reload(spec, &state.instances[i], &error);
                if (r < 0) {
                        log_error("Instance '%s' of app '%s': %s", state.instances[i].name, name, error.text);
                        status = EXIT_FAILURE;
                }
        }
        return status;
}
