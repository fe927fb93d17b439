/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/port.h"
#include "net/socket.h"
#include "util/fd.h"

#define FREE_PORT_TRIES 32 /* one that is free for IPv4 may be taken for IPv6 */

typedef union PortAddress {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage storage;
} PortAddress;

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
        if (p->serving[kind] || socket_type(p) != SOCK_STREAM)
                return 0;
        if (listen(p->sockets[kind], PORT_BACKLOG) < 0)
                return -errno;
        p->serving[kind] = true;
        return 0;
}

static void port_unserve(Port *p, PortKind kind) {
        if (p->foreign[kind])
                return;
        if (socket_type(p) != SOCK_STREAM)
                p->sockets[kind] = fd_close(p->sockets[kind]); /* it would gather what nobody reads */
        else if (p->serving[kind]) {
                (void) shutdown(p->sockets[kind], SHUT_RD);
                p->serving[kind] = false;
        }
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
        int fd = socket_bind(p, kind, false), r;

        if (fd >= 0 && p->host == 0) {
                /* Bound anew by its number: of a port that it did not ask for, a socket that stops to listen lets go. */
                r = bound_port(fd, &p->host);
                fd_close(fd);
                fd = r < 0 ? r : socket_bind(p, kind, false);
        }
        if (fd < 0)
                return fd;
        p->sockets[kind] = fd;
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
        *p = (Port){ .spec = *spec, .host = spec->host };
        for (int i = 0; i < _PORT_KIND_MAX; i++)
                p->sockets[i] = -EBADF;
}

int port_open(Port *p, const SpecPort *spec, Error *reterr) {
        int r = -EADDRINUSE;

        port_init(p, spec);
        for (int i = 0; r == -EADDRINUSE && i < (spec->host == 0 ? FREE_PORT_TRIES : 1); i++) {
                port_close(p);
                r = port_take_all(p);
        }
        if (r < 0) {
                r = error_set_errno(reterr, r, "cannot publish '%s/%s'", port_text(p).text,
                        spec->protocol == SPEC_PROTOCOL_UDP ? "udp" : "tcp");
                port_close(p);
        }
        return r;
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
        p->serving[kind] = socket_get(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0;
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

/* The same port once more, for payloads that want the other families' clients on one socket. SO_REUSEPORT lets the port's own
 * sockets share it, for as long as it takes: it would let others in, too. */
static int port_open_beside(Port *p, PortKind kind) {
        int r = 0;

        for (int i = 0; i < _PORT_KIND_MAX && r >= 0; i++)
                if (p->sockets[i] >= 0)
                        r = socket_set(p->sockets[i], SOL_SOCKET, SO_REUSEPORT, 1);
        if (r >= 0)
                r = p->sockets[kind] >= 0 ? 0 : socket_bind(p, kind, true);
        if (r >= 0 && p->sockets[kind] < 0)
                p->sockets[kind] = r;
        if (r >= 0)
                r = port_serve(p, kind);
        for (int i = 0; i < _PORT_KIND_MAX; i++)
                if (p->sockets[i] >= 0)
                        (void) socket_set(p->sockets[i], SOL_SOCKET, SO_REUSEPORT, 0);
        return r;
}

int port_socket(Port *p, PortKind kind, int *ret, Error *reterr) {
        PortAddress address;
        int r;

        if (port_address(p, kind, &address) == 0)
                return 0;
        r = p->sockets[kind] >= 0 && (p->serving[kind] || socket_type(p) != SOCK_STREAM) ? 0 : port_open_beside(p, kind);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot publish '%s' for another family", port_text(p).text);
        *ret = p->sockets[kind];
        return 1;
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

socklen_t port_destination(const Port *p, PortKind kind, struct sockaddr_storage *ret) {
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

void port_close(Port *p) {
        for (int i = 0; i < _PORT_KIND_MAX; i++) {
                p->sockets[i] = fd_close(p->sockets[i]);
                p->serving[i] = false;
        }
        p->host = p->spec.host;
}
