/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The image store: one directory, changed under a kernel lock, where all appears by rename.
 *
 *   lock             flock(2): shared to look, exclusive to change. Held for moments, never while unpacking
 *   layer/HEX/       an unpacked layer by its diff id: root/, meta, what gives its archive again (tar-record.h), and what blobs
 *                    hold it (packed.h). Whoever needs it before an image does (a load under way) has a shared flock on the directory
 *   image/HEX/       by image id: config.json, manifest-HEX.json, plain; use/APP, flocked by who runs it; hold/RELEASE; and
 *                    was/FILE for a name that it lost to another one, since when
 *   name/FILE        "image sha256:…", "manifest sha256:…" and, for an image of an index, "digest sha256:…"
 *   want/HEX         by manifest digest: the layers that an unfinished pull wants
 *   claim/HEX        by diff id: flocked by the pull that downloads that layer; without a lock its pull died, and the next writer
 *                    removes it
 *   tmp/WORK/        what a writer is making, flocked by it; without a lock its writer is dead and the next one
 *                    removes it
 *
 * Needs libc only. */

#include "image/image.h"
#include "util/strv.h"

typedef struct Store {
        int fd;      /* of the directory, for reading */
        int lock_fd; /* of `lock` */
        char *path;
} Store;

/* With create the directory is made, else -ENOENT; what belongs in it is made by writers. path NULL is BERTH_STORE. */
int store_open(const char *path, bool create, Store **ret, Error *reterr);
Store *store_free(Store *store);
DEFINE_CLEANUP(Store *, store_free);
#define _cleanup_store_ _cleanup_(store_freep)

int store_lock(Store *store, bool exclusive, Error *reterr);
void store_unlock(Store *store);

/* Directory `path` of the store on disk: what was renamed into it stays there after a power cut. */
int store_sync(Store *store, const char *path);

/* A directory of one's own in tmp, gone with store_work_free() or, after a crash, with the next writer. */
typedef struct StoreWork {
        Store *store;
        Store *own; /* of store_work_open(): the same, freed with it */
        int fd;
        char *path; /* below the store: "tmp/…" */
} StoreWork;

int store_work_new(Store *store, StoreWork **ret, Error *reterr);
/* With a store of its own, for a thread of its own: a lock belongs to an open file. */
int store_work_open(const char *path, StoreWork **ret, Error *reterr);
StoreWork *store_work_free(StoreWork *work);
DEFINE_CLEANUP(StoreWork *, store_work_free);
#define _cleanup_work_ _cleanup_(store_work_freep)

/* What is known of a layer, in its file meta. */
typedef struct LayerMeta {
        uint64_t size;    /* bytes of content */
        uint64_t entries; /* files, directories, links … */
        uint64_t tar_size; /* bytes of the archive it was unpacked from, not compressed */
} LayerMeta;

int store_layer_meta(Store *store, const char *diff_id, LayerMeta *ret);

/* A lock that keeps layer diff_id ("sha256:…"): its fd, or -ENOENT when the store does not have the layer. */
int store_layer_hold(Store *store, const char *diff_id, LayerMeta *ret);

/* Moves directory `name` of work (with `root` in it) into the store as layer diff_id, after all of it is on disk; when
 * another writer was faster, that layer is used. Returns the fd of store_layer_hold(). */
int store_layer_commit(StoreWork *work, const char *name, const char *diff_id, const LayerMeta *meta, Error *reterr);

/* Makes image visible; the caller holds all its layers. image says all but store and layers. name NULL: no name. */
typedef struct StoreImageFiles {
        const char *config, *manifest;
        size_t config_size, manifest_size;
        const char *digest; /* of the index that the names lead to; NULL: they lead to the manifest */
} StoreImageFiles;
int store_image_commit(StoreWork *work, const Image *image, const StoreImageFiles *files, char *const *names, Error *reterr);

/* Gives full names to the image that text finds, as image_open() has it; one that another image has becomes this one's. */
int store_tag(Store *store, const char *text, char *const *names, Error *reterr);

/* The JSON that image id came with: its manifest of that digest, or its configuration where manifest is NULL. */
int store_image_json(Store *store, const char *id, const char *manifest, char **ret, size_t *ret_size, Error *reterr);

/* An image as `berth images` lists it. */
typedef struct StoreImage {
        Image *image;
        char **names; /* full names, sorted */
        char **users; /* who runs it now, sorted, and where it is mounted */
        char **holders; /* releases that keep it, sorted */
        uint64_t size, shared; /* bytes of all its layers, and of those that another image has too */
} StoreImage;

int store_list(Store *store, StoreImage **ret, size_t *ret_n, Error *reterr);
void store_list_free(StoreImage *images, size_t n);

/* What a pull is after, by the digest of its manifest: layers that store_collect() leaves alone for STORE_WANT_SECONDS although
 * no image has them yet, so that the next try goes on where one failed or was killed. 0 or negative errno. */
#define STORE_WANT_SECONDS 86400
int store_want(Store *store, const char *manifest, char *const *diff_ids);
void store_want_done(Store *store, const char *manifest);

/* Removes every layer that no image has, no load or pull under way holds and no pull that failed lately wants. */
int store_collect(StoreWork *work, Error *reterr);

/* Takes the name text away; with the last name, or where text is an id, the image and the layers that no other image
 * has go too. -EBUSY while something runs it. force: an id that has several names, all of them; and the names of one
 * that is kept for a release, which stays without them.
 * ret_name is the name that was removed (NULL for an id), ret_id the image removed with it (NULL: it has other names). */
int store_remove(Store *store, const char *text, bool force, char **ret_name, char **ret_id, Error *reterr);
