/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/find.h"
#include "image/name.h"
#include "image/plain.h"
#include "image/store-internal.h"
#include "util/buf.h"
#include "util/fd.h"

/* An image that loses a name to another one remembers it, and when: prune goes by that. */
static int remember_name(Store *store, const char *id, const char *file) {
        char path[sizeof("image//was/") + DIGEST_HEX_LENGTH + NAME_LENGTH_MAX];
        _cleanup_close_ int fd = -EBADF;

        (void) snprintf(path, sizeof(path), "image/%s/was", digest_hex(id));
        if (mkdirat(store->fd, path, 0700) < 0 && errno != EEXIST)
                return errno == ENOENT ? 0 : -errno; /* the image is gone */
        (void) snprintf(path, sizeof(path), "image/%s/was/%s", digest_hex(id), file);
        fd = openat(store->fd, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 || futimens(fd, NULL) < 0 ? -errno : 0;
}

static void forget_name(Store *store, const char *id, const char *file) {
        char path[sizeof("image//was/") + DIGEST_HEX_LENGTH + NAME_LENGTH_MAX];

        (void) snprintf(path, sizeof(path), "image/%s/was/%s", digest_hex(id), file);
        (void) unlinkat(store->fd, path, 0);
}

int store_place_name(Store *store, const char *id, const char *manifest, const char *digest, const char *name) {
        _cleanup_free_ char *file = name_to_file(name), *path = NULL;
        _cleanup_buf_ Buf text = BUF_INIT;
        NameRecord before;
        int r;

        path = file ? str_format("name/%s", file) : NULL;
        if (!path)
                return -ENOMEM;
        r = name_record_read(store->fd, file, &before);
        if (r >= 0 && !streq(before.id, id)) {
                r = remember_name(store, before.id, file);
                if (r < 0)
                        return r;
        }
        r = buf_printf(&text, "image %s\nmanifest %s\n", id, manifest);
        if (r >= 0 && digest)
                r = buf_printf(&text, "digest %s\n", digest);
        if (r >= 0)
                r = write_file(store->fd, path, text.data, text.size, 0600, true);
        if (r >= 0)
                forget_name(store, id, file);
        return r;
}

static int tag_locked(Store *store, const char *text, char *const *names, Error *reterr) {
        _cleanup_image_ Image *image = calloc(1, sizeof(*image));
        Found found;
        int r = image ? image_find(store->fd, text, &found, reterr) : -ENOMEM;

        if (r < 0)
                return r;
        image->name = found.name;
        r = plain_load(store->fd, found.id, image, reterr);
        if (r < 0)
                return r;
        for (; r >= 0 && *names; names++)
                r = store_place_name(store, found.id, found.manifest[0] ? found.manifest : image->manifest_digest, NULL, *names);
        return r < 0 ? error_set_errno(reterr, r, "cannot write a name into the image store") : 0;
}

int store_tag(Store *store, const char *text, char *const *names, Error *reterr) {
        int r = store_lock(store, true, reterr);

        if (r < 0)
                return r;
        r = tag_locked(store, text, names, reterr);
        store_unlock(store);
        return r;
}
