/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/dns.h"
#include "net/netns.h"
#include "net/socket.h"
#include "run/pump.h"
#include "run/resolver.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_SIZE_MAX (64U << 10)
#define SERVERS_MAX 3 /* resolv.conf(5): MAXNS */
#define QUESTIONS_MAX 256 /* under way; more are not answered, and asked again */
#define QUERY_SIZE_MAX 4096U
#define CLIENT_PATIENCE_SECONDS 5 /* between its connection and its query */
#define SERVER_PATIENCE_USEC (3U * 1000 * 1000) /* less than the 5 s after which clients ask again */

/* A query that somebody else is asked. */
typedef struct Question Question;
struct Question {
        Resolver *resolver;
        Question *next, *previous;
        struct sockaddr_storage client;
        socklen_t client_size;
        uint8_t query[QUERY_SIZE_MAX];
        size_t size;
        uint16_t id; /* towards the server */
        int fd;
        unsigned server;
        sd_event_source *source, *timer;
};

struct Resolver {
        sd_event *event;
        char *network, *app;
        char **servers;
        bool internal;
        int udp, tcp;
        sd_event_source *source;
        Question *questions;
        unsigned n_questions;
        unsigned answering; /* the server that answered last */
        PumpSet pumps;
};

/* ---- the servers of the host ---- */

static int server_address(const char *text, struct sockaddr_storage *ret) {
        struct sockaddr_in *in = (struct sockaddr_in *) ret;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) ret;

        *ret = (struct sockaddr_storage){ 0 };
        if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                in->sin_port = htons(DNS_PORT);
                return sizeof(*in);
        }
        if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
                in6->sin6_family = AF_INET6;
                in6->sin6_port = htons(DNS_PORT);
                return sizeof(*in6);
        }
        return -EINVAL;
}

/* Number n of the host's, read anew each time: it may have moved to another network. Returns the address' size. */
static int host_server(unsigned n, struct sockaddr_storage *ret) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;

        if (read_file(AT_FDCWD, RESOLV_CONF, RESOLV_CONF_SIZE_MAX, &text, NULL) < 0)
                return -ENOENT;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                const char *value = str_after(line, "nameserver");
                char *end;
                int r;

                if (!value || (*value != ' ' && *value != '\t'))
                        continue;
                value += strspn(value, " \t");
                end = (char *) value + strcspn(value, " \t%");
                *end = 0;
                r = server_address(value, ret);
                if (r >= 0 && n-- == 0)
                        return r;
        }
        return -ENOENT;
}

static int server_at(const Resolver *r, unsigned n, struct sockaddr_storage *ret) {
        if (r->internal || n >= SERVERS_MAX)
                return -ENOENT;
        if (!r->servers)
                return host_server(n, ret);
        return n < strv_length(r->servers) ? server_address(r->servers[n], ret) : -ENOENT;
}

/* ---- what is known here ---- */

static bool in_our_domain(const char *name) {
        size_t n = strlen(name), suffix = strlen("." NAME_DOMAIN);

        return strcasecmp(name, NAME_DOMAIN) == 0 || (n > suffix && strcasecmp(name + n - suffix, "." NAME_DOMAIN) == 0);
}

static size_t lookup(const Resolver *r, const DnsQuery *q, Address *ret) {
        char name[NAME_SIZE_MAX], whole[NAME_SIZE_MAX];
        _cleanup_free_ char *process = NULL;
        size_t n;

        if (name_normalize(q->name, name) < 0)
                return 0;
        n = name_lookup(BERTH_NAME_DIR, r->network, name, ret);
        if (n > 0 || strchr(name, '.'))
                return n;
        process = str_format("%s.%s", name, r->app);
        return process && name_normalize(process, whole) >= 0 ? name_lookup(BERTH_NAME_DIR, r->network, whole, ret) : 0;
}

/* The answer's size; 0: somebody else is to be asked. */
static size_t answer(const Resolver *r, const uint8_t *query, size_t size, uint8_t *out, size_t max) {
        Address addresses[NAME_ADDRESSES_MAX];
        DnsQuery q;
        size_t n;
        int e = dns_query_read(query, size, &q);

        if (e == -EOPNOTSUPP)
                return dns_answer_code(query, &q, DNS_NOT_IMPLEMENTED, out);
        if (e < 0)
                return dns_answer_code(query, NULL, DNS_FORMAT_ERROR, out);
        n = lookup(r, &q, addresses);
        if (n > 0)
                return dns_answer(query, &q, addresses, n, out, max);
        /* A name of one word is nobody else's business, and one of ours that is not there is not up. */
        if (r->internal || in_our_domain(q.name) || (*q.name && !strchr(q.name, '.') && (q.type == DNS_A || q.type == DNS_AAAA)))
                return dns_answer_code(query, &q, DNS_NO_SUCH_NAME, out);
        return 0;
}

/* ---- asking others ---- */

static void question_free(Question *q) {
        Resolver *r = q->resolver;

        sd_event_source_disable_unref(q->source);
        sd_event_source_disable_unref(q->timer);
        fd_close(q->fd);
        if (q->next)
                q->next->previous = q->previous;
        if (q->previous)
                q->previous->next = q->next;
        else
                r->questions = q->next;
        r->n_questions--;
        free(q);
}

static void question_ask(Question *q);

static void question_ask_next(Question *q) {
        q->source = sd_event_source_disable_unref(q->source);
        q->timer = sd_event_source_disable_unref(q->timer);
        q->fd = fd_close(q->fd);
        q->server++;
        question_ask(q);
}

static void question_reply(Question *q, uint8_t *message, size_t size) {
        memcpy(message, q->query, 2); /* the client's number */
        (void) sendto(q->resolver->udp, message, size, MSG_DONTWAIT, (struct sockaddr *) &q->client, q->client_size);
        question_free(q);
}

static int on_reply(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        static uint8_t reply[DNS_SIZE_MAX]; /* one at a time, and large for a stack */
        Question *q = userdata;
        ssize_t n = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN)
                question_ask_next(q); /* nobody listens there */
        else if (n >= (ssize_t) DNS_HEADER_SIZE && memcmp(reply, &q->id, sizeof(q->id)) == 0) {
                q->resolver->answering = q->server;
                question_reply(q, reply, (size_t) n);
        }
        return 0;
}

static int on_patience(sd_event_source *s, uint64_t usec, void *userdata) {
        question_ask_next(userdata);
        return 0;
}

static int question_send(Question *q, const struct sockaddr_storage *server, socklen_t size) {
        struct iovec parts[2] = { { .iov_base = &q->id, .iov_len = sizeof(q->id) }, { .iov_base = q->query + 2, .iov_len = q->size - 2 } };
        int r;

        /* A port and a number of its own each time: a reply is not to be guessed by others. */
        if (getrandom(&q->id, sizeof(q->id), 0) != sizeof(q->id))
                return -EIO;
        q->fd = socket(server->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (q->fd < 0 || connect(q->fd, (const struct sockaddr *) server, size) < 0)
                return -errno;
        if (writev(q->fd, parts, 2) < 0)
                return -errno;
        r = sd_event_add_io(q->resolver->event, &q->source, q->fd, EPOLLIN, on_reply, q);
        return r < 0 ? r : sd_event_add_time_relative(q->resolver->event, &q->timer, CLOCK_MONOTONIC, SERVER_PATIENCE_USEC, 0, on_patience, q);
}

/* Servers that cannot even be sent to are passed over. */
static void question_ask(Question *q) {
        struct sockaddr_storage server;
        uint8_t out[DNS_UDP_SIZE];
        DnsQuery query;
        int size;

        for (; (size = server_at(q->resolver, q->server, &server)) >= 0; q->server++) {
                if (question_send(q, &server, (socklen_t) size) >= 0)
                        return;
                q->source = sd_event_source_disable_unref(q->source);
                q->fd = fd_close(q->fd);
        }
        (void) dns_query_read(q->query, q->size, &query);
        question_reply(q, out, dns_answer_code(q->query, &query, DNS_SERVER_FAILURE, out));
}

static void question_new(Resolver *r, const uint8_t *query, size_t size, const struct sockaddr_storage *client, socklen_t client_size) {
        Question *q;

        if (r->n_questions >= QUESTIONS_MAX || size > sizeof(q->query))
                return;
        q = malloc(sizeof(*q));
        if (!q)
                return;
        *q = (Question){ .resolver = r, .next = r->questions, .client = *client, .client_size = client_size, .size = size, .fd = -EBADF };
        memcpy(q->query, query, size);
        if (r->questions)
                r->questions->previous = q;
        r->questions = q;
        r->n_questions++;
        question_ask(q);
}

/* ---- the clients ---- */

static int on_query(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        uint8_t query[QUERY_SIZE_MAX], out[DNS_UDP_SIZE];
        struct sockaddr_storage client;
        socklen_t client_size = sizeof(client);
        Resolver *r = userdata;
        size_t size;
        ssize_t n = recvfrom(fd, query, sizeof(query), MSG_DONTWAIT, (struct sockaddr *) &client, &client_size);

        if (n < (ssize_t) DNS_HEADER_SIZE || (query[2] & 0x80)) /* an answer, and not to be answered again */
                return 0;
        size = answer(r, query, (size_t) n, out, sizeof(out));
        if (size == 0)
                question_new(r, query, (size_t) n, &client, client_size);
        else
                (void) sendto(fd, out, size, MSG_DONTWAIT, (struct sockaddr *) &client, client_size);
        return 0;
}

/* One query with its size before it, RFC 1035 section 4.2.2. The kernel has waited for it, see TCP_DEFER_ACCEPT; clients send both at once,
 * and one that does not is sent away. */
static int on_client(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        uint8_t query[QUERY_SIZE_MAX], out[2 + QUERY_SIZE_MAX + NAME_ADDRESSES_MAX * 28];
        _cleanup_close_ int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        struct sockaddr_storage server;
        Resolver *r = userdata;
        size_t size;
        ssize_t n;
        int server_size, upstream;

        if (client < 0)
                return 0;
        n = recv(client, query, sizeof(query), MSG_DONTWAIT);
        if (n < (ssize_t) (2 + DNS_HEADER_SIZE) || (size_t) n != 2 + ((size_t) query[0] << 8 | query[1]))
                return 0;
        size = answer(r, query + 2, (size_t) n - 2, out + 2, sizeof(out) - 2);
        if (size > 0) {
                out[0] = (uint8_t) (size >> 8);
                out[1] = (uint8_t) size;
                (void) send(client, out, size + 2, MSG_DONTWAIT | MSG_NOSIGNAL);
                return 0;
        }
        server_size = server_at(r, r->answering, &server);
        upstream = server_size < 0 ? server_size : socket_connect(&server, (socklen_t) server_size);
        if (upstream >= 0)
                (void) pump_new(&r->pumps, TAKE_FD(client), upstream, query, (size_t) n);
        return 0;
}

static int socket_bind(int netns, int type) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
        _cleanup_close_ int fd = netns_socket(netns, AF_INET, type | SOCK_NONBLOCK, 0);
        int patience = CLIENT_PATIENCE_SECONDS;

        if (fd < 0)
                return fd;
        (void) inet_pton(AF_INET, RESOLVER_ADDRESS, &address.sin_addr);
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        if (type == SOCK_STREAM && (setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &patience, sizeof(patience)) < 0 || listen(fd, SOMAXCONN) < 0))
                return -errno;
        return TAKE_FD(fd);
}

int resolver_sockets(int netns, int *ret_udp, int *ret_tcp) {
        _cleanup_close_ int udp = -EBADF;
        int tcp;

        udp = socket_bind(netns, SOCK_DGRAM);
        if (udp < 0)
                return udp;
        tcp = socket_bind(netns, SOCK_STREAM);
        if (tcp < 0)
                return tcp;
        *ret_udp = TAKE_FD(udp);
        *ret_tcp = tcp;
        return 0;
}

int resolver_new(sd_event *event, int udp, int tcp, const ResolverSettings *settings, Resolver **ret) {
        Resolver *r = calloc(1, sizeof(*r));
        int e;

        if (!r) {
                fd_close(udp);
                fd_close(tcp);
                return -ENOMEM;
        }
        *r = (Resolver){
                .event = event, .udp = udp, .tcp = tcp, .internal = settings->internal, .pumps.event = event,
                .network = strdup(settings->network), .app = strdup(settings->app),
                .servers = settings->servers ? strv_copy(settings->servers) : NULL,
        };
        e = r->network && r->app && (r->servers || !settings->servers) ? 0 : -ENOMEM;
        if (e >= 0)
                e = sd_event_add_io(event, &r->source, udp, EPOLLIN, on_query, r);
        if (e >= 0)
                e = sd_event_add_io(event, &r->pumps.listener, tcp, EPOLLIN, on_client, r);
        if (e < 0) {
                (void) resolver_free(r);
                return e;
        }
        *ret = r;
        return 0;
}

Resolver *resolver_free(Resolver *r) {
        if (!r)
                return NULL;
        while (r->questions)
                question_free(r->questions);
        sd_event_source_disable_unref(r->source);
        sd_event_source_disable_unref(r->pumps.listener);
        pump_set_clear(&r->pumps);
        fd_close(r->udp);
        fd_close(r->tcp);
        free(r->network);
        free(r->app);
        strv_free(r->servers);
        free(r);
        return NULL;
}

int resolver_udp(const Resolver *r) {
        return r->udp;
}

int resolver_tcp(const Resolver *r) {
        return r->tcp;
}
