/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "sandbox/mount.h"
#include "util/fd.h"
#include "util/strv.h"

/* As Podman's and Docker's defaults: what these show belongs to the whole machine, not to a namespace. */
static const char *const masked[] = {
        "/proc/acpi",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/dev/block",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
        "/sys/fs/selinux",
};

static const char *const read_only[] = {
        "/proc/asound",
        "/proc/bus",
        "/proc/fs",
        "/proc/irq",
        "/proc/sys",
        "/proc/sysrq-trigger",
};

static bool unmasked(const World *w, const char *path) {
        for (char **u = w->unmask; u && *u; u++)
                if (streq(*u, "ALL") || streq(*u, "all") || fnmatch(*u, path, 0) == 0)
                        return true;
        return false;
}

/* A directory is covered by an empty one that nobody can write to, anything else by /dev/null. */
static int mask_one(Helper *h, int empty, const char *path, Error *reterr) {
        _cleanup_close_ int target = open_in_root(h->root, path, O_PATH, 0), fd = -EBADF;
        struct stat st;
        int r;

        if (target == -ENOENT || target == -ENOTDIR)
                return 0;
        if (target < 0 || fstat(target, &st) < 0)
                return error_set_errno(reterr, target < 0 ? target : -errno, "cannot mask '%s'", path);
        if (S_ISDIR(st.st_mode)) {
                fd = mount_clone(empty, "", false);
                r = fd < 0 ? fd : mount_set(fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                        MOUNT_ATTR_NOEXEC, -EBADF, false);
        } else
                r = fd = mount_clone(h->dev, "null", false);
        if (r >= 0)
                r = mount_attach(fd, target);
        return r < 0 ? error_set_errno(reterr, r, "cannot mask '%s'", path) : 0;
}

static int read_only_one(Helper *h, const char *path, Error *reterr) {
        _cleanup_close_ int target = open_in_root(h->root, path, O_PATH, 0), fd = -EBADF;
        int r;

        if (target == -ENOENT || target == -ENOTDIR)
                return 0;
        if (target < 0)
                return error_set_errno(reterr, target, "cannot make '%s' read-only", path);
        fd = mount_clone(target, "", true);
        r = fd < 0 ? fd : mount_set(fd, MOUNT_ATTR_RDONLY, -EBADF, true);
        if (r >= 0)
                r = mount_attach(fd, target);
        return r < 0 ? error_set_errno(reterr, r, "cannot make '%s' read-only", path) : 0;
}

int mask_apply(Helper *h, int scratch, Error *reterr) {
        _cleanup_close_ int empty = -EBADF;
        const World *w = &h->world;
        int r = 0;

        if (mkdirat(scratch, "empty", 0) < 0)
                return error_set_errno(reterr, -errno, "cannot make an empty directory");
        empty = openat(scratch, "empty", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (empty < 0)
                return error_set_errno(reterr, -errno, "cannot open the empty directory");
        for (size_t i = 0; i < ELEMENTSOF(read_only) && r >= 0; i++)
                if (!unmasked(w, read_only[i]))
                        r = read_only_one(h, read_only[i], reterr);
        for (size_t i = 0; i < ELEMENTSOF(masked) && r >= 0; i++)
                if (!unmasked(w, masked[i]))
                        r = mask_one(h, empty, masked[i], reterr);
        for (char **m = w->mask; m && *m && r >= 0; m++)
                r = mask_one(h, empty, *m, reterr);
        return r;
}

/* The kernel knows no list of these; whoever writes any other changes the whole machine. */
static bool sysctl_is_own(const World *w, const char *name) {
        static const char *const ipc[] = {
                "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
                "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.msg_next_id", "kernel.sem_next_id",
                "kernel.shm_next_id", "kernel.domainname",
        };

        for (size_t i = 0; i < ELEMENTSOF(ipc); i++)
                if (streq(name, ipc[i]))
                        return true;
        return str_after(name, "fs.mqueue.") || (str_after(name, "net.") && w->network_namespace);
}

/* "net.core.somaxconn=1", and as sysctl(8) reads names: a slash for a dot in an interface's name. */
static int sysctl_one(Helper *h, const char *assignment, Error *reterr) {
        const char *value = strchr(assignment, '=');
        _cleanup_close_ int fd = -EBADF;
        char name[256], path[288];
        int r;

        if (!value || (size_t) (value - assignment) >= sizeof(name))
                return error_set(reterr, -EINVAL, "cannot set sysctl '%s': it is not of the form NAME=VALUE", assignment);
        (void) snprintf(name, sizeof(name), "%.*s", (int) (value - assignment), assignment);
        if (strchr(name, '/') && (!strchr(name, '.') || strchr(name, '/') < strchr(name, '.')))
                for (char *p = name; *p; p++)
                        *p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
        if (!sysctl_is_own(&h->world, name))
                return error_set(reterr, -EPERM, "cannot set sysctl '%s': it is not of the instance's own namespaces",
                        name);
        (void) snprintf(path, sizeof(path), "proc/sys/%s", name);
        for (char *p = path + STRLEN("proc/sys/"); *p; p++)
                *p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
        fd = open_in_root(h->root, path, O_WRONLY, 0);
        r = fd < 0 ? fd : write_all(fd, value + 1, strlen(value + 1));
        return r < 0 ? error_set_errno(reterr, r, "cannot set sysctl '%s' to '%s'", name, value + 1) : 0;
}

int sysctl_write(Helper *h, Error *reterr) {
        for (char **s = h->world.sysctls; s && *s; s++) {
                int r = sysctl_one(h, *s, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}
