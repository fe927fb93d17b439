/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Entries of the journal as lines for people: time, who said it, what. */

#include <stdio.h>

#include "util/macro.h"

/* The fields that are looked at, for journalctl --output-fields=. */
#define LOG_FIELDS "MESSAGE,PRIORITY,BERTH_INSTANCE,SYSLOG_IDENTIFIER"

typedef struct LogLook {
        const char *app;
        bool colour;  /* of each instance its own */
        bool flush;   /* after each entry */
        size_t width; /* of the longest name to expect; a longer one makes it wider from there on */
} LogLook;

/* in: journalctl's export format (systemd's docs: Journal Export Formats). 0 at its end; -EBADMSG: it is none; other errno of in. */
int log_lines(FILE *in, FILE *out, const LogLook *look);
