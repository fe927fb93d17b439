/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An app's processes with their numbers of instances: what the spec wants, and what there is. */

#include "cli/apps.h"

typedef struct FormationProcess {
        char *process; /* "" for the one without a name */
        unsigned wanted;
        bool cpus; /* wanted is the number of this machine's processors */
        unsigned running, ready; /* running: with a process of the host */
} FormationProcess;

typedef struct Formation {
        FormationProcess *items;
        size_t n;
} Formation;

/* Without the process `release`. What is running and not in the spec any more is left out. As spec_load(). */
int formation_read(const App *app, Formation *ret);
void formation_clear(Formation *f);
