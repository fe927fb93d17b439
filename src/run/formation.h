/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many instances of each process there shall be, and the one next step to there: which instance is to be started or stopped now. Pure: it
 * knows neither time nor systemd, and asked again with what has come of a step it says the next. */

#include <stddef.h>

#include "run/state.h"
#include "util/macro.h"

typedef struct FormationProcess {
        unsigned wanted;      /* instances */
        unsigned surge;       /* how many more there may be while some are replaced */
        unsigned unavailable; /* how many fewer may be ready meanwhile */
        bool recreate;        /* the old ones are gone before a new one starts */
} FormationProcess;

/* An instance as the decision sees it. */
typedef struct FormationItem {
        size_t process;       /* index of its FormationProcess; SIZE_MAX: the formation has none of them */
        unsigned index;       /* 1, 2, … */
        bool target;          /* of the release that is to run */
        bool stopping;        /* was told to */
        InstanceState state;
} FormationItem;

typedef enum FormationAct {
        FORMATION_WAIT,       /* for what is under way; or all is as it shall be */
        FORMATION_START,      /* an instance of `process` with `index`, of the release that is to run */
        FORMATION_STOP,       /* items[item] */
} FormationAct;

typedef struct FormationStep {
        FormationAct act;
        size_t process, item;
        unsigned index;
} FormationStep;

FormationStep formation_step(const FormationProcess *processes, size_t n_processes, const FormationItem *items, size_t n_items);

/* Is all as it shall be? Ready, or, of the release that is to run, ended well by itself; and nothing else is left. */
bool formation_is_reached(const FormationProcess *processes, size_t n_processes, const FormationItem *items, size_t n_items);
