/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "run/pump.h"
#include "util/fd.h"

#define CHUNK_SIZE (64U << 10) /* bytes moved at once: what a pipe holds */

/* One direction: from a socket through a pipe to the other socket. */
typedef struct Flow {
        int pipe[2];
        size_t held;  /* bytes in the pipe */
        bool ended;   /* nothing more comes */
        bool closed;  /* and the other side knows */
} Flow;

struct Pump {
        PumpSet *set;
        Pump *next, *previous;
        int fds[2]; /* 0: the client, 1: where it goes */
        sd_event_source *sources[2];
        Flow flows[2]; /* 0: from the client, 1: to it */
};

static void pump_free(Pump *p) {
        PumpSet *set = p->set;

        for (int i = 0; i < 2; i++) {
                sd_event_source_disable_unref(p->sources[i]);
                fd_close(p->fds[i]);
                fd_close(p->flows[i].pipe[0]);
                fd_close(p->flows[i].pipe[1]);
        }
        if (p->next)
                p->next->previous = p->previous;
        if (p->previous)
                p->previous->next = p->next;
        else
                set->first = p->next;
        set->n--;
        free(p);
        if (set->listener)
                (void) sd_event_source_set_enabled(set->listener, SD_EVENT_ON);
}

static int flow_move(Flow *f, int from, int to) {
        ssize_t n;

        if (!f->ended && f->held == 0) {
                n = splice(from, NULL, f->pipe[1], NULL, CHUNK_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
                if (n < 0 && errno != EAGAIN)
                        return -errno;
                f->ended = n == 0;
                f->held += n > 0 ? (size_t) n : 0;
        }
        if (f->held > 0) {
                n = splice(f->pipe[0], NULL, to, NULL, f->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
                if (n < 0 && errno != EAGAIN)
                        return -errno;
                f->held -= n > 0 ? (size_t) n : 0;
        }
        if (f->ended && f->held == 0 && !f->closed) {
                (void) shutdown(to, SHUT_WR);
                f->closed = true;
        }
        return 0;
}

/* What each socket has to be asked for: room where the pipe to it holds something, else something new. */
static int pump_wait(Pump *p) {
        for (int i = 0; i < 2; i++) {
                const Flow *in = &p->flows[i], *out = &p->flows[1 - i];
                uint32_t events = (in->held == 0 && !in->ended ? EPOLLIN : 0U) | (out->held > 0 ? EPOLLOUT : 0U);
                /* One that is through would report its end again and again. */
                int r = sd_event_source_set_enabled(p->sources[i], events != 0 ? SD_EVENT_ON : SD_EVENT_OFF);

                if (r >= 0 && events != 0)
                        r = sd_event_source_set_io_events(p->sources[i], events);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int on_socket(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Pump *p = userdata;
        int r = 0;

        for (int i = 0; i < 2 && r >= 0; i++)
                r = flow_move(&p->flows[i], p->fds[i], p->fds[1 - i]);
        if (r >= 0)
                r = pump_wait(p);
        /* A reset shows as an error, and both ends closed as two flows at their end. */
        if (r < 0 || (events & EPOLLERR) || (p->flows[0].closed && p->flows[1].closed))
                pump_free(p);
        return 0;
}

static int pump_open(Pump *p, const void *first, size_t n_first) {
        int r;

        for (int i = 0; i < 2; i++)
                if (pipe2(p->flows[i].pipe, O_CLOEXEC | O_NONBLOCK) < 0)
                        return -errno;
        if (n_first > 0 && write(p->flows[0].pipe[1], first, n_first) != (ssize_t) n_first)
                return -errno;
        p->flows[0].held = n_first;
        for (int i = 0; i < 2; i++) {
                r = sd_event_add_io(p->set->event, &p->sources[i], p->fds[i], EPOLLIN, on_socket, p);
                if (r < 0)
                        return r;
        }
        return pump_wait(p);
}

int pump_new(PumpSet *set, int client, int server, const void *first, size_t n_first) {
        Pump *p = calloc(1, sizeof(*p));
        int r;

        assert(n_first <= PIPE_BUF);
        if (!p) {
                fd_close(client);
                fd_close(server);
                return -ENOMEM;
        }
        *p = (Pump){ .set = set, .next = set->first, .fds = { client, server } };
        for (int i = 0; i < 2; i++)
                p->flows[i] = (Flow){ .pipe = { -EBADF, -EBADF } };
        if (set->first)
                set->first->previous = p;
        set->first = p;
        if (++set->n >= PUMPS_MAX && set->listener)
                (void) sd_event_source_set_enabled(set->listener, SD_EVENT_OFF);
        r = set_nonblock(client, true);
        if (r >= 0)
                r = pump_open(p, first, n_first);
        if (r < 0)
                pump_free(p);
        return r;
}

void pump_set_clear(PumpSet *set) {
        set->listener = NULL;
        while (set->first)
                pump_free(set->first);
}
