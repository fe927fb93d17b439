/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "run/fields.h"
#include "run/state.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

static const char *const state_names[_INSTANCE_STATE_MAX] = {
        [INSTANCE_IDLE] = "idle",         [INSTANCE_SPAWNING] = "spawning", [INSTANCE_SCOPING] = "scoping",
        [INSTANCE_EXECING] = "execing",   [INSTANCE_STARTING] = "starting", [INSTANCE_READY] = "ready",
        [INSTANCE_STOPPING] = "stopping", [INSTANCE_KILLING] = "killing",   [INSTANCE_REAPING] = "reaping",
        [INSTANCE_BACKOFF] = "backoff",   [INSTANCE_EXITED] = "exited",     [INSTANCE_FAILED] = "failed",
};

const char *instance_state_to_string(InstanceState s) {
        return s >= 0 && s < _INSTANCE_STATE_MAX ? state_names[s] : NULL;
}

InstanceState instance_state_from_string(const char *s) {
        for (InstanceState i = 0; i < _INSTANCE_STATE_MAX; i++)
                if (streq(s, state_names[i]))
                        return i;
        return _INSTANCE_STATE_INVALID;
}

static const Field app_fields[] = {
        { "name",     FIELD_STRING,   offsetof(AppState, name)       },
        { "service",  FIELD_STRING,   offsetof(AppState, service)    },
        { "source",   FIELD_STRING,   offsetof(AppState, source)     },
        { "image",    FIELD_STRING,   offsetof(AppState, image)      },
        { "image-id", FIELD_STRING,   offsetof(AppState, image_id)   },
        { "status",   FIELD_STRING,   offsetof(AppState, status)     },
        { "release",  FIELD_UNSIGNED, offsetof(AppState, release)    },
        { "stable",   FIELD_UNSIGNED, offsetof(AppState, stable)     },
        { "changing", FIELD_UNSIGNED, offsetof(AppState, changing)   },
        { "since",    FIELD_U64,      offsetof(AppState, since_usec) },
};

static const Field instance_fields[] = {
        { "instance",       FIELD_STRING,   offsetof(InstanceStatus, name)           }, /* begins the block */
        { "key",            FIELD_STRING,   offsetof(InstanceStatus, key)            },
        { "process",        FIELD_STRING,   offsetof(InstanceStatus, process)        },
        { "index",          FIELD_UNSIGNED, offsetof(InstanceStatus, index)          },
        { "state",          FIELD_STATE,    offsetof(InstanceStatus, state)          },
        { "pid",            FIELD_INT,      offsetof(InstanceStatus, pid)            },
        { "scope",          FIELD_STRING,   offsetof(InstanceStatus, scope)          },
        { "container-name", FIELD_STRING,   offsetof(InstanceStatus, container_name) },
        { "release",        FIELD_UNSIGNED, offsetof(InstanceStatus, release)        },
        { "was-ready",      FIELD_UNSIGNED, offsetof(InstanceStatus, was_ready)      },
        { "stopping",       FIELD_UNSIGNED, offsetof(InstanceStatus, stopping)       },
        { "restarts",       FIELD_UNSIGNED, offsetof(InstanceStatus, restarts)       },
        { "since",          FIELD_U64,      offsetof(InstanceStatus, since_usec)     },
        { "exit-code",      FIELD_INT,      offsetof(InstanceStatus, exit_code)      },
        { "exit-status",    FIELD_INT,      offsetof(InstanceStatus, exit_status)    },
        { "network",        FIELD_STRING,   offsetof(InstanceStatus, network)        },
        { "addresses",      FIELD_STRING,   offsetof(InstanceStatus, addresses)      },
        { "ports",          FIELD_STRING,   offsetof(InstanceStatus, ports)          },
        { "health",         FIELD_STRING,   offsetof(InstanceStatus, health)         },
        { "answer",         FIELD_STRING,   offsetof(InstanceStatus, answer)         },
        { "message",        FIELD_STRING,   offsetof(InstanceStatus, message)        },
};

void app_state_clear(AppState *s) {
        for (size_t i = 0; i < s->n_instances; i++)
                fields_clear(&s->instances[i], instance_fields, ELEMENTSOF(instance_fields));
        free(s->instances);
        fields_clear(s, app_fields, ELEMENTSOF(app_fields));
        *s = (AppState){ 0 };
}

static int line_set(AppState *s, const char *key, const char *value) {
        const Field *fields = s->n_instances > 0 ? instance_fields : app_fields;
        size_t n = s->n_instances > 0 ? ELEMENTSOF(instance_fields) : ELEMENTSOF(app_fields);
        void *object = s;

        if (streq(key, instance_fields[0].key)) {
                InstanceStatus *p = reallocarray(s->instances, s->n_instances + 1, sizeof(*p));

                if (!p)
                        return -ENOMEM;
                s->instances = p;
                p[s->n_instances++] = (InstanceStatus){ 0 };
                fields = instance_fields;
                n = ELEMENTSOF(instance_fields);
        }
        if (s->n_instances > 0)
                object = &s->instances[s->n_instances - 1];
        return fields_set(object, fields, n, key, value);
}

int app_state_read(const char *dir, const char *name, AppState *ret) {
        _cleanup_(app_state_clear) AppState s = { 0 };
        _cleanup_free_ char *path = NULL, *text = NULL;
        char *key, *value, *rest;
        int r;

        path = str_format("%s/%s/state", dir, name);
        if (!path)
                return -ENOMEM;
        r = read_file(AT_FDCWD, path, STATE_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        rest = text;
        while ((r = fields_line(&rest, &key, &value)) > 0) {
                r = line_set(&s, key, value);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = fields_complete(&s, app_fields, ELEMENTSOF(app_fields));
        for (size_t i = 0; i < s.n_instances && r >= 0; i++)
                r = fields_complete(&s.instances[i], instance_fields, ELEMENTSOF(instance_fields));
        if (r < 0)
                return r;
        *ret = s;
        s = (AppState){ 0 };
        return 0;
}

int app_state_write(const char *dir, const AppState *s) {
        _cleanup_free_ char *path = NULL;
        _cleanup_buf_ Buf b = BUF_INIT;
        int r;

        path = str_format("%s/%s/state", dir, s->name);
        if (!path)
                return -ENOMEM;
        r = fields_put(&b, s, app_fields, ELEMENTSOF(app_fields));
        for (size_t k = 0; k < s->n_instances && r >= 0; k++)
                r = fields_put(&b, &s->instances[k], instance_fields, ELEMENTSOF(instance_fields));
        return r < 0 ? r : write_file(AT_FDCWD, path, b.data, b.size, 0644, false);
}

const InstanceStatus *app_state_instance(const AppState *s, const char *name) {
        for (size_t i = 0; i < s->n_instances; i++)
                if (streq(s->instances[i].name, name))
                        return &s->instances[i];
        return NULL;
}
