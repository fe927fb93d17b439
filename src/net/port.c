/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/port-group.h"
#include "net/socket.h"
#include "util/fd.h"

#define FREE_PORT_TRIES 32 /* one that is free for IPv4 may be taken for IPv6 */

typedef union PortAddress {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage storage;
} PortAddress;

#define LEFT_DATAGRAMS_MAX 4096 /* that are thrown away at once */

bool port_is_grouped(const Port *p) {
        return p->map >= 0;
}

static int socket_type(const Port *p) {
        return p->spec.protocol == SPEC_PROTOCOL_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

/* Returns the address' size, 0 where a socket of that kind cannot serve the published address. */
static socklen_t port_address(const Port *p, PortKind kind, PortAddress *ret) {
        const SpecPort *s = &p->spec;

        *ret = (PortAddress){ 0 };
        if (kind == PORT_IPV4) {
                if (s->family == AF_INET6)
                        return 0;
                ret->in.sin_family = AF_INET;
                ret->in.sin_port = htons(p->host);
                memcpy(&ret->in.sin_addr, s->address, sizeof(ret->in.sin_addr));
                return sizeof(ret->in);
        }
        if (kind == PORT_IPV6 && s->family == AF_INET)
                return 0;
        ret->in6.sin6_family = AF_INET6;
        ret->in6.sin6_port = htons(p->host);
        if (s->family == AF_INET6)
                memcpy(&ret->in6.sin6_addr, s->address, sizeof(ret->in6.sin6_addr));
        else if (s->family == AF_INET) { /* ::ffff:a.b.c.d */
                memset(&ret->in6.sin6_addr.s6_addr[10], 0xff, 2);
                memcpy(&ret->in6.sin6_addr.s6_addr[12], s->address, 4);
        }
        return sizeof(ret->in6);
}

bool port_can_serve(const Port *p, PortKind kind) {
        PortAddress ignored;

        return port_address(p, kind, &ignored) > 0;
}

/* beside: the port's own sockets have it already, and are willing to share. */
static int socket_bind(const Port *p, PortKind kind, bool beside) {
        _cleanup_close_ int fd = -EBADF;
        PortAddress address;
        socklen_t size = port_address(p, kind, &address);
        int r;

        fd = socket(address.any.sa_family, socket_type(p) | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        r = kind == PORT_IPV4 ? 0 : socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, kind == PORT_IPV6);
        /* Connections of an earlier start that are not quite over must not be in the way. For UDP it would mean that two may have
         * the same. */
        if (r >= 0 && socket_type(p) == SOCK_STREAM)
                r = socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (r >= 0 && beside)
                r = socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        if (r < 0)
                return r;
        return bind(fd, &address.any, size) < 0 ? -errno : TAKE_FD(fd);
}

static int port_serve(Port *p, PortKind kind) {
        int r;

        if (p->serving[kind])
                return 0;
        if (socket_type(p) == SOCK_STREAM && listen(p->sockets[kind], PORT_BACKLOG) < 0)
                return -errno;
        p->serving[kind] = true;
        if (!port_is_grouped(p))
                return 0;
        r = port_group_put(p, kind, PORT_PARKED, p->sockets[kind]);
        return r < 0 ? r : port_group_steer(p, kind);
}

static void port_unserve(Port *p, PortKind kind) {
        if (p->foreign[kind])
                return;
        if (socket_type(p) != SOCK_STREAM)
                p->sockets[kind] = fd_close(p->sockets[kind]); /* it would gather what nobody reads */
        else if (p->serving[kind])
                (void) shutdown(p->sockets[kind], SHUT_RD);
        p->serving[kind] = false;
}

/* The first of its group is bound without SO_REUSEPORT, so that nobody else has the port. A UDP socket has to be bound with it, to be of a
 * group: it takes the place of the first. */
static int group_begin(Port *p, PortKind kind, int *fd) {
        int r = socket_set(*fd, SOL_SOCKET, SO_REUSEPORT, 1), second;

        if (r < 0 || socket_type(p) == SOCK_STREAM)
                return r;
        second = socket_bind(p, kind, true);
        if (second < 0)
                return second;
        fd_close(*fd);
        *fd = second;
        return 0;
}

static int bound_port(int fd, uint16_t *ret) {
        PortAddress address;
        socklen_t size = sizeof(address);

        if (getsockname(fd, &address.any, &size) < 0)
                return -errno;
        *ret = ntohs(address.any.sa_family == AF_INET ? address.in.sin_port : address.in6.sin6_port);
        return 0;
}

static int port_take(Port *p, PortKind kind) {
        _cleanup_close_ int fd = socket_bind(p, kind, false);
        int r = 0;

        if (fd >= 0 && p->host == 0) {
                /* Bound anew by its number: of a port that it did not ask for, a socket that stops to listen lets go. */
                r = bound_port(fd, &p->host);
                fd_close(fd);
                fd = r < 0 ? r : socket_bind(p, kind, false);
        }
        if (fd < 0)
                return fd;
        if (port_is_grouped(p))
                r = group_begin(p, kind, &fd);
        if (r < 0)
                return r;
        p->sockets[kind] = TAKE_FD(fd);
        return port_serve(p, kind);
}

/* A host without IPv6, or with it switched off. */
static bool family_missing(int error) {
        return error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL;
}

static int port_take_all(Port *p) {
        int r;

        if (p->spec.family != 0)
                return port_take(p, p->spec.family == AF_INET ? PORT_IPV4 : PORT_IPV6);
        r = port_take(p, PORT_IPV4);
        if (r < 0 && !family_missing(r))
                return r;
        r = port_take(p, PORT_IPV6);
        return family_missing(r) && p->sockets[PORT_IPV4] >= 0 ? 0 : r;
}

void port_init(Port *p, const SpecPort *spec) {
        *p = (Port){ .spec = *spec, .host = spec->host, .map = -EBADF };
        for (int i = 0; i < _PORT_KIND_MAX; i++)
                p->sockets[i] = -EBADF;
}

/* A kernel may have the map, and not the program. */
static int port_take_grouped(Port *p) {
        int r = port_group_open();

        if (r < 0)
                return r;
        p->map = r;
        r = port_take_all(p);
        return r < 0 ? r : 1;
}

static int port_try(Port *p, bool grouped) {
        int r = -EOPNOTSUPP;

        if (grouped) {
                r = port_take_grouped(p);
                if (r >= 0 || r == -EADDRINUSE || r == -EADDRNOTAVAIL)
                        return r;
                port_close(p);
        }
        return port_take_all(p);
}

int port_open(Port *p, bool grouped, Error *reterr) {
        int r = -EADDRINUSE;

        for (int i = 0; r == -EADDRINUSE && i < (p->spec.host == 0 ? FREE_PORT_TRIES : 1); i++) {
                port_close(p);
                r = port_try(p, grouped);
        }
        if (r < 0) {
                r = error_set_errno(reterr, r, "cannot publish '%s/%s'", port_text(p).text,
                        p->spec.protocol == SPEC_PROTOCOL_UDP ? "udp" : "tcp");
                port_close(p);
        }
        return r < 0 ? r : 0;
}

bool port_is_open(const Port *p) {
        for (int i = 0; i < _PORT_KIND_MAX; i++)
                if (p->sockets[i] >= 0)
                        return true;
        return false;
}

static PortKind kind_of(const Port *p, int fd) {
        int domain = socket_get(fd, SOL_SOCKET, SO_DOMAIN);

        if ((domain != AF_INET && domain != AF_INET6) || socket_get(fd, SOL_SOCKET, SO_TYPE) != socket_type(p))
                return _PORT_KIND_INVALID;
        return domain == AF_INET ? PORT_IPV4 : socket_get(fd, IPPROTO_IPV6, IPV6_V6ONLY) > 0 ? PORT_IPV6 : PORT_DUAL;
}

static int adopt(Port *p, PortKind kind, int fd, bool foreign) {
        p->foreign[kind] = foreign;
        p->sockets[kind] = fd;
        p->serving[kind] = socket_type(p) != SOCK_STREAM || socket_get(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0;
        return 1;
}

int port_adopt(Port *p, int fd, uint16_t host) {
        PortKind kind = kind_of(p, fd);

        if (kind < 0 || p->sockets[kind] >= 0 || (p->host != 0 && p->host != host))
                return 0;
        p->host = host;
        return adopt(p, kind, fd, false);
}

int port_adopt_foreign(Port *p, int fd) {
        PortKind kind = kind_of(p, fd);
        PortAddress wanted, bound = { 0 };
        socklen_t size = sizeof(bound);

        if (kind < 0 || p->sockets[kind] >= 0)
                return 0;
        if (getsockname(fd, &bound.any, &size) < 0 || size != port_address(p, kind, &wanted) || memcmp(&bound, &wanted, size) != 0)
                return 0;
        return adopt(p, kind, fd, true);
}

int port_adopt_map(Port *p, int map) {
        if (!port_is_open(p) || port_is_grouped(p) || !port_group_is_map(map))
                return 0;
        p->map = map;
        return 1;
}

/* Whether others can come beside is only then of interest when sockets do not share the port anyway. */
static int port_let_share(Port *p, bool let) {
        int r = 0;

        for (int i = 0; !port_is_grouped(p) && i < _PORT_KIND_MAX && r >= 0; i++)
                if (p->sockets[i] >= 0)
                        r = socket_set(p->sockets[i], SOL_SOCKET, SO_REUSEPORT, let);
        return r;
}

/* The same port once more, for payloads that want the other families' clients on one socket. SO_REUSEPORT lets the port's own
 * sockets share it, for as long as it takes: it would let others in, too. */
static int port_open_beside(Port *p, PortKind kind) {
        int r = port_let_share(p, true);

        if (r >= 0)
                r = p->sockets[kind] >= 0 ? 0 : socket_bind(p, kind, true);
        if (r >= 0 && p->sockets[kind] < 0)
                p->sockets[kind] = r;
        if (r >= 0)
                r = port_serve(p, kind);
        (void) port_let_share(p, false);
        return r;
}

/* 0: none is to be had. */
static int port_prepare(Port *p, PortKind kind, Error *reterr) {
        int r;

        if (!port_can_serve(p, kind))
                return 0;
        r = p->sockets[kind] >= 0 && p->serving[kind] ? 0 : port_open_beside(p, kind);
        return r < 0 ? error_set_errno(reterr, r, "cannot publish '%s' for another family", port_text(p).text) : 1;
}

int port_socket(Port *p, PortKind kind, int *ret, Error *reterr) {
        int r = port_prepare(p, kind, reterr);

        if (r > 0)
                *ret = p->sockets[kind];
        return r;
}

/* ---- the group ---- */

static int slots_extend(Port *p, unsigned n) {
        PortSlot *slots = n > p->n_slots ? reallocarray(p->slots, n, sizeof(*slots)) : p->slots;

        if (!slots)
                return -ENOMEM;
        p->slots = slots;
        for (; p->n_slots < n; p->n_slots++) {
                slots[p->n_slots] = (PortSlot){ 0 };
                for (int k = 0; k < _PORT_KIND_MAX; k++)
                        slots[p->n_slots].listeners[k] = -EBADF;
        }
        return 0;
}

int port_slot_claim(Port *p, unsigned slot) {
        int r = slot >= PORT_SLOTS ? -ERANGE : slots_extend(p, slot + 1);

        if (r >= 0)
                p->slots[slot].used = true;
        return r;
}

int port_slot_new(Port *p) {
        unsigned slot = PORT_PARKED + 1;
        int r;

        while (slot < p->n_slots && p->slots[slot].used)
                slot++;
        if (slot >= PORT_SLOTS)
                return -ENOBUFS;
        r = port_slot_claim(p, slot);
        return r < 0 ? r : (int) slot;
}

static bool any_live(const Port *p, PortKind kind) {
        for (unsigned slot = 0; slot < p->n_slots; slot++)
                if (p->slots[slot].live && p->slots[slot].listeners[kind] >= 0)
                        return true;
        return false;
}

static void wake_live(const Port *p, PortKind kind) {
        for (unsigned slot = 0; slot < p->n_slots; slot++)
                if (p->slots[slot].live && p->slots[slot].listeners[kind] >= 0)
                        port_group_wake(p->slots[slot].listeners[kind]);
}

/* Datagrams are not handed over by the kernel: those that wait go with their socket to the first who comes. */
static int parked_hand_over(Port *p, PortKind kind, unsigned slot) {
        int fd = socket_bind(p, kind, true), r;

        if (fd < 0)
                return fd;
        port_group_remove(p, kind, PORT_PARKED);
        r = port_group_put(p, kind, slot, p->sockets[kind]);
        if (r >= 0)
                r = port_group_put(p, kind, PORT_PARKED, fd);
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        p->slots[slot].listeners[kind] = p->sockets[kind];
        p->sockets[kind] = fd;
        return 0;
}

static int listener_make(Port *p, PortKind kind, unsigned slot) {
        int *place = &p->slots[slot].listeners[kind];
        bool stream = socket_type(p) == SOCK_STREAM;

        if (*place < 0 && !stream && !any_live(p, kind))
                return parked_hand_over(p, kind, slot);
        if (*place < 0) {
                *place = socket_bind(p, kind, true);
                if (*place < 0)
                        return *place;
        } else if (!stream || socket_get(*place, SOL_SOCKET, SO_ACCEPTCONN) > 0)
                return 0;
        if (stream && listen(*place, PORT_BACKLOG) < 0)
                return -errno;
        return port_group_put(p, kind, slot, *place);
}

int port_listener(Port *p, PortKind kind, unsigned slot, int *ret, Error *reterr) {
        int r = port_prepare(p, kind, reterr);

        if (r <= 0)
                return r;
        r = listener_make(p, kind, slot);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot publish '%s' once more", port_text(p).text);
        *ret = p->slots[slot].listeners[kind];
        return 1;
}

int port_slot_adopt(Port *p, unsigned slot, int fd) {
        PortKind kind = kind_of(p, fd);

        if (kind < 0 || p->slots[slot].listeners[kind] >= 0)
                return 0;
        p->slots[slot].listeners[kind] = fd;
        return 1;
}

/* Who waits at the port's own is sent on: a listener that stops hands its queue over. */
static int parked_empty(Port *p, PortKind kind) {
        char nothing;
        int r;

        if (socket_type(p) == SOCK_STREAM) {
                (void) shutdown(p->sockets[kind], SHUT_RD);
                if (listen(p->sockets[kind], PORT_BACKLOG) < 0)
                        return -errno;
                r = port_group_put(p, kind, PORT_PARKED, p->sockets[kind]);
                if (r < 0)
                        return r;
                wake_live(p, kind);
        }
        /* Nobody waits for the answers to these any more. */
        for (int i = 0; socket_type(p) != SOCK_STREAM && i < LEFT_DATAGRAMS_MAX && recv(p->sockets[kind], &nothing, 0, MSG_DONTWAIT) >= 0; i++)
                ;
        return 0;
}

static int port_steer(Port *p) {
        int r = 0;

        for (PortKind kind = 0; port_is_grouped(p) && kind < _PORT_KIND_MAX && r >= 0; kind++) {
                if (!p->serving[kind])
                        continue;
                r = port_group_steer(p, kind);
                if (r > 0)
                        r = parked_empty(p, kind);
        }
        return r;
}

int port_slot_set_live(Port *p, unsigned slot, bool live) {
        p->slots[slot].live = live;
        return port_steer(p);
}

void port_slot_shut(Port *p, unsigned slot) {
        for (int k = 0; k < _PORT_KIND_MAX; k++)
                if (p->slots[slot].listeners[k] >= 0) {
                        if (socket_type(p) == SOCK_STREAM)
                                (void) shutdown(p->slots[slot].listeners[k], SHUT_RD); /* whoever has it, too */
                        wake_live(p, (PortKind) k);
                }
}

void port_slot_free(Port *p, unsigned slot) {
        if (p->slots[slot].live)
                (void) port_slot_set_live(p, slot, false);
        port_slot_shut(p, slot);
        for (int k = 0; k < _PORT_KIND_MAX; k++)
                p->slots[slot].listeners[k] = fd_close(p->slots[slot].listeners[k]);
        p->slots[slot].used = false;
}

void port_settle(Port *p) {
        bool any = false;

        for (int i = 0; i < _PORT_KIND_MAX; i++)
                any = any || p->held[i] > 0;
        for (int i = 0; any && i < _PORT_KIND_MAX; i++)
                if (p->held[i] == 0 && p->sockets[i] >= 0)
                        port_unserve(p, (PortKind) i);
}

PortText port_text(const Port *p) {
        char address[INET6_ADDRSTRLEN] = "*";
        PortText t;

        if (p->spec.family != 0)
                (void) inet_ntop(p->spec.family, p->spec.address, address, sizeof(address));
        (void) snprintf(t.text, sizeof(t.text), p->spec.family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, p->host);
        return t;
}

/* Where the host itself finds it, by an address of kind's family. */
static socklen_t port_destination(const Port *p, PortKind kind, struct sockaddr_storage *ret) {
        static const uint8_t zero[16];
        PortAddress a;
        /* What a dual socket serves is found by IPv4, too, unless the address is IPv6. */
        socklen_t size = port_address(p, kind == PORT_DUAL && p->spec.family != AF_INET6 ? PORT_IPV4 : kind, &a);

        if (memcmp(p->spec.address, zero, sizeof(zero)) == 0) {
                if (a.any.sa_family == AF_INET)
                        a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                else
                        a.in6.sin6_addr = in6addr_loopback;
        }
        *ret = a.storage;
        return size;
}

int port_connect(const Port *p, PortKind kind, unsigned slot) {
        struct sockaddr_storage to;
        socklen_t size = port_destination(p, kind, &to);
        _cleanup_close_ int fd = socket(to.ss_family, socket_type(p) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int r;

        if (fd < 0)
                return -errno;
        if (slot != PORT_PARKED)
                r = port_group_connect(fd, slot, &to, size);
        else
                r = connect(fd, (struct sockaddr *) &to, size) < 0 && errno != EINPROGRESS ? -errno : 0;
        return r < 0 ? r : TAKE_FD(fd);
}

void port_close(Port *p) {
        for (int i = 0; i < _PORT_KIND_MAX; i++) {
                p->sockets[i] = fd_close(p->sockets[i]);
                p->serving[i] = false;
        }
        for (unsigned slot = 0; slot < p->n_slots; slot++)
                for (int k = 0; k < _PORT_KIND_MAX; k++)
                        fd_close(p->slots[slot].listeners[k]);
        free(p->slots);
        p->slots = NULL;
        p->n_slots = 0;
        p->map = fd_close(p->map);
        p->host = p->spec.host;
}
