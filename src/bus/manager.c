/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/manager.h"
#include "bus/objects.h"
#include "bus/request.h"
#include "bus/watch.h"
#include "spec/spec.h"
#include "util/paths.h"
#include "util/strv.h"

int manager_new(sd_bus *bus, sd_event *event, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return -ENOMEM;
        m->bus = sd_bus_ref(bus);
        m->event = sd_event_ref(event);
        m->run_dir = BERTH_RUN_DIR;
        r = sd_bus_track_new(bus, &m->subscribers, NULL, NULL);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;
        requests_free(m);
        watch_free(m->watch);
        sd_bus_track_unref(m->subscribers);
        for (size_t i = 0; i < m->n_apps; i++)
                app_free(m->apps[i]);
        free(m->apps);
        sd_bus_unref(m->bus);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

bool manager_is_busy(const Manager *m) {
        return m->requests || sd_bus_track_count(m->subscribers) > 0;
}

/* Where name is, or would have to be inserted. */
static size_t manager_position(const Manager *m, const char *name, bool *ret_found) {
        size_t low = 0, high = m->n_apps;

        *ret_found = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int c = strcmp(name, m->apps[middle]->name);

                if (c == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (c < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return low;
}

App *manager_find(const Manager *m, const char *name) {
        bool found;
        size_t i = manager_position(m, name, &found);

        return found ? m->apps[i] : NULL;
}

static int manager_insert(Manager *m, App *app) {
        App **apps = reallocarray(m->apps, m->n_apps + 1, sizeof(App *));
        bool found;

        if (!apps)
                return -ENOMEM;
        m->apps = apps;
        size_t i = manager_position(m, app->name, &found);
        assert(!found);
        memmove(apps + i + 1, apps + i, (m->n_apps - i) * sizeof(App *));
        apps[i] = app;
        m->n_apps++;
        return 0;
}

/* Reads an app for the first time. -ENOENT: it has neither a spec nor run-time state. */
static int manager_load(Manager *m, const char *name, App **ret) {
        _cleanup_(app_freep) App *app = app_new(name);
        int r, q;

        if (!app)
                return -ENOMEM;
        r = app_read_run(app, m->run_dir, NULL);
        /* A state file that cannot be read is shown as an app that does not run, and is the supervisor's business. */
        if (r == -EBADMSG)
                r = -ENOENT;
        if (r < 0 && r != -ENOENT)
                return r;
        q = app_read_spec(app, m->dirs);
        if (q < 0 && (q != -ENOENT || r == -ENOENT))
                return q;
        r = manager_insert(m, app);
        if (r < 0)
                return r;
        watch_app(m->watch, name); /* none yet where it does not run */
        *ret = TAKE_PTR(app);
        return 0;
}

static int on_unit_states(sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        Manager *m = userdata;
        const char *unit, *active, *sub;
        int r;

        if (sd_bus_message_is_method_error(reply, NULL))
                return 0;
        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        if (r < 0)
                return r;
        while ((r = unit_row_read(reply, &unit, &active, &sub)) > 0)
                for (size_t i = 0; i < m->n_apps; i++)
                        if (streq(m->apps[i]->service, unit))
                                manager_set_unit_state(m, m->apps[i], active, sub);
        return r;
}

/* An app that appears while berthd runs: nobody waits for systemd to say what its service does. */
static int manager_announce(Manager *m, App *app) {
        int r;

        r = sd_bus_call_method_async(m->bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", "ListUnitsByNames", on_unit_states, m, "as", 1, app->service);
        if (r >= 0)
                r = sd_bus_emit_object_added(m->bus, app->path);
        if (r >= 0)
                r = sd_bus_emit_signal(
                        m->bus, BUS_PATH, BUS_MANAGER_INTERFACE, "AppNew", "so", app->name, app->path);
        if (r >= 0)
                r = instance_objects_changed(m, app, &(AppState){ 0 });
        return r;
}

static int manager_remove(Manager *m, App *app) {
        bool found;
        size_t i = manager_position(m, app->name, &found);
        int r;

        assert(found);
        /* It has no instances any more: only what does not run is removed. */
        r = sd_bus_emit_object_removed(m->bus, app->path);
        if (r >= 0)
                r = sd_bus_emit_signal(
                        m->bus, BUS_PATH, BUS_MANAGER_INTERFACE, "AppRemoved", "so", app->name, app->path);
        memmove(m->apps + i, m->apps + i + 1, (m->n_apps - i - 1) * sizeof(App *));
        m->n_apps--;
        app_free(app);
        return r;
}

int manager_get(Manager *m, const char *name, App **ret, sd_bus_error *reterr) {
        int r;

        *ret = manager_find(m, name);
        if (*ret)
                return 0;
        if (!spec_name_valid(name) || str_ends_with(name, "@"))
                return sd_bus_error_setf(reterr, BUS_ERROR_NO_SUCH_APP, "'%s' is not the name of an app", name);
        r = manager_load(m, name, ret);
        if (r == -ENOENT)
                return sd_bus_error_setf(reterr, BUS_ERROR_NO_SUCH_APP, "There is no app '%s'", name);
        return r < 0 ? r : manager_announce(m, *ret);
}

/* 1 when the app is no more. */
static int manager_reread_spec(Manager *m, App *app) {
        _cleanup_(app_freep) App *old = app_new(app->name);
        int r;

        if (!old)
                return -ENOMEM;
        r = app_set(&old->source, app->source);
        if (r >= 0)
                r = app_set(&old->image, app->image);
        if (r >= 0)
                r = app_set(&old->problem, app->problem);
        if (r >= 0 && app->labels)
                r = (old->labels = strv_copy(app->labels)) ? 0 : -ENOMEM;
        if (r >= 0 && app->annotations)
                r = (old->annotations = strv_copy(app->annotations)) ? 0 : -ENOMEM;
        if (r >= 0)
                r = app_read_spec(app, m->dirs);
        if (r == -ENOENT && !app->run.name)
                return 1;
        if (r < 0 && r != -ENOENT)
                return r;
        r = app_object_spec_changed(m, app, old);
        return MIN(r, 0);
}

int manager_rescan(Manager *m) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = app_names(m->dirs, m->run_dir, &names);
        for (size_t i = m->n_apps; r >= 0 && i-- > 0;) {
                r = manager_reread_spec(m, m->apps[i]);
                if (r > 0)
                        r = manager_remove(m, m->apps[i]);
        }
        for (char **name = names; r >= 0 && *name; name++) {
                App *app;

                if (manager_find(m, *name))
                        continue;
                r = manager_load(m, *name, &app);
                if (r >= 0)
                        r = manager_announce(m, app);
                else if (r == -ENOENT) /* gone again */
                        r = 0;
        }
        return r;
}

int manager_refresh(Manager *m, App *app) {
        AppState old;
        int r, q;

        r = app_read_run(app, m->run_dir, &old);
        if (r < 0 && r != -ENOENT)
                return r;
        q = instance_objects_changed(m, app, &old);
        if (q >= 0)
                q = app_object_changed(m, app, &old);
        app_state_clear(&old);
        if (q >= 0 && r == -ENOENT) { /* stopped: the spec counts again */
                q = manager_reread_spec(m, app);
                if (q > 0)
                        q = manager_remove(m, app);
        }
        return q;
}

int manager_set_unit_state(Manager *m, App *app, const char *active, const char *sub) {
        int changed_active = active ? app_set(&app->active_state, active) : 0;
        int changed_sub = sub ? app_set(&app->sub_state, sub) : 0;

        if (changed_active < 0 || changed_sub < 0)
                return -ENOMEM;
        if (!changed_active && !changed_sub)
                return 0;
        return sd_bus_emit_properties_changed(
                m->bus, app->path, BUS_APP_INTERFACE, "ActiveState", "SubState", NULL);
}

int manager_start(Manager *m, sd_bus_error *reterr) {
        _cleanup_strv_ char **names = NULL;
        App *app;
        int r;

        r = watch_new(m, &m->watch, reterr);
        if (r < 0)
                return r;
        r = app_names(m->dirs, m->run_dir, &names);
        for (char **name = names; r >= 0 && *name; name++) {
                r = manager_load(m, *name, &app);
                if (r == -ENOENT)
                        r = 0;
        }
        if (r >= 0)
                r = apps_query(m->bus, m->apps, m->n_apps, reterr);
        if (r >= 0)
                r = manager_object_add(m);
        if (r >= 0)
                r = app_object_add(m);
        if (r >= 0)
                r = instance_object_add(m);
        if (r >= 0)
                r = sd_bus_add_object_manager(m->bus, NULL, BUS_PATH);
        return r;
}
