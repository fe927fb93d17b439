/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "run/journal.h"
#include "run/relay.h"
#include "run/tail.h"
#include "util/fd.h"

#define RELAY_SIZE (128U * 1024)
#define RELAY_SHARE 8 /* reads of one turn, so that one loud instance does not silence the others */

/* The memfd. While `reading`, all past `end` is zero but for what read(2) has put there: if the process died before it
 * stored the new end, its successor finds the bytes by that. */
typedef struct Ring {
        _Atomic uint64_t span; /* start in the low half, end in the high half: both change in one store */
        uint32_t continued;    /* the bytes at start are the rest of a line whose beginning was sent */
        uint32_t reading;
        char data[];
} Ring;

#define RING_CAPACITY (RELAY_SIZE - sizeof(Ring))
_Static_assert(RING_CAPACITY > 2 * RELAY_LINE_MAX, "a rest must fit beside itself");

struct Relay {
        int pipe, memory;
        bool eof;
        Ring *ring;
        char *fields;
        size_t fields_size;
        Tail *tail; /* NULL: not kept */
};

static uint32_t ring_start(Ring *g) {
        return (uint32_t) atomic_load(&g->span);
}

static uint32_t ring_end(Ring *g) {
        return (uint32_t) (atomic_load(&g->span) >> 32);
}

static void ring_set(Ring *g, uint32_t start, uint32_t end) {
        atomic_store(&g->span, (uint64_t) end << 32 | start);
}

/* Empties it and gives its pages back, zeroed. */
static void ring_reset(Ring *g) {
        uint32_t end = ring_end(g), continued = g->continued;

        if (end + sizeof(Ring) <= 4096 || madvise(g, RELAY_SIZE, MADV_REMOVE) < 0) {
                memset(g->data, 0, end);
                ring_set(g, 0, 0);
        }
        g->continued = continued;
}

/* Takes over what a predecessor left, whatever state that is in. */
static void ring_recover(Ring *g) {
        uint32_t start = ring_start(g), end = ring_end(g), last = RING_CAPACITY;

        if (start > end || end > RING_CAPACITY)
                start = end = 0;
        while (last > end && g->data[last - 1] == 0)
                last--;
        ring_set(g, start, g->reading ? last : end);
        g->reading = false;
}

Relay *relay_free(Relay *r) {
        if (!r)
                return NULL;
        if (r->ring)
                (void) munmap(r->ring, RELAY_SIZE);
        fd_close(r->pipe);
        fd_close(r->memory);
        tail_free(r->tail);
        free(r->fields);
        free(r);
        return NULL;
}

int relay_new(int pipe, int memory, const char *fields, Relay **ret) {
        _cleanup_(relay_freep) Relay *r = NULL;
        bool adopted = memory >= 0;
        struct stat st;
        int k;

        r = malloc(sizeof(*r));
        if (!r) {
                fd_close(pipe);
                fd_close(memory);
                return -ENOMEM;
        }
        *r = (Relay){ .pipe = pipe, .memory = memory, .fields = strdup(fields), .fields_size = strlen(fields) };
        if (!r->fields)
                return -ENOMEM;
        if (!adopted) {
                r->memory = memfd_create("berth-relay", MFD_CLOEXEC);
                if (r->memory < 0)
                        return -errno;
        }
        if (fstat(r->memory, &st) < 0)
                return -errno;
        if (st.st_size != RELAY_SIZE && ftruncate(r->memory, RELAY_SIZE) < 0)
                return -errno;
        r->ring = mmap(NULL, RELAY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->memory, 0);
        if (r->ring == MAP_FAILED) {
                r->ring = NULL;
                return -errno;
        }
        k = set_nonblock(r->pipe, true);
        if (k < 0)
                return k;
        if (adopted)
                ring_recover(r->ring);
        *ret = TAKE_PTR(r);
        return 0;
}

int relay_pipe(const Relay *r) {
        return r->pipe;
}

int relay_memory(const Relay *r) {
        return r->memory;
}

int relay_tail_keep(Relay *r) {
        if (!r->tail)
                r->tail = tail_new();
        return r->tail ? 0 : -ENOMEM;
}

void relay_tail_drop(Relay *r) {
        if (r)
                r->tail = tail_free(r->tail);
}

const char *relay_tail(const Relay *r, unsigned lines) {
        return tail_text(r ? r->tail : NULL, lines);
}

/* sd-daemon(3): "<N>" at the start of a line is its priority; journald takes up to three digits, of which the last
 * counts. Returns how many bytes that is. */
static size_t priority_prefix(const char *line, size_t size, int *ret) {
        size_t n = 1;

        if (size < 3 || line[0] != '<')
                return 0;
        while (n < size && n < 4 && line[n] >= '0' && line[n] <= '9')
                n++;
        if (n == 1 || n >= size || line[n] != '>' || line[n - 1] > '7')
                return 0;
        *ret = line[n - 1] - '0';
        return n + 1;
}

typedef struct Piece {
        uint32_t next;   /* where the ring starts once this one is sent */
        bool cut;        /* the line goes on in the next piece */
} Piece;

/* Finds the next line in [start, end): true when there is one to be sent. */
static bool piece_find(const Relay *r, uint32_t start, uint32_t end, uint32_t *ret_size, Piece *ret, const char **ret_break) {
        const char *line = r->ring->data + start, *newline;
        uint32_t size = end - start;

        newline = memchr(line, '\n', MIN(size, RELAY_LINE_MAX + 1));
        if (newline) {
                *ret_size = (uint32_t) (newline - line);
                *ret = (Piece){ .next = start + *ret_size + 1 };
                *ret_break = "";
                return true;
        }
        if (size > RELAY_LINE_MAX) {
                *ret_size = RELAY_LINE_MAX;
                *ret = (Piece){ .next = start + RELAY_LINE_MAX, .cut = true };
                *ret_break = "LINE_BREAK=line-max\n";
                return true;
        }
        if (r->eof && size > 0) {
                *ret_size = size;
                *ret = (Piece){ .next = end };
                *ret_break = "LINE_BREAK=eof\n";
                return true;
        }
        return false;
}

static struct iovec iovec_text(const char *text) {
        return (struct iovec){ (char *) text, strlen(text) };
}

/* Sends all complete lines. RELAY_DRAINED, RELAY_BLOCKED or negative errno. */
static int relay_flush(Relay *r, int journal) {
        static const char *const priorities[] = {
                "PRIORITY=0\nMESSAGE=", "PRIORITY=1\nMESSAGE=", "PRIORITY=2\nMESSAGE=", "PRIORITY=3\nMESSAGE=",
                "PRIORITY=4\nMESSAGE=", "PRIORITY=5\nMESSAGE=", "PRIORITY=6\nMESSAGE=", "PRIORITY=7\nMESSAGE=",
        };
        /* One thread; kept off the stack, whose pages would stay dirty. */
        static JournalEntry entries[JOURNAL_BATCH_MAX];
        static Piece pieces[JOURNAL_BATCH_MAX];
        Ring *g = r->ring;

        for (;;) {
                uint32_t start = ring_start(g), end = ring_end(g), at = start;
                bool continued = g->continued;
                size_t n = 0;
                int sent;

                while (n < JOURNAL_BATCH_MAX) {
                        int priority = LOG_INFO;
                        const char *line_break;
                        uint32_t size;
                        size_t skip;

                        if (!piece_find(r, at, end, &size, &pieces[n], &line_break))
                                break;
                        skip = continued ? 0 : priority_prefix(g->data + at, size, &priority);
                        entries[n] = (JournalEntry){
                                .iovec = {
                                        { r->fields, r->fields_size },
                                        iovec_text(line_break),
                                        iovec_text(priorities[priority]),
                                        { g->data + at + skip, size - skip },
                                        { (char *) "\n", 1 },
                                },
                                .n = 5,
                        };
                        at = pieces[n].next;
                        continued = pieces[n].cut;
                        n++;
                }
                if (n == 0)
                        return RELAY_DRAINED;
                sent = journal_send(journal, entries, n);
                if (sent < 0)
                        return sent;
                for (int i = 0; i < sent; i++)
                        tail_add(r->tail, entries[i].iovec[3].iov_base, entries[i].iovec[3].iov_len);
                if (sent > 0) {
                        g->continued = pieces[sent - 1].cut;
                        ring_set(g, pieces[sent - 1].next, end);
                }
                if ((size_t) sent < n)
                        return RELAY_BLOCKED;
        }
}

/* Makes room behind the rest of an incomplete line. */
static void ring_compact(Ring *g) {
        uint32_t start = ring_start(g), end = ring_end(g), size = end - start;

        if (size == 0)
                ring_reset(g);
        else if (RING_CAPACITY - end < RELAY_LINE_MAX / 2) {
                /* The two do not overlap: a rest is at most one line, and the start is past that by now. */
                memcpy(g->data, g->data + start, size);
                ring_set(g, 0, size);
                memset(g->data + size, 0, end - size);
        }
}

int relay_process(Relay *r, int journal) {
        Ring *g = r->ring;

        for (unsigned turn = 0; turn < RELAY_SHARE; turn++) {
                ssize_t n;
                int k;

                k = relay_flush(r, journal);
                if (k != RELAY_DRAINED)
                        return k;
                if (r->eof)
                        return RELAY_EOF;
                if (ring_end(g) > 0)
                        ring_compact(g);
                g->reading = true;
                do
                        n = read(r->pipe, g->data + ring_end(g), RING_CAPACITY - ring_end(g));
                while (n < 0 && errno == EINTR);
                if (n > 0)
                        ring_set(g, ring_start(g), ring_end(g) + (uint32_t) n);
                g->reading = false;
                if (n < 0 && errno == EAGAIN)
                        return RELAY_DRAINED;
                if (n <= 0)
                        r->eof = true;
        }
        return RELAY_BUSY;
}
