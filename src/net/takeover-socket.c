/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/socket.h"
#include "net/takeover-socket.h"
#include "util/fd.h"
#include "util/strv.h"

#define STATUS_SIZE_MAX 16384U         /* of a file of /proc */
#define PROCS_SIZE_MAX (4U << 20)      /* of cgroup.procs */
#define OPTION_SIZE_MAX 64

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* ---- /proc ---- */

/* The number behind "KEY:" of a file of /proc in base, or a negative errno. */
static int proc_number(const char *path, const char *key, int base) {
        _cleanup_free_ char *text = NULL;
        const char *line;
        int r;

        r = read_file(AT_FDCWD, path, STATUS_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        line = strstr(text, key);
        return line ? (int) strtol(line + strlen(key), NULL, base) : -EBADMSG;
}

static int process_of(pid_t tid) {
        char path[48];

        (void) snprintf(path, sizeof(path), "/proc/%d/status", tid);
        return proc_number(path, "\nTgid:", 10);
}

static int descriptor_flags(pid_t tid, int number) {
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", tid, number);
        return proc_number(path, "\nflags:", 8);
}

/* ---- the payload's socket ---- */

static bool is_bound(int fd) {
        struct sockaddr_in6 address = { 0 };
        socklen_t size = sizeof(address);

        /* The port is at the same place in both families. */
        return getsockname(fd, (struct sockaddr *) &address, &size) >= 0 && address.sin6_port != 0;
}

static int socket_classify(PayloadSocket *s) {
        int domain = socket_get(s->fd, SOL_SOCKET, SO_DOMAIN), type = socket_get(s->fd, SOL_SOCKET, SO_TYPE),
            protocol = socket_get(s->fd, SOL_SOCKET, SO_PROTOCOL);

        if (domain != AF_INET && domain != AF_INET6)
                return -ENOTSOCK;
        if (type == SOCK_STREAM && (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP))
                s->protocol = SPEC_PROTOCOL_TCP;
        else if (type == SOCK_DGRAM && protocol == IPPROTO_UDP)
                s->protocol = SPEC_PROTOCOL_UDP;
        else
                return -ENOTSOCK;
        s->kind = domain == AF_INET ? PORT_IPV4 : socket_get(s->fd, IPPROTO_IPV6, IPV6_V6ONLY) > 0 ? PORT_IPV6 : PORT_DUAL;
        s->reuse = socket_get(s->fd, SOL_SOCKET, SO_REUSEPORT) > 0;
        s->bound = is_bound(s->fd);
        return 0;
}

int payload_socket_open(pid_t tid, int number, PayloadSocket *ret) {
        _cleanup_close_ int pidfd = -EBADF;
        PayloadSocket s = { .fd = -EBADF };
        int pid = process_of(tid), flags, r;

        if (pid < 0)
                return pid;
        flags = descriptor_flags(tid, number);
        if (flags < 0)
                return flags;
        s.cloexec = flags & O_CLOEXEC;
        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0)
                return -errno;
        s.fd = pidfd_getfd(pidfd, number, 0);
        if (s.fd < 0)
                return -errno;
        r = socket_classify(&s);
        if (r < 0) {
                payload_socket_close(&s);
                return r;
        }
        *ret = s;
        return 0;
}

void payload_socket_close(PayloadSocket *s) {
        s->fd = fd_close(s->fd);
}

/* ---- options ---- */

static const struct {
        int level, name;
} options[] = {
        { SOL_SOCKET,   SO_KEEPALIVE      },
        { SOL_SOCKET,   SO_OOBINLINE      },
        { SOL_SOCKET,   SO_PRIORITY       },
        { SOL_SOCKET,   SO_RCVLOWAT       },
        { SOL_SOCKET,   SO_LINGER         },
        { SOL_SOCKET,   SO_RCVTIMEO       },
        { SOL_SOCKET,   SO_SNDTIMEO       },
        { SOL_SOCKET,   SO_BROADCAST      },
        { SOL_SOCKET,   SO_TIMESTAMP      },
        { SOL_SOCKET,   SO_BUSY_POLL      },
        { IPPROTO_TCP,  TCP_NODELAY       },
        { IPPROTO_TCP,  TCP_KEEPIDLE      },
        { IPPROTO_TCP,  TCP_KEEPINTVL     },
        { IPPROTO_TCP,  TCP_KEEPCNT       },
        { IPPROTO_TCP,  TCP_LINGER2       },
        { IPPROTO_TCP,  TCP_DEFER_ACCEPT  },
        { IPPROTO_TCP,  TCP_USER_TIMEOUT  },
        { IPPROTO_TCP,  TCP_CONGESTION    },
        { IPPROTO_TCP,  TCP_FASTOPEN      },
        { IPPROTO_TCP,  TCP_NOTSENT_LOWAT },
        { IPPROTO_IP,   IP_TOS            },
        { IPPROTO_IP,   IP_TTL            },
        { IPPROTO_IP,   IP_PKTINFO        },
        { IPPROTO_IP,   IP_RECVTOS        },
        { IPPROTO_IP,   IP_RECVTTL        },
        { IPPROTO_IP,   IP_RECVERR        },
        { IPPROTO_IP,   IP_MTU_DISCOVER   },
        { IPPROTO_IPV6, IPV6_TCLASS       },
        { IPPROTO_IPV6, IPV6_UNICAST_HOPS },
        { IPPROTO_IPV6, IPV6_RECVPKTINFO  },
        { IPPROTO_IPV6, IPV6_RECVTCLASS   },
        { IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
        { IPPROTO_IPV6, IPV6_RECVERR      },
};

static int option_copy(int from, int to, int level, int name) {
        char wanted[OPTION_SIZE_MAX] = { 0 }, now[OPTION_SIZE_MAX] = { 0 };
        socklen_t size = sizeof(wanted), now_size = sizeof(now);

        /* Of another protocol or family, or not in this kernel. */
        if (getsockopt(from, level, name, wanted, &size) < 0 || getsockopt(to, level, name, now, &now_size) < 0)
                return 0;
        if (size == now_size && memcmp(wanted, now, size) == 0)
                return 0;
        return setsockopt(to, level, name, wanted, size) < 0 ? -errno : 0;
}

/* The kernel says twice of what was asked for, socket(7). */
static int buffer_copy(int from, int to, int name, int force) {
        int wanted = socket_get(from, SOL_SOCKET, name), now = socket_get(to, SOL_SOCKET, name);

        if (wanted < 0 || wanted == now)
                return 0;
        wanted /= 2;
        return setsockopt(to, SOL_SOCKET, force, &wanted, sizeof(wanted)) < 0 ? -errno : 0;
}

int socket_options_copy(int from, int to) {
        int flags = fcntl(from, F_GETFL), r;

        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                r = option_copy(from, to, options[i].level, options[i].name);
                if (r < 0)
                        return r;
        }
        r = buffer_copy(from, to, SO_RCVBUF, SO_RCVBUFFORCE);
        if (r >= 0)
                r = buffer_copy(from, to, SO_SNDBUF, SO_SNDBUFFORCE);
        return r < 0 ? r : set_nonblock(to, flags & O_NONBLOCK);
}

/* ---- who has it ---- */

bool socket_is_open_in(int cgroup, int fd) {
        _cleanup_free_ char *procs = NULL;
        char *rest, *line;
        struct stat st;

        if (fstat(fd, &st) < 0 || read_file(cgroup, "cgroup.procs", PROCS_SIZE_MAX, &procs, NULL) < 0)
                return false;
        rest = procs;
        while ((line = strsep(&rest, "\n")))
                if (*line && process_has_socket(line, st.st_ino))
                        return true;
        return false;
}
