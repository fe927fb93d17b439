/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The objects of org.berth1 and the names they share, one file an object type. */

#include "bus/manager.h"

#define BUS_NAME "org.berth1"
#define BUS_PATH "/org/berth1"
#define BUS_APP_PREFIX "/org/berth1/app"
#define BUS_MANAGER_INTERFACE "org.berth1.Manager"
#define BUS_APP_INTERFACE "org.berth1.App"
#define BUS_INSTANCE_INTERFACE "org.berth1.Instance"

#define BUS_ERROR_NO_SUCH_APP "org.berth1.Error.NoSuchApp"
#define BUS_ERROR_NO_SUCH_INSTANCE "org.berth1.Error.NoSuchInstance"
#define BUS_ERROR_BAD_SPEC "org.berth1.Error.BadSpec"
#define BUS_ERROR_NO_SUCH_UNIT "org.berth1.Error.NoSuchUnit"
#define BUS_ERROR_NOT_RUNNING "org.berth1.Error.NotRunning"
#define BUS_ERROR_BAD_SIGNAL "org.berth1.Error.BadSignal"
#define BUS_ERROR_REFUSED "org.berth1.Error.Refused"

int manager_object_add(Manager *m);
int app_object_add(Manager *m);
int instance_object_add(Manager *m);

/* The path of an instance's object. -ENOMEM when out of memory. */
int instance_path(const App *app, const char *instance, char **ret);

/* Answers with the app's releases that are kept, the newest first: number, the number of the one that it brought back or 0, microseconds since
 * 1970, author, means, reason, state, message, and the images of its processes. */
int releases_reply(sd_bus_message *call, const App *app);

/* Signals of a change from old to app->run; empty is a state without instances. */
int instance_objects_changed(Manager *m, App *app, const AppState *old);
int app_object_changed(Manager *m, const App *app, const AppState *old);
/* Of a change of the spec; old has source, image and problem of before. */
int app_object_spec_changed(Manager *m, const App *app, const App *old);
