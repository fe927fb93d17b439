/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "sandbox/mount.h"
#include "util/fd.h"
#include "util/strv.h"

/* A device node in a layer must never open the device of the host, whatever the layer claims. */
#define ROOT_ATTRIBUTES MOUNT_ATTR_NODEV
#define LAYER_ATTRIBUTES (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV)

/* Not closed: that would unmount each, and wait for an RCU grace period (0.3 to 1 ms) while the instance waits too. They go
 * when the process ends. */
typedef struct LayerFds {
        int fds[OVERLAY_LAYERS_MAX];
        size_t n;
} LayerFds;

static int directory_clone(const char *path, uint64_t attributes, int userns, Error *reterr) {
        _cleanup_close_ int fd = mount_clone(AT_FDCWD, path, false);
        struct stat st;
        int r;

        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot open '%s'", path);
        if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
                return error_set_errno(reterr, -ENOTDIR, "cannot use '%s' as a root", path);
        r = mount_set(fd, attributes, userns, false);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot map the ids of '%s'", path);
        return TAKE_FD(fd);
}

static int layers_open(LayerFds *l, char *const *layers, int userns, Error *reterr) {
        for (; *layers; layers++) {
                int fd;

                if (l->n >= OVERLAY_LAYERS_MAX)
                        return error_set(reterr, -E2BIG, "the image has more than %d layers", OVERLAY_LAYERS_MAX);
                fd = directory_clone(*layers, LAYER_ATTRIBUTES, userns, reterr);
                if (fd < 0)
                        return error_prefix(reterr, "cannot mount a layer");
                l->fds[l->n++] = fd;
        }
        return 0;
}

int layers_mount(Helper *h, char *const *layers, int userns, Error *reterr) {
        LayerFds l = { .n = 0 };
        int r;

        r = layers_open(&l, layers, userns, reterr);
        if (r < 0)
                return r;
        if (l.n == 1)
                return l.fds[0];
        return overlay_mount(&h->stage, l.fds, l.n, -EBADF, LAYER_ATTRIBUTES, reterr);
}

static bool root_has(int root, const char *path) {
        _cleanup_close_ int fd = open_in_root(root, path, O_PATH, 0);

        return fd >= 0;
}

/* Whether everything that will be mounted has a place already. */
static bool root_is_complete(const World *w, int root) {
        static const char *const always[] = { "proc", "sys", "dev" };
        static const char *const temporary[] = { "run", "tmp", "var/tmp" };

        for (size_t i = 0; i < ELEMENTSOF(always); i++)
                if (!root_has(root, always[i]))
                        return false;
        for (size_t i = 0; w->read_only_tmpfs && i < ELEMENTSOF(temporary); i++)
                if (!root_has(root, temporary[i]))
                        return false;
        for (size_t i = 0; i < w->n_mounts; i++)
                if (!root_has(root, w->mounts[i].target))
                        return false;
        for (size_t i = 0; i < w->n_files; i++)
                if (!root_has(root, w->files[i].target))
                        return false;
        return !w->cwd || w->cwd_given || root_has(root, w->cwd);
}

/* The overlay's root directory takes mode and owner from the upper; let it be the image's. */
static int upper_adopt(int upper, int lower, Error *reterr) {
        struct stat from, to;

        if (fstatat(lower, "", &from, AT_EMPTY_PATH) < 0)
                return error_set_errno(reterr, -errno, "cannot look at the topmost layer");
        if (fstatat(upper, "upper", &to, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(reterr, -errno, "cannot look at 'upper'");
        if (!S_ISDIR(to.st_mode))
                return error_set_errno(reterr, -ENOTDIR, "cannot use 'upper'");
        if ((from.st_uid != to.st_uid || from.st_gid != to.st_gid) &&
                fchownat(upper, "upper", from.st_uid, from.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(reterr, -errno, "cannot give 'upper' the image's owner");
        if (((from.st_mode ^ to.st_mode) & 07777) && fchmodat(upper, "upper", from.st_mode & 07777, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot give 'upper' the image's mode");
        return 0;
}

/* Mount points that the image lacks are made through a small upper in memory: overlay copies their parents up with
 * modes and owners, and the mount is read-only when the payload sees it. */
static int upper_make(Error *reterr) {
        _cleanup_close_ int fd = mount_new("tmpfs", "mode=755,size=4m", MOUNT_ATTR_NODEV, reterr);

        if (fd < 0)
                return fd;
        if (mkdirat(fd, "upper", 0755) < 0 || mkdirat(fd, "work", 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make an upper layer");
        return TAKE_FD(fd);
}

int root_make(Helper *h, int userns, Error *reterr) {
        LayerFds l = { .n = 0 };
        const World *w = &h->world;
        char *rootfs[] = { w->rootfs, NULL };
        int upper, r;

        if (w->rootfs && !w->rootfs_overlay && !w->read_only) {
                h->root = directory_clone(w->rootfs, ROOT_ATTRIBUTES, userns, reterr);
                return h->root < 0 ? error_prefix(reterr, "cannot mount the root") : 0;
        }
        r = layers_open(&l, w->rootfs ? rootfs : w->layers, userns, reterr);
        if (r < 0)
                return r;
        if (l.n == 0)
                return error_set(reterr, -EINVAL, "cannot mount the root: the image has no layer");
        if (w->upper) {
                /* Not mapped: what is written here has the container's ids on disk, so a set-user-id file that the
                 * container makes is nobody's on the host. And overlay works in here with the ids of the host's
                 * root, which a mapped mount could not store. */
                upper = directory_clone(w->upper, MOUNT_ATTR_NODEV, -EBADF, reterr);
                if (upper < 0)
                        return error_prefix(reterr, "cannot mount the upper layer");
        } else if (l.n == 1 && root_is_complete(w, l.fds[0])) {
                h->root = l.fds[0];
                return 0;
        } else {
                upper = upper_make(reterr);
                if (upper < 0)
                        return upper;
        }
        r = upper_adopt(upper, l.fds[0], reterr);
        if (r < 0)
                return r;
        h->root = overlay_mount(&h->stage, l.fds, l.n, upper, ROOT_ATTRIBUTES, reterr);
        return h->root < 0 ? error_prefix(reterr, "cannot mount the root") : 0;
}
