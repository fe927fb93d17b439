/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <libmount.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/mounts.h"
#include "image/name.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

#define SOURCE_PREFIX "berth:" /* and the digits of the image's id */
#define EMPTY_DIRECTORY BERTH_MOUNT_DIR "/.empty"
#define PRIVATE_DIRECTORY BERTH_MOUNT_DIR "/.private"
#define MOUNT_FLAGS (MS_RDONLY | MS_NODEV | MS_NOSUID)
#define OVERLAY_OPTIONS ",redirect_dir=off,metacopy=off,index=off"

void image_mounts_clear(ImageMounts *m) {
        for (size_t i = 0; i < m->n; i++)
                free(m->list[i].target);
        free(m->list);
        *m = (ImageMounts){ 0 };
}

static int add_mount(ImageMounts *m, const char *source, const char *target) {
        const char *hex = source ? str_after(source, SOURCE_PREFIX) : NULL;
        ImageMount mount, *p;

        if (!hex || !target)
                return 0;
        (void) snprintf(mount.id, sizeof(mount.id), "sha256:%.64s", hex);
        if (!digest_valid(mount.id) || strlen(hex) != DIGEST_HEX_LENGTH)
                return 0;
        p = reallocarray(m->list, m->n + 1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        m->list = p;
        mount.target = strdup(target);
        if (!mount.target)
                return -ENOMEM;
        m->list[m->n++] = mount;
        return 0;
}

int image_mounts_read(ImageMounts *ret, Error *reterr) {
        struct libmnt_table *table = mnt_new_table();
        struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
        _cleanup_mounts_ ImageMounts m = { 0 };
        struct libmnt_fs *fs;
        int r = table && iter ? mnt_table_parse_file(table, "/proc/self/mountinfo") : -ENOMEM;

        if (r != 0)
                r = error_set_errno(reterr, r < 0 ? r : -EIO, "cannot read the table of mounts");
        while (r >= 0 && mnt_table_next_fs(table, iter, &fs) == 0)
                r = add_mount(&m, mnt_fs_get_source(fs), mnt_fs_get_target(fs));
        mnt_free_iter(iter);
        mnt_unref_table(table);
        if (r < 0)
                return r;
        *ret = m;
        m = (ImageMounts){ 0 };
        return 0;
}

/* A directory of BERTH_MOUNT_DIR, into which root alone can walk: images have other people's secrets. */
static int make_directory(const char *path, Error *reterr) {
        int r = mkdir_parents(AT_FDCWD, BERTH_MOUNT_DIR, 0755);

        if (r >= 0 && chmod(BERTH_MOUNT_DIR, 0700) < 0)
                r = -errno;
        if (r >= 0 && mkdir(path, 0755) < 0 && errno != EEXIST)
                r = -errno;
        return r < 0 ? error_set_errno(reterr, r, "cannot make directory %s", path) : 0;
}

/* Opens the layers, and an empty directory where there would be fewer than the two that overlay wants. */
static int open_layers(const Image *image, char *const *layer_ids, int *fds, size_t *ret_n, Error *reterr) {
        size_t n = 0;
        int r;

        for (char *const *id = layer_ids; *id; id++, n++) {
                _cleanup_free_ char *path = str_format("%s/layer/%s/root", image->store, digest_hex(*id));

                if (!path)
                        return -ENOMEM;
                fds[n] = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fds[n] < 0)
                        return error_set_errno(reterr, -errno, "cannot open layer %s", *id);
        }
        if (n < 2) {
                r = make_directory(EMPTY_DIRECTORY, reterr);
                if (r < 0)
                        return r;
                fds[n] = open(EMPTY_DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fds[n] < 0)
                        return error_set_errno(reterr, -errno, "cannot open " EMPTY_DIRECTORY);
                n++;
        }
        *ret_n = n;
        return 0;
}

/* Layers by the numbers of their descriptors below /proc/self/fd: mount(2) takes one page of options, in which 500 paths would
 * have no room. */
static int mount_fds(const char *source, const int *fds, size_t n, const char *target) {
        _cleanup_close_ int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_buf_ Buf options = BUF_INIT;
        int r = buf_puts(&options, "lowerdir=");

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = buf_printf(&options, "%s%d", i > 0 ? ":" : "", fds[i]);
        if (r >= 0)
                r = buf_puts(&options, OVERLAY_OPTIONS);
        if (r < 0)
                return r;
        if (before < 0 || chdir("/proc/self/fd") < 0)
                return -errno;
        r = mount(source, target, "overlay", MOUNT_FLAGS, options.data) < 0 ? -errno : 0;
        return fchdir(before) < 0 ? -errno : r;
}

static int mount_layers(const Image *image, char *const *layer_ids, const char *target, Error *reterr) {
        size_t length = strv_length(layer_ids), n = 0;
        char source[sizeof(SOURCE_PREFIX) + DIGEST_HEX_LENGTH];
        _cleanup_free_ char *real = realpath(target, NULL);
        int *fds, r;

        assert(length > 0);
        if (!real)
                return error_set_errno(reterr, -errno, "cannot mount on %s", target);
        fds = malloc((length + 1) * sizeof(*fds));
        if (!fds)
                return -ENOMEM;
        for (size_t i = 0; i < length + 1; i++)
                fds[i] = -EBADF;
        r = open_layers(image, layer_ids, fds, &n, reterr);
        if (r >= 0) {
                (void) snprintf(source, sizeof(source), SOURCE_PREFIX "%s", digest_hex(image->id));
                r = mount_fds(source, fds, n, real);
                if (r < 0)
                        (void) error_set_errno(reterr, r, "cannot mount %zu layers on %s", length, target);
        }
        for (size_t i = 0; i < length + 1; i++)
                fd_close(fds[i]);
        free(fds);
        return r;
}

int image_mount(const Image *image, const char *target, Error *reterr) {
        return mount_layers(image, image->layer_ids, target, reterr);
}

int image_mount_private(const Image *image, char *const *layer_ids, Error *reterr) {
        int fd, r = make_directory(PRIVATE_DIRECTORY, reterr);

        if (r < 0)
                return r;
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make a mount namespace");
        r = mount_layers(image, layer_ids, PRIVATE_DIRECTORY, reterr);
        if (r < 0)
                return r;
        fd = open(PRIVATE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? error_set_errno(reterr, -errno, "cannot open " PRIVATE_DIRECTORY) : fd;
}

int image_unmount(const char *target, Error *reterr) {
        _cleanup_mounts_ ImageMounts mounts = { 0 };
        _cleanup_free_ char *real = realpath(target, NULL);
        int r = real ? image_mounts_read(&mounts, reterr) : -errno;

        if (r < 0)
                return real ? r : error_set_errno(reterr, r, "cannot unmount %s", target);
        r = -EINVAL;
        for (size_t i = 0; r == -EINVAL && i < mounts.n; i++)
                if (streq(mounts.list[i].target, real))
                        r = umount2(real, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
        if (r == -EINVAL)
                return error_set(reterr, r, "no image is mounted on %s", target);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot unmount %s", target);
        if (str_after(real, BERTH_MOUNT_DIR "/"))
                (void) rmdir(real);
        return 0;
}

int image_mount_directory(const Image *image, char **ret, Error *reterr) {
        _cleanup_free_ char *path = str_format(BERTH_MOUNT_DIR "/%s", digest_hex(image->id));
        int r;

        if (!path)
                return -ENOMEM;
        r = make_directory(path, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(path);
        return 0;
}
