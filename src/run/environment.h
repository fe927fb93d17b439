/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The environment and the command line of an instance, out of its image and its spec. */

#include "image/image.h"
#include "spec/spec.h"
#include "util/error.h"

/* Who an instance is, for itself. */
typedef struct EnvironmentNames {
        const char *app, *instance; /* "shop", "web.1" */
        const char *hostname;
        unsigned release;
} EnvironmentNames;

/* "NAME=value" lines. Later wins: a PATH, the supervisor's own (EnvironmentHost=), container=berth and HOSTNAME, the image's, BERTH_APP,
 * BERTH_PROCESS, BERTH_INSTANCE, BERTH_RELEASE and, of the first TCP port that is published, PORT, then EnvironmentFile=, Environment=,
 * Secret=…,type=env. image is NULL for a Rootfs=. */
int environment_make(const Spec *spec, const SpecProcess *p, const Image *image, const EnvironmentNames *names, char ***ret, Error *reterr);

/* ENTRYPOINT and CMD as Podman joins them: an Entrypoint= of the spec takes the image's CMD away, too. What the spec says is
 * expanded with env, what the image says is taken as it is. */
int command_make(const Spec *spec, const SpecProcess *p, const Image *image, char *const *env, char ***ret, Error *reterr);

/* The bytes of a secret, from BERTH_SECRET_DIR. */
int secret_read(const Spec *spec, const SpecSecret *secret, char **ret, size_t *ret_size, Error *reterr);
