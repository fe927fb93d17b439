/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sandbox/mount.h"
#include "util/fd.h"

/* The kernel leaves a line such as "e tmpfs: Bad value for 'size'" in the context; Linux 5.2. */
static int mount_failed(int fs, int error, const char *type, Error *reterr) {
        char line[256];
        ssize_t n = read(fs, line, sizeof(line) - 1);

        if (n > 2 && line[0] == 'e')
                return error_set(reterr, error, "%.*s", (int) n - 2, line + 2);
        return error_set_errno(reterr, error, "cannot make a %s file system", type);
}

static int mount_option(int fs, char *option) {
        char *value = strchr(option, '=');

        if (value)
                *value++ = 0;
        return fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value, 0) < 0 ? -errno : 0;
}

int mount_new(const char *type, const char *options, uint64_t attributes, Error *reterr) {
        _cleanup_close_ int fs = fsopen(type, FSOPEN_CLOEXEC);
        int fd, r;

        if (fs < 0)
                return error_set_errno(reterr, -errno, "cannot make a %s file system", type);
        if (options) {
                char copy[MOUNT_OPTIONS_MAX], *rest = copy;

                if (strlen(options) >= sizeof(copy))
                        return error_set(reterr, -E2BIG, "the mount options are too long");
                strcpy(copy, options);
                for (char *option; (option = strsep(&rest, ","));) {
                        if (!*option)
                                continue;
                        r = mount_option(fs, option);
                        if (r < 0)
                                return mount_failed(fs, r, type, reterr);
                }
        }
        if (fsconfig(fs, FSCONFIG_SET_STRING, "source", type, 0) < 0 ||
                fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return mount_failed(fs, -errno, type, reterr);
        fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned) attributes);
        if (fd < 0)
                return mount_failed(fs, -errno, type, reterr);
        return fd;
}

int mount_clone(int dir, const char *path, bool recursive) {
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
        int fd = open_tree(dir, path, flags | (*path ? 0 : AT_EMPTY_PATH) | (recursive ? AT_RECURSIVE : 0));

        return fd < 0 ? -errno : fd;
}

int mount_set(int mount, uint64_t attributes, int userns, bool recursive) {
        struct mount_attr attr = { .attr_set = attributes };

        if (userns >= 0) {
                attr.attr_set |= MOUNT_ATTR_IDMAP;
                attr.userns_fd = (uint64_t) userns;
        }
        if (attr.attr_set == 0)
                return 0;
        if (mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0)
                return -errno;
        return 0;
}

int mount_attach(int mount, int target) {
        if (move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return -errno;
        return 0;
}

int mounts_make_private(void) {
        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

bool fallback_forced(const char *name) {
        const char *list = getenv("BERTH_SYSCALL_FALLBACK");
        size_t length = strlen(name);

        for (const char *p = list; p && *p;) {
                size_t n = strcspn(p, ",");

                if (n == length && strncmp(p, name, n) == 0)
                        return true;
                p += n + (p[n] == ',');
        }
        return false;
}
