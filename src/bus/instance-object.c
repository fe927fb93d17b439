/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/objects.h"
#include "bus/property.h"
#include "bus/request.h"

/* Name, Process, Index and Scope cannot change while there is an object of that name but for a new release. */
static const Property instance_properties[] = {
        { "State",         'i', offsetof(InstanceStatus, state)          },
        { "Leader",        'u', offsetof(InstanceStatus, pid)            },
        { "Scope",         's', offsetof(InstanceStatus, scope)          },
        { "ContainerName", 's', offsetof(InstanceStatus, container_name) },
        { "Release",       'u', offsetof(InstanceStatus, release)        },
        { "Restarts",      'u', offsetof(InstanceStatus, restarts)       },
        { "Since",         't', offsetof(InstanceStatus, since_usec)     },
        { "ExitCode",      'i', offsetof(InstanceStatus, exit_code)      },
        { "ExitStatus",    'i', offsetof(InstanceStatus, exit_status)    },
        { "Network",       's', offsetof(InstanceStatus, network)        },
        { "Addresses",     's', offsetof(InstanceStatus, addresses)      },
        { "Ports",         's', offsetof(InstanceStatus, ports)          },
        { "Health",        's', offsetof(InstanceStatus, health)         },
        { "HealthAnswer",  's', offsetof(InstanceStatus, answer)         },
        { "Message",       's', offsetof(InstanceStatus, message)        },
};

int instance_path(const App *app, const char *instance, char **ret) {
        return sd_bus_path_encode(app->path, instance, ret);
}

static const InstanceStatus *find(const Manager *m, const char *path, App **ret_app) {
        _cleanup_free_ char *app_name = NULL, *name = NULL;

        if (sd_bus_path_decode_many(path, BUS_APP_PREFIX "/%/%", &app_name, &name) <= 0)
                return NULL;
        *ret_app = manager_find(m, app_name);
        return *ret_app ? app_state_instance(&(*ret_app)->run, name) : NULL;
}

static int instance_find(
        sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret, sd_bus_error *reterr) {
        App *app;

        *ret = (void *) find(userdata, path, &app);
        return *ret != NULL;
}

static int get_app(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
        void *userdata, sd_bus_error *reterr) {
        Manager *m = sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
        App *app = NULL;

        find(m, path, &app);
        return sd_bus_message_append(reply, "o", app ? app->path : BUS_PATH);
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        const InstanceStatus *i = userdata;

        return sd_bus_message_append(reply, "s", instance_state_to_string(i->state));
}

static int method_kill(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        Manager *m = sd_bus_slot_get_userdata(sd_bus_get_current_slot(sd_bus_message_get_bus(call)));
        const InstanceStatus *i = userdata;
        App *app = NULL;
        int32_t signal;
        int r;

        r = sd_bus_message_read(call, "i", &signal);
        if (r < 0)
                return r;
        find(m, sd_bus_message_get_path(call), &app);
        return request_begin(m, call, VERB_KILL, app->name, i->name, signal, reterr);
}

#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable instance_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Name",          "s", NULL, offsetof(InstanceStatus, name), CONST),
        SD_BUS_PROPERTY("App",           "o", get_app, 0, CONST),
        SD_BUS_PROPERTY("Process",       "s", NULL, offsetof(InstanceStatus, process), CONST),
        SD_BUS_PROPERTY("Index",         "u", NULL, offsetof(InstanceStatus, index), CONST),
        SD_BUS_PROPERTY("State",         "s", get_state, 0, CHANGES),
        SD_BUS_PROPERTY("Leader",        "u", NULL, offsetof(InstanceStatus, pid), CHANGES),
        SD_BUS_PROPERTY("Scope",         "s", NULL, offsetof(InstanceStatus, scope), CHANGES),
        SD_BUS_PROPERTY("ContainerName", "s", NULL, offsetof(InstanceStatus, container_name), CHANGES),
        SD_BUS_PROPERTY("Release",       "u", NULL, offsetof(InstanceStatus, release), CHANGES),
        SD_BUS_PROPERTY("Restarts",      "u", NULL, offsetof(InstanceStatus, restarts), CHANGES),
        SD_BUS_PROPERTY("Since",         "t", NULL, offsetof(InstanceStatus, since_usec), CHANGES),
        SD_BUS_PROPERTY("ExitCode",      "i", NULL, offsetof(InstanceStatus, exit_code), CHANGES),
        SD_BUS_PROPERTY("ExitStatus",    "i", NULL, offsetof(InstanceStatus, exit_status), CHANGES),
        SD_BUS_PROPERTY("Network",       "s", NULL, offsetof(InstanceStatus, network), CHANGES),
        SD_BUS_PROPERTY("Addresses",     "s", NULL, offsetof(InstanceStatus, addresses), CHANGES),
        SD_BUS_PROPERTY("Ports",         "s", NULL, offsetof(InstanceStatus, ports), CHANGES),
        SD_BUS_PROPERTY("Health",        "s", NULL, offsetof(InstanceStatus, health), CHANGES),
        SD_BUS_PROPERTY("HealthAnswer",  "s", NULL, offsetof(InstanceStatus, answer), CHANGES),
        SD_BUS_PROPERTY("Message",       "s", NULL, offsetof(InstanceStatus, message), CHANGES),
        SD_BUS_METHOD_WITH_ARGS(
                "Kill", SD_BUS_ARGS("i", signal), SD_BUS_NO_RESULT, method_kill, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int instance_object_add(Manager *m) {
        return sd_bus_add_fallback_vtable(
                m->bus, NULL, BUS_APP_PREFIX, BUS_INSTANCE_INTERFACE, instance_vtable, instance_find, m);
}

/* sd-bus asks for an object's interfaces while it says that it is gone: the old state stands in until that is sent. */
static int instances_removed(Manager *m, App *app, const AppState *old) {
        AppState now = app->run;
        int r = 0;

        app->run = *old;
        for (size_t i = 0; r >= 0 && i < old->n_instances; i++) {
                _cleanup_free_ char *path = NULL;

                if (app_state_instance(&now, old->instances[i].name))
                        continue;
                r = instance_path(app, old->instances[i].name, &path);
                if (r >= 0)
                        r = sd_bus_emit_object_removed(m->bus, path);
        }
        app->run = now;
        return r;
}

int instance_objects_changed(Manager *m, App *app, const AppState *old) {
        int r = instances_removed(m, app, old);

        for (size_t i = 0; r >= 0 && i < app->run.n_instances; i++) {
                const InstanceStatus *now = app->run.instances + i, *before = app_state_instance(old, now->name);
                _cleanup_free_ char *path = NULL;

                r = instance_path(app, now->name, &path);
                if (r < 0)
                        return r;
                r = before ? properties_emit_changed(m->bus, path, BUS_INSTANCE_INTERFACE, instance_properties,
                                     ELEMENTSOF(instance_properties), before, now, NULL) :
                             sd_bus_emit_object_added(m->bus, path);
        }
        return r;
}
