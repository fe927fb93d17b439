/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A parent for the real helper, as the supervisor is one: starts it on a World, says GO, reads what the payload
 * prints and waits. */

#include "sandbox/world.h"
#include "util/buf.h"

typedef struct Drive {
        Buf output;  /* standard output and error of the payload */
        Error error; /* what the helper said before execve; code is 0 when it said nothing */
        int status;  /* waitpid(2)'s, of the payload */
        pid_t pid;   /* of the payload, here */
        int leader;  /* pidfd of it */
        int stdin_fd, stdout_fd; /* -EBADF: /dev/null and a pipe that fills output */
        int seccomp;
        int master; /* what HELPER_MASTER brought */
        int control, read_end;
} Drive;
#define DRIVE_INIT                                                                                            \
        ((Drive){ .pid = -1, .leader = -EBADF, .stdin_fd = -EBADF, .stdout_fd = -EBADF, .seccomp = -EBADF, \
                .master = -EBADF, .control = -EBADF, .read_end = -EBADF })

/* 0 when the payload was executed, else negative with drive->error set. `join` takes leader from `into`. */
int drive_start(Drive *d, const World *w, const Drive *into);
/* Reads to the end and reaps. 0 or negative errno. */
int drive_wait(Drive *d);
/* Both. */
int drive_run(Drive *d, const World *w);
void drive_clear(Drive *d);
