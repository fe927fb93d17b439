/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Blobs and manifests into a registry, as the OCI distribution specification has it. All are tried again while trouble is
 * temporary. */

#include "image/blob.h"
#include "image/oci-make.h"
#include "image/registry/remote.h"

/* 1: the repository has the blob; 0: it has not. */
int upload_has(const Origin *o, const char *digest, Error *reterr);

/* Asks for the blob to be taken from another repository of the registry. 1: it was; 0: it was not, and *ret_session, which the
 * caller frees, is where to send it then, or NULL. */
int upload_mount(const Origin *o, const char *digest, const char *from, char **ret_session, Error *reterr);

/* A blob that nobody knows before it is read. open gives it from its beginning, whenever it is called the same bytes. */
typedef struct UploadSource {
        int (*open)(void *userdata, Blob **ret, Error *reterr);
        void *userdata;
} UploadSource;

/* session: of upload_mount(), or NULL. Where a connection breaks it goes on behind what the registry has got, if that can say. */
int upload_blob(const Origin *o, const UploadSource *source, const char *session, char ret_digest[static 72], uint64_t *ret_size,
        Error *reterr);

/* A small blob, unless the repository has it. */
int upload_text(const Origin *o, const char *digest, const void *data, size_t size, Error *reterr);

/* reference is a tag or the digest. */
int upload_manifest(const Origin *o, const char *reference, OciForm form, const char *digest, const char *text, size_t size,
        Error *reterr);
