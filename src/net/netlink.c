/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/netlink.h"
#include "util/fd.h"

#define ANSWER_SIZE (32U << 10)          /* what the kernel puts into one packet of a dump at most */
#define ANSWER_MEMORY 1024U              /* bytes that one answer takes in the socket's buffer at most, of those that are no dump */
#define BATCH_SMALL (32U << 10)          /* fits into any buffer, and its answers do */
#define DUMP_SIZE_MAX (64U << 20)        /* some 100000 links */
#define DUMP_TRIES_MAX 16                /* of a dump that changes while it is read */
#define PATIENCE_SECONDS 30              /* for an answer that never takes long: better an error than to hang */

void netlink_batch_clear(NetlinkBatch *b) {
        buf_clear(&b->data);
        *b = NETLINK_BATCH_INIT;
}

/* Appends and fills up to the boundary that the next one needs. */
static void append(NetlinkBatch *b, const void *data, size_t size) {
        static const char zero[NLMSG_ALIGNTO];
        size_t more = NLMSG_ALIGN(size) - size;

        if (buf_append(&b->data, data, size) < 0 || (more > 0 && buf_append(&b->data, zero, more) < 0))
                b->failed = true;
}

/* The length of the last message grows with each part. */
static void message_grown(NetlinkBatch *b) {
        struct nlmsghdr *m;

        if (b->failed)
                return;
        m = (struct nlmsghdr *) (void *) (b->data.data + b->message);
        m->nlmsg_len = (uint32_t) (b->data.size - b->message);
}

void netlink_begin(NetlinkBatch *b, uint16_t type, uint16_t flags, const void *header, size_t size) {
        const struct nlmsghdr m = { .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST, .nlmsg_seq = b->n++ };

        if (flags & NLM_F_ACK)
                b->last = m.nlmsg_seq;
        b->message = b->data.size;
        append(b, &m, sizeof(m));
        append(b, header, size);
        message_grown(b);
}

void netlink_put(NetlinkBatch *b, uint16_t type, const void *data, size_t size) {
        const struct nlattr a = { .nla_len = (uint16_t) (NLA_HDRLEN + size), .nla_type = type };

        append(b, &a, sizeof(a));
        if (size > 0)
                append(b, data, size);
        message_grown(b);
}

void netlink_put_u32(NetlinkBatch *b, uint16_t type, uint32_t value) {
        netlink_put(b, type, &value, sizeof(value));
}

void netlink_put_be32(NetlinkBatch *b, uint16_t type, uint32_t value) {
        netlink_put_u32(b, type, htonl(value));
}

void netlink_put_text(NetlinkBatch *b, uint16_t type, const char *text) {
        netlink_put(b, type, text, strlen(text) + 1);
}

size_t netlink_open_nest(NetlinkBatch *b, uint16_t type) {
        size_t nest = b->data.size;

        netlink_put(b, type | NLA_F_NESTED, NULL, 0);
        return nest;
}

void netlink_close_nest(NetlinkBatch *b, size_t nest) {
        if (!b->failed)
                ((struct nlattr *) (void *) (b->data.data + nest))->nla_len = (uint16_t) (b->data.size - nest);
}

int netlink_socket(int protocol) {
        const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* What is sent at once has to fit, and so have the answers: the kernel drops what does not. It may, with CAP_NET_ADMIN. */
static void buffers_fit(int fd, const NetlinkBatch *b) {
        int send = (int) MIN(2 * b->data.size, (size_t) INT32_MAX / 2), receive = (int) MIN((size_t) b->n * ANSWER_MEMORY, (size_t) INT32_MAX / 2);

        if (b->data.size < BATCH_SMALL)
                return;
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof(send));
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof(receive));
}

static int batch_send(int fd, const NetlinkBatch *b) {
        const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

        if (b->failed)
                return -ENOMEM;
        buffers_fit(fd, b);
        return sendto(fd, b->data.data, b->data.size, 0, (const struct sockaddr *) &kernel, sizeof(kernel)) < 0 ? -errno : 0;
}

/* One packet of the kernel, and of nobody else. */
static ssize_t answer_receive(int fd, char *buffer) {
        struct sockaddr_nl from;
        ssize_t n;

        do {
                socklen_t size = sizeof(from);

                n = recvfrom(fd, buffer, ANSWER_SIZE, 0, (struct sockaddr *) &from, &size);
        } while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
        return n < 0 ? (errno == EAGAIN ? -ETIMEDOUT : -errno) : n;
}

static int error_of(const struct nlmsghdr *m) {
        return m->nlmsg_len < NLMSG_LENGTH(sizeof(int)) ? -EBADMSG : *(const int *) NLMSG_DATA(m);
}

/* Then an error of its first message, which nobody asked about, stands for all of them. */
static bool is_transaction(const NetlinkBatch *b) {
        return !(((const struct nlmsghdr *) (const void *) b->data.data)->nlmsg_flags & NLM_F_ACK);
}

/* Nonzero ends the answers. */
typedef int (*answer_visitor)(const struct nlmsghdr *m, void *userdata);

/* Sends the batch and calls visit for each message of the answers until that returns nonzero, which is returned. buffer is of ANSWER_SIZE. */
static int answers_visit(int fd, const NetlinkBatch *b, char *buffer, answer_visitor visit, void *userdata) {
        int r = batch_send(fd, b);

        while (r == 0) {
                ssize_t n = answer_receive(fd, buffer);
                unsigned left = (unsigned) n;

                if (n < 0)
                        return (int) n;
                for (const struct nlmsghdr *m = (void *) buffer; r == 0 && NLMSG_OK(m, left); m = NLMSG_NEXT(m, left))
                        r = visit(m, userdata);
        }
        return r;
}

typedef struct Call {
        const NetlinkBatch *batch;
        int result;
} Call;

static int visit_call(const struct nlmsghdr *m, void *userdata) {
        Call *c = userdata;
        int r;

        if (m->nlmsg_type != NLMSG_ERROR)
                return 0;
        r = error_of(m);
        if (r < 0 && c->result == 0)
                c->result = r;
        return m->nlmsg_seq == c->batch->last || (r < 0 && m->nlmsg_seq == 0 && is_transaction(c->batch));
}

int netlink_call(int fd, const NetlinkBatch *b) {
        _cleanup_free_ char *buffer = malloc(ANSWER_SIZE);
        Call c = { .batch = b };
        int r = buffer ? answers_visit(fd, b, buffer, visit_call, &c) : -ENOMEM;

        return r < 0 ? r : c.result;
}

typedef struct Dump {
        Buf answers;
        bool interrupted; /* it changed meanwhile */
} Dump;

static int visit_dump(const struct nlmsghdr *m, void *userdata) {
        Dump *d = userdata;
        int r;

        d->interrupted = d->interrupted || (m->nlmsg_flags & NLM_F_DUMP_INTR) || m->nlmsg_type == NLMSG_ERROR;
        if (m->nlmsg_type == NLMSG_ERROR || m->nlmsg_type == NLMSG_DONE) {
                r = error_of(m);
                return r < 0 ? r : 1;
        }
        return d->answers.size > DUMP_SIZE_MAX ? -E2BIG : buf_append(&d->answers, m, NLMSG_ALIGN(m->nlmsg_len));
}

int netlink_dump(int fd, const NetlinkBatch *b, Buf *ret) {
        _cleanup_free_ char *buffer = malloc(ANSWER_SIZE);
        Dump d = { .interrupted = true };
        int r = buffer ? 1 : -ENOMEM;

        for (unsigned i = 0; r > 0 && d.interrupted && i < DUMP_TRIES_MAX; i++) {
                buf_clear(&d.answers);
                d.interrupted = false;
                r = answers_visit(fd, b, buffer, visit_dump, &d);
        }
        if (r < 0 || d.interrupted) {
                buf_clear(&d.answers);
                return r < 0 ? r : -EBUSY;
        }
        *ret = d.answers;
        return 0;
}

const struct nlmsghdr *netlink_next(const Buf *answers, const struct nlmsghdr *m) {
        const char *next = m ? (const char *) m + NLMSG_ALIGN(m->nlmsg_len) : answers->data;
        size_t left = next ? answers->size - (size_t) (next - answers->data) : 0;

        m = (const void *) next;
        return left >= sizeof(*m) && m->nlmsg_len >= sizeof(*m) && m->nlmsg_len <= left ? m : NULL;
}

const void *netlink_get_in(const void *attributes, size_t length, uint16_t type, size_t size) {
        const char *p = attributes;

        while (length >= NLA_HDRLEN) {
                const struct nlattr *a = (const void *) p;
                size_t whole = NLA_ALIGN(a->nla_len);

                if (a->nla_len < NLA_HDRLEN || a->nla_len > length)
                        return NULL;
                if ((a->nla_type & NLA_TYPE_MASK) == type && a->nla_len >= NLA_HDRLEN + size)
                        return p + NLA_HDRLEN;
                if (whole >= length)
                        return NULL;
                p += whole;
                length -= whole;
        }
        return NULL;
}

const void *netlink_get(const struct nlmsghdr *m, size_t header, uint16_t type, size_t size) {
        size_t start = NLMSG_HDRLEN + NLMSG_ALIGN(header);

        return m->nlmsg_len < start ? NULL : netlink_get_in((const char *) m + start, m->nlmsg_len - start, type, size);
}

size_t netlink_size(const void *payload) {
        return ((const struct nlattr *) (const void *) ((const char *) payload - NLA_HDRLEN))->nla_len - NLA_HDRLEN;
}
