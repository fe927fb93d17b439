/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "deploy/app.h"
#include "spec/spec.h"
#include "util/fd.h"
#include "util/strv.h"

App *app_new(const char *name) {
        _cleanup_(app_freep) App *app = calloc(1, sizeof(*app));

        if (!app)
                return NULL;
        app->name = strdup(name);
        app->source = strdup("");
        app->image = strdup("");
        app->problem = strdup("");
        app->active_state = strdup("inactive");
        app->sub_state = strdup("dead");
        app->service = str_format("%s.service", name);
        if (!app->name || !app->source || !app->image || !app->problem || !app->active_state || !app->sub_state ||
                !app->service || sd_bus_path_encode("/org/berth1/app", name, &app->path) < 0)
                return NULL;
        return TAKE_PTR(app);
}

App *app_free(App *app) {
        if (!app)
                return NULL;
        free(app->name);
        free(app->service);
        free(app->source);
        free(app->image);
        strv_free(app->labels);
        strv_free(app->annotations);
        free(app->problem);
        free(app->active_state);
        free(app->sub_state);
        free(app->path);
        app_state_clear(&app->run);
        free(app);
        return NULL;
}

int app_set(char **field, const char *value) {
        if (streq_ptr(*field, value))
                return 0;
        char *copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*field);
        *field = copy;
        return 1;
}

static int set_problem(App *app, const SpecDiags *diags) {
        for (size_t i = 0; i < diags->n; i++)
                if (diags->items[i].severity == SPEC_ERROR) {
                        _cleanup_free_ char *text = spec_diag_format(diags->items + i, /* whole_path= */ false);

                        return text ? app_set(&app->problem, text) : -ENOMEM;
                }
        return app_set(&app->problem, "the spec is bad");
}

/* The image of the first process stands for the app's: almost always all processes have the same. */
static const char *spec_image(const Spec *spec) {
        const SpecProcess *p = spec->processes;

        return p->image.value ? p->image.value : p->rootfs.value ? p->rootfs.value : "";
}

static int set_pairs(char ***field, const SpecPair *pairs, size_t n) {
        _cleanup_strv_ char **lines = NULL;
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = spec_env_set(&lines, pairs[i].name, pairs[i].value);
        if (r < 0)
                return r;
        strv_free(*field);
        *field = TAKE_PTR(lines);
        return 0;
}

int app_read_spec(App *app, const char *dirs) {
        _cleanup_(spec_freep) Spec *spec = NULL;
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_free_ char *service = NULL;
        int r, q;

        r = spec_read(app->name, dirs, 0, &diags, &spec);
        if (r == -ENOENT || r == -ERFKILL) {
                q = app_set(&app->source, "");
                return q < 0 ? q : -ENOENT;
        }
        q = r < 0 ? set_problem(app, &diags) : app_set(&app->problem, "");
        if (q >= 0 && spec)
                q = app_set(&app->source, spec->path);
        if (q >= 0 && spec)
                q = set_pairs(&app->labels, spec->processes->labels.items, spec->processes->labels.n);
        if (q >= 0 && spec)
                q = set_pairs(&app->annotations, spec->processes->annotations.items, spec->processes->annotations.n);
        if (q < 0 || !spec || app->run.name)
                return MIN(q, 0);
        service = str_format("%s.service", spec->service);
        if (!service)
                return -ENOMEM;
        q = app_set(&app->service, service);
        if (q >= 0)
                q = app_set(&app->image, spec_image(spec));
        return MIN(q, 0);
}

bool app_is_up(const App *app) {
        return streq(app->active_state, "active") || streq(app->active_state, "activating") || streq(app->active_state, "reloading");
}

int app_read_run(App *app, const char *run_dir, AppState *ret_old) {
        AppState now = { 0 }, old;
        int r, q = 0;

        r = app_state_read(run_dir, app->name, &now);
        if (r < 0 && r != -ENOENT)
                return r;
        old = app->run;
        app->run = now;
        if (r == 0) {
                q = app_set(&app->service, now.service);
                if (q >= 0)
                        q = app_set(&app->image, now.image);
        }
        if (ret_old)
                *ret_old = old;
        else
                app_state_clear(&old);
        return q < 0 ? q : r;
}

/* Adds the directories of run_dir that are not among the first n names. */
static int add_running(char ***names, size_t n, const char *run_dir) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(AT_FDCWD, run_dir, &d);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (struct dirent *entry; r >= 0 && (entry = readdir(d));) {
                const char *name = entry->d_name;

                if (!spec_name_valid(name))
                        continue;
                if (strv_sorted_contains(*names, n, name))
                        continue;
                r = strv_append(names, name);
        }
        return r;
}

int app_names(const char *dirs, const char *run_dir, char ***ret) {
        _cleanup_strv_ char **specs = NULL, **names = NULL;
        int r;

        r = spec_list(dirs, &specs);
        for (size_t i = 0; r >= 0 && specs && specs[i]; i++)
                if (!str_ends_with(specs[i], "@"))
                        r = strv_append(&names, specs[i]);
        if (r >= 0)
                r = add_running(&names, strv_length(names), run_dir);
        if (r >= 0 && !names) /* an empty array, not NULL */
                r = (names = strv_copy(NULL)) ? 0 : -ENOMEM;
        if (r < 0)
                return r;
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

int unit_row_read(sd_bus_message *reply, const char **ret_unit, const char **ret_active, const char **ret_sub) {
        return sd_bus_message_read(
                reply, "(ssssssouso)", ret_unit, NULL, NULL, ret_active, ret_sub, NULL, NULL, NULL, NULL, NULL);
}

/* The answer comes in an order of systemd's own. */
static int take_unit_rows(sd_bus_message *reply, App *const *apps, size_t n) {
        const char *unit, *active, *sub;
        int r;

        while ((r = unit_row_read(reply, &unit, &active, &sub)) > 0)
                for (size_t i = 0; r >= 0 && i < n; i++) {
                        if (!streq(apps[i]->service, unit))
                                continue;
                        r = app_set(&apps[i]->active_state, active);
                        if (r >= 0)
                                r = app_set(&apps[i]->sub_state, sub);
                        if (r < 0)
                                return r;
                }
        return r;
}

int apps_query(sd_bus *bus, App *const *apps, size_t n, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &call, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", "ListUnitsByNames");
        if (r >= 0)
                r = sd_bus_message_open_container(call, 'a', "s");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = sd_bus_message_append(call, "s", apps[i]->service);
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        if (r >= 0)
                r = sd_bus_call(bus, call, 0, reterr, &reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        return r < 0 ? r : take_unit_rows(reply, apps, n);
}
