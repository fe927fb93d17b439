/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one instance of a process shall be: its World for the helper and the settings of its scope. */

#include "image/image.h"
#include "run/files.h"
#include "run/scope.h"
#include "sandbox/world.h"
#include "spec/spec.h"

/* Who the instance is. */
typedef struct PlanNames {
        const char *app;            /* "shop" */
        const char *instance;       /* "web.1" */
        unsigned release;
        const char *container_name; /* "shop-web.1" */
        const char *directory;      /* BERTH_APP_DIR/APP/instance/INSTANCE: what lives as long as the instance; made here */
        const char *notify_socket;  /* of the supervisor, for Notify=yes; else NULL */
        const FilesNetwork *network; /* NULL: loopback alone, or the host's */
} PlanNames;

#define PLAN_NOTIFY_TARGET "/run/berth/notify" /* where the payload finds the socket */

/* images: those that mounts of type image name, opened here and kept by the World as paths of layers.
 * id_base: the app's id range; unused with a mapping that the spec gives and with UserNS=host. */
int plan_world(const Spec *spec, const SpecProcess *p, const Image *image, const PlanNames *names, uint32_t id_base,
        World *ret, Error *reterr);

/* The scope's limits; name, description, slice and pid are the caller's. */
void plan_scope(const Spec *spec, const SpecProcess *p, ScopeSettings *ret);

/* Does the process need an id range of the app, and of how many ids? 0: no. */
uint32_t plan_ids_needed(const SpecProcess *p);
