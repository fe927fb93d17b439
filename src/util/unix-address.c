/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "util/fd.h"
#include "util/unix-address.h"

int unix_address(const char *directory, const char *name, struct sockaddr_un *ret, int *ret_directory) {
        _cleanup_close_ int fd = -EBADF;

        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        *ret_directory = -EBADF;
        if (snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s", directory, name) < (int) sizeof(ret->sun_path))
                return 0;
        fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", fd, name) >= (int) sizeof(ret->sun_path))
                return -ENAMETOOLONG;
        *ret_directory = TAKE_FD(fd);
        return 0;
}
