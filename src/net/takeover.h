/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers the bind(2) calls of one instance's payload, seccomp_unotify(2): whoever binds a published port gets the host's
 * socket in place of its own. */

#include <linux/seccomp.h>

#include "net/port.h"

#define TAKEOVER_PORTS_MAX SPEC_LIST_MAX

/* What a supervisor that follows has to know, in a memfd that outlives this one. The kernel writes a call into it as it hands it
 * over, so none is lost: a call that was received is never told again. */
typedef struct TakeoverMemory {
        struct seccomp_notif call;        /* id 0: none is open */
        bool putting;                     /* its socket may be in the payload's place already */
        uint8_t held[TAKEOVER_PORTS_MAX]; /* by port: bit N, a socket of kind N */
        uint16_t slots[TAKEOVER_PORTS_MAX]; /* by port; PORT_PARKED: none yet */
} TakeoverMemory;

typedef struct Takeover {
        int listener; /* what HELPER_BINDS brought */
        int memory_fd;
        TakeoverMemory *memory;
        Port *const *ports; /* the process's, */
        const SpecPort *specs; /* and what it says of each */
        size_t n_ports;
        int cgroup; /* of the instance */
        bool live;
} Takeover;

#define TAKEOVER_INIT ((Takeover){ .listener = -EBADF, .memory_fd = -EBADF, .cgroup = -EBADF })

/* What the payload has got in place of its own for that port, of any kind; and -EBADF after the last, or where it shares. */
int takeover_listener(const Takeover *t, size_t port, PortKind kind);

/* memory_fd: an earlier one's; -EBADF: a new one is made. Both fds are taken over. ports and specs stay the caller's; the
 * ports count who has them until takeover_close(). */
int takeover_open(Takeover *t, int listener, int memory_fd, Port *const *ports, const SpecPort *specs, size_t n_ports);

typedef enum TakeoverResult {
        TAKEOVER_NOTHING,   /* no call is waiting, or it went away while it was looked at */
        TAKEOVER_ELSEWHERE, /* it binds something else, and waits for takeover_continue() */
        TAKEOVER_TAKEN,
        TAKEOVER_REFUSED,   /* bind(2) fails with an error */
} TakeoverResult;

/* What was answered. */
typedef struct TakeoverAnswer {
        size_t port; /* TAKEN, REFUSED; ELSEWHERE: n_ports, or the port whose number it is, on an address that is not published */
        PortKind kind;
        pid_t pid;
} TakeoverAnswer;

/* Answers one call, but for an ELSEWHERE one. Negative: the listener is of no use any more. reterr says why a published port was refused,
 * unless it is the payload that uses it twice. */
int takeover_answer(Takeover *t, TakeoverAnswer *ret, Error *reterr);

int takeover_continue(Takeover *t);

/* Whether clients are to reach the instance. Where it shares its listeners with others that is not in question. */
int takeover_set_live(Takeover *t, bool live);

/* An earlier supervisor's copy of what the payload listens on. 1: it is the port's now; 0: it is none. */
int takeover_adopt(Takeover *t, size_t port, int fd);

/* All processes of the instance are dead: who waits for them is handed over to others. */
void takeover_shut(Takeover *t);

/* A socket that connects to the instance's port, whether live or not, from the host itself and without waiting. */
int takeover_connect(const Takeover *t, size_t port);

/* Does the instance have the port? kind _PORT_KIND_MAX: of any kind. */
bool takeover_has(const Takeover *t, size_t port, PortKind kind);

void takeover_close(Takeover *t);
