/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sandbox/terminal.h"
#include "util/fd.h"

/* /dev belongs to the container, which may have put anything in this place. */
static int master_open(int root, Error *reterr) {
        _cleanup_close_ int fd = open_in_root(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
        struct statfs fs;
        int unlock = 0;

        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot open '/dev/pts/ptmx'");
        if (fstatfs(fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
                return error_set(reterr, -ENODEV, "cannot open a terminal: '/dev/pts' is not a devpts");
        if (ioctl(fd, TIOCSPTLCK, &unlock) < 0 || set_nonblock(fd, false) < 0)
                return error_set_errno(reterr, -errno, "cannot unlock a terminal");
        return TAKE_FD(fd);
}

int terminal_take(int root, const User *u, Error *reterr) {
        _cleanup_close_ int master = master_open(root, reterr), slave = -EBADF;

        if (master < 0)
                return master;
        slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave < 0)
                return error_set_errno(reterr, -errno, "cannot open the terminal");
        if (fchown(slave, u->uid, (gid_t) -1) < 0)
                return error_set_errno(reterr, -errno, "cannot give the terminal to user %u", u->uid);
        if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot make the terminal a controlling one");
        for (int i = 0; i < 3; i++)
                if (dup2(slave, i) < 0)
                        return error_set_errno(reterr, -errno, "cannot use the terminal");
        return TAKE_FD(master);
}
