/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One attempt of a health check, which waits for nothing: a command inside an instance, or an HTTP request from inside its network
 * namespace. */

#include <systemd/sd-event.h>

#include "util/error.h"

#define PROBE_OUTPUT_MAX (64U * 1024) /* of a command, the end of it */

typedef struct Probe Probe;

typedef struct ProbeResult {
        bool well;
        int status;         /* exit status of the command, 128 and the signal that ended it, or that of HTTP; -1: there is none */
        const char *output; /* of the command, of HTTP what there is to say; NUL-terminated, as it came */
        size_t size;
} ProbeResult;

/* Called once, at the end of the attempt. The Probe is not the caller's any more, and output is gone when this returns. */
typedef void (*probe_callback)(const ProbeResult *result, void *userdata);

/* Who is asked, and by whom. */
typedef struct ProbeTarget {
        sd_event *event;
        const char *app, *process, *instance; /* as the state file has them; the instance's key */
        unsigned release;                     /* that the instance is of */
        int pidfd;                            /* of the instance's first process */
        int cgroup;                           /* of its scope */
        uint64_t timeout_usec;                /* for the attempt; what has not ended by then is killed; UINT64_MAX: none */
        probe_callback callback;
        void *userdata;
} ProbeTarget;

/* Runs argv with the payload's environment, user and working directory, in a control group of its own below the instance's (PROBE_CGROUP):
 * what the command leaves behind is killed with it. Exit status 0 is well. limit is how much of its output is kept, at most
 * PROBE_OUTPUT_MAX. */
#define PROBE_CGROUP "berth-health"
int probe_command(const ProbeTarget *target, char *const *argv, size_t limit, Probe **ret, Error *reterr);

/* GET path from 127.0.0.1:port, or [::1]:port where that refuses, in the network namespace netns; a status of 2xx or 3xx is well. */
int probe_http(const ProbeTarget *target, int netns, uint16_t port, const char *path, Probe **ret, Error *reterr);

/* Ends an attempt that has not called back yet, which it does not any more. */
Probe *probe_cancel(Probe *p);
DEFINE_CLEANUP(Probe *, probe_cancel);

/* For one line: the last line of text that is not blank, control characters and bytes that are not UTF-8 escaped as \xNN, at most max
 * bytes of it. The caller frees; NULL when out of memory. */
char *probe_text(const char *text, size_t size, size_t max);

/* The status of an HTTP/1.x status line, or -EBADMSG. RFC 9112, 4. */
int probe_http_status(const char *line);
