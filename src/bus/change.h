/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls that change an app by a drop-in, between the call and the job: what `berth scale`, `limits` and `rollback` do. */

#include <systemd/sd-bus.h>

#include "deploy/app.h"

typedef enum ChangeKind {
        CHANGE_NONE,
        CHANGE_SCALE,    /* arguments as of `berth scale` */
        CHANGE_LIMITS,   /* of the process, or of all where it is "" */
        CHANGE_SLICE,    /* of the app as a whole: at once, without a job */
        CHANGE_ROLLBACK, /* the one argument: "v3", "off", or "" */
        _CHANGE_KIND_MAX,
        _CHANGE_KIND_INVALID = -EINVAL,
} ChangeKind;

typedef struct Change Change;

/* Of a method's arguments: "s" for CHANGE_ROLLBACK, else "as", before which CHANGE_LIMITS has the process as "s". */
int change_read(sd_bus_message *call, ChangeKind kind, Change **ret);
Change *change_free(Change *c);
DEFINE_CLEANUP(Change *, change_free);

/* Writes the drop-in, and tells the app's supervisor who asks. 1: the service is to be reloaded; 0: there is nothing more to do. */
int change_make(Change *c, sd_bus *bus, const App *app, const char *author, sd_bus_error *reterr);

/* The reload has failed: the drop-in says again what it said. */
void change_undo(Change *c);
