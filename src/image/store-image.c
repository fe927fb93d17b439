/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/name.h"
#include "image/plain.h"
#include "image/store-internal.h"
#include "util/fd.h"
#include "util/strv.h"

#define JSON_SIZE_MAX (4U << 20) /* what is stored is no longer */

static int write_manifest(int dir, const Image *image, const StoreImageFiles *files) {
        char name[sizeof("manifest-.json") + DIGEST_HEX_LENGTH];

        (void) snprintf(name, sizeof(name), "manifest-%s.json", digest_hex(image->manifest_digest));
        return write_file(dir, name, files->manifest, files->manifest_size, 0600, true);
}

static int write_files(int dir, const Image *image, const StoreImageFiles *files) {
        _cleanup_buf_ Buf plain = BUF_INIT;
        int r = plain_write(image, &plain);

        if (r >= 0)
                r = write_manifest(dir, image, files);
        if (r >= 0)
                r = write_file(dir, "config.json", files->config, files->config_size, 0600, true);
        if (r >= 0)
                r = write_file(dir, "plain", plain.data, plain.size, 0600, true);
        return r;
}

/* The image may be there already, perhaps from another manifest (its layers packed in another way). */
static int place_image(StoreWork *work, const Image *image, const StoreImageFiles *files) {
        char path[sizeof("image/") + DIGEST_HEX_LENGTH];
        _cleanup_close_ int fd = -EBADF;

        (void) snprintf(path, sizeof(path), "image/%s", digest_hex(image->id));
        if (renameat(work->fd, "image", work->store->fd, path) >= 0)
                return store_sync(work->store, "image");
        if (errno != EEXIST && errno != ENOTEMPTY)
                return -errno;
        fd = openat(work->store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : write_manifest(fd, image, files);
}

int store_image_commit(StoreWork *work, const Image *image, const StoreImageFiles *files, char *const *names, Error *reterr) {
        _cleanup_close_ int dir = -EBADF;
        int r;

        if (mkdirat(work->fd, "image", 0700) < 0)
                r = -errno;
        else {
                dir = openat(work->fd, "image", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                r = dir < 0 ? -errno : write_files(dir, image, files);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write image %s", image->id);
        r = store_lock(work->store, true, reterr);
        if (r < 0)
                return r;
        r = place_image(work, image, files);
        for (; r >= 0 && names && *names; names++)
                r = store_place_name(work->store, image->id, image->manifest_digest, files->digest, *names);
        store_unlock(work->store);
        (void) remove_tree(work->fd, "image");
        if (r < 0)
                return error_set_errno(reterr, r, "cannot put image %s into the store", image->id);
        return 0;
}

int store_image_json(Store *store, const char *id, const char *manifest, char **ret, size_t *ret_size, Error *reterr) {
        char path[sizeof("image//manifest-.json") + 2 * DIGEST_HEX_LENGTH];
        int r;

        if (manifest)
                (void) snprintf(path, sizeof(path), "image/%s/manifest-%s.json", digest_hex(id), digest_hex(manifest));
        else
                (void) snprintf(path, sizeof(path), "image/%s/config.json", digest_hex(id));
        r = read_file(store->fd, path, JSON_SIZE_MAX, ret, ret_size);
        return r < 0 ? error_set_errno(reterr, r, "cannot read %s of the image store", path) : 0;
}
