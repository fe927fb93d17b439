/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* berthd's state: all apps, who subscribed, and the calls that wait for polkit or systemd. It holds nothing that it could not
 * read again, so it may leave and come back at any time. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "deploy/app.h"

typedef struct Manager Manager;
typedef struct Call Call;
typedef struct Watch Watch;

struct Manager {
        sd_bus *bus;
        sd_event *event;
        const char *dirs;    /* of specs, as spec_load() */
        const char *run_dir; /* BERTH_RUN_DIR */

        App **apps; /* sorted by name */
        size_t n_apps;
        Watch *watch;
        sd_bus_track *subscribers;
        Call *requests; /* under way */
};

Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free);

/* Connects nothing and reads nothing yet: bus and event are referenced. */
int manager_new(sd_bus *bus, sd_event *event, Manager **ret);

/* Reads all apps, starts to watch them, and puts the objects on the bus. The bus must be connected. */
int manager_start(Manager *m, sd_bus_error *reterr);

App *manager_find(const Manager *m, const char *name);

/* As manager_find(), and an instance of a template becomes known by being asked for. Sets reterr where there is none. */
int manager_get(Manager *m, const char *name, App **ret, sd_bus_error *reterr);

/* Looks at the directories again: new and gone apps, changed specs. Signals what changed. */
int manager_rescan(Manager *m);

/* Reads what the app's supervisor says now, and signals what changed. */
int manager_refresh(Manager *m, App *app);

/* Takes over what systemd says of the app's service, and signals what changed. NULL: as it is. */
int manager_set_unit_state(Manager *m, App *app, const char *active, const char *sub);

/* Is somebody waiting for an answer or for signals? */
bool manager_is_busy(const Manager *m);
