/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An app as seen from outside its supervisor: its spec, what the supervisor says, and what systemd says. `berth list` and
 * the bus show the same. */

#include <systemd/sd-bus.h>

#include "run/state.h"

typedef struct App {
        char *name;         /* "shop" */
        char *service;      /* "shop.service" */
        char *source;       /* path of the spec; "" when it is gone and the app still runs */
        char *image;        /* Image= or Rootfs=: of the running release, or else of the spec; of the first process */
        char **labels;      /* "NAME=VALUE" of Label= of the spec's first process, each NAME once */
        char **annotations; /* likewise of Annotation= */
        char *problem;      /* the spec's first error, "shop.container:7:1: …"; "" for a good one */
        char *active_state; /* of the service, as systemctl shows it */
        char *sub_state;
        char *path;         /* of its object on the bus */
        AppState run;       /* all empty when it does not run */
} App;

/* All strings of the new App are set. NULL when out of memory. */
App *app_new(const char *name);
App *app_free(App *app);
DEFINE_CLEANUP(App *, app_free);

/* Reads the spec anew. dirs as spec_load(). 0: there is one, good or bad (app->problem). -ENOENT: none or masked, app->source
 * is "". Image and service stay what they are where the app runs. */
int app_read_spec(App *app, const char *dirs);

/* Reads what the supervisor says anew; *ret_old (may be NULL) gets what it said before. 0, or -ENOENT when it does not run
 * and app->run is empty. */
int app_read_run(App *app, const char *run_dir, AppState *ret_old);

/* Is there a supervisor of it, as far as systemd knows? */
bool app_is_up(const App *app);

/* The names of all apps, sorted: specs that are not templates, and what runs, below run_dir (BERTH_RUN_DIR). */
int app_names(const char *dirs, const char *run_dir, char ***ret);

/* Replaces *field by a copy of value: 1 when that changed it, 0, or -ENOMEM. */
int app_set(char **field, const char *value);

/* Asks systemd for the states of all services at once. */
int apps_query(sd_bus *bus, App *const *apps, size_t n, sd_bus_error *reterr);

/* The next row of an answer of ListUnits or ListUnitsByNames, whose array was entered: 1, 0 at its end, or negative errno. */
int unit_row_read(sd_bus_message *reply, const char **ret_unit, const char **ret_active, const char **ret_sub);
