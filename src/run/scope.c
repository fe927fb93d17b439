/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/scope.h"
#include "util/strv.h"

#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

struct ScopeJob {
        sd_bus *bus;
        char *unit;
        char *rule;              /* at the bus, for JobRemoved of this unit */
        char *path;              /* of the job, once PID 1 has told it */
        sd_bus_message *call;    /* StartTransientUnit, kept to be sent again */
        sd_bus_slot *reply, *removed, *gone;
        bool waiting_for_gone;
        bool cancelled;          /* it is not wanted any more */
        bool stop;               /* a unit that is not there any more is what was wanted */
        scope_callback callback;
        void *userdata;
};

int scope_drop(sd_bus *bus, const char *name) {
        return sd_bus_call_method_async(bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StopUnit", NULL, NULL, "ss", name, "replace");
}

ScopeJob *scope_job_free(ScopeJob *job) {
        if (!job)
                return NULL;
        sd_bus_slot_unref(job->reply);
        sd_bus_slot_unref(job->removed);
        sd_bus_slot_unref(job->gone);
        if (job->rule)
                (void) sd_bus_call_method_async(job->bus, NULL, DBUS_NAME, DBUS_PATH, DBUS_NAME, "RemoveMatch", NULL, NULL, "s",
                        job->rule);
        sd_bus_message_unref(job->call);
        sd_bus_unref(job->bus);
        free(job->unit);
        free(job->rule);
        free(job->path);
        free(job);
        return NULL;
}

static int job_report(ScopeJob *job, int result, const Error *error) {
        static const Error none = { 0 };

        job->callback(job, result, error ? error : &none, job->userdata);
        return 0;
}

/* A stop in the place of a start that PID 1 had not begun with has nothing to do, and waits for the end of the service only to keep the slice: systemd
 * looks whether that is needed when a unit of it changes, not when a job ends. The answers are waited for, as in fetch_cancel(). */
static void stop_cancel(const ScopeJob *job) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ char *unit = NULL;
        const char *path;
        uint32_t id;

        if (sd_bus_path_encode(SYSTEMD_PATH "/unit", job->unit, &unit) < 0 ||
                sd_bus_get_property(job->bus, SYSTEMD_NAME, unit, SYSTEMD_NAME ".Unit", "Job", NULL, &m, "(uo)") < 0)
                return;
        if (sd_bus_message_read(m, "(uo)", &id, &path) >= 0 && id != 0)
                (void) sd_bus_call_method(job->bus, SYSTEMD_NAME, path, SYSTEMD_NAME ".Job", "Cancel", NULL, NULL, NULL);
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *unused) {
        const char *path, *result;
        ScopeJob *job = userdata;
        Error error = { 0 };
        int r;

        if (!sd_bus_message_is_signal(m, SYSTEMD_MANAGER, "JobRemoved") ||
                sd_bus_message_read(m, "uoss", NULL, &path, NULL, &result) < 0)
                return 0;
        /* PID 1 answers the call before it begins with the job: what it tells before is of another job of the unit. */
        if (!job->path || !streq(path, job->path))
                return 0;
        if (streq(result, "done") || streq(result, "skipped"))
                return job_report(job, 0, NULL);
        /* The scope ended by itself, or somebody else stops it. */
        if (job->stop && streq(result, "canceled"))
                return job_report(job, 0, NULL);
        r = streq(result, "canceled") ? -ECANCELED : -EIO;
        if (r == -ECANCELED && job->call)
                stop_cancel(job);
        (void) error_set(&error, r, "the job for '%s' ended as '%s'", job->unit, result);
        return job_report(job, r, &error);
}

static int job_send(ScopeJob *job);

static int on_unit_removed(sd_bus_message *m, void *userdata, sd_bus_error *unused) {
        ScopeJob *job = userdata;
        const char *unit;

        if (sd_bus_message_read(m, "so", &unit, NULL) < 0 || !streq(unit, job->unit) || !job->waiting_for_gone)
                return 0;
        return job_send(job);
}

static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *unused) {
        ScopeJob *job = userdata;

        /* From here on no removal is missed; one that came before makes this try succeed. */
        return job->waiting_for_gone ? job_send(job) : 0;
}

/* PID 1 sends UnitRemoved to subscribers only. */
static int job_wait_for_gone(ScopeJob *job) {
        int r;

        job->waiting_for_gone = true;
        /* It would stay for ever if its process had died before PID 1 put it there: a cgroup that never had a process does not become empty. */
        r = scope_drop(job->bus, job->unit);
        if (r < 0 || job->gone)
                return r;
        r = sd_bus_match_signal_async(job->bus, &job->gone, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitRemoved",
                on_unit_removed, NULL, job);
        if (r < 0)
                return r;
        job->reply = sd_bus_slot_unref(job->reply);
        return sd_bus_call_method_async(job->bus, &job->reply, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe",
                on_subscribed, job, NULL);
}

static int job_cancel(ScopeJob *job) {
        return sd_bus_call_method_async(job->bus, NULL, SYSTEMD_NAME, job->path, SYSTEMD_NAME ".Job", "Cancel", NULL, NULL, NULL);
}

int scope_start_cancel(ScopeJob *job) {
        int r;

        if (job->waiting_for_gone)
                return 0;
        job->cancelled = true;
        r = job->path ? job_cancel(job) : 0;
        return r < 0 ? r : 1;
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *unused) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        ScopeJob *job = userdata;
        Error error = { 0 };
        const char *path;
        int r;

        if (e && job->call && !job->cancelled && sd_bus_error_has_name(e, SYSTEMD_NAME ".UnitExists")) {
                r = job_wait_for_gone(job);
                if (r >= 0)
                        return 0;
                (void) error_set_errno(&error, r, "cannot wait until the old '%s' is gone", job->unit);
                return job_report(job, r, &error);
        }
        if (e && job->stop && sd_bus_error_has_name(e, SYSTEMD_NAME ".NoSuchUnit"))
                return job_report(job, 0, NULL);
        if (e) {
                r = -sd_bus_error_get_errno(e);
                (void) error_set(&error, r, "systemd refuses '%s': %s", job->unit, e->message ? e->message : e->name);
                return job_report(job, r, &error);
        }
        r = sd_bus_message_read(m, "o", &path);
        if (r < 0) {
                (void) error_set_errno(&error, r, "cannot read systemd's answer about '%s'", job->unit);
                return job_report(job, r, &error);
        }
        free(job->path);
        job->path = strdup(path);
        r = !job->path ? -ENOMEM : job->cancelled ? job_cancel(job) : 0;
        return r < 0 ? job_report(job, r, NULL) : 0;
}

static int job_send(ScopeJob *job) {
        Error error = { 0 };
        int r;

        job->waiting_for_gone = false;
        job->reply = sd_bus_slot_unref(job->reply);
        r = sd_bus_call_async(job->bus, &job->reply, job->call, on_reply, job, 0);
        if (r >= 0)
                return 0;
        (void) error_set_errno(&error, r, "cannot ask systemd for '%s'", job->unit);
        return job_report(job, r, &error);
}

static int job_new(sd_bus *bus, const char *unit, scope_callback callback, void *userdata, ScopeJob **ret) {
        _cleanup_(scope_job_freep) ScopeJob *job = calloc(1, sizeof(*job));
        int r;

        if (!job)
                return -ENOMEM;
        *job = (ScopeJob){ .bus = sd_bus_ref(bus), .unit = strdup(unit), .callback = callback, .userdata = userdata };
        if (!job->unit)
                return -ENOMEM;
        /* The bus filters by the unit's name, so that jobs of other units wake nobody here. sd-bus itself cannot: it looks at
         * arguments only up to the first that is no string, and that is the job's number. */
        r = sd_bus_add_filter(bus, &job->removed, on_job_removed, job);
        job->rule = str_format("type='signal',sender='" SYSTEMD_NAME "',path='" SYSTEMD_PATH "',interface='" SYSTEMD_MANAGER
                "',member='JobRemoved',arg2='%s'", unit);
        if (r >= 0 && !job->rule)
                r = -ENOMEM;
        if (r >= 0)
                r = sd_bus_call_method_async(bus, NULL, DBUS_NAME, DBUS_PATH, DBUS_NAME, "AddMatch", NULL, NULL, "s", job->rule);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}

static int append_u64(sd_bus_message *m, const char *name, uint64_t value) {
        return value == UINT64_MAX ? 0 : sd_bus_message_append(m, "(sv)", name, "t", value);
}

static int append_devices(sd_bus_message *m, const char *const *devices) {
        int r;

        if (!devices)
                return 0;
        r = sd_bus_message_append(m, "(sv)", "DevicePolicy", "s", "closed");
        for (; r >= 0 && devices[0]; devices += 2)
                r = sd_bus_message_append(m, "(sv)", "DeviceAllow", "a(ss)", 1, devices[0], devices[1]);
        return r;
}

/* A property that is a list: array is its type, element that of each. */
static int list_open(sd_bus_message *m, const char *name, const char *array, const char *element) {
        int r = sd_bus_message_open_container(m, 'r', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', array);
        return r < 0 ? r : sd_bus_message_open_container(m, 'a', element);
}

static int list_close(sd_bus_message *m) {
        int r = 0;

        for (int i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_access(sd_bus_message *m, const char *name, const SpecAccess *items, size_t n) {
        int r = n > 0 ? list_open(m, name, "a(iayu)", "(iayu)") : 0;

        if (n == 0)
                return 0;
        for (size_t i = 0; i < n && r >= 0; i++) {
                const Address *a = &items[i].subnet.base;

                r = sd_bus_message_open_container(m, 'r', "iayu");
                if (r >= 0)
                        r = sd_bus_message_append(m, "i", a->family);
                if (r >= 0)
                        r = sd_bus_message_append_array(m, 'y', a->bytes, address_size(a));
                if (r >= 0)
                        r = sd_bus_message_append(m, "u", items[i].subnet.prefix);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : list_close(m);
}

static int append_socket_binds(sd_bus_message *m, const char *name, const SpecSocketBind *items, size_t n) {
        int r = n > 0 ? list_open(m, name, "a(iiqq)", "(iiqq)") : 0;

        if (n == 0)
                return 0;
        for (size_t i = 0; i < n && r >= 0; i++)
                r = sd_bus_message_append(m, "(iiqq)", items[i].family, items[i].protocol, items[i].count, items[i].first);
        return r < 0 ? r : list_close(m);
}

static int append_firewall(sd_bus_message *m, const Spec *s) {
        int r = append_access(m, "IPAddressAllow", s->ip_allow.items, s->ip_allow.n);

        if (r >= 0)
                r = append_access(m, "IPAddressDeny", s->ip_deny.items, s->ip_deny.n);
        if (r >= 0)
                r = append_socket_binds(m, "SocketBindAllow", s->bind_allow.items, s->bind_allow.n);
        return r < 0 ? r : append_socket_binds(m, "SocketBindDeny", s->bind_deny.items, s->bind_deny.n);
}

static const struct {
        const char *name;
        size_t offset;
} limits[] = {
        { "MemoryMax",           offsetof(ScopeSettings, memory_max)      },
        { "MemorySwapMax",       offsetof(ScopeSettings, memory_swap_max) },
        { "CPUWeight",           offsetof(ScopeSettings, cpu_weight)      },
        { "IOWeight",            offsetof(ScopeSettings, io_weight)       },
        { "CPUQuotaPerSecUSec",  offsetof(ScopeSettings, cpu_quota_usec)  },
};

static uint64_t *limit_of(const ScopeSettings *s, size_t k) {
        return (uint64_t *) ((char *) s + limits[k].offset);
}

void scope_limits_copy(ScopeSettings *to, const ScopeSettings *from) {
        for (size_t i = 0; i < ELEMENTSOF(limits); i++)
                *limit_of(to, i) = *limit_of(from, i);
        to->tasks_max = from->tasks_max;
}

bool scope_limits_equal(const ScopeSettings *a, const ScopeSettings *b) {
        for (size_t i = 0; i < ELEMENTSOF(limits); i++)
                if (*limit_of(a, i) != *limit_of(b, i))
                        return false;
        return a->tasks_max == b->tasks_max;
}

static int append_tasks_max(sd_bus_message *m, const ScopeSettings *s) {
        return s->tasks_max == 0 ? 0 : sd_bus_message_append(m, "(sv)", "TasksMax", "t", s->tasks_max);
}

int scope_limit(sd_bus *bus, const char *name, const ScopeSettings *s) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "SetUnitProperties");
        if (r >= 0)
                r = sd_bus_message_append(m, "sb", name, true);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sv)");
        /* UINT64_MAX is systemd's own word for none. */
        for (size_t i = 0; i < ELEMENTSOF(limits) && r >= 0; i++)
                r = sd_bus_message_append(m, "(sv)", limits[i].name, "t", *limit_of(s, i));
        if (r >= 0)
                r = append_tasks_max(m, s);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_call(bus, m, 0, NULL, NULL);
}

static int append_properties(sd_bus_message *m, const ScopeSettings *s) {
        int r;

        r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)", "Description", "s", s->description, "Slice", "s", s->slice, "PIDs",
                "au", 1, (uint32_t) s->pid, "Delegate", "b", 1, "CollectMode", "s", "inactive-or-failed");
        /* A stop of the service stops the scope too, after the service, which ends its instances in order: what is left by then was
         * left by a supervisor that could not. Not BindsTo=: systemd 252 takes that as a reason to stop the scope while the
         * service is between a crash and its automatic restart. */
        if (r >= 0 && s->service)
                r = sd_bus_message_append(m, "(sv)(sv)", "PartOf", "as", 1, s->service, "Before", "as", 1, s->service);
        if (r >= 0 && s->kill_signal > 0)
                r = sd_bus_message_append(m, "(sv)", "KillSignal", "i", s->kill_signal);
        if (r >= 0 && s->stop_timeout_usec > 0)
                r = sd_bus_message_append(m, "(sv)", "TimeoutStopUSec", "t", s->stop_timeout_usec);
        for (size_t i = 0; i < ELEMENTSOF(limits) && r >= 0; i++)
                r = append_u64(m, limits[i].name, *limit_of(s, i));
        if (r >= 0)
                r = append_tasks_max(m, s);
        if (r >= 0 && s->spec)
                r = append_firewall(m, s->spec);
        return r < 0 ? r : append_devices(m, s->devices);
}

int scope_start(sd_bus *bus, const ScopeSettings *settings, scope_callback callback, void *userdata, ScopeJob **ret) {
        _cleanup_(scope_job_freep) ScopeJob *job = NULL;
        int r;

        r = job_new(bus, settings->name, callback, userdata, &job);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_call(bus, &job->call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(job->call, "ss", settings->name, "fail");
        if (r >= 0)
                r = sd_bus_message_open_container(job->call, 'a', "(sv)");
        if (r >= 0)
                r = append_properties(job->call, settings);
        if (r >= 0)
                r = sd_bus_message_close_container(job->call);
        if (r >= 0)
                r = sd_bus_message_append(job->call, "a(sa(sv))", 0);
        if (r >= 0)
                r = sd_bus_call_async(bus, &job->reply, job->call, on_reply, job, 0);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}

int unit_job(sd_bus *bus, const char *method, const char *name, scope_callback callback, void *userdata, ScopeJob **ret) {
        _cleanup_(scope_job_freep) ScopeJob *job = NULL;
        int r;

        r = job_new(bus, name, callback, userdata, &job);
        if (r < 0)
                return r;
        job->stop = streq(method, "StopUnit");
        r = sd_bus_call_method_async(bus, &job->reply, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method, on_reply, job, "ss", name,
                "replace");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}

int scope_stop(sd_bus *bus, const char *name, scope_callback callback, void *userdata, ScopeJob **ret) {
        return unit_job(bus, "StopUnit", name, callback, userdata, ret);
}

int unit_property(sd_bus *bus, const char *unit, const char *interface, const char *property, char **ret) {
        _cleanup_free_ char *path = NULL, *full = str_format(SYSTEMD_NAME ".%s", interface);
        int r = full ? sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path) : -ENOMEM;

        return r < 0 ? r : sd_bus_get_property_string(bus, SYSTEMD_NAME, path, full, property, NULL, ret);
}
