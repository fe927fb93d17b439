/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/watch.h"
#include "util/paths.h"
#include "util/strv.h"

#define DIRECTORY_CHANGES (IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR)

typedef struct AppWatch {
        char *name;
        sd_event_source *source;
} AppWatch;

struct Watch {
        Manager *m;
        sd_event_source **sources; /* directories of specs, of drop-ins, and run_dir */
        size_t n_sources;
        AppWatch *apps; /* directories below run_dir */
        size_t n_apps;
        sd_event_source *rescan; /* enabled when a rescan is due */
        sd_bus_slot *slot;
};

static void app_watch_drop(Watch *w, size_t i) {
        free(w->apps[i].name);
        sd_event_source_disable_unref(w->apps[i].source);
        w->apps[i] = w->apps[--w->n_apps];
}

Watch *watch_free(Watch *w) {
        if (!w)
                return NULL;
        while (w->n_apps > 0)
                app_watch_drop(w, 0);
        for (size_t i = 0; i < w->n_sources; i++)
                sd_event_source_disable_unref(w->sources[i]);
        free(w->apps);
        free(w->sources);
        sd_event_source_disable_unref(w->rescan);
        sd_bus_slot_unref(w->slot);
        free(w);
        return NULL;
}

static AppWatch *app_watch_find(Watch *w, const char *name) {
        for (size_t i = 0; i < w->n_apps; i++)
                if (streq(w->apps[i].name, name))
                        return w->apps + i;
        return NULL;
}

static int on_state(sd_event_source *s, const struct inotify_event *event, void *userdata) {
        Watch *w = userdata;
        App *app = NULL;

        for (size_t i = 0; i < w->n_apps && !app; i++)
                if (w->apps[i].source == s) {
                        app = manager_find(w->m, w->apps[i].name);
                        if (event->mask & IN_IGNORED) /* the directory is gone */
                                app_watch_drop(w, i);
                }
        if (!app || (event->len > 0 && !streq(event->name, "state")))
                return 0;
        manager_refresh(w->m, app); /* an error leaves what was known; the next change tries again */
        return 0;
}

int watch_app(Watch *w, const char *name) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (app_watch_find(w, name))
                return 0;
        AppWatch *apps = reallocarray(w->apps, w->n_apps + 1, sizeof(AppWatch));
        if (!apps)
                return -ENOMEM;
        w->apps = apps;
        path = str_format("%s/%s", w->m->run_dir, name);
        if (!path)
                return -ENOMEM;
        AppWatch watch = { .name = strdup(name) };
        if (!watch.name)
                return -ENOMEM;
        r = sd_event_add_inotify(w->m->event, &watch.source, path, IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR,
                on_state, w);
        if (r < 0) {
                free(watch.name);
                return r == -ENOENT ? 0 : r;
        }
        w->apps[w->n_apps++] = watch;
        return 1;
}

/* Below run_dir: an app's directory appears when it starts, and what it holds by then was missed. */
static int on_run_dir(sd_event_source *s, const struct inotify_event *event, void *userdata) {
        Watch *w = userdata;
        App *app;

        if (event->len == 0 || !(event->mask & (IN_CREATE | IN_MOVED_TO)))
                return 0;
        app = manager_find(w->m, event->name);
        if (!app)
                return sd_event_source_set_enabled(w->rescan, SD_EVENT_ONESHOT);
        if (watch_app(w, event->name) > 0)
                manager_refresh(w->m, app);
        return 0;
}

static int watch_directory(Watch *w, const char *path, sd_event_inotify_handler_t handler) {
        sd_event_source **sources = reallocarray(w->sources, w->n_sources + 1, sizeof(sd_event_source *));
        int r;

        if (!sources)
                return -ENOMEM;
        w->sources = sources;
        r = sd_event_add_inotify(w->m->event, w->sources + w->n_sources, path, DIRECTORY_CHANGES, handler, w);
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR ? 0 : r;
        w->n_sources++;
        return 1;
}

static int on_specs(sd_event_source *s, const struct inotify_event *event, void *userdata) {
        Watch *w = userdata;

        /* Many files change together: one look at all of them, after the last event that is there now. */
        return sd_event_source_set_enabled(w->rescan, SD_EVENT_ONESHOT);
}

static int on_rescan(sd_event_source *s, void *userdata) {
        Watch *w = userdata;

        manager_rescan(w->m);
        return 0;
}

static int watch_specs(Watch *w) {
        _cleanup_free_ char *dirs = strdup(w->m->dirs);
        char *state;
        int r = 0;

        if (!dirs)
                return -ENOMEM;
        for (char *dir = strtok_r(dirs, ":", &state); r >= 0 && dir; dir = strtok_r(NULL, ":", &state))
                r = watch_directory(w, dir, on_specs);
        return r;
}

static int on_unit_changed(sd_bus_message *signal, void *userdata, sd_bus_error *reterr) {
        _cleanup_free_ char *unit = NULL;
        const char *interface, *property, *active = NULL, *sub = NULL;
        Watch *w = userdata;
        int r;

        r = sd_bus_path_decode(sd_bus_message_get_path(signal), "/org/freedesktop/systemd1/unit", &unit);
        if (r <= 0 || !str_ends_with(unit, ".service"))
                return r;
        r = sd_bus_message_read(signal, "s", &interface);
        if (r >= 0)
                r = sd_bus_message_enter_container(signal, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(signal, 'e', "sv")) > 0) {
                r = sd_bus_message_read(signal, "s", &property);
                if (r < 0)
                        return r;
                if (streq(property, "ActiveState"))
                        r = sd_bus_message_read(signal, "v", "s", &active);
                else if (streq(property, "SubState"))
                        r = sd_bus_message_read(signal, "v", "s", &sub);
                else
                        r = sd_bus_message_skip(signal, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(signal);
        }
        if (r < 0)
                return r;
        for (size_t i = 0; i < w->m->n_apps; i++)
                if (streq(w->m->apps[i]->service, unit))
                        manager_set_unit_state(w->m, w->m->apps[i], active, sub);
        return 0;
}

static int watch_systemd(Watch *w, sd_bus_error *reterr) {
        int r;

        r = sd_bus_add_match(w->m->bus, &w->slot,
                "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.DBus.Properties',"
                "member='PropertiesChanged',path_namespace='/org/freedesktop/systemd1/unit',"
                "arg0='org.freedesktop.systemd1.Unit'",
                on_unit_changed, w);
        return r < 0 ? r : sd_bus_call_method(w->m->bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                   "org.freedesktop.systemd1.Manager", "Subscribe", reterr, NULL, NULL);
}

int watch_new(Manager *m, Watch **ret, sd_bus_error *reterr) {
        Watch *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        w->m = m;
        r = watch_systemd(w, reterr);
        if (r >= 0)
                r = watch_directory(w, m->run_dir, on_run_dir);
        if (r >= 0)
                r = watch_specs(w);
        if (r >= 0)
                r = sd_event_add_defer(m->event, &w->rescan, on_rescan, w);
        if (r >= 0)
                r = sd_event_source_set_priority(w->rescan, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->rescan, SD_EVENT_OFF);
        if (r < 0) {
                watch_free(w);
                return r;
        }
        *ret = w;
        return 0;
}
