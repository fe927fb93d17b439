/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a registry has of an image: manifests, and blobs that go on where a connection broke. */

#include "image/blob.h"
#include "image/oci.h"
#include "image/registry/registry.h"

/* So many bytes are progress: what fails after them has all its tries again. */
#define REMOTE_PROGRESS_BYTES (1U << 20)

/* A place where an image can be had. */
typedef struct Origin {
        Registry *registry; /* not its own */
        char *repository;   /* as that registry calls it: "library/nginx" */
        const OciPlatform *platform; /* whose image is meant; NULL: this machine's */
} Origin;

/* "registry.example/library/nginx", as in packed.h; NULL: out of memory. The caller frees. */
char *origin_place(const Origin *o);

/* The manifest or index that reference, a tag or a digest, leads to. With a digest it is what has that digest. */
int remote_manifest(const Origin *o, const char *reference, char **ret, size_t *ret_size, char ret_digest[static 72], Error *reterr);

/* The whole of a small blob, which has the descriptor's digest and at most max bytes. name is for error sentences. */
int remote_read(const Origin *o, const OciDescriptor *d, const char *name, size_t max, char **ret, size_t *ret_size, Error *reterr);

/* A blob as it comes; its digest is for the reader to see to, its size is the descriptor's. o and d must outlive it. */
int remote_blob(const Origin *o, const OciDescriptor *d, const char *name, Blob **ret);
