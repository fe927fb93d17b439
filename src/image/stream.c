/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>

#include "image/decompressor.h"
#include "image/digest.h"
#include "image/stream.h"

#define SLOT_SIZE (128U << 10)
#define SLOTS 4

/* Buffers that one thread fills and the other empties, in turn. */
typedef struct Slots {
        char *data;
        size_t sizes[SLOTS];
        size_t first, used;
        size_t next; /* to be filled; the filling thread's own */
        bool taken;  /* the first is being looked at */
        bool ended; /* no more will be filled */
} Slots;

/* The caller's thread reads the blob, which may mean to wait for a network, and a thread of the stream's own decompresses. */
struct Stream {
        Blob *blob;
        const char *piece; /* what is left of what was read */
        size_t piece_size;
        Digest *unpacked;
        StreamResult result;
        bool ended;
        void (*progress)(void *userdata, uint64_t bytes);
        void *userdata;

        pthread_t thread;
        bool started;
        Digest *packed;
        PackFormat format;

        pthread_mutex_t lock; /* of what follows, but not of what is in a slot */
        pthread_cond_t caller, decompressor;
        Slots in, out;
        bool stopping;
        int code; /* why out ended */
        Error error;
};

static void lock(Stream *s) {
        (void) pthread_mutex_lock(&s->lock);
}

static void unlock(Stream *s) {
        (void) pthread_mutex_unlock(&s->lock);
}

static bool slots_full(const Slots *q) {
        return q->used == SLOTS;
}

static char *slots_tail(const Slots *q) {
        return q->data + q->next * SLOT_SIZE;
}

static void slots_push(Slots *q, size_t size) {
        q->sizes[q->next] = size;
        q->next = (q->next + 1) % SLOTS;
        q->used++;
}

static ssize_t slots_take(Slots *q, const void **ret) {
        q->taken = true;
        *ret = q->data + q->first * SLOT_SIZE;
        return (ssize_t) q->sizes[q->first];
}

static void slots_release(Slots *q) {
        if (!q->taken)
                return;
        q->taken = false;
        q->first = (q->first + 1) % SLOTS;
        q->used--;
}

static ssize_t take_packed(void *userdata, const void **ret) {
        Stream *s = userdata;
        ssize_t n = 0;

        lock(s);
        slots_release(&s->in);
        (void) pthread_cond_signal(&s->caller);
        while (s->in.used == 0 && !s->in.ended && !s->stopping)
                (void) pthread_cond_wait(&s->decompressor, &s->lock);
        if (s->stopping)
                n = -ECANCELED;
        else if (s->in.used > 0)
                n = slots_take(&s->in, ret);
        unlock(s);
        if (n > 0)
                digest_update(s->packed, *ret, (size_t) n);
        return n;
}

static int wait_for_room(Stream *s) {
        int r;

        lock(s);
        while (slots_full(&s->out) && !s->stopping)
                (void) pthread_cond_wait(&s->decompressor, &s->lock);
        r = s->stopping ? -ECANCELED : 0;
        unlock(s);
        return r;
}

static void hand_out(Stream *s, size_t size) {
        lock(s);
        slots_push(&s->out, size);
        (void) pthread_cond_signal(&s->caller);
        unlock(s);
}

static int decompress(Stream *s, Error *reterr) {
        _cleanup_decompressor_ Decompressor *d = NULL;
        const void *rest;
        ssize_t n = decompressor_new(take_packed, s, &d, reterr);

        while (n >= 0) {
                n = wait_for_room(s);
                if (n >= 0)
                        n = decompressor_read(d, slots_tail(&s->out), SLOT_SIZE, reterr);
                if (n <= 0)
                        break;
                hand_out(s, (size_t) n);
        }
        if (n < 0)
                return (int) n;
        s->format = decompressor_format(d);
        /* What stands behind the compressed data belongs to the blob's digest. */
        while ((n = take_packed(s, &rest)) > 0)
                ;
        return (int) n;
}

static void *run(void *userdata) {
        Stream *s = userdata;
        Error error = { 0 };
        int r = decompress(s, &error);

        lock(s);
        s->code = r;
        s->error = error;
        s->out.ended = true;
        (void) pthread_cond_signal(&s->caller);
        unlock(s);
        return NULL;
}

int stream_new(Blob *blob, Stream **ret, Error *reterr) {
        _cleanup_stream_ Stream *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->blob = blob;
        (void) pthread_mutex_init(&s->lock, NULL);
        (void) pthread_cond_init(&s->caller, NULL);
        (void) pthread_cond_init(&s->decompressor, NULL);
        s->packed = digest_new();
        s->unpacked = digest_new();
        s->in.data = malloc(SLOTS * SLOT_SIZE);
        s->out.data = malloc(SLOTS * SLOT_SIZE);
        if (!s->packed || !s->unpacked || !s->in.data || !s->out.data)
                return -ENOMEM;
        r = pthread_create(&s->thread, NULL, run, s);
        if (r != 0)
                return error_set_errno(reterr, -r, "cannot start a thread");
        s->started = true;
        *ret = TAKE_PTR(s);
        return 0;
}

Stream *stream_free(Stream *s) {
        if (!s)
                return NULL;
        if (s->started) {
                lock(s);
                s->stopping = true;
                (void) pthread_cond_signal(&s->decompressor);
                unlock(s);
                (void) pthread_join(s->thread, NULL);
        }
        (void) pthread_cond_destroy(&s->decompressor);
        (void) pthread_cond_destroy(&s->caller);
        (void) pthread_mutex_destroy(&s->lock);
        digest_free(s->packed);
        digest_free(s->unpacked);
        free(s->in.data);
        free(s->out.data);
        free(s);
        return NULL;
}

void stream_set_progress(Stream *s, void (*progress)(void *userdata, uint64_t bytes), void *userdata) {
        s->progress = progress;
        s->userdata = userdata;
}

static int check_limits(Stream *s, Error *reterr) {
        if (s->result.unpacked_size > STREAM_SIZE_MAX)
                return error_set(reterr, -EFBIG, "%s unpacks to more than %llu GiB", blob_name(s->blob),
                        (unsigned long long) (STREAM_SIZE_MAX >> 30));
        if (s->result.unpacked_size > STREAM_RATIO_FREE &&
                s->result.unpacked_size / STREAM_RATIO_MAX > s->result.size)
                return error_set(reterr, -EFBIG, "%s unpacks to more than %d times its size", blob_name(s->blob),
                        STREAM_RATIO_MAX);
        return 0;
}

/* A slot full of the blob, or its end. Without the lock: nobody else fills slots. */
static int feed(Stream *s, Error *reterr) {
        size_t n = 0;

        if (s->piece_size == 0) {
                const void *piece;
                ssize_t q = blob_read(s->blob, &piece, reterr);

                if (q < 0)
                        return (int) q;
                s->piece = piece;
                s->piece_size = (size_t) q;
                s->result.size += (uint64_t) q;
                if (s->progress)
                        s->progress(s->userdata, s->result.size);
        }
        n = MIN(s->piece_size, (size_t) SLOT_SIZE);
        if (n > 0)
                memcpy(slots_tail(&s->in), s->piece, n);
        lock(s);
        if (n > 0)
                slots_push(&s->in, n);
        else
                s->in.ended = true;
        (void) pthread_cond_signal(&s->decompressor);
        unlock(s);
        s->piece += n;
        s->piece_size -= n;
        return 0;
}

/* What was decompressed comes first, unless the decompressor is about to run dry. */
static bool hungry(const Slots *in, const Slots *out) {
        return !in->ended && (out->used == 0 ? !slots_full(in) : in->used <= SLOTS / 2);
}

static int fail(Stream *s, Error *reterr) {
        if (s->code == -EBADMSG)
                (void) error_prefix(&s->error, "cannot decompress %s", blob_name(s->blob));
        if (reterr && s->error.code < 0)
                *reterr = s->error;
        return s->code;
}

static ssize_t take_unpacked(Stream *s, const void **ret, Error *reterr) {
        ssize_t n = 0;

        lock(s);
        slots_release(&s->out);
        (void) pthread_cond_signal(&s->decompressor);
        for (;;) {
                if (!s->out.ended && hungry(&s->in, &s->out)) {
                        unlock(s);
                        n = feed(s, reterr);
                        if (n < 0)
                                return n;
                        lock(s);
                } else if (s->out.used > 0) {
                        n = slots_take(&s->out, ret);
                        break;
                } else if (s->out.ended) {
                        n = s->code < 0 ? fail(s, reterr) : 0;
                        break;
                } else
                        (void) pthread_cond_wait(&s->caller, &s->lock);
        }
        unlock(s);
        return n;
}

ssize_t stream_read(Stream *s, const void **ret, Error *reterr) {
        ssize_t n = s->ended ? 0 : take_unpacked(s, ret, reterr);
        int r;

        if (n <= 0) {
                s->ended = n == 0;
                return n;
        }
        digest_update(s->unpacked, *ret, (size_t) n);
        s->result.unpacked_size += (uint64_t) n;
        r = check_limits(s, reterr);
        return r < 0 ? r : n;
}

int stream_finish(Stream *s, StreamResult *ret, Error *reterr) {
        const void *piece;
        ssize_t n;

        while ((n = stream_read(s, &piece, reterr)) > 0)
                ;
        if (n < 0)
                return (int) n;
        digest_finish(s->packed, s->result.digest);
        digest_finish(s->unpacked, s->result.diff_id);
        s->result.format = s->format;
        *ret = s->result;
        return 0;
}
