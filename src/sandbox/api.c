/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "sandbox/ids.h"
#include "sandbox/mount.h"
#include "util/fd.h"

#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define SHM_SIZE_DEFAULT (UINT64_C(64) << 20)
#define TTY_GROUP 5 /* Debian's, and what every runtime gives to the terminals of a container */

static int api_new(const char *type, const char *options, uint64_t attributes, const char *where, Error *reterr) {
        int fd = mount_new(type, options, attributes, reterr);

        return fd < 0 ? error_prefix(reterr, "cannot mount %s", where) : fd;
}

int api_make(Helper *h, ApiMounts *ret, Error *reterr) {
        const World *w = &h->world;
        char shm[64], pts[64];

        (void) snprintf(shm, sizeof(shm), "mode=1777,size=%" PRIu64, w->shm_size ?: SHM_SIZE_DEFAULT);
        (void) snprintf(pts, sizeof(pts), "ptmxmode=0666,mode=0620%s",
                ids_outside(w, false, TTY_GROUP) == IDS_UNMAPPED ? "" : ",gid=5");

        ret->proc = api_new("proc", NULL, SAFE, "/proc", reterr);
        if (ret->proc < 0)
                return ret->proc;
        /* A user namespace that does not own its network namespace gets a copy of the host's instead, from outer. */
        if (w->network_namespace || !w->user_namespace) {
                ret->sys = api_new("sysfs", NULL, SAFE | MOUNT_ATTR_RDONLY, "/sys", reterr);
                if (ret->sys < 0)
                        return ret->sys;
        }
        ret->pts = api_new("devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, "/dev/pts", reterr);
        if (ret->pts < 0)
                return ret->pts;
        ret->mqueue = api_new("mqueue", NULL, SAFE, "/dev/mqueue", reterr);
        if (ret->mqueue < 0)
                return ret->mqueue;
        ret->shm = api_new("tmpfs", shm, SAFE, "/dev/shm", reterr);
        if (ret->shm < 0)
                return ret->shm;
        ret->scratch = api_new("tmpfs", "mode=755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, "scratch", reterr);
        return ret->scratch < 0 ? ret->scratch : 0;
}

void api_close(ApiMounts *m) {
        fd_close(m->proc);
        fd_close(m->sys);
        fd_close(m->pts);
        fd_close(m->mqueue);
        fd_close(m->shm);
        fd_close(m->scratch);
}

/* A link in the image would put /proc where the image likes it, and masks beside it. */
static int api_target(int root, const char *name, Error *reterr) {
        _cleanup_close_ int fd = openat(root, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 && errno == ENOENT) {
                if (mkdirat(root, name, 0755) < 0)
                        return error_set_errno(reterr, -errno, "cannot make '/%s'", name);
                fd = openat(root, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot open '/%s'", name);
        if (!S_ISDIR(st.st_mode))
                return error_set(reterr, -ENOTDIR, "cannot mount on '/%s': it is not a directory in the image", name);
        return TAKE_FD(fd);
}

static int api_put(int root, const char *name, int mount, Error *reterr) {
        _cleanup_close_ int target = api_target(root, name, reterr);
        int r;

        if (target < 0)
                return target;
        r = mount_attach(mount, target);
        return r < 0 ? error_set_errno(reterr, r, "cannot mount on '%s'", name) : 0;
}

int api_attach(Helper *h, ApiMounts *m, Error *reterr) {
        struct {
                int dir;
                const char *name;
                int mount;
        } puts[] = {
                { h->root, "proc",   m->proc                          },
                { h->root, "sys",    h->sys >= 0 ? h->sys : m->sys    },
                { h->root, "dev",    h->dev                           },
                { h->dev,  "pts",    m->pts                           },
                { h->dev,  "mqueue", m->mqueue                        },
                { h->dev,  "shm",    m->shm                           },
        };
        int r;

        r = dev_fill(h, h->dev, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(puts); i++) {
                r = api_put(puts[i].dir, puts[i].name, puts[i].mount, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Only now, in the scope: the cgroup of this moment becomes the namespace's root. */
int cgroup_mount(Error *reterr) {
        _cleanup_close_ int target = -EBADF, fd = -EBADF;
        int r;

        if (unshare(CLONE_NEWCGROUP) < 0)
                return error_set_errno(reterr, -errno, "cannot make a cgroup namespace");
        target = open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0)
                return error_set_errno(reterr, -errno, "cannot open '/sys/fs/cgroup'");
        fd = api_new("cgroup2", NULL, SAFE | MOUNT_ATTR_RDONLY, "/sys/fs/cgroup", reterr);
        if (fd < 0)
                return fd;
        r = mount_attach(fd, target);
        return r < 0 ? error_set_errno(reterr, r, "cannot mount on '/sys/fs/cgroup'") : 0;
}
