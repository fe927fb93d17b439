/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What `list` and `status` share: apps read from files and from systemd, without berthd, and their look. */

#include "deploy/app.h"
#include "cli/cli.h"

typedef struct Apps {
        App **items;
        size_t n;
} Apps;

void apps_clear(Apps *apps);

/* All apps. Where systemd cannot be asked, a warning is said and the states are what the files say. */
int apps_load(Apps *ret);

/* One app; -ENOENT when there is neither a spec nor anything that runs. */
int app_load(const char *name, App **ret);

/* "NAME" or "NAME/INSTANCE" split; instance is NULL without one. */
int app_argument(const char *argument, char **ret_name, char **ret_instance);

/* "active (running)", or "bad spec". */
const char *app_state_text(const App *app, char *buffer, size_t size);
Style app_state_style(const App *app);
Style instance_state_style(InstanceState state);

size_t app_ready_count(const App *app);

/* "3min 4s ago" of a time in CLOCK_REALTIME; "" for 0. */
const char *time_ago(uint64_t usec, char *buffer, size_t size);

/* {"name":…,"instances":[…]} */
int app_json(Buf *b, const App *app);

/* Writes b and a newline to standard output and returns the exit code. */
int json_print(const Buf *b);
