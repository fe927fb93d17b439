/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An image of the store as who runs it sees it. Needs libc only: all was digested when the image was stored. */

#include <sys/types.h>

#include "util/error.h"

typedef struct Image {
        char *id;              /* "sha256:HEX", the digest of the image's configuration */
        char *manifest_digest; /* "sha256:HEX", of the manifest that it came with */
        char *name;            /* the full name that the look-up found: "docker.io/library/nginx:latest"; NULL: found by id */
        char *store;           /* the store's directory */

        char **layers; /* absolute paths of unpacked layers, the TOPMOST FIRST, none twice. Plain ids, overlay's own
                        * whiteouts (0:0 devices, trusted.overlay.opaque). They hold whatever device nodes the image
                        * has: mount them nodev */
        char **layer_ids; /* "sha256:HEX" for each of layers */
        char **hidden_ids; /* of further layers, which an opaque root directory hides: part of the image all the same */
        uint64_t size;    /* bytes of content in all layers together */

        char **entrypoint, **cmd; /* empty where the image has none; never NULL */
        char **env;               /* "NAME=value", in the image's order */
        char **labels;            /* "key=value" */
        char **volumes;           /* paths inside */
        char **exposed;           /* "80/tcp" */
        char *user;               /* as World.user; NULL: root */
        char *workdir;            /* NULL: "/" */
        char *stop_signal;        /* "SIGQUIT", "15"; NULL: SIGTERM */
        char **health;            /* HEALTHCHECK, which only Docker's format has: "CMD" and the arguments of execve(2), "CMD-SHELL" and a
                                   * line for the shell, or "NONE"; empty: the image has none */
        uint64_t health_interval, health_timeout, health_start_period; /* microseconds; 0: not said */
        uint64_t health_retries;  /* 0: not said */
        char *architecture, *os, *variant; /* as Go names them: "amd64", "linux"; variant may be NULL */
        uint64_t created;         /* seconds since 1970; 0: the image does not say */
} Image;

Image *image_free(Image *image);
DEFINE_CLEANUP(Image *, image_free);
#define _cleanup_image_ _cleanup_(image_freep)

/* Finds and reads an image. store NULL is BERTH_STORE. name is what a person writes behind Image=: a full
 * or a short name ("nginx", looked for as localhost/nginx:latest and docker.io/library/nginx:latest), a name with
 * a digest, an id, or the start of an id (4 digits or more) that only one image has.
 * -ENOENT when there is no such image, -ENOTUNIQ for a start of several ids, -EINVAL for what cannot be a name. */
int image_open(const char *store, const char *name, Image **ret, Error *reterr);

/* Keeps the image and its layers in the store for as long as the returned fd, or any duplicate of it, is open
 * in any process (the lock lives in the open file: it may go through exec, a socket or systemd's fd store).
 * user is who keeps it, the app's name; `berth rmi` and `berth images` show it.
 * Returns the fd (close-on-exec) or negative errno; -ENOENT when the image went away since image_open(). */
int image_pin(const Image *image, const char *user, Error *reterr);

/* Keeps the image in the store until image_unhold(), over reboots and whatever runs: for a release that can be rolled back
 * to. holder says who in `berth images`: "shop@v12", no '/' and no '.' at its start. Doing it twice changes nothing.
 * -ENOENT when the image went away since image_open(). */
int image_hold(const Image *image, const char *holder, Error *reterr);

/* store NULL is BERTH_STORE. id is the image's; 0 also where holder does not keep it. */
int image_unhold(const char *store, const char *id, const char *holder, Error *reterr);
