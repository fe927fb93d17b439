/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "sandbox/mount.h"
#include "util/fd.h"

static int file_write(int scratch, const char *name, const WorldFile *f) {
        _cleanup_close_ int fd = openat(scratch, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, f->mode & 0777);
        int r;

        if (fd < 0)
                return -errno;
        r = write_all(fd, f->content, f->size);
        if (r >= 0 && (f->uid != 0 || f->gid != 0) && fchown(fd, f->uid, f->gid) < 0)
                r = -errno;
        return r;
}

static int file_attach(Helper *h, int scratch, const char *name, const WorldFile *f, Error *reterr) {
        uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                (f->writable ? 0 : MOUNT_ATTR_RDONLY);
        _cleanup_close_ int target = -EBADF, fd = -EBADF;
        int r;

        r = file_write(scratch, name, f);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write '%s'", f->target);
        target = target_open(h->root, f->target, false, reterr);
        if (target < 0)
                return target;
        fd = mount_clone(scratch, name, false);
        r = fd < 0 ? fd : mount_set(fd, attributes, -EBADF, false);
        if (r >= 0)
                r = mount_attach(fd, target);
        return r < 0 ? error_set_errno(reterr, r, "cannot mount on '%s'", f->target) : 0;
}

int files_attach(Helper *h, int scratch, Error *reterr) {
        for (size_t i = 0; i < h->world.n_files; i++) {
                char name[32];
                int r;

                (void) snprintf(name, sizeof(name), "f%zu", i);
                r = file_attach(h, scratch, name, h->world.files + i, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
