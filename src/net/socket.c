/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/socket.h"
#include "util/fd.h"
#include "util/strv.h"

int socket_get(int fd, int level, int option) {
        int value = 0;
        socklen_t size = sizeof(value);

        return getsockopt(fd, level, option, &value, &size) < 0 ? -errno : value;
}

int socket_set(int fd, int level, int option, int value) {
        return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

int socket_connect(const struct sockaddr_storage *to, socklen_t size) {
        _cleanup_close_ int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        return connect(fd, (const struct sockaddr *) to, size) < 0 && errno != EINPROGRESS ? -errno : TAKE_FD(fd);
}

bool process_has_socket(const char *pid, ino_t inode) {
        _cleanup_free_ char *path = str_format("/proc/%s/fd", pid);
        _cleanup_closedir_ DIR *d = NULL;
        char wanted[48];

        (void) snprintf(wanted, sizeof(wanted), "socket:[%" PRIu64 "]", (uint64_t) inode);
        if (!path || dir_open(AT_FDCWD, path, &d) < 0)
                return false;
        for (struct dirent *entry; (entry = readdir(d));) {
                char target[sizeof(wanted)];
                ssize_t n = readlinkat(dirfd(d), entry->d_name, target, sizeof(target) - 1);

                if (n < 0)
                        continue;
                target[n] = 0;
                if (streq(target, wanted))
                        return true;
        }
        return false;
}
