/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an app's supervisor tells the others: /run/berth/app/NAME/state, replaced by rename at each change. Its lines are
 * KEY=VALUE with C-style escapes in the value; a line `instance=NAME` begins that instance's block. */

#include <sys/types.h>

#include "util/error.h"

#define STATE_SIZE_MAX (4U * 1024 * 1024)

typedef enum InstanceState {
        INSTANCE_IDLE,     /* not started yet */
        INSTANCE_SPAWNING, /* the helper runs and has not named its process */
        INSTANCE_SCOPING,  /* PID 1 is asked for the scope */
        INSTANCE_EXECING,  /* told to go on, not yet the payload */
        INSTANCE_STARTING, /* the payload runs and is not ready */
        INSTANCE_READY,
        INSTANCE_STOPPING, /* has got its stop signal */
        INSTANCE_KILLING,  /* has got SIGKILL */
        INSTANCE_REAPING,  /* has exited; PID 1 takes the scope down */
        INSTANCE_BACKOFF,  /* will be started again when its delay is over */
        INSTANCE_EXITED,   /* ended by itself, with status 0, and stays so */
        INSTANCE_FAILED,   /* ended otherwise, and stays so */
        _INSTANCE_STATE_MAX,
        _INSTANCE_STATE_INVALID = -EINVAL,
} InstanceState;

const char *instance_state_to_string(InstanceState s); /* "ready" */
InstanceState instance_state_from_string(const char *s);

typedef struct InstanceStatus {
        char *name;           /* "web.1" */
        char *key;            /* as name, but told apart from another one of that name which it replaces: "web.1_" */
        char *process;        /* "web"; "" for the unnamed process */
        unsigned index;       /* 1, 2, … */
        InstanceState state;
        pid_t pid;            /* process 1 of the instance as the host numbers it; 0: none */
        char *scope;          /* "shop-web.1.v1.scope" */
        char *container_name;
        unsigned release;
        unsigned was_ready;   /* 1: since it was made, at least once */
        unsigned stopping;    /* 1: it was told to end */
        unsigned restarts;    /* since the service started */
        uint64_t since_usec;  /* CLOCK_REALTIME of the last change of state */
        int exit_code;        /* CLD_EXITED, CLD_KILLED, …; 0: has not ended; -1: unknown, see waitid(2) */
        int exit_status;      /* exit status or signal */
        char *network;        /* that it is on: "berth" for the one without a file, "container:db" for that of app db; "" for none of berth's */
        char *addresses;      /* on that network: "10.77.3.4/16, fd00::1/64"; "" for none */
        char *ports;          /* what it listens on by takeover: "*:8080->80/tcp, 127.0.0.1:53->53/udp"; "" for nothing */
        char *health;         /* "starting", "healthy", "unhealthy"; "" without a health check, and while it does not run */
        char *answer;         /* what the last attempt of that came to: "HTTP 503"; "" for none */
        char *message;        /* why it is as it is: "killed for want of memory"; "" where nothing is to be said */
} InstanceStatus;

typedef struct AppState {
        char *name;        /* "shop" */
        char *service;     /* "shop.service" */
        char *source;      /* path of the spec */
        char *image;       /* Image= or Rootfs= as in the spec */
        char *image_id;    /* "sha256:…"; "" for a Rootfs= */
        char *status;      /* the STATUS= line */
        unsigned release;    /* that is to run; 0: it is not known yet */
        unsigned stable;     /* the last that was ready as a whole; 0: none since the service started */
        unsigned changing;   /* 1: instances are being started, replaced or stopped to come to what is wanted */
        uint64_t since_usec; /* CLOCK_REALTIME of the service's start */
        InstanceStatus *instances;
        size_t n_instances;
} AppState;

void app_state_clear(AppState *s);

/* app_state_read(): dir is BERTH_RUN_DIR. -ENOENT: the app is not running. -EBADMSG: not a state file. */
int app_state_read(const char *dir, const char *name, AppState *ret);
int app_state_write(const char *dir, const AppState *s);

/* The instance of that name, or NULL. */
const InstanceStatus *app_state_instance(const AppState *s, const char *name);
