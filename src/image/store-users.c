/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>

#include "image/name.h"
#include "image/store-internal.h"
#include "util/fd.h"

int store_image_users(Store *store, const char *id, const ImageMounts *mounts, char ***ret) {
        char path[sizeof("image//use/") + DIGEST_HEX_LENGTH + NAME_MAX];
        _cleanup_strv_ char **files = NULL, **users = strv_copy(NULL);
        int r;

        (void) snprintf(path, sizeof(path), "image/%s/use", digest_hex(id));
        r = store_list_directory(store, path, &files);
        if (r < 0 || !users)
                return r < 0 ? r : -ENOMEM;
        for (char **p = files; r >= 0 && *p; p++) {
                _cleanup_close_ int fd = -EBADF;

                (void) snprintf(path, sizeof(path), "image/%s/use/%s", digest_hex(id), *p);
                fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
                /* Only a lock that somebody holds counts: the file of an app that is gone stays behind. */
                if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
                        r = strv_append(&users, *p);
        }
        for (size_t i = 0; r >= 0 && i < mounts->n; i++)
                if (streq(mounts->list[i].id, id))
                        r = strv_append(&users, mounts->list[i].target);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(users);
        return 0;
}

int store_image_holders(Store *store, const char *id, char ***ret) {
        char path[sizeof("image//hold") + DIGEST_HEX_LENGTH];

        (void) snprintf(path, sizeof(path), "image/%s/hold", digest_hex(id));
        return store_list_directory(store, path, ret);
}
