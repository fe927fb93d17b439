/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bus/change.h"
#include "bus/objects.h"
#include "bus/polkit.h"
#include "bus/request.h"
#include "run/request.h"
#include "util/fd.h"
#include "util/strv.h"

#define CGROUP_FILE_MAX (64U * 1024)

struct Call {
        Call *next, *previous;
        Manager *m;
        sd_bus_message *call;
        sd_bus_slot *slot; /* what it waits for */
        Verb verb;
        char *app;
        char *instance;
        int signal;
        Change *change;
        char *job;             /* of a change, until it is done */
        sd_bus_slot *removed;  /* and who tells */
};

static const struct {
        const char *name;   /* for polkit's rules */
        const char *method; /* of systemd's Manager */
        ChangeKind change;
} verbs[_VERB_MAX] = {
        [VERB_START]       = { "start",    "StartUnit",   CHANGE_NONE     },
        [VERB_STOP]        = { "stop",     "StopUnit",    CHANGE_NONE     },
        [VERB_RESTART]     = { "restart",  "RestartUnit", CHANGE_NONE     },
        [VERB_RELOAD]      = { "reload",   "ReloadUnit",  CHANGE_NONE     },
        [VERB_KILL]        = { "kill",     NULL,          CHANGE_NONE     },
        [VERB_SCALE]       = { "scale",    "ReloadUnit",  CHANGE_SCALE    },
        [VERB_LIMIT]       = { "limit",    "ReloadUnit",  CHANGE_LIMITS   },
        [VERB_LIMIT_SLICE] = { "limit",    NULL,          CHANGE_SLICE    },
        [VERB_ROLLBACK]    = { "rollback", "ReloadUnit",  CHANGE_ROLLBACK },
};

#define NO_JOB "/" /* where the app does not run */

static Call *request_free(Call *q) {
        if (!q)
                return NULL;
        if (q->previous)
                q->previous->next = q->next;
        else if (q->m && q->m->requests == q)
                q->m->requests = q->next;
        if (q->next)
                q->next->previous = q->previous;
        sd_bus_slot_unref(q->slot);
        sd_bus_slot_unref(q->removed);
        sd_bus_message_unref(q->call);
        change_free(q->change);
        free(q->job);
        free(q->app);
        free(q->instance);
        free(q);
        return NULL;
}
DEFINE_CLEANUP(Call *, request_free);

void requests_free(Manager *m) {
        while (m->requests)
                request_free(m->requests);
}

static int request_new(Manager *m, sd_bus_message *call, Verb verb, const char *app, const char *instance, int signal,
        Call **ret) {
        _cleanup_(request_freep) Call *q = calloc(1, sizeof(*q));

        if (!q)
                return -ENOMEM;
        q->call = sd_bus_message_ref(call);
        q->verb = verb;
        q->signal = signal;
        q->app = strdup(app);
        q->instance = strdup(instance);
        if (!q->app || !q->instance)
                return -ENOMEM;
        q->m = m;
        q->next = m->requests;
        if (q->next)
                q->next->previous = q;
        m->requests = q;
        *ret = TAKE_PTR(q);
        return 0;
}

/* Sends a signal to an instance's process 1. The state file may be older than the process that now has its number, so the scope
 * decides; the pidfd keeps that decision true. */
static int instance_kill(const InstanceStatus *i, int signal, sd_bus_error *reterr) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (i->pid <= 0)
                return sd_bus_error_setf(reterr, BUS_ERROR_NOT_RUNNING, "Instance '%s' is not running", i->name);
        fd = (int) syscall(SYS_pidfd_open, i->pid, 0);
        if (fd < 0)
                return errno == ESRCH ? sd_bus_error_setf(reterr, BUS_ERROR_NOT_RUNNING,
                                                "Instance '%s' is not running", i->name) :
                                        -errno;
        path = str_format("/proc/%d/cgroup", (int) i->pid);
        if (!path)
                return -ENOMEM;
        r = read_file(AT_FDCWD, path, CGROUP_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;
        if (!i->scope || !*i->scope || !strstr(text, i->scope))
                return sd_bus_error_setf(reterr, BUS_ERROR_NOT_RUNNING, "Instance '%s' is not running", i->name);
        return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0 ? -errno : 0;
}

static int app_kill(const App *app, const char *instance, int signal, sd_bus_error *reterr) {
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < app->run.n_instances; i++) {
                const InstanceStatus *status = app->run.instances + i;

                if (*instance ? !streq(status->name, instance) : status->pid <= 0)
                        continue;
                r = instance_kill(status, signal, reterr);
                n++;
        }
        if (r < 0 || n > 0)
                return r;
        if (*instance)
                return sd_bus_error_setf(reterr, BUS_ERROR_NO_SUCH_INSTANCE, "App '%s' has no instance '%s'",
                        app->name, instance);
        return sd_bus_error_setf(reterr, BUS_ERROR_NOT_RUNNING, "App '%s' is not running", app->name);
}

static int request_fail(Call *q, int r, const sd_bus_error *error) {
        if (q->change)
                change_undo(q->change);
        if (error && sd_bus_error_is_set(error))
                sd_bus_reply_method_error(q->call, error);
        else
                sd_bus_reply_method_errno(q->call, r, NULL);
        request_free(q);
        return 0;
}

static int on_job(sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Call *q = userdata;
        const char *job;
        int r;

        if (sd_bus_message_is_method_error(reply, "org.freedesktop.systemd1.NoSuchUnit")) {
                r = sd_bus_error_setf(&error, BUS_ERROR_NO_SUCH_UNIT,
                        "App '%s' has no unit yet: 'systemctl daemon-reload' makes it", q->app);
                return request_fail(q, r, &error);
        }
        if (sd_bus_message_is_method_error(reply, NULL))
                return request_fail(q, -EIO, sd_bus_message_get_error(reply));
        r = sd_bus_message_read(reply, "o", &job);
        if (r < 0)
                return request_fail(q, r, NULL);
        sd_bus_reply_method_return(q->call, "o", job);
        if (q->change && (q->job = strdup(job)))
                return 0; /* until on_job_removed() */
        request_free(q);
        return 0;
}

static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *reterr) {
        const char *job, *unit, *result;
        Call *q = userdata;
        uint32_t id;
        int r;

        r = sd_bus_message_read(signal, "uoss", &id, &job, &unit, &result);
        if (r < 0 || !streq_ptr(q->job, job))
                return r;
        if (!streq(result, "done"))
                change_undo(q->change);
        request_free(q);
        return 0;
}

static int sender_uid(sd_bus_message *call, uid_t *ret) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        int r = sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &creds);

        return r < 0 ? r : sd_bus_creds_get_euid(creds, ret);
}

/* What has to be known before systemd is asked for the reload. 1: it is to be asked; 0: all is done and answered. */
static int request_prepare(Call *q, const App *app, sd_bus_error *reterr) {
        char author[REQUEST_NAME_MAX];
        uid_t uid;
        int r = sender_uid(q->call, &uid);

        if (r < 0)
                return r;
        (void) request_user(uid, author);
        if (!q->change) {
                r = request_write(app->name, author, BUS_NAME, "", false);
                return r == -ENOENT || r >= 0 ? 1 : r; /* what does not run systemd refuses */
        }
        r = change_make(q->change, q->m->bus, app, author, reterr);
        if (r > 0)
                r = sd_bus_match_signal_async(q->m->bus, &q->removed, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                        "org.freedesktop.systemd1.Manager", "JobRemoved", on_job_removed, NULL, q);
        else if (r == 0 && verbs[q->verb].method)
                sd_bus_reply_method_return(q->call, "o", NO_JOB);
        else if (r == 0)
                sd_bus_reply_method_return(q->call, NULL);
        return r < 0 ? r : verbs[q->verb].method && r > 0;
}

/* It may, and now it is done. */
static int request_act(Call *q) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        App *app;
        int r;

        r = manager_get(q->m, q->app, &app, &error);
        if (r < 0)
                return request_fail(q, r, &error);
        if (q->verb == VERB_KILL) {
                r = app_kill(app, q->instance, q->signal, &error);
                if (r < 0)
                        return request_fail(q, r, &error);
                sd_bus_reply_method_return(q->call, NULL);
                request_free(q);
                return 0;
        }
        if (q->verb == VERB_RELOAD || q->change) {
                r = request_prepare(q, app, &error);
                if (r < 0)
                        return request_fail(q, r, &error);
                if (r == 0) {
                        request_free(q);
                        return 0;
                }
        }
        q->slot = sd_bus_slot_unref(q->slot);
        r = sd_bus_call_method_async(q->m->bus, &q->slot, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", verbs[q->verb].method, on_job, q, "ss", app->service, "replace");
        return r < 0 ? request_fail(q, r, NULL) : 0;
}

static int on_authorisation(sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Call *q = userdata;
        int r = polkit_read(reply, q->app, verbs[q->verb].name, &error);

        return r < 0 ? request_fail(q, r, &error) : request_act(q);
}

static int request_authorise(Call *q) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *ask = NULL;
        int r = polkit_ask(q->m->bus, q->call, q->app, verbs[q->verb].name, &ask);

        /* A person may think for as long as they like. */
        return r < 0 ? r : sd_bus_call_async(q->m->bus, &q->slot, ask, on_authorisation, q, UINT64_MAX);
}

static int sender_is_root(sd_bus_message *call) {
        uid_t uid;
        int r = sender_uid(call, &uid);

        return r < 0 ? r : uid == 0;
}

/* What can be said without authorisation: it is all in the objects' properties anyway. */
static int request_check(Manager *m, Verb verb, const char *name, const char *instance, int signal,
        sd_bus_error *reterr) {
        App *app;
        int r;

        r = manager_get(m, name, &app, reterr);
        if (r < 0)
                return r;
        if (verb == VERB_START && *app->problem)
                return sd_bus_error_set(reterr, BUS_ERROR_BAD_SPEC, app->problem);
        if (verb != VERB_KILL)
                return 0;
        if (signal < 1 || signal > SIGRTMAX)
                return sd_bus_error_setf(reterr, BUS_ERROR_BAD_SIGNAL, "%d is not a signal", signal);
        if (*instance && !app_state_instance(&app->run, instance))
                return sd_bus_error_setf(
                        reterr, BUS_ERROR_NO_SUCH_INSTANCE, "App '%s' has no instance '%s'", name, instance);
        return 0;
}

int request_begin(Manager *m, sd_bus_message *call, Verb verb, const char *app, const char *instance, int signal,
        sd_bus_error *reterr) {
        Call *q;
        int root, r;

        r = request_check(m, verb, app, instance, signal, reterr);
        if (r < 0)
                return r;
        root = sender_is_root(call);
        if (root < 0)
                return root;
        r = request_new(m, call, verb, app, instance, signal, &q);
        if (r >= 0 && verbs[verb].change != CHANGE_NONE) {
                r = change_read(call, verbs[verb].change, &q->change);
                if (r < 0)
                        request_free(q);
        }
        if (r < 0)
                return r;
        if (root) {
                r = request_act(q);
                return r < 0 ? r : 1;
        }
        r = request_authorise(q);
        if (r < 0) {
                request_free(q);
                return r;
        }
        return 1;
}
