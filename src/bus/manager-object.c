/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/objects.h"
#include "bus/request.h"
#include "spec/spec.h"
#include "util/strv.h"

static int method_list_apps(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Manager *m = userdata;
        int r;

        r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssssso)");
        for (size_t i = 0; r >= 0 && i < m->n_apps; i++) {
                const App *a = m->apps[i];

                r = sd_bus_message_append(reply, "(ssssso)", a->name, a->image, a->active_state, a->sub_state,
                        a->run.status ? a->run.status : "", a->path);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}

static int method_get_app(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        const char *name;
        App *app;
        int r;

        r = sd_bus_message_read(call, "s", &name);
        if (r >= 0)
                r = manager_get(userdata, name, &app, reterr);
        return r < 0 ? r : sd_bus_reply_method_return(call, "o", app->path);
}

static int begin(sd_bus_message *call, Manager *m, Verb verb, sd_bus_error *reterr) {
        const char *app;
        int r;

        r = sd_bus_message_read(call, "s", &app);
        return r < 0 ? r : request_begin(m, call, verb, app, "", 0, reterr);
}

static int method_start_app(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_START, reterr);
}

static int method_stop_app(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_STOP, reterr);
}

static int method_restart_app(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_RESTART, reterr);
}

static int method_reload_app(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_RELOAD, reterr);
}

static int method_kill_app(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        const char *app, *instance;
        int32_t signal;
        int r;

        r = sd_bus_message_read(call, "ssi", &app, &instance, &signal);
        return r < 0 ? r : request_begin(userdata, call, VERB_KILL, app, instance, signal, reterr);
}

static int method_scale_app(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_SCALE, reterr);
}

static int method_limit_app(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_LIMIT, reterr);
}

static int method_limit_slice(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_LIMIT_SLICE, reterr);
}

static int method_rollback_app(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_ROLLBACK, reterr);
}

static int method_list_releases(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        const char *name;
        App *app;
        int r;

        r = sd_bus_message_read(call, "s", &name);
        if (r >= 0)
                r = manager_get(userdata, name, &app, reterr);
        return r < 0 ? r : releases_reply(call, app);
}

static int append_diag(sd_bus_message *reply, const SpecDiag *d) {
        return sd_bus_message_append(reply, "(ssuus)", d->severity == SPEC_ERROR ? "error" : "warning",
                d->path ? d->path : "", d->line, d->column, d->text);
}

static int method_verify(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_strv_ char **names = NULL;
        Manager *m = userdata;
        const char *name;
        int r;

        r = sd_bus_message_read(call, "s", &name);
        if (r < 0)
                return r;
        /* Names alone, no paths: whoever asks must not have other files read with our rights. */
        if (*name && !spec_name_valid(name))
                return sd_bus_error_setf(reterr, BUS_ERROR_NO_SUCH_APP, "'%s' is not the name of an app", name);
        r = *name ? strv_append(&names, name) : spec_list(m->dirs, &names);
        if (r < 0)
                return r;
        for (char **n = names; n && *n; n++) {
                _cleanup_(spec_freep) Spec *spec = NULL;

                r = spec_read(*n, m->dirs, str_ends_with(*n, "@") ? SPEC_STATIC : 0, &diags, &spec);
                if (*name && (r == -ENOENT || r == -ERFKILL))
                        return sd_bus_error_setf(reterr, BUS_ERROR_NO_SUCH_APP, "There is no app '%s'", name);
                if (r == -ENOMEM)
                        return r;
        }
        r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssuus)");
        for (size_t i = 0; r >= 0 && i < diags.n; i++)
                r = append_diag(reply, diags.items + i);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}

static int method_subscribe(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        Manager *m = userdata;
        int r = sd_bus_track_add_sender(m->subscribers, call);

        return r < 0 ? r : sd_bus_reply_method_return(call, NULL);
}

static int method_unsubscribe(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        Manager *m = userdata;
        int r = sd_bus_track_remove_sender(m->subscribers, call);

        return r < 0 ? r : sd_bus_reply_method_return(call, NULL);
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        return sd_bus_message_append(reply, "s", BERTH_VERSION);
}

#define ANYBODY SD_BUS_VTABLE_UNPRIVILEGED /* polkit decides, in request.c */

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_METHOD_WITH_ARGS(
                "ListApps", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ssssso)", apps), method_list_apps, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("GetApp", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", app), method_get_app, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS(
                "StartApp", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", job), method_start_app, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("StopApp", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", job), method_stop_app, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS(
                "RestartApp", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", job), method_restart_app, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS(
                "ReloadApp", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", job), method_reload_app, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("ScaleApp", SD_BUS_ARGS("s", name, "as", instances), SD_BUS_RESULT("o", job), method_scale_app, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS(
                "LimitApp", SD_BUS_ARGS("s", name, "s", process, "as", limits), SD_BUS_RESULT("o", job), method_limit_app, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("LimitSlice", SD_BUS_ARGS("s", name, "as", limits), SD_BUS_NO_RESULT, method_limit_slice, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS(
                "RollbackApp", SD_BUS_ARGS("s", name, "s", release), SD_BUS_RESULT("o", job), method_rollback_app, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("ListReleases", SD_BUS_ARGS("s", name), SD_BUS_RESULT("a(uutssssss)", releases), method_list_releases, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("KillApp", SD_BUS_ARGS("s", name, "s", instance, "i", signal), SD_BUS_NO_RESULT,
                method_kill_app, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS(
                "Verify", SD_BUS_ARGS("s", name), SD_BUS_RESULT("a(ssuus)", diagnostics), method_verify, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Subscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_subscribe, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Unsubscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_unsubscribe, ANYBODY),
        SD_BUS_SIGNAL_WITH_ARGS("AppNew", SD_BUS_ARGS("s", name, "o", app), 0),
        SD_BUS_SIGNAL_WITH_ARGS("AppRemoved", SD_BUS_ARGS("s", name, "o", app), 0),
        SD_BUS_VTABLE_END,
};

int manager_object_add(Manager *m) {
        return sd_bus_add_object_vtable(m->bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE, manager_vtable, m);
}
