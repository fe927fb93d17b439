/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/mount.h"
#include "sandbox/overlay.h"
#include "util/buf.h"
#include "util/fd.h"

/* Whatever the module's defaults are: nothing in a layer may redirect to another place of a layer. An upper lives
 * as long as its instance, so it need not survive a power cut (volatile, Linux 5.10). */
static const char *const overlay_flags[] = { "redirect_dir=nofollow", "metacopy=off", "index=off" };
#define OVERLAY_VOLATILE "volatile"

static int overlay_set(int fs, const char *option) {
        char key[64];
        const char *value = strchr(option, '=');

        if (!value)
                return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0) < 0 ? -errno : 0;
        (void) snprintf(key, sizeof(key), "%.*s", (int) (value - option), option);
        return fsconfig(fs, FSCONFIG_SET_STRING, key, value + 1, 0) < 0 ? -errno : 0;
}

static int overlay_finish(int fs, bool upper, uint64_t attributes) {
        int fd, r;

        for (size_t i = 0; i < ELEMENTSOF(overlay_flags); i++) {
                r = overlay_set(fs, overlay_flags[i]);
                if (r < 0)
                        return r;
        }
        if (upper && (r = overlay_set(fs, OVERLAY_VOLATILE)) < 0)
                return r;
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned) attributes);
        return fd < 0 ? -errno : fd;
}

/* Linux 6.15: layers by descriptor (6.13), and those may be detached mounts. */
static int overlay_by_fd(const int *lower, size_t n_lower, int upper, uint64_t attributes) {
        static const char *const parts[] = { "upper", "work" };
        static const char *const keys[] = { "upperdir", "workdir" };
        _cleanup_close_ int fs = fsopen("overlay", FSOPEN_CLOEXEC);

        if (fs < 0)
                return -errno;
        for (size_t i = 0; i < n_lower; i++)
                if (fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, lower[i]) < 0)
                        return -errno;
        for (size_t i = 0; upper >= 0 && i < ELEMENTSOF(parts); i++) {
                _cleanup_close_ int fd = openat(upper, parts[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (fd < 0 || fsconfig(fs, FSCONFIG_SET_FD, keys[i], NULL, fd) < 0)
                        return -errno;
        }
        return overlay_finish(fs, upper >= 0, attributes);
}

static int stage_open(Stage *stage, Error *reterr) {
        _cleanup_close_ int fd = -EBADF, root = -EBADF;
        int r;

        if (stage->root >= 0)
                return 0;
        if (unshare(CLONE_NEWNS) < 0)
                return error_set_errno(reterr, -errno, "cannot make a mount namespace");
        r = mounts_make_private();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make mounts private");
        fd = mount_new("tmpfs", "mode=700,size=1m", 0, reterr);
        if (fd < 0)
                return fd;
        /* On top of "/", where path lookups, which start below it, do not see it. */
        root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_set_errno(reterr, -errno, "cannot open '/'");
        r = mount_attach(fd, root);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot attach a tmpfs");
        stage->root = TAKE_FD(fd);
        return 0;
}

static int stage_put(int dir, const char *name, int mount) {
        _cleanup_close_ int target = -EBADF;

        if (mkdirat(dir, name, 0700) < 0)
                return -errno;
        target = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return target < 0 ? -errno : mount_attach(mount, target);
}

/* Attaches the layers as "0", "1", … and the upper as "u" in a new directory of the stage, and goes there. */
static int stage_layers(Stage *stage, const int *lower, size_t n_lower, int upper, Error *reterr) {
        _cleanup_close_ int dir = -EBADF;
        char name[32];
        int r;

        r = stage_open(stage, reterr);
        if (r < 0)
                return r;
        (void) snprintf(name, sizeof(name), "o%u", stage->used++);
        if (mkdirat(stage->root, name, 0700) < 0)
                return error_set_errno(reterr, -errno, "cannot make a directory for layers");
        dir = openat(stage->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return error_set_errno(reterr, -errno, "cannot open the directory for layers");
        for (size_t i = 0; i < n_lower; i++) {
                (void) snprintf(name, sizeof(name), "%zu", i);
                r = stage_put(dir, name, lower[i]);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot attach layer %zu", i);
        }
        r = upper < 0 ? 0 : stage_put(dir, "u", upper);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot attach the upper layer");
        if (fchdir(dir) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the directory for layers");
        return 0;
}

/* Linux 6.5: one layer a parameter, as paths of attached mounts. Retired by 6.15. */
static int overlay_by_name(size_t n_lower, bool upper, uint64_t attributes) {
        _cleanup_close_ int fs = fsopen("overlay", FSOPEN_CLOEXEC);
        char name[32];

        if (fs < 0)
                return -errno;
        for (size_t i = 0; i < n_lower; i++) {
                (void) snprintf(name, sizeof(name), "%zu", i);
                if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", name, 0) < 0)
                        return -errno;
        }
        if (upper && (fsconfig(fs, FSCONFIG_SET_STRING, "upperdir", "u/upper", 0) < 0 ||
                fsconfig(fs, FSCONFIG_SET_STRING, "workdir", "u/work", 0) < 0))
                return -errno;
        return overlay_finish(fs, upper, attributes);
}

/* Before Linux 6.5 fsconfig(2) takes 256 bytes for all layers together, which is not enough for a hundred of even
 * these names; mount(2) takes a page. Retired by 6.5. */
static int overlay_by_mount(size_t n_lower, bool upper, uint64_t attributes) {
        _cleanup_buf_ Buf b = BUF_INIT;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = buf_puts(&b, "lowerdir=");
        for (size_t i = 0; i < n_lower && r >= 0; i++)
                r = buf_printf(&b, "%s%zu", i > 0 ? ":" : "", i);
        if (r >= 0 && upper)
                r = buf_puts(&b, ",upperdir=u/upper,workdir=u/work," OVERLAY_VOLATILE);
        for (size_t i = 0; i < ELEMENTSOF(overlay_flags) && r >= 0; i++)
                r = buf_printf(&b, ",%s", overlay_flags[i]);
        if (r < 0)
                return r;
        if (mkdir("m", 0700) < 0 || mount("overlay", "m", "overlay", 0, b.data) < 0)
                return -errno;
        fd = mount_clone(AT_FDCWD, "m", false);
        if (fd < 0)
                return fd;
        r = mount_set(fd, attributes, -EBADF, false);
        return r < 0 ? r : TAKE_FD(fd);
}

int overlay_mount(Stage *stage, const int *lower, size_t n_lower, int upper, uint64_t attributes, Error *reterr) {
        int r = -EOPNOTSUPP;

        if (n_lower > OVERLAY_LAYERS_MAX)
                return error_set(reterr, -E2BIG, "cannot mount %zu layers: %d are the most", n_lower,
                        OVERLAY_LAYERS_MAX);
        if (!fallback_forced("overlay-name") && !fallback_forced("overlay-mount"))
                r = overlay_by_fd(lower, n_lower, upper, attributes);
        if (r >= 0)
                return r;
        r = stage_layers(stage, lower, n_lower, upper, reterr);
        if (r < 0)
                return r;
        r = -EOPNOTSUPP;
        if (!fallback_forced("overlay-mount"))
                r = overlay_by_name(n_lower, upper >= 0, attributes);
        if (r < 0)
                r = overlay_by_mount(n_lower, upper >= 0, attributes);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot mount %zu layers%s", n_lower,
                        upper >= 0 ? " below an upper one" : "");
        return r;
}
