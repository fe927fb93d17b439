/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/fetch.h"
#include "run/scope.h"
#include "unit/name.h"
#include "util/strv.h"

#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"

struct Fetch {
        sd_bus *bus;
        char *unit, *status;
        sd_bus_slot *changes;
        ScopeJob *job;
        FetchCallbacks callbacks;
};

Fetch *fetch_free(Fetch *f) {
        if (!f)
                return NULL;
        scope_job_free(f->job);
        sd_bus_slot_unref(f->changes);
        sd_bus_unref(f->bus);
        free(f->unit);
        free(f->status);
        free(f);
        return NULL;
}

/* localhost/NAME was loaded, imported or built on this machine: no registry has it. A NAME.image may give such a name to one that a
 * registry has. */
static bool is_local(const char *image) {
        return str_after(image, "localhost/") != NULL;
}

int fetch_wanted(const Spec *spec, Error *reterr) {
        bool wanted = false;

        for (size_t i = 0; i < spec->n_processes; i++) {
                const SpecProcess *p = spec->processes + i;
                _cleanup_image_ Image *image = NULL;
                Error error = { 0 };
                char origin[512];
                int r;

                if (!p->image.value)
                        continue;
                r = image_open(NULL, p->image.value, &image, &error);
                if (r == -ENOENT && (p->pull == SPEC_PULL_NEVER || (p->pull == SPEC_PULL_MISSING && !p->image_file && is_local(p->image.value)))) {
                        if (reterr)
                                *reterr = error;
                        return error_prefix(reterr, "%s", spec_origin_text(spec, p->image.origin, origin, sizeof(origin)));
                }
                /* What is wrong with an image otherwise is told when it is to be run. */
                wanted = wanted || (r == -ENOENT && p->pull == SPEC_PULL_MISSING) || p->pull == SPEC_PULL_ALWAYS ||
                        p->pull == SPEC_PULL_NEWER;
        }
        return wanted;
}

static void status_changed(Fetch *f, const char *text) {
        char *copy;

        if (!*text || streq_ptr(f->status, text) || !(copy = strdup(text)))
                return;
        free(f->status);
        f->status = copy;
        f->callbacks.progress(f->callbacks.userdata, f->status);
}

/* StatusText of the service, in the changed properties "sa{sv}as". */
static int on_changes(sd_bus_message *m, void *userdata, sd_bus_error *unused) {
        const char *interface, *name, *text;
        Fetch *f = userdata;
        int r;

        r = sd_bus_message_read(m, "s", &interface);
        if (r < 0 || !streq(interface, SERVICE_INTERFACE))
                return 0;
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                r = sd_bus_message_read(m, "s", &name);
                if (r >= 0 && streq(name, "StatusText")) {
                        r = sd_bus_message_read(m, "v", "s", &text);
                        if (r >= 0)
                                status_changed(f, text);
                } else if (r >= 0)
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return 0;
}

static void on_done(ScopeJob *job, int result, const Error *error, void *userdata) {
        Error why = *error;
        Fetch *f = userdata;

        /* What the service said last is the reason. */
        if (result < 0 && f->status)
                (void) error_set(&why, result, "%s", f->status);
        f->callbacks.done(f->callbacks.userdata, result, &why);
}

/* PID 1 sends changes to subscribers only. */
static int changes_watch(Fetch *f) {
        _cleanup_free_ char *path = NULL;
        int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", f->unit, &path);

        if (r >= 0)
                r = sd_bus_match_signal_async(f->bus, &f->changes, SYSTEMD_NAME, path, "org.freedesktop.DBus.Properties",
                        "PropertiesChanged", on_changes, NULL, f);
        return r < 0 ? r : sd_bus_call_method_async(f->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", NULL, NULL, NULL);
}

int fetch_start(sd_bus *bus, const char *app, const FetchCallbacks *callbacks, Fetch **ret, Error *reterr) {
        _cleanup_(fetch_freep) Fetch *f = calloc(1, sizeof(*f));
        int r;

        if (!f)
                return -ENOMEM;
        *f = (Fetch){ .bus = sd_bus_ref(bus), .callbacks = *callbacks };
        r = unit_pull_name(app, &f->unit);
        if (r >= 0)
                r = changes_watch(f);
        if (r >= 0)
                r = unit_job(bus, "StartUnit", f->unit, on_done, f, &f->job);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot ask systemd for '%s'", f->unit ? f->unit : app);
        *ret = TAKE_PTR(f);
        return 0;
}

/* PID 1 asks the bus who the caller is, and refuses one who has gone meanwhile: its answer is waited for. */
void fetch_cancel(Fetch *f) {
        (void) sd_bus_call_method(f->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StopUnit", NULL, NULL, "ss", f->unit, "replace");
}
