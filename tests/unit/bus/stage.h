/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* berthd's objects on a bus of the test's own (dbus-daemon), between a caller and actors who play systemd and polkit. */

#include <check.h>
#include <systemd/sd-bus.h>

#include "util/macro.h"

/* What polkit answers. */
typedef enum Answer {
        ANSWER_YES,
        ANSWER_NO,
        ANSWER_CHALLENGE, /* not without a password */
        ANSWER_ERROR,     /* polkit is not there */
        ANSWER_NONSENSE,
} Answer;

typedef struct Stage {
        char specs[64], run[64]; /* directories: of specs, and of the state of what runs */
        Answer answer;
        bool no_such_unit;       /* what systemd says of every job */
        char *job;               /* "StartUnit shop.service": the last job that systemd was asked for */
        char *question;          /* "org.berth1.manage app=shop verb=start": the last question to polkit */
        bool interactive;        /* that question allowed to ask for a password */
        unsigned questions;
        sd_bus *caller;
        sd_bus_message *reply;   /* of the last call */
} Stage;

extern Stage stage;

/* For tcase_add_checked_fixture(): everything but the daemon. */
void stage_open(void);
void stage_close(void);

void stage_write(const char *directory, const char *path, const char *text);
/* The daemon's start. It reads specs and run once and sees no later change but by being told. The caller connects as the user. */
void stage_start(uid_t caller);

/* Calls a method of the daemon: NULL, or the name of the error. */
const char *stage_call(const char *path, const char *interface, const char *method, const char *types, ...);
/* The same on org.berth1.Manager. */
#define stage_manager(method, ...) stage_call("/org/berth1", "org.berth1.Manager", method, __VA_ARGS__)
/* Of the last reply that was an error. */
const char *stage_message(void);

int stage_main(const char *name, void (*add)(TCase *t));
