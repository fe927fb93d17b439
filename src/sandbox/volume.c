/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "sandbox/give.h"
#include "sandbox/helper.h"
#include "sandbox/ids.h"
#include "sandbox/mount.h"
#include "util/fd.h"

static const char *volume_source(const WorldMount *m) {
        return m->source ?: m->type == WORLD_MOUNT_IMAGE ? "image" : "tmpfs";
}

static int volume_open(const WorldMount *m, Error *reterr) {
        _cleanup_close_ int fd = open(m->source, O_PATH | O_CLOEXEC);
        int sub;

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open it");
        if (!m->subpath)
                return TAKE_FD(fd);
        /* What is below may have been written by a container: no link in it leads anywhere else. */
        sub = open_in_root(fd, m->subpath, O_PATH, 0);
        return sub < 0 ? error_set_errno(reterr, sub, "cannot open '%s' in it", m->subpath) : sub;
}

/* A submount that cannot be mapped keeps its ids, which the container does not have: it sees them as nobody's. */
static int volume_map(int mount, const WorldMount *m, int userns, Error *reterr) {
        int r;

        if (!m->idmap || userns < 0)
                return 0;
        r = mount_set(mount, 0, userns, m->recursive);
        if (r < 0 && m->recursive)
                r = mount_set(mount, 0, userns, false);
        if (r == -EINVAL && m->idmap_optional) {
                (void) dprintf(STDERR_FILENO, "<%d>Volume '%s' on '%s' has a file system that cannot map ids: what is there belongs to nobody inside\n",
                        LOG_WARNING, m->source, m->target);
                return 0;
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot map its ids, its file system may not know how") : 0;
}

static int volume_make_bind(Helper *h, const WorldMount *m, int userns, Error *reterr) {
        _cleanup_close_ int source = volume_open(m, reterr), fd = -EBADF;
        int r;

        if (source < 0)
                return source;
        if (m->own) {
                bool map = m->idmap && h->world.user_namespace;

                r = give_tree(source, map ? h->user.uid : ids_outside(&h->world, true, h->user.uid),
                        map ? h->user.gid : ids_outside(&h->world, false, h->user.gid), reterr);
                if (r < 0)
                        return r;
        }
        fd = mount_clone(source, "", m->recursive);
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot copy its mount");
        /* One that is to be filled gets its options, of which read-only may be one, after that. */
        r = mount_set(fd, m->copy_up ? 0 : m->attributes, -EBADF, m->recursive);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set its options");
        r = volume_map(fd, m, userns, reterr);
        return r < 0 ? r : TAKE_FD(fd);
}

static int volume_make_image(Helper *h, const WorldMount *m, int userns, Error *reterr) {
        _cleanup_close_ int fd = layers_mount(h, m->layers, userns, reterr);
        int r;

        if (fd < 0)
                return fd;
        r = mount_set(fd, m->attributes | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, -EBADF, false);
        return r < 0 ? error_set_errno(reterr, r, "cannot set its options") : TAKE_FD(fd);
}

int volumes_make(Helper *h, int userns, Error *reterr) {
        for (size_t i = 0; i < h->world.n_mounts; i++) {
                const WorldMount *m = h->world.mounts + i;
                int fd = -EBADF;

                switch (m->type) {
                case WORLD_MOUNT_BIND:
                        fd = volume_make_bind(h, m, userns, reterr);
                        break;
                case WORLD_MOUNT_IMAGE:
                        fd = volume_make_image(h, m, userns, reterr);
                        break;
                case WORLD_MOUNT_TMPFS:
                        continue; /* inner's, so that it belongs to the user namespace */
                case _WORLD_MOUNT_TYPE_MAX:
                case _WORLD_MOUNT_TYPE_INVALID:
                        return error_set(reterr, -EINVAL, "unknown type of mount");
                }
                if (fd < 0)
                        return error_prefix(reterr, "cannot mount '%s' on '%s'", volume_source(m), m->target);
                h->mounts[i] = fd;
        }
        return 0;
}

/* Only an attached mount can be cloned from before Linux 6.15, so the whole image goes on a directory of scratch. */
static int volume_image_part(int mount, const char *subpath, int scratch, Error *reterr) {
        _cleanup_close_ int place = -EBADF, part = -EBADF;
        char name[32];
        int fd, r;

        (void) snprintf(name, sizeof(name), "i%d", mount); /* descriptors stay open: no two are the same */
        place = mkdirat(scratch, name, 0700) < 0 ? -1 : openat(scratch, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (place < 0)
                return error_set_errno(reterr, -errno, "cannot make a place for it");
        r = mount_attach(mount, place);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot attach it");
        part = open_in_root(mount, subpath, O_PATH, 0);
        if (part < 0)
                return error_set_errno(reterr, part, "cannot open '%s' in it", subpath);
        fd = mount_clone(part, "", false);
        return fd < 0 ? error_set_errno(reterr, fd, "cannot open '%s' in it", subpath) : fd;
}

/* A new volume, or a tmpfs, starts with what the image has in its place. */
static int volume_fill(const Helper *h, const WorldMount *m, int mount, Error *reterr) {
        _cleanup_close_ int from = open_in_root(h->root, m->target, O_RDONLY | O_DIRECTORY, 0);

        if (from == -ENOENT || from == -ENOTDIR)
                return m->copy_up ? target_give(h, mount, reterr) : 0;
        if (from < 0)
                return error_set_errno(reterr, from, "cannot open '%s' of the image", m->target);
        return copy_tree(from, mount, reterr);
}

static int directories_make(const Helper *h, Error *reterr) {
        for (char **path = h->world.volumes; path && *path; path++) {
                int r = **path ? target_of_user(h, *path, reterr) : 0;

                if (r < 0)
                        return error_prefix(reterr, "volume '%s' of the image", *path);
        }
        return 0;
}

static int volume_put(Helper *h, const WorldMount *m, int mount, Error *reterr) {
        _cleanup_close_ int target = -EBADF;
        struct stat st;
        int r;

        if (fstatat(mount, "", &st, AT_EMPTY_PATH) < 0)
                return error_set_errno(reterr, -errno, "cannot look at it");
        if (S_ISDIR(st.st_mode) && (m->copy_up || m->tmpcopyup)) {
                r = volume_fill(h, m, mount, reterr);
                if (r < 0)
                        return r;
        }
        target = target_open(h->root, m->target, S_ISDIR(st.st_mode), reterr);
        if (target < 0)
                return target;
        if (m->type == WORLD_MOUNT_TMPFS || m->copy_up) {
                r = mount_set(mount, m->attributes, -EBADF, m->recursive);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot set its options");
        }
        r = mount_attach(mount, target);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot attach it");
        if (m->propagation) {
                struct mount_attr attr = { .propagation = m->propagation & ~(uint64_t) MS_REC };

                if (mount_setattr(mount, "", AT_EMPTY_PATH | (m->propagation & MS_REC ? AT_RECURSIVE : 0), &attr,
                        sizeof(attr)) < 0)
                        return error_set_errno(reterr, -errno, "cannot set its propagation");
        }
        return 0;
}

static int volume_attach(Helper *h, const WorldMount *m, int mount, int scratch, Error *reterr) {
        _cleanup_close_ int own = -EBADF;
        int r;

        if (m->type == WORLD_MOUNT_TMPFS)
                mount = own = mount_new("tmpfs", m->options, MOUNT_ATTR_NODEV, reterr);
        else if (m->type == WORLD_MOUNT_IMAGE && m->subpath)
                mount = own = volume_image_part(mount, m->subpath, scratch, reterr);
        r = mount < 0 ? mount : volume_put(h, m, mount, reterr);
        return r < 0 ? error_prefix(reterr, "cannot mount '%s' on '%s'", volume_source(m), m->target) : 0;
}

static int volumes_attach_temporary(Helper *h, int scratch, Error *reterr) {
        static const WorldMount temporary[] = {
#define TEMPORARY(path, opts)                                                                        \
        { .type = WORLD_MOUNT_TMPFS, .target = (char *) path, .options = (char *) opts, .tmpcopyup = true, \
          .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV }
                TEMPORARY("/run", "mode=755"),
                TEMPORARY("/tmp", "mode=1777"),
                TEMPORARY("/var/tmp", "mode=1777"),
#undef TEMPORARY
        };

        for (size_t i = 0; i < ELEMENTSOF(temporary); i++) {
                bool taken = false;
                int r;

                for (size_t j = 0; j < h->world.n_mounts; j++)
                        taken = taken || streq(h->world.mounts[j].target, temporary[i].target);
                r = taken ? 0 : volume_attach(h, temporary + i, -EBADF, scratch, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static unsigned path_depth(const char *path) {
        unsigned depth = 0;

        for (const char *p = path; *p; p++)
                depth += *p != '/' && (p == path || p[-1] == '/');
        return depth;
}

int volumes_attach(Helper *h, int scratch, Error *reterr) {
        unsigned deepest = 0;
        int r;

        r = directories_make(h, reterr);
        if (r < 0)
                return r;
        if (h->world.read_only && h->world.read_only_tmpfs) {
                r = volumes_attach_temporary(h, scratch, reterr);
                if (r < 0)
                        return r;
        }
        /* What contains another mount comes before it, whatever the spec's order. */
        for (size_t i = 0; i < h->world.n_mounts; i++)
                deepest = MAX(deepest, path_depth(h->world.mounts[i].target));
        for (unsigned depth = 0; depth <= deepest && h->world.n_mounts > 0; depth++)
                for (size_t i = 0; i < h->world.n_mounts; i++) {
                        if (path_depth(h->world.mounts[i].target) != depth)
                                continue;
                        r = volume_attach(h, h->world.mounts + i, h->mounts[i], scratch, reterr);
                        if (r < 0)
                                return r;
                }
        return 0;
}
