/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one place where the state of an instance changes: state x event -> action, state. */

#include "run/state.h"

typedef enum InstanceEvent {
        EVENT_START,   /* it is wanted */
        EVENT_PID,     /* the helper has named the payload's process */
        EVENT_SCOPED,  /* the scope stands, the process is in it */
        EVENT_EXECED,  /* the process is the payload */
        EVENT_READY,   /* what readiness waits for has come */
        EVENT_ERROR,   /* helper or scope failed before the payload was there */
        EVENT_EXIT,    /* the process is dead */
        EVENT_STOP,    /* it is wanted no more */
        EVENT_UNWELL,  /* it is to end for its health's sake, by its stop signal */
        EVENT_KILL,    /* likewise, at once */
        EVENT_TIMEOUT, /* the time of this state is over */
        EVENT_GONE,    /* PID 1 has taken the scope down */
        _INSTANCE_EVENT_MAX,
} InstanceEvent;

typedef enum InstanceAction {
        ACTION_NONE,
        ACTION_SPAWN,  /* start the helper */
        ACTION_SCOPE,  /* ask for the scope */
        ACTION_GO,     /* let the helper finish */
        ACTION_WATCH,  /* the payload runs: wait for readiness */
        ACTION_SIGNAL, /* send the stop signal */
        ACTION_KILL,   /* SIGKILL to all in the scope */
        ACTION_REAP,   /* take the exit status, let PID 1 take the scope down */
        ACTION_SETTLE, /* all is gone: the state that follows is instance_settle()'s decision */
} InstanceAction;

typedef struct Transition {
        InstanceAction action;
        InstanceState next;
} Transition;

/* NULL: the event means nothing in that state. */
const Transition *machine_transition(InstanceState state, InstanceEvent event);

const char *instance_event_to_string(InstanceEvent e);

/* Is there a process (or a scope) to wait for before the instance is over? */
bool instance_state_alive(InstanceState s);
