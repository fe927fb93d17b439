/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The JSON of the OCI image specification and of Docker's older formats: read, judged, and for images that are made here
 * written. What a reader does not know it leaves alone. */

#include "image/image.h"

/* Limits on what a file from outside may have. */
#define OCI_JSON_MAX (4U << 20) /* bytes of an index, manifest or configuration; what registries accept */
#define OCI_DESCRIPTORS_MAX 4096
#define OCI_LAYERS_MAX 500      /* overlay takes no more */
#define OCI_STRINGS_MAX 4096    /* of one list in a configuration */

typedef struct OciDescriptor {
        char *media_type; /* NULL: not said */
        char *digest;     /* valid "sha256:…" */
        uint64_t size;
        char *os, *architecture, *variant; /* NULL: not said */
        char *name;       /* io.containerd.image.name, else org.opencontainers.image.ref.name; NULL: none */
        bool other;       /* an attestation or another artifact, not an image */
} OciDescriptor;

typedef struct OciManifest {
        char *media_type; /* of itself; NULL: not said */
        OciDescriptor config;
        OciDescriptor *layers; /* lowest first */
        size_t n_layers;
} OciManifest;

typedef struct OciIndex {
        OciDescriptor *manifests;
        size_t n_manifests;
} OciIndex;

typedef enum OciKind {
        OCI_INDEX,
        OCI_MANIFEST,
        _OCI_KIND_MAX,
        _OCI_KIND_INVALID = -EINVAL,
} OciKind;

/* One image of a docker archive's manifest.json. */
typedef struct DockerImage {
        char *config;      /* path in the archive */
        char **names;      /* RepoTags */
        char **layers;     /* paths in the archive, lowest first */
} DockerImage;

typedef struct DockerArchive {
        DockerImage *images;
        size_t n_images;
} DockerArchive;

void oci_manifest_clear(OciManifest *m);
void oci_index_clear(OciIndex *i);
void docker_archive_clear(DockerArchive *a);
#define _cleanup_oci_manifest_ _cleanup_(oci_manifest_clear)
#define _cleanup_oci_index_ _cleanup_(oci_index_clear)
#define _cleanup_docker_archive_ _cleanup_(docker_archive_clear)

/* All return 0, or -EBADMSG (-E2BIG past a limit) with a sentence that the caller prefixes with the object. */
OciKind oci_kind(const char *json, size_t size, Error *reterr);
int oci_index_parse(const char *json, size_t size, OciIndex *ret, Error *reterr);
int oci_manifest_parse(const char *json, size_t size, OciManifest *ret, Error *reterr);
int docker_archive_parse(const char *json, size_t size, DockerArchive *ret, Error *reterr);

/* Fills what image takes from its configuration; *ret_diff_ids are its layers, lowest first. */
int oci_config_parse(const char *json, size_t size, Image *image, char ***ret_diff_ids, Error *reterr);

/* Whose image is wanted. NULL: this machine's; a variant is one of architecture. */
typedef struct OciPlatform {
        const char *os, *architecture, *variant;
} OciPlatform;

#define OCI_PLATFORM_TEXT_MAX 256

/* "linux on arm64 v8" */
const char *oci_platform_text(const OciPlatform *p, char buffer[static OCI_PLATFORM_TEXT_MAX]);

/* Architectures have several names; this is Go's where it is known. */
const char *oci_architecture_name(const char *name);

/* The one of an index's manifests that fits this machine, or the platform where that is not NULL; or NULL. */
const OciDescriptor *oci_pick(const OciDescriptor *const *candidates, size_t n);
const OciDescriptor *oci_pick_for(const OciPlatform *platform, const OciDescriptor *const *candidates, size_t n);

/* Whether an image is what the platform asks for, NULL: for this machine. What the image does not say is no obstacle. */
bool oci_platform_fits(const OciPlatform *platform, const Image *image);

/* This machine's architecture as Go names it: "amd64". */
const char *oci_architecture(void);

/* "2024-05-01T10:00:00.5+02:00" as seconds since 1970; -EINVAL. RFC 3339. */
int oci_time_parse(const char *text, uint64_t *ret);
