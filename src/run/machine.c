/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/machine.h"

#define TO(action, next) { ACTION_##action, INSTANCE_##next }
#define SETTLED _INSTANCE_STATE_INVALID

/* A zeroed entry (no action, to IDLE) stands for "means nothing here": no event leads to IDLE. */
static const Transition transitions[_INSTANCE_STATE_MAX][_INSTANCE_EVENT_MAX] = {
        [INSTANCE_IDLE] = {
                [EVENT_START]   = TO(SPAWN, SPAWNING),
                [EVENT_STOP]    = TO(NONE, EXITED),
        },
        [INSTANCE_SPAWNING] = {
                [EVENT_PID]     = TO(SCOPE, SCOPING),
                [EVENT_ERROR]   = TO(REAP, REAPING),
                [EVENT_STOP]    = TO(KILL, KILLING),
                [EVENT_TIMEOUT] = TO(KILL, KILLING),
        },
        [INSTANCE_SCOPING] = {
                [EVENT_SCOPED]  = TO(GO, EXECING),
                [EVENT_ERROR]   = TO(KILL, KILLING),
                [EVENT_EXIT]    = TO(REAP, REAPING),
                [EVENT_STOP]    = TO(KILL, KILLING),
                [EVENT_TIMEOUT] = TO(KILL, KILLING),
        },
        [INSTANCE_EXECING] = {
                [EVENT_EXECED]  = TO(WATCH, STARTING),
                [EVENT_ERROR]   = TO(KILL, KILLING),
                [EVENT_EXIT]    = TO(REAP, REAPING),
                [EVENT_STOP]    = TO(KILL, KILLING),
                [EVENT_TIMEOUT] = TO(KILL, KILLING),
        },
        [INSTANCE_STARTING] = {
                [EVENT_READY]   = TO(NONE, READY),
                [EVENT_EXIT]    = TO(REAP, REAPING),
                [EVENT_STOP]    = TO(SIGNAL, STOPPING),
                [EVENT_UNWELL]  = TO(SIGNAL, STOPPING),
                [EVENT_KILL]    = TO(KILL, KILLING),
                [EVENT_TIMEOUT] = TO(SIGNAL, STOPPING),
        },
        [INSTANCE_READY] = {
                [EVENT_EXIT]    = TO(REAP, REAPING),
                [EVENT_STOP]    = TO(SIGNAL, STOPPING),
                [EVENT_UNWELL]  = TO(SIGNAL, STOPPING),
                [EVENT_KILL]    = TO(KILL, KILLING),
        },
        [INSTANCE_STOPPING] = {
                [EVENT_EXIT]    = TO(REAP, REAPING),
                [EVENT_TIMEOUT] = TO(KILL, KILLING),
        },
        [INSTANCE_KILLING] = {
                [EVENT_PID]     = TO(KILL, KILLING), /* it was not known yet who is to be killed */
                [EVENT_ERROR]   = TO(KILL, KILLING),
                [EVENT_EXIT]    = TO(REAP, REAPING),
                [EVENT_TIMEOUT] = TO(KILL, KILLING), /* uninterruptible, or what came into the scope since */
        },
        [INSTANCE_REAPING] = {
                [EVENT_GONE]    = { ACTION_SETTLE, SETTLED },
        },
        [INSTANCE_BACKOFF] = {
                [EVENT_TIMEOUT] = TO(SPAWN, SPAWNING),
                [EVENT_START]   = TO(SPAWN, SPAWNING),
                [EVENT_STOP]    = TO(NONE, EXITED),
        },
        [INSTANCE_EXITED] = {
                [EVENT_START]   = TO(SPAWN, SPAWNING),
        },
        [INSTANCE_FAILED] = {
                [EVENT_START]   = TO(SPAWN, SPAWNING),
        },
};

static const char *const event_names[_INSTANCE_EVENT_MAX] = {
        [EVENT_START] = "start", [EVENT_PID] = "pid",     [EVENT_SCOPED] = "scoped",   [EVENT_EXECED] = "execed",
        [EVENT_READY] = "ready", [EVENT_ERROR] = "error", [EVENT_EXIT] = "exit",       [EVENT_STOP] = "stop",
        [EVENT_GONE] = "gone",   [EVENT_TIMEOUT] = "timeout", [EVENT_UNWELL] = "unwell", [EVENT_KILL] = "kill",
};

const Transition *machine_transition(InstanceState state, InstanceEvent event) {
        const Transition *t = &transitions[state][event];

        return t->action == ACTION_NONE && t->next == INSTANCE_IDLE ? NULL : t;
}

const char *instance_event_to_string(InstanceEvent e) {
        return event_names[e];
}

bool instance_state_alive(InstanceState s) {
        switch (s) {
        case INSTANCE_SPAWNING:
        case INSTANCE_SCOPING:
        case INSTANCE_EXECING:
        case INSTANCE_STARTING:
        case INSTANCE_READY:
        case INSTANCE_STOPPING:
        case INSTANCE_KILLING:
        case INSTANCE_REAPING:
                return true;
        case INSTANCE_IDLE:
        case INSTANCE_BACKOFF:
        case INSTANCE_EXITED:
        case INSTANCE_FAILED:
        case _INSTANCE_STATE_MAX:
        case _INSTANCE_STATE_INVALID:
                break;
        }
        return false;
}
