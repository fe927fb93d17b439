/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One running copy of a process, from the helper's start to the end of its scope. instance.c drives it by the table of
 * machine.h; whose turn it is to be started, and what its end means for the app, is rollout.c's business. */

#include <systemd/sd-event.h>

#include "net/takeover.h"
#include "run/supervisor.h"
#include "run/attach.h"
#include "run/backoff.h"
#include "run/drain.h"
#include "run/machine.h"
#include "run/relay.h"
#include "run/scope.h"

struct Instance {
        Supervisor *sv;
        Process *process;
        unsigned index;
        char *name, *scope, *container_name;
        char *key;           /* the name, or what tells it from another instance of that name, which it replaces */
        char *run_directory; /* BERTH_RUN_DIR/APP/KEY */
        char *directory;     /* BERTH_APP_DIR/APP/instance/KEY */

        InstanceState state;
        uint64_t since_usec;         /* CLOCK_REALTIME of the last change of state */
        bool execed;                 /* this time, the payload was reached */
        bool was_ready;              /* this time */
        bool ever_ready;             /* since it was made */
        bool replaced;               /* by one of another release: it may end what it is about */
        bool stop_asked;             /* whoever asked: it is not to come back by itself */
        bool start_timed_out;
        bool unwell;                 /* its health check ends it */
        bool begin_again;            /* whatever Restart= says */
        bool killed;                 /* by us */
        bool scoped;                 /* PID 1 has started its scope */
        bool gone;                   /* PID 1 has taken the scope down, or never had one */
        bool adopted;                /* somebody else's child by now */
        bool drained;                /* its log is in the journal */

        pid_t pid, outer;
        int pidfd, outer_pidfd, control, cgroup, notify;
        uint64_t slice_oom_kills;    /* of the app's slice when the instance started */
        Relay *relay;
        ScopeJob *job;
        Drain *drain;
        struct Health *health;       /* its check; NULL: it has none, or none now */
        struct Names *names;         /* on it; NULL: it is on none */
        Attachment attachment;       /* to its network */
        Takeover takeover;           /* with published ports */
        struct InnerPort **inner_ports; /* by port; NULL: none, or not needed */
        struct Share *share;         /* of another app's network; NULL: it shares none */
        struct Inside *inside; /* ports that are not taken over; NULL: that is not in question */
        sd_event_source *pid_source, *outer_source, *control_source, *log_source, *notify_source, *timer, *binds_source, *inner_timer;

        ScopeSettings limits;        /* that its scope has; the numbers alone */

        Error error;                 /* why it did not become the payload */
        int exit_code, exit_status;  /* CLD_*, waitid(2); exit_code -1: unknown */
        uint64_t oom_kills;          /* processes of it that the kernel killed for want of memory */
        char *message;

        unsigned restarts;
        uint64_t started_usec;       /* CLOCK_MONOTONIC of this start */
        Backoff backoff;
};

/* index counts from 1. key NULL: one that no other instance has. */
int instance_new(Supervisor *sv, Process *process, unsigned index, const char *key, Instance **ret);
Instance *instance_free(Instance *i);
DEFINE_CLEANUP(Instance *, instance_free);

void instance_event(Instance *i, InstanceEvent event);

/* The payload listens on a published port, which is what makes it ready where nothing else tells. */
void instance_reached(Instance *i);

/* Takes over what a predecessor stored: pidfd, log pipe, relay memory, notify socket (or -EBADF). The fds are the
 * instance's in any case. */
int instance_adopt(Instance *i, const InstanceStatus *status, int pidfd, int pipe, int memory, int notify);

/* Has its scope use what is wanted now, where that is another limit than it has. */
int instance_limits_apply(Instance *i, Error *reterr);

bool instance_needs_bus(const Instance *i); /* now or soon */

/* Relays what comes out of the pipe; memory is an earlier supervisor's, or -EBADF. Both are taken over. */
int instance_log_open(Instance *i, int pipe, int memory);

/* Goes on with a relay that waited for the journal. */
void instance_relay(Instance *i);
