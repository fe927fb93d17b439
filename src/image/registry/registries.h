/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which registry a name leads to: containers-registries.conf(5), version 2, which Podman and Skopeo read too. */

#include "image/name.h"
#include "util/error.h"

#define REGISTRIES_FILE "/etc/containers/registries.conf"
#define REGISTRIES_DIR "/etc/containers/registries.conf.d"
#define REGISTRIES_SEARCH_MAX 64
#define REGISTRIES_ENTRIES_MAX 1024
#define REGISTRIES_MIRRORS_MAX 64
#define REGISTRIES_ALIASES_MAX 65536

typedef enum ShortNameMode {
        SHORT_NAME_ENFORCING, /* a short name that could be several images is refused */
        SHORT_NAME_PERMISSIVE, /* they are tried in turn */
        SHORT_NAME_DISABLED,   /* so, too; the name of the mode is about asking a person */
        _SHORT_NAME_MODE_MAX,
        _SHORT_NAME_MODE_INVALID = -EINVAL,
} ShortNameMode;

typedef enum MirrorUse {
        MIRROR_ALL,
        MIRROR_DIGEST_ONLY,
        MIRROR_TAG_ONLY,
        _MIRROR_USE_MAX,
        _MIRROR_USE_INVALID = -EINVAL,
} MirrorUse;

typedef struct RegistryMirror {
        char *location;
        bool insecure;
        MirrorUse use;
} RegistryMirror;

/* A [[registry]]. */
typedef struct RegistryEntry {
        char *prefix;   /* "docker.io", "quay.io/team", "*.example.com" */
        char *location; /* NULL: as prefix says */
        char *file;     /* that it stands in */
        bool insecure, blocked;
        RegistryMirror *mirrors;
        size_t n_mirrors;
} RegistryEntry;

typedef struct RegistryAlias {
        char *name, *target; /* "fedora", "registry.fedoraproject.org/fedora"; an empty target takes the alias back */
} RegistryAlias;

typedef struct Registries {
        char **search; /* NULL: no file says any */
        ShortNameMode mode;
        RegistryEntry *entries;
        size_t n_entries;
        RegistryAlias *aliases;
        size_t n_aliases;
        char **credential_helpers; /* NULL: no file says any */
} Registries;

void registries_clear(Registries *r);
#define _cleanup_registries_ _cleanup_(registries_clear)

#define REGISTRIES_INIT ((Registries){ .mode = SHORT_NAME_PERMISSIVE })

/* One file's text over what was read before; file is for sentences. -EBADMSG … with "FILE: " and what is wrong. */
int registries_read(Registries *r, const char *text, size_t size, const char *file, Error *reterr);

/* All files of this machine: REGISTRIES_FILE (or $CONTAINERS_REGISTRIES_CONF), then REGISTRIES_DIR in the order of names. */
int registries_load(Registries *ret, Error *reterr);

/* The full names, with tag or digest, that text may mean, the best first. A name with a registry is its own only candidate.
 * -ENOTUNIQ when the mode is enforcing and there are several. */
int registries_candidates(const Registries *r, const char *text, char ***ret, Error *reterr);

/* A place to get an image from. */
typedef struct Place {
        char *host;       /* "docker.io", "mirror.local:5000" */
        char *repository; /* "library/nginx" */
        bool insecure;
        bool elsewhere;   /* another host than the image's name has */
} Place;

void places_free(Place *places, size_t n);

/* Where to look for the image of a full name, in order: mirrors, then the registry itself. push: only that. -EPERM when it is blocked. */
int registries_places(const Registries *r, const Name *name, bool push, Place **ret, size_t *ret_n, Error *reterr);
