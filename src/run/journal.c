/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "run/journal.h"
#include "util/fd.h"

int journal_connect(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int size = 8 * 1024 * 1024;

        if (fd < 0)
                return -errno;
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        /* As sd_journal_send() does: room for the largest entry and a burst. Without the privilege the limit of
         * the system holds, which is enough for one line of the largest size. */
        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
                (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int journal_send(int fd, const JournalEntry *entries, size_t n) {
        struct mmsghdr messages[JOURNAL_BATCH_MAX] = { 0 };
        int r;

        assert(n <= JOURNAL_BATCH_MAX);
        for (size_t i = 0; i < n; i++) {
                messages[i].msg_hdr.msg_iov = (struct iovec *) entries[i].iovec;
                messages[i].msg_hdr.msg_iovlen = entries[i].n;
        }
        do
                r = sendmmsg(fd, messages, (unsigned) n, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
        return r;
}
