/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs of PID 1: transient scope units, made around a process that exists and taken down, and services. org.freedesktop.systemd1(5). */

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "spec/spec.h"
#include "util/error.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

typedef struct ScopeSettings {
        const char *name;        /* "shop-web.1.v1.scope" */
        const char *description;
        const char *slice;       /* "berth-shop.slice" */
        const char *service;     /* stopping this unit stops the scope after it; NULL: none */
        pid_t pid;
        int kill_signal;         /* 0: not set. This and the next are for a stop by systemd itself, which is what is left when no supervisor is there */
        uint64_t stop_timeout_usec; /* 0: not set; UINT64_MAX: none */
        /* UINT64_MAX: not set */
        uint64_t memory_max, memory_swap_max, cpu_weight, io_weight;
        uint64_t cpu_quota_usec; /* CPU time a second of wall time */
        uint64_t tasks_max;      /* UINT64_MAX: no limit; 0: not set, which is DefaultTasksMax= of systemd-system.conf(5) */
        const Spec *spec;        /* whose IPAddressAllow=, SocketBindAllow= and so on; NULL: none */
        const char *const *devices; /* NULL-terminated pairs "path", "rwm"; NULL: no device policy */
} ScopeSettings;
#define SCOPE_SETTINGS_INIT                                                                                         \
        (ScopeSettings){ .memory_max = UINT64_MAX, .memory_swap_max = UINT64_MAX,                                   \
                         .cpu_weight = UINT64_MAX, .io_weight = UINT64_MAX, .cpu_quota_usec = UINT64_MAX }

typedef struct ScopeJob ScopeJob;

/* Called once: result is 0 when the job is done, else negative errno with the sentence in error; -ECANCELED: another job took
 * its place. The job is the caller's to free, inside the call as well. */
typedef void (*scope_callback)(ScopeJob *job, int result, const Error *error, void *userdata);

/* StartTransientUnit. When a unit of that name still stands, which nobody else can want, stops it and waits until PID 1 has taken
 * it away. */
int scope_start(sd_bus *bus, const ScopeSettings *settings, scope_callback callback, void *userdata, ScopeJob **ret);
/* Its process is dead. Where PID 1 cannot begin with the start yet, as while the service is being stopped, it would start the scope later, or keep the
 * slice. 1: the callback is called still, and soon; 0: nothing is under way; or negative errno: nothing will be heard. */
int scope_start_cancel(ScopeJob *job);

/* The numbers of the settings alone. */
void scope_limits_copy(ScopeSettings *to, const ScopeSettings *from);
bool scope_limits_equal(const ScopeSettings *a, const ScopeSettings *b);

/* Gives a scope that stands other limits, until it is gone (SetUnitProperties). Those that are not set are taken from it, but for tasks_max, which
 * stays. */
int scope_limit(sd_bus *bus, const char *name, const ScopeSettings *settings);

/* StopUnit, and nobody waits for it or hears whether there is such a unit: for what may have been left. It follows what was asked of the same
 * bus before. */
int scope_drop(sd_bus *bus, const char *name);

/* StopUnit; a unit that is gone already counts as done. */
int scope_stop(sd_bus *bus, const char *name, scope_callback callback, void *userdata, ScopeJob **ret);

/* StartUnit, StopUnit, RestartUnit, ReloadUnit; done when the job is, which for the start of a oneshot service is when it has
 * ended well. */
int unit_job(sd_bus *bus, const char *method, const char *name, scope_callback callback, void *userdata, ScopeJob **ret);

/* A property of a unit as systemd has it now: ActiveState of interface "Unit", StatusText of "Service". */
int unit_property(sd_bus *bus, const char *unit, const char *interface, const char *property, char **ret);

ScopeJob *scope_job_free(ScopeJob *job);
DEFINE_CLEANUP(ScopeJob *, scope_job_free);
