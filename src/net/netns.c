/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/netns.h"
#include "util/fd.h"

int netns_of(int pid) {
        char path[32];
        int fd;

        (void) snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int netns_of_socket(int fd) {
        int netns = ioctl(fd, SIOCGSKNS);

        return netns < 0 ? -errno : netns;
}

/* An fd on where the thread was, or negative errno. */
static int netns_enter(int netns) {
        _cleanup_close_ int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

        return home < 0 || setns(netns, CLONE_NEWNET) < 0 ? -errno : TAKE_FD(home);
}

/* Whatever came next would happen in the wrong place. */
static void netns_leave(int home) {
        if (setns(home, CLONE_NEWNET) < 0)
                abort();
}

int netns_socket(int netns, int domain, int type, int protocol) {
        _cleanup_close_ int home = netns_enter(netns);
        int fd;

        if (home < 0)
                return home;
        fd = socket(domain, type | SOCK_CLOEXEC, protocol);
        if (fd < 0)
                fd = -errno;
        netns_leave(home);
        return fd;
}

int netns_write(int netns, const char *path, const char *text) {
        _cleanup_close_ int home = netns_enter(netns), fd = -EBADF;

        if (home < 0)
                return home;
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                fd = -errno;
        netns_leave(home);
        return fd < 0 ? fd : write_all(fd, text, strlen(text));
}
