/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Joins the caller's terminal (standard input and output) to the master of a pty: bytes both ways, raw mode, window size. */

#include <systemd/sd-event.h>

#include "util/error.h"

typedef struct PtyForward PtyForward;

/* master is taken over. SIGWINCH has to be blocked. The terminal gets its modes back in pty_forward_free(). */
int pty_forward_new(sd_event *event, int master, PtyForward **ret);
PtyForward *pty_forward_free(PtyForward *f);
DEFINE_CLEANUP(PtyForward *, pty_forward_free);

/* Writes out what the other side has still sent. */
void pty_forward_drain(PtyForward *f);
