/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is wanted of an app beside what its release is made of: how many instances, how they are replaced, and what they may use. It applies
 * to a running release, and is no part of it. */

#include "run/formation.h"
#include "run/scope.h"

typedef struct Wanted {
        size_t n;                    /* processes of the release that is to run, but for the one that runs once */
        char **names;                /* "" for the unnamed one */
        FormationProcess *formation;
        ScopeSettings *limits;       /* the numbers alone */
        unsigned keep_releases;
        unsigned pinned;               /* the release that the files want by Release=; 0: none */
        uint64_t rollback_window_usec; /* 0: none */
        uint64_t idle_timeout_usec;    /* 0: none */
        bool maintenance;
        char *maintenance_page;        /* NULL: berth's own */
} Wanted;

/* desired is the spec as it is now, target that of the release that is to run: what the former says of the processes of the latter, and
 * what the latter says of processes that the former has not. 0 or -ENOMEM. */
int wanted_make(const Spec *desired, const Spec *target, Wanted *ret);
void wanted_clear(Wanted *w);

/* SIZE_MAX: no such process. */
size_t wanted_find(const Wanted *w, const char *process);
