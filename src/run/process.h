/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A release as its instances run it: the spec, and of each process what they share. */

#include <systemd/sd-event.h>

#include "image/image.h"
#include "net/port.h"
#include "run/release.h"
#include "spec/spec.h"

struct Supervisor;
typedef struct Release Release;

typedef struct Process {
        Release *release;
        const SpecProcess *spec;
        char image_id[RELEASE_IMAGE_ID_SIZE]; /* of the release; "": a Rootfs=, or not known yet */
        Image *image;  /* opened when it is first needed; NULL for a Rootfs= */
        int pin;       /* image_pin(), also in the fd store */
        int seccomp;   /* the compiled profile; -EBADF: not opened yet, or unconfined */
        Port **ports;  /* what it publishes, in the order of the spec; of the supervisor's */
        size_t n_ports;
} Process;

struct Release {
        unsigned number; /* 0: not known yet */
        unsigned equals; /* the number of the one that it brings back; 0: none */
        bool new;        /* it was made by this supervisor's last change, and has to show that it works */
        bool prepared;   /* its process `release` has run, and well */
        Spec *spec;
        Process *processes;
        size_t n_processes;
};

/* spec is taken over, also on failure. */
int release_new(struct Supervisor *sv, Spec *spec, unsigned number, Release **ret);

/* One that is kept: its spec, and its images by id. */
int release_load(struct Supervisor *sv, unsigned number, Release **ret);

/* The ports of all its processes; of sv->adoption, where that is there, what it left. 0 also when they are open already. */
int release_open_ports(struct Supervisor *sv, Release *r, Error *reterr);

/* Gives up what only its instances needed. */
Release *release_free(struct Supervisor *sv, Release *r);

/* That port of the host, as the process counts its ports; n_ports: it has none such. */
size_t process_port(const Process *p, const Port *port);

/* NULL: the unnamed one. NULL also where there is none. */
Process *release_process(const Release *r, const char *name);

/* Image, seccomp profile and ids, for the first instance that needs them. */
int process_prepare(struct Supervisor *sv, Process *process, Error *reterr);
