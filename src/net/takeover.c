/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/takeover-socket.h"
#include "net/takeover.h"
#include "util/fd.h"

static void ports_hold(const Takeover *t, int by) {
        for (size_t i = 0; i < t->n_ports; i++)
                for (int k = 0; k < _PORT_KIND_MAX; k++)
                        if (takeover_has(t, i, (PortKind) k))
                                t->ports[i]->held[k] += (unsigned) by;
}

static bool has_slot(const Takeover *t, size_t port) {
        return t->memory && t->memory->slots[port] != PORT_PARKED && port_is_grouped(t->ports[port]);
}

/* The earlier supervisor may have died while the port's own listener did not listen, see parked_empty() in port.c. */
static int slot_reclaim(const Takeover *t, size_t port) {
        Port *p = t->ports[port];
        int r = t->memory->slots[port] != PORT_PARKED ? port_slot_claim(p, t->memory->slots[port]) : 0;

        for (PortKind kind = 0; r >= 0 && kind < _PORT_KIND_MAX; kind++) {
                Error ignored;
                int fd;

                if (takeover_has(t, port, kind) && port_socket(p, kind, &fd, &ignored) < 0)
                        r = -EADDRNOTAVAIL;
        }
        return r;
}

int takeover_open(Takeover *t, int listener, int memory_fd, Port *const *ports, const SpecPort *specs, size_t n_ports) {
        _cleanup_close_ int listener_fd = listener, memory = memory_fd;
        void *p;

        assert(n_ports <= TAKEOVER_PORTS_MAX);
        if (memory < 0) {
                memory = memfd_create("berth-takeover", MFD_CLOEXEC);
                if (memory < 0 || ftruncate(memory, sizeof(TakeoverMemory)) < 0)
                        return -errno;
        }
        p = mmap(NULL, sizeof(TakeoverMemory), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        if (p == MAP_FAILED)
                return -errno;
        t->listener = TAKE_FD(listener_fd);
        t->memory_fd = TAKE_FD(memory);
        t->memory = p;
        t->ports = ports;
        t->specs = specs;
        t->n_ports = n_ports;
        ports_hold(t, 1);
        for (size_t i = 0; i < n_ports; i++) {
                int r = slot_reclaim(t, i);

                if (r < 0)
                        return r;
        }
        return 0;
}

void takeover_close(Takeover *t) {
        ports_hold(t, -1);
        for (size_t i = 0; i < t->n_ports; i++) {
                if (has_slot(t, i))
                        port_slot_free(t->ports[i], t->memory->slots[i]);
                port_settle(t->ports[i]);
        }
        if (t->memory)
                (void) munmap(t->memory, sizeof(TakeoverMemory));
        fd_close(t->listener);
        fd_close(t->memory_fd);
        *t = TAKEOVER_INIT;
}

bool takeover_has(const Takeover *t, size_t port, PortKind kind) {
        if (!t->memory)
                return false;
        return kind == _PORT_KIND_MAX ? t->memory->held[port] != 0 : t->memory->held[port] >> kind & 1;
}

/* ---- the call ---- */

/* What the call's arguments say, read from the payload's memory. */
typedef struct Bind {
        pid_t tid;
        int number; /* the descriptor */
        int family;
        uint16_t port;
        bool loopback;
} Bind;

static bool is_loopback(const struct in6_addr *a) {
        return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

/* 0 for an address that is of no interest here. */
static int bind_read(const struct seccomp_notif *call, Bind *ret) {
        union {
                struct sockaddr any;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
        } address = { 0 };
        size_t size = MIN((size_t) call->data.args[2], sizeof(address));
        struct iovec to = { .iov_base = &address, .iov_len = size }, from = { .iov_base = (void *) call->data.args[1], .iov_len = size };
        ssize_t n = process_vm_readv((pid_t) call->pid, &to, 1, &from, 1, 0);

        *ret = (Bind){ .tid = (pid_t) call->pid, .number = (int) call->data.args[0], .family = address.any.sa_family };
        if (n >= (ssize_t) sizeof(address.in) && ret->family == AF_INET) {
                ret->port = ntohs(address.in.sin_port);
                ret->loopback = ntohl(address.in.sin_addr.s_addr) >> 24 == 127;
        } else if (n >= (ssize_t) sizeof(address.in6) - 4 /* before RFC 2553 it had no scope */ && ret->family == AF_INET6) {
                ret->port = ntohs(address.in6.sin6_port);
                ret->loopback = is_loopback(&address.in6.sin6_addr);
        }
        return ret->port != 0;
}

/* The published port of that number and, with s, that is for such a socket; n_ports: none is. */
static size_t find_port(const Takeover *t, uint16_t port, const PayloadSocket *s) {
        size_t i = 0, main;

        while (i < t->n_ports && (t->specs[i].container != port || (s && t->specs[i].protocol != s->protocol)))
                i++;
        if (i == t->n_ports || !s)
                return i;
        main = spec_port_main(t->specs, t->n_ports, i);
        if (port_can_serve(t->ports[main], s->kind))
                return main;
        while (i < t->n_ports && (t->specs[i].container != port || t->specs[i].protocol != s->protocol || !port_can_serve(t->ports[i], s->kind)))
                i++;
        return i < t->n_ports ? i : main;
}

static bool kinds_clash(PortKind a, PortKind b) {
        return a == b || a == PORT_DUAL || b == PORT_DUAL;
}

int takeover_listener(const Takeover *t, size_t port, PortKind kind) {
        return has_slot(t, port) ? t->ports[port]->slots[t->memory->slots[port]].listeners[kind] : -EBADF;
}

static bool has_open(const Takeover *t, size_t port, PortKind kind) {
        int fd = port_is_grouped(t->ports[port]) ? takeover_listener(t, port, kind) : t->ports[port]->sockets[kind];

        return fd >= 0 && socket_is_open_in(t->cgroup, fd);
}

/* Two sockets on one port: bind(2) would fail in the payload's own namespace, unless both are willing to share it. */
static bool in_use(const Takeover *t, size_t port, const PayloadSocket *s) {
        for (int i = 0; i < _PORT_KIND_MAX && !s->reuse; i++)
                if (takeover_has(t, port, (PortKind) i) && kinds_clash((PortKind) i, s->kind) && has_open(t, port, (PortKind) i))
                        return true;
        return false;
}

/* ---- the answer ---- */

static int answer(Takeover *t, int error, uint32_t flags) {
        struct seccomp_notif_resp response = { .id = t->memory->call.id, .error = error, .flags = flags };
        int r = ioctl(t->listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0 ? -errno : 0;

        t->memory->call = (struct seccomp_notif){ 0 };
        t->memory->putting = false;
        return r == -ENOENT ? 0 : r; /* it has been killed meanwhile */
}

static int put_in_place(const Takeover *t, const PayloadSocket *s, int number, int fd) {
        struct seccomp_notif_addfd add = {
                .id = t->memory->call.id,
                .flags = SECCOMP_ADDFD_FLAG_SETFD,
                .srcfd = (uint32_t) fd,
                .newfd = (uint32_t) number,
                .newfd_flags = s->cloexec ? O_CLOEXEC : 0,
        };

        return ioctl(t->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? -errno : 0;
}

/* 1: *ret is it; 0: there is none. */
static int socket_for(Takeover *t, size_t port, PortKind kind, int *ret, Error *reterr) {
        Port *p = t->ports[port];
        int slot;

        if (!port_is_grouped(p))
                return port_socket(p, kind, ret, reterr);
        if (!has_slot(t, port)) {
                slot = port_slot_new(p);
                if (slot < 0)
                        return error_set_errno(reterr, slot, "cannot publish port %u of more than %u instances", p->host, PORT_SLOTS - 1);
                t->memory->slots[port] = (uint16_t) slot;
        }
        return port_listener(p, kind, t->memory->slots[port], ret, reterr);
}

static int put(Takeover *t, const Bind *b, const PayloadSocket *s, size_t port, Error *reterr) {
        int fd, r;

        if (in_use(t, port, s))
                return -EADDRINUSE;
        r = socket_for(t, port, s->kind, &fd, reterr);
        if (r <= 0)
                return r;
        r = socket_options_copy(s->fd, fd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set what the payload has set on its socket");
        t->memory->putting = true;
        r = put_in_place(t, s, b->number, fd);
        return r < 0 ? error_set_errno(reterr, r, "cannot give the payload the socket of port %u", t->ports[port]->host) : 1;
}

/* A socket that is bound already is the payload's own business, and it is told as the kernel tells it without takeover; but for one that an earlier
 * supervisor gave it, and died before it could say so. */
static int was_put(Takeover *t, const PayloadSocket *s, size_t port) {
        int fd, r;

        if (!t->memory->putting)
                return -EINVAL;
        if (!has_slot(t, port))
                return 1;
        fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
        r = fd < 0 ? -errno : takeover_adopt(t, port, fd);
        if (r == 0)
                fd_close(fd);
        return r == 0 ? -EINVAL : r;
}

static int take(Takeover *t, const Bind *b, const PayloadSocket *s, size_t port, Error *reterr) {
        Port *p = t->ports[port];
        int r;

        r = s->bound ? was_put(t, s, port) : put(t, b, s, port, reterr);
        if (r <= 0)
                return r;
        if (!takeover_has(t, port, s->kind)) {
                t->memory->held[port] |= (uint8_t) (1U << s->kind);
                p->held[s->kind]++;
        }
        port_settle(p);
        if (t->live && has_slot(t, port)) {
                r = port_slot_set_live(p, t->memory->slots[port], true);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot send clients to port %u", p->host);
        }
        return 1;
}

static bool call_is_open(const Takeover *t) {
        uint64_t id = t->memory->call.id;

        return ioctl(t->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* 1: there is one. */
static int call_receive(Takeover *t) {
        struct seccomp_notif *call = &t->memory->call;

        if (call->id != 0 && call_is_open(t))
                return 1; /* a predecessor's */
        *call = (struct seccomp_notif){ 0 }; /* the kernel insists */
        if (ioctl(t->listener, SECCOMP_IOCTL_NOTIF_RECV, call) == 0)
                return 1;
        *call = (struct seccomp_notif){ 0 };
        return errno == ENOENT || errno == EINTR || errno == EAGAIN ? 0 : -errno;
}

int takeover_answer(Takeover *t, TakeoverAnswer *ret, Error *reterr) {
        PayloadSocket s = { .fd = -EBADF };
        TakeoverAnswer a = { .port = t->n_ports };
        TakeoverResult result;
        Bind b;
        int r;

        r = call_receive(t);
        if (r <= 0)
                return r < 0 ? r : TAKEOVER_NOTHING;
        a.pid = (pid_t) t->memory->call.pid;
        r = bind_read(&t->memory->call, &b);
        if (r > 0 && find_port(t, b.port, NULL) < t->n_ports && payload_socket_open(b.tid, b.number, &s) >= 0)
                a.port = find_port(t, b.port, &s);
        /* All that was read was the caller's only if it is still there, and not another process under its number. */
        if (!call_is_open(t)) {
                payload_socket_close(&s);
                t->memory->call = (struct seccomp_notif){ 0 };
                t->memory->putting = false;
                *ret = a;
                return TAKEOVER_NOTHING;
        }
        a.kind = s.kind;
        r = a.port < t->n_ports && !b.loopback ? take(t, &b, &s, a.port, reterr) : 0;
        result = r > 0 ? TAKEOVER_TAKEN : r == 0 ? TAKEOVER_ELSEWHERE : TAKEOVER_REFUSED;
        payload_socket_close(&s);
        *ret = a;
        if (result == TAKEOVER_ELSEWHERE)
                return result; /* takeover_continue() */
        r = answer(t, r < 0 ? r : 0, 0);
        return r < 0 ? r : (int) result;
}

int takeover_continue(Takeover *t) {
        return answer(t, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

int takeover_set_live(Takeover *t, bool live) {
        int r = 0;

        if (!t->memory || t->live == live)
                return 0;
        t->live = live;
        for (size_t i = 0; i < t->n_ports && r >= 0; i++)
                if (has_slot(t, i))
                        r = port_slot_set_live(t->ports[i], t->memory->slots[i], live);
        return r < 0 ? r : 0;
}

int takeover_adopt(Takeover *t, size_t port, int fd) {
        return has_slot(t, port) ? port_slot_adopt(t->ports[port], t->memory->slots[port], fd) : 0;
}

void takeover_shut(Takeover *t) {
        for (size_t i = 0; i < t->n_ports; i++)
                if (has_slot(t, i))
                        port_slot_shut(t->ports[i], t->memory->slots[i]);
}

int takeover_connect(const Takeover *t, size_t port) {
        const Port *p = t->ports[port];

        for (PortKind kind = 0; kind < _PORT_KIND_MAX; kind++)
                if (takeover_has(t, port, kind))
                        return port_connect(p, kind, has_slot(t, port) ? t->memory->slots[port] : PORT_PARKED);
        return -ECONNREFUSED;
}
