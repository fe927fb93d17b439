/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/objects.h"
#include "bus/property.h"
#include "bus/request.h"
#include "util/strv.h"

/* Rows of App itself, and of App.run, which is replaced as a whole. */
static const Property spec_properties[] = {
        { "SourcePath", 's', offsetof(App, source)  },
        { "Image",      's', offsetof(App, image)   },
        { "Problem",    's', offsetof(App, problem) },
};

static const Property run_properties[] = {
        { "Image",   's', offsetof(AppState, image)      },
        { "ImageID", 's', offsetof(AppState, image_id)   },
        { "Release", 'u', offsetof(AppState, release)    },
        { "Status",  's', offsetof(AppState, status)     },
        { "Since",   't', offsetof(AppState, since_usec) },
};

static int app_find(
        sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret, sd_bus_error *reterr) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = sd_bus_path_decode(path, BUS_APP_PREFIX, &name);
        if (r <= 0)
                return r;
        *ret = manager_find(userdata, name);
        return *ret != NULL;
}

static int app_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *reterr) {
        Manager *m = userdata;
        size_t n = 0, k = 0;

        for (size_t i = 0; i < m->n_apps; i++)
                n += 1 + m->apps[i]->run.n_instances;
        char **paths = calloc(n + 1, sizeof(char *)); /* sd-bus frees it */
        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_apps; i++) {
                const App *app = m->apps[i];

                paths[k] = strdup(app->path);
                bool ok = paths[k++] != NULL;
                for (size_t j = 0; ok && j < app->run.n_instances; j++)
                        ok = instance_path(app, app->run.instances[j].name, &paths[k++]) >= 0;
                if (!ok) {
                        for (size_t j = 0; j < k; j++)
                                free(paths[j]);
                        free(paths);
                        return -ENOMEM;
                }
        }
        *ret = paths;
        return 0;
}

static int get_instances(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        const App *app = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(so)");
        for (size_t i = 0; r >= 0 && i < app->run.n_instances; i++) {
                _cleanup_free_ char *instance = NULL;

                r = instance_path(app, app->run.instances[i].name, &instance);
                if (r >= 0)
                        r = sd_bus_message_append(reply, "(so)", app->run.instances[i].name, instance);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_pairs(sd_bus_message *reply, char *const *lines) {
        int r = sd_bus_message_open_container(reply, 'a', "{ss}");

        for (; r >= 0 && lines && *lines; lines++) {
                const char *equals = strchr(*lines, '=');
                _cleanup_free_ char *name = strndup(*lines, (size_t) (equals - *lines));

                r = name ? sd_bus_message_append(reply, "{ss}", name, equals + 1) : -ENOMEM;
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_labels(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply, void *userdata,
        sd_bus_error *reterr) {
        const App *app = userdata;

        return append_pairs(reply, app->labels);
}

static int get_annotations(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply, void *userdata,
        sd_bus_error *reterr) {
        const App *app = userdata;

        return append_pairs(reply, app->annotations);
}

/* Methods find their Manager through the slot: userdata is the App. */
static int begin(sd_bus_message *call, App *app, Verb verb, const char *instance, int signal, sd_bus_error *reterr) {
        Manager *m = sd_bus_slot_get_userdata(sd_bus_get_current_slot(sd_bus_message_get_bus(call)));

        return request_begin(m, call, verb, app->name, instance, signal, reterr);
}

static int method_start(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_START, "", 0, reterr);
}

static int method_stop(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_STOP, "", 0, reterr);
}

static int method_restart(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_RESTART, "", 0, reterr);
}

static int method_reload(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_RELOAD, "", 0, reterr);
}

static int method_kill(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        const char *instance;
        int32_t signal;
        int r;

        r = sd_bus_message_read(call, "si", &instance, &signal);
        return r < 0 ? r : begin(call, userdata, VERB_KILL, instance, signal, reterr);
}

static int method_scale(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_SCALE, "", 0, reterr);
}

static int method_limit(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_LIMIT, "", 0, reterr);
}

static int method_limit_slice(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_LIMIT_SLICE, "", 0, reterr);
}

static int method_rollback(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return begin(call, userdata, VERB_ROLLBACK, "", 0, reterr);
}

static int method_list_releases(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return releases_reply(call, userdata);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define ANYBODY SD_BUS_VTABLE_UNPRIVILEGED /* polkit decides, in request.c */

static const sd_bus_vtable app_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Name",        "s", NULL, offsetof(App, name), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Service",     "s", NULL, offsetof(App, service), 0),
        SD_BUS_PROPERTY("SourcePath",  "s", NULL, offsetof(App, source), CHANGES),
        SD_BUS_PROPERTY("Problem",     "s", NULL, offsetof(App, problem), CHANGES),
        SD_BUS_PROPERTY("ActiveState", "s", NULL, offsetof(App, active_state), CHANGES),
        SD_BUS_PROPERTY("SubState",    "s", NULL, offsetof(App, sub_state), CHANGES),
        SD_BUS_PROPERTY("Status",      "s", NULL, offsetof(App, run.status), CHANGES),
        SD_BUS_PROPERTY("Image",       "s", NULL, offsetof(App, image), CHANGES),
        SD_BUS_PROPERTY("ImageID",     "s", NULL, offsetof(App, run.image_id), CHANGES),
        SD_BUS_PROPERTY("Release",     "u", NULL, offsetof(App, run.release), CHANGES),
        SD_BUS_PROPERTY("Since",       "t", NULL, offsetof(App, run.since_usec), CHANGES),
        SD_BUS_PROPERTY("Instances",   "a(so)", get_instances, 0, CHANGES),
        SD_BUS_PROPERTY("Labels",      "a{ss}", get_labels, 0, CHANGES),
        SD_BUS_PROPERTY("Annotations", "a{ss}", get_annotations, 0, CHANGES),
        SD_BUS_METHOD_WITH_ARGS("Start",   SD_BUS_NO_ARGS, SD_BUS_RESULT("o", job), method_start, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Stop",    SD_BUS_NO_ARGS, SD_BUS_RESULT("o", job), method_stop, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Restart", SD_BUS_NO_ARGS, SD_BUS_RESULT("o", job), method_restart, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Reload",  SD_BUS_NO_ARGS, SD_BUS_RESULT("o", job), method_reload, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Scale", SD_BUS_ARGS("as", instances), SD_BUS_RESULT("o", job), method_scale, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Limit", SD_BUS_ARGS("s", process, "as", limits), SD_BUS_RESULT("o", job), method_limit, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("LimitSlice", SD_BUS_ARGS("as", limits), SD_BUS_NO_RESULT, method_limit_slice, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Rollback", SD_BUS_ARGS("s", release), SD_BUS_RESULT("o", job), method_rollback, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("ListReleases", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(uutssssss)", releases), method_list_releases, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS(
                "Kill", SD_BUS_ARGS("s", instance, "i", signal), SD_BUS_NO_RESULT, method_kill, ANYBODY),
        SD_BUS_VTABLE_END,
};

int app_object_add(Manager *m) {
        int r;

        r = sd_bus_add_fallback_vtable(m->bus, NULL, BUS_APP_PREFIX, BUS_APP_INTERFACE, app_vtable, app_find, m);
        return r < 0 ? r : sd_bus_add_node_enumerator(m->bus, NULL, BUS_APP_PREFIX, app_enumerate, m);
}

static bool same_instances(const AppState *a, const AppState *b) {
        if (a->n_instances != b->n_instances)
                return false;
        for (size_t i = 0; i < a->n_instances; i++)
                if (!streq(a->instances[i].name, b->instances[i].name))
                        return false;
        return true;
}

int app_object_changed(Manager *m, const App *app, const AppState *old) {
        return properties_emit_changed(m->bus, app->path, BUS_APP_INTERFACE, run_properties,
                ELEMENTSOF(run_properties), old, &app->run, same_instances(old, &app->run) ? NULL : "Instances");
}

int app_object_spec_changed(Manager *m, const App *app, const App *old) {
        bool labels = !strv_equal(app->labels, old->labels), annotations = !strv_equal(app->annotations, old->annotations);
        int r;

        r = properties_emit_changed(m->bus, app->path, BUS_APP_INTERFACE, spec_properties, ELEMENTSOF(spec_properties), old, app,
                labels ? "Labels" : NULL);
        return r < 0 || !annotations ? r : properties_emit_changed(m->bus, app->path, BUS_APP_INTERFACE, NULL, 0, old, app, "Annotations");
}
