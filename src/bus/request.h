/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A call that changes something: validated, authorised, done, answered. While polkit or systemd think, all other callers are
 * served. */

#include "bus/manager.h"

typedef enum Verb {
        VERB_START,
        VERB_STOP,
        VERB_RESTART,
        VERB_RELOAD,
        VERB_KILL,
        VERB_SCALE,
        VERB_LIMIT,
        VERB_LIMIT_SLICE,
        VERB_ROLLBACK,
        _VERB_MAX,
        _VERB_INVALID = -EINVAL,
} Verb;

/* From a method's handler, and returns what that must return. instance ("" is all of them) and signal are for VERB_KILL;
 * VERB_SCALE and what comes after it read their arguments from the call themselves: bus/change.h. */
int request_begin(Manager *m, sd_bus_message *call, Verb verb, const char *app, const char *instance, int signal,
        sd_bus_error *reterr);

/* Drops all that is under way, unanswered. */
void requests_free(Manager *m);
