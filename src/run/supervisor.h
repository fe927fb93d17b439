/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The supervisor's one app: its spec, what all its instances share, and the decisions about their life. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "image/image.h"
#include "run/port-pool.h"
#include "run/remover.h"
#include "run/state.h"
#include "spec/spec.h"

typedef struct Supervisor Supervisor;
typedef struct Instance Instance;

/* A process of the spec with what its instances share. */
typedef struct Process {
        const SpecProcess *spec;
        Image *image;  /* opened when it is first needed; NULL for a Rootfs= */
        int seccomp;   /* the compiled profile; -EBADF: not opened yet, or unconfined */
        Port **ports;  /* what it publishes, in the order of the spec; of the supervisor's */
        size_t n_ports;
} Process;

typedef enum Phase {
        PHASE_FETCHING, /* images are not there yet; no instance is started */
        PHASE_STARTING, /* not all were ready yet */
        PHASE_RUNNING,
        PHASE_STOPPING,
        PHASE_FINISHED,
} Phase;

struct Supervisor {
        const char *name;
        Spec *spec;
        char *slice;         /* "berth-shop.slice" */
        char *run_directory; /* BERTH_RUN_DIR/NAME */
        Process *processes;
        size_t n_processes;
        Instance **instances;
        size_t n_instances;
        PortPool ports;

        sd_event *event;
        struct Fetch *fetch; /* while PHASE_FETCHING */
        sd_bus *bus;         /* open while an instance needs it: supervisor_bus() */
        int helper;          /* helper_open() */
        int journal;
        sd_event_source *journal_source;
        sd_event_source *change_source; /* runs once after all that is ready was handled */
        int lock;            /* of the run directory */
        int slice_cgroup;
        int *pins;           /* image_pin()s, also in the fd store */
        size_t n_pins;
        uint32_t id_base;    /* 0: none taken */
        Remover *remover;

        Phase phase;
        uint64_t since_usec;
        char *status;        /* the last STATUS= line */
        int exit_status;     /* of the supervisor */
};

/* Reads the spec, takes over what a predecessor left, starts the rest. Returns 0 or negative errno with what is wrong
 * logged. Whatever it returns, app_finish() is to be called. */
int supervisor_start(Supervisor *sv, const char *name);

/* Runs until the app is over. Returns the exit status for the supervisor. */
int supervisor_run(Supervisor *sv);

/* For instances. */
sd_bus *supervisor_bus(Supervisor *sv, Error *reterr);
int supervisor_process_prepare(Supervisor *sv, Process *process, Error *reterr); /* image, seccomp profile, ids */
void supervisor_changed(Supervisor *sv);           /* something that status and state file show has changed */
void supervisor_wait_for_journal(Supervisor *sv);  /* its queue is full */
int supervisor_journal_reopen(Supervisor *sv);

void supervisor_clear(Supervisor *sv);
