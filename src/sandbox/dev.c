/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "sandbox/ids.h"
#include "sandbox/mount.h"
#include "util/fd.h"
#include "util/strv.h"

#define DEV_OPTIONS "mode=755,size=64k,nr_inodes=1024,uid=%u,gid=%u"
#define DEV_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

static const struct {
        const char *name;
        unsigned major, minor;
} dev_nodes[] = {
        { "null",    1, 3 },
        { "zero",    1, 5 },
        { "full",    1, 7 },
        { "random",  1, 8 },
        { "urandom", 1, 9 },
        { "tty",     5, 0 },
};

static const struct {
        const char *name, *target;
} dev_links[] = {
        { "fd",     "/proc/self/fd"   },
        { "stdin",  "/proc/self/fd/0" },
        { "stdout", "/proc/self/fd/1" },
        { "stderr", "/proc/self/fd/2" },
        { "core",   "/proc/kcore"     },
        { "ptmx",   "pts/ptmx"        },
};

static const char *const dev_directories[] = { "pts", "mqueue", "shm" };

static int dev_node(int dev, const char *name, mode_t mode, dev_t number, uid_t uid, gid_t gid) {
        if (mknodat(dev, name, mode, number) < 0 || fchownat(dev, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return 0;
}

/* Parents of AddDevice=/dev/a/b, owned as the rest. */
static int dev_parents(int dev, const char *path, uid_t uid, gid_t gid) {
        char copy[PATH_MAX];

        if (strlen(path) >= sizeof(copy))
                return -ENAMETOOLONG;
        strcpy(copy, path);
        for (char *p = strchr(copy, '/'); p; p = strchr(p + 1, '/')) {
                *p = 0;
                if (mkdirat(dev, copy, 0755) >= 0) {
                        if (fchownat(dev, copy, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
                                return -errno;
                } else if (errno != EEXIST)
                        return -errno;
                *p = '/';
        }
        return 0;
}

/* Nodes are made, not bound: a bind mount would bring the host's owner along. */
static int dev_add(int dev, const WorldDevice *d, uid_t uid, gid_t gid, Error *reterr) {
        const char *name = str_after(d->target, "/dev/");
        struct stat st;
        mode_t mode;
        int r;

        /* Checked as text because dev is a new tmpfs: nothing in it but what was made here, and no links. */
        if (!name || !*name || strstr(name, "//") || strstr(name, "..") || str_ends_with(name, "/"))
                return error_set(reterr, -EINVAL, "cannot add device '%s' as '%s': it must be below /dev", d->source,
                        d->target);
        if (stat(d->source, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot add device '%s'", d->source);
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
                return error_set(reterr, -ENOTTY, "cannot add device '%s': it is not a device node", d->source);
        mode = (st.st_mode & (S_IFMT | 0777)) & ~((d->read ? 0 : 0444U) | (d->write ? 0 : 0222U));
        r = dev_parents(dev, name, uid, gid);
        if (r >= 0)
                r = dev_node(dev, name, mode, st.st_rdev, uid, gid);
        return r < 0 ? error_set_errno(reterr, r, "cannot add device '%s' as '%s'", d->source, d->target) : 0;
}

int dev_make(Helper *h, Error *reterr) {
        uid_t uid = ids_outside(&h->world, true, 0);
        gid_t gid = ids_outside(&h->world, false, 0);
        _cleanup_close_ int fd = -EBADF;
        char options[128];
        int r;

        (void) snprintf(options, sizeof(options), DEV_OPTIONS, uid, gid);
        fd = mount_new("tmpfs", options, DEV_ATTRIBUTES, reterr);
        if (fd < 0)
                return error_prefix(reterr, "cannot mount /dev");
        for (size_t i = 0; i < ELEMENTSOF(dev_nodes); i++) {
                r = dev_node(fd, dev_nodes[i].name, S_IFCHR | 0666, makedev(dev_nodes[i].major, dev_nodes[i].minor),
                        uid, gid);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot make '/dev/%s'", dev_nodes[i].name);
        }
        for (size_t i = 0; i < h->world.n_devices; i++) {
                r = dev_add(fd, h->world.devices + i, uid, gid, reterr);
                if (r < 0)
                        return r;
        }
        h->dev = TAKE_FD(fd);
        return 0;
}

int dev_fill(Helper *h, int dev, Error *reterr) {
        for (size_t i = 0; i < ELEMENTSOF(dev_directories); i++)
                if (mkdirat(dev, dev_directories[i], 0755) < 0 && errno != EEXIST)
                        return error_set_errno(reterr, -errno, "cannot make '/dev/%s'", dev_directories[i]);
        for (size_t i = 0; i < ELEMENTSOF(dev_links); i++)
                if (symlinkat(dev_links[i].target, dev, dev_links[i].name) < 0 && errno != EEXIST)
                        return error_set_errno(reterr, -errno, "cannot make '/dev/%s'", dev_links[i].name);
        return 0;
}
