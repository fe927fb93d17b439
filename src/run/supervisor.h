/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The supervisor's one app: its releases and instances, and what all of them share. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "run/passage.h"
#include "run/port-pool.h"
#include "run/process.h"
#include "run/detacher.h"
#include "run/remover.h"
#include "run/state.h"
#include "run/wanted.h"

typedef struct Supervisor Supervisor;
typedef struct Instance Instance;
struct Adoption;
struct Control;
struct Rollout;

#define EXIT_STARTED_BADLY 1 /* of a supervisor whose app did not come to run */

typedef enum Phase {
        PHASE_FETCHING, /* images are not there yet; no instance is started */
        PHASE_STARTING, /* not all were ready yet */
        PHASE_RUNNING,
        PHASE_STOPPING,
        PHASE_FINISHED,
} Phase;

struct Supervisor {
        const char *name;
        char *slice;         /* "berth-shop.slice" */
        char *run_directory; /* BERTH_RUN_DIR/NAME */

        Release **releases;  /* all that instances are of, or will be */
        size_t n_releases;
        Release *release;    /* that is to run; NULL: not known yet */
        Release *stable;     /* the last that was ready as a whole; NULL: none yet */
        Wanted wanted;       /* of the release that is to run */
        struct Rollout *rollout; /* rollout.c's */
        Instance **instances;
        size_t n_instances;
        PortPool ports;
        Passages passages;
        struct Translator *translator; /* NULL: all ports are taken over, or none is yet */

        sd_event *event;
        struct Fetch *fetch; /* while images are fetched */
        sd_bus *bus;         /* open while an instance needs it: supervisor_bus() */
        struct Control *control;
        struct Maintenance *maintenance; /* NULL: off */
        struct Idle *idle;               /* NULL: IdleTimeout= is not set */
        int helper;          /* helper_open() */
        int journal;
        sd_event_source *journal_source;
        sd_event_source *change_source; /* runs once after what is ready was handled */
        int lock;            /* of the run directory */
        int slice_cgroup;
        uint32_t id_base;    /* 0: none taken */
        Remover *remover;
        Detacher *detacher;
        struct Adoption *adoption; /* what an earlier supervisor or a .socket unit left, until the first release has taken it */

        Phase phase;
        uint64_t since_usec;
        char *status;        /* the last STATUS= line */
        int exit_status;     /* of the supervisor */
};

/* Takes over what a predecessor left, or starts what the spec wants. Returns 0 or negative errno with what is wrong logged; -EBUSY: another
 * supervisor has the app. */
int supervisor_start(Supervisor *sv, const char *name);

/* Runs until the app is over. Returns the exit status for the supervisor. */
int supervisor_run(Supervisor *sv);

/* For instances and rollouts. */
sd_bus *supervisor_bus(Supervisor *sv, Error *reterr);
void supervisor_changed(Supervisor *sv);           /* something that status and state file show has changed */
void supervisor_wait_for_journal(Supervisor *sv);  /* its queue is full */
int supervisor_journal_reopen(Supervisor *sv);
void supervisor_exit(Supervisor *sv, int status);
void supervisor_stop_all(Supervisor *sv);
void supervisor_stop(Supervisor *sv); /* as when the service is stopped */
void supervisor_say_why(const Supervisor *sv, const char *text); /* why there is no app; it stays with the failed service */

/* Adds one that is idle; key as for instance_new(). */
int supervisor_instance_add(Supervisor *sv, Process *process, unsigned index, const char *key, Instance **ret);

void supervisor_clear(Supervisor *sv);
