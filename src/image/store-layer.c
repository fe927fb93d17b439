/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/name.h"
#include "image/store.h"
#include "util/buf.h"
#include "util/fd.h"

#define META_SIZE_MAX 4096

static int meta_read(int dir, const char *path, LayerMeta *ret) {
        unsigned long long size, entries, tar;
        _cleanup_free_ char *text = NULL;
        int r = read_file(dir, path, META_SIZE_MAX, &text, NULL);

        if (r < 0)
                return r;
        if (sscanf(text, "size %llu\nentries %llu\ntar %llu\n", &size, &entries, &tar) != 3)
                return -EBADMSG;
        *ret = (LayerMeta){ .size = size, .entries = entries, .tar_size = tar };
        return 0;
}

int store_layer_meta(Store *store, const char *diff_id, LayerMeta *ret) {
        char path[sizeof("layer//meta") + DIGEST_HEX_LENGTH];

        (void) snprintf(path, sizeof(path), "layer/%s/meta", digest_hex(diff_id));
        return meta_read(store->fd, path, ret);
}

int store_layer_hold(Store *store, const char *diff_id, LayerMeta *ret) {
        char path[sizeof("layer/") + DIGEST_HEX_LENGTH];
        const char *hex = digest_hex(diff_id);

        if (!hex)
                return -EINVAL;
        (void) snprintf(path, sizeof(path), "layer/%s", hex);
        for (;;) {
                _cleanup_close_ int fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                struct stat a, b;
                int r;

                if (fd < 0)
                        return -errno;
                while (flock(fd, LOCK_SH) < 0)
                        if (errno != EINTR)
                                return -errno;
                /* It may have been moved away to be removed between the two. */
                if (fstat(fd, &a) < 0)
                        return -errno;
                if (fstatat(store->fd, path, &b, AT_SYMLINK_NOFOLLOW) < 0)
                        return -errno;
                if (a.st_ino != b.st_ino || a.st_dev != b.st_dev)
                        continue;
                r = ret ? meta_read(fd, "meta", ret) : 0;
                return r < 0 ? r : TAKE_FD(fd);
        }
}

int store_layer_commit(StoreWork *work, const char *name, const char *diff_id, const LayerMeta *meta, Error *reterr) {
        char path[sizeof("layer/") + DIGEST_HEX_LENGTH];
        _cleanup_buf_ Buf text = BUF_INIT;
        _cleanup_close_ int fd = -EBADF;
        Store *store = work->store;
        int r;

        (void) snprintf(path, sizeof(path), "layer/%s", digest_hex(diff_id));
        fd = openat(work->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || flock(fd, LOCK_SH) < 0)
                return error_set_errno(reterr, -errno, "cannot open unpacked layer %s", diff_id);
        r = buf_printf(&text, "size %llu\nentries %llu\ntar %llu\n", (unsigned long long) meta->size,
                (unsigned long long) meta->entries, (unsigned long long) meta->tar_size);
        if (r >= 0)
                r = write_file(fd, "meta", text.data, text.size, 0600, false);
        /* Everything below must be on disk before the name is: a layer that is there is whole. */
        if (r >= 0 && syncfs(fd) < 0)
                r = -errno;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write layer %s to disk", diff_id);
        r = store_lock(store, true, reterr);
        if (r < 0)
                return r;
        if (renameat(work->fd, name, store->fd, path) < 0)
                r = -errno;
        else
                r = store_sync(store, "layer");
        if (r == -EEXIST || r == -ENOTEMPTY) {
                fd_close(TAKE_FD(fd));
                r = fd = store_layer_hold(store, diff_id, NULL);
        }
        store_unlock(store);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot put layer %s into the store", diff_id);
        return TAKE_FD(fd);
}
