/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Carries what one instance writes to its standard output and error into the journal: whole lines, in order, each at
 * least once. What was read from the pipe and not yet sent lies in a memfd, which the next supervisor takes over with the
 * pipe: a SIGKILL of this one loses no line. */

#include "util/error.h"

/* journald's LineMax=: longer lines are cut into pieces of this size. */
#define RELAY_LINE_MAX (48U * 1024)

typedef struct Relay Relay;

/* fields: serialised journal fields that each entry of the instance carries ("BERTH_APP=shop\n…"). pipe and memory
 * become the relay's; memory is -EBADF for a new one. */
int relay_new(int pipe, int memory, const char *fields, Relay **ret);
Relay *relay_free(Relay *r);
DEFINE_CLEANUP(Relay *, relay_free);

int relay_pipe(const Relay *r);
int relay_memory(const Relay *r);

/* What it has sent last is kept until it is dropped. relay_tail() is as tail_text(); r may be NULL. */
int relay_tail_keep(Relay *r);
void relay_tail_drop(Relay *r);
const char *relay_tail(const Relay *r, unsigned lines);

typedef enum RelayResult {
        RELAY_DRAINED, /* nothing to read now; wait for the pipe */
        RELAY_BUSY,    /* had its share, there is more: come again */
        RELAY_BLOCKED, /* journald's queue is full: wait for POLLOUT on the journal */
        RELAY_EOF,     /* all writers have closed and all is sent */
} RelayResult;

/* Reads and sends for a bounded share. Negative errno: the journal's socket is broken; nothing is lost by trying
 * again with another one. */
int relay_process(Relay *r, int journal);
