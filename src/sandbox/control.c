/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/helper.h"

#define FDS_MAX 253 /* the kernel's SCM_MAX_FD */

int fds_send(int socket, const void *data, size_t size, const int *fds, size_t n) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
        } control = { 0 };
        struct iovec iov = { .iov_base = (void *) data, .iov_len = size };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

        assert(n <= FDS_MAX);
        if (n > 0) {
                m.msg_control = &control;
                m.msg_controllen = CMSG_SPACE(sizeof(int) * n);
                control.header = (struct cmsghdr){
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                        .cmsg_len = CMSG_LEN(sizeof(int) * n),
                };
                memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n);
        }
        return sendmsg(socket, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

ssize_t fds_receive(int socket, void *data, size_t size, int *fds, size_t max, size_t *ret_n) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
        } control;
        struct iovec iov = { .iov_base = data, .iov_len = size };
        struct msghdr m = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        size_t n = 0;
        ssize_t got;

        do
                got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return -errno;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                if (n > max)
                        return -E2BIG;
                memcpy(fds, CMSG_DATA(c), sizeof(int) * n);
        }
        *ret_n = n;
        return got;
}

int control_send(const HelperMessage *m, int fd_or_negative) {
        return fds_send(HELPER_FD_CONTROL, m, sizeof(*m), &fd_or_negative, fd_or_negative >= 0 ? 1 : 0);
}

void control_fail(const Error *e) {
        HelperMessage m = { .type = HELPER_ERROR, .error = *e };

        /* Where nobody listens any more, nobody needs the sentence. */
        (void) control_send(&m, -EBADF);
        _exit(1);
}

int control_wait_go(void) {
        HelperMessage m;
        ssize_t n;

        do
                n = recv(HELPER_FD_CONTROL, &m, sizeof(m), 0);
        while (n < 0 && errno == EINTR);
        return n == sizeof(m) && m.type == HELPER_GO ? 0 : -EPIPE;
}
