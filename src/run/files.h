/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that berth writes into an instance: hosts, hostname, resolv.conf, localtime, secrets. */

#include "sandbox/world.h"
#include "spec/spec.h"

/* The network that the instance is on. */
typedef struct FilesNetwork {
        const char *address; /* the instance's */
        const char *gateway; /* the host's */
        char *const *dns;    /* name servers of the network; NULL: those of the host */
        const char *resolver; /* the instance's own name server, which asks those; NULL: it has none */
        bool internal;       /* those of the host cannot be reached from it */
} FilesNetwork;

/* Appends to w->files. network is NULL with the host's network, and without any. w->hostname and w->network_namespace are set already. */
int files_make(const Spec *spec, const SpecProcess *p, const char *container_name, const FilesNetwork *network, World *w, Error *reterr);
