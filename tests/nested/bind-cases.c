/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a server may expect of bind(2), on the published ports 80/tcp and 53/udp: one case by name, for tests/nested/test-publish*.
 * Says "fine" or what was wrong, then accepts connections for ever and answers each with the client's address. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(what)                                                             \
        do                                                                     \
                if (!(what)) {                                                 \
                        printf("line %d: %s: %s\n", __LINE__, #what, strerror(errno)); \
                        exit(1);                                               \
                }                                                              \
        while (0)

static int make(int family, int type) {
        int fd = socket(family, type, 0);

        MUST(fd >= 0);
        return fd;
}

static void set(int fd, int level, int name, int value) {
        MUST(setsockopt(fd, level, name, &value, sizeof(value)) == 0);
}

static int get(int fd, int level, int name) {
        int value = 0;
        socklen_t size = sizeof(value);

        MUST(getsockopt(fd, level, name, &value, &size) == 0);
        return value;
}

static int bind_to(int fd, const char *address, int port) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port) };

        if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
                return bind(fd, (struct sockaddr *) &in, sizeof(in));
        MUST(inet_pton(AF_INET6, address, &in6.sin6_addr) == 1);
        return bind(fd, (struct sockaddr *) &in6, sizeof(in6));
}

/* Servers compare it with what they have bound. */
static int own_port(int fd) {
        struct sockaddr_in6 address = { 0 };
        socklen_t size = sizeof(address);

        MUST(getsockname(fd, (struct sockaddr *) &address, &size) == 0);
        return ntohs(address.sin6_port);
}

static int serve4(void) {
        int fd = make(AF_INET, SOCK_STREAM);

        MUST(bind_to(fd, "0.0.0.0", 80) == 0);
        MUST(own_port(fd) == 80);
        MUST(listen(fd, 16) == 0);
        return fd;
}

static int ipv4(void) {
        return serve4();
}

static int dual(void) {
        int fd = make(AF_INET6, SOCK_STREAM);

        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
        MUST(bind_to(fd, "::", 80) == 0);
        MUST(own_port(fd) == 80);
        MUST(listen(fd, 16) == 0);
        return fd;
}

static int v6only(void) {
        int fd = make(AF_INET6, SOCK_STREAM);

        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        MUST(bind_to(fd, "::", 80) == 0);
        MUST(listen(fd, 16) == 0);
        return fd;
}

/* A second socket is refused while the first is open, also by another process, and gets the port when it is closed. */
static int in_use(void) {
        int first = serve4(), second = make(AF_INET, SOCK_STREAM), six = make(AF_INET6, SOCK_STREAM), status;
        pid_t pid;

        MUST(bind_to(second, "0.0.0.0", 80) < 0 && errno == EADDRINUSE);
        set(six, IPPROTO_IPV6, IPV6_V6ONLY, 0);
        MUST(bind_to(six, "::", 80) < 0 && errno == EADDRINUSE);
        pid = fork();
        if (pid == 0)
                _exit(bind_to(make(AF_INET, SOCK_STREAM), "0.0.0.0", 80) < 0 && errno == EADDRINUSE ? 0 : 1);
        MUST(waitpid(pid, &status, 0) == pid && status == 0);
        close(first);
        MUST(bind_to(second, "0.0.0.0", 80) == 0);
        MUST(listen(second, 16) == 0);
        MUST(bind_to(second, "0.0.0.0", 80) < 0 && errno == EINVAL); /* it is bound already */
        return second;
}

/* Each worker has a socket of its own. */
static int reuseport(void) {
        int first = make(AF_INET, SOCK_STREAM), second = make(AF_INET, SOCK_STREAM);

        set(first, SOL_SOCKET, SO_REUSEPORT, 1);
        set(second, SOL_SOCKET, SO_REUSEPORT, 1);
        MUST(bind_to(first, "0.0.0.0", 80) == 0 && bind_to(second, "0.0.0.0", 80) == 0);
        MUST(listen(first, 16) == 0 && listen(second, 16) == 0);
        close(second);
        return first;
}

/* What was set before bind(2) holds after it, flags of the descriptor and of the file, too. */
static int options(void) {
        struct timeval timeout = { .tv_sec = 77 };
        struct linger linger = { .l_onoff = 1, .l_linger = 3 };
        socklen_t size = sizeof(timeout);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), buffer;

        set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set(fd, SOL_SOCKET, SO_RCVBUF, 65536);
        set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 123);
        set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
        set(fd, IPPROTO_IP, IP_TOS, 0x10);
        MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
        MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
        buffer = get(fd, SOL_SOCKET, SO_RCVBUF);
        MUST(bind_to(fd, "0.0.0.0", 80) == 0);
        MUST(get(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
        MUST(get(fd, SOL_SOCKET, SO_RCVBUF) == buffer);
        MUST(get(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
        MUST(get(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 123);
        MUST(get(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) == 1);
        MUST(get(fd, IPPROTO_IP, IP_TOS) == 0x10);
        timeout = (struct timeval){ 0 };
        MUST(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, &size) == 0 && timeout.tv_sec == 77);
        linger = (struct linger){ 0 };
        size = sizeof(linger);
        MUST(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == 0 && linger.l_linger == 3);
        MUST(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        MUST(fcntl(fd, F_GETFL) & O_NONBLOCK);
        MUST(listen(fd, 16) == 0);
        MUST(accept(fd, NULL, NULL) < 0 && errno == EAGAIN);
        MUST(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0);
        set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0);
        return fd;
}

/* Ports and addresses that are not published are the instance's own business, and so is the published one on loopback. */
static int others(void) {
        int fd = make(AF_INET, SOCK_STREAM), own = make(AF_INET, SOCK_STREAM), any = make(AF_INET, SOCK_STREAM), client;
        struct sockaddr_in address = { 0 };

        MUST(bind_to(fd, "0.0.0.0", 81) == 0 && listen(fd, 1) == 0);
        MUST(bind_to(any, "0.0.0.0", 0) == 0);
        MUST(own_port(any) != 0);
        close(any);
        any = make(AF_INET, SOCK_STREAM);
        MUST(bind_to(any, "0.0.0.0", 8080) == 0); /* the host's number of port 80 */
        MUST(own_port(any) == 8080);
        MUST(bind_to(-1, "0.0.0.0", 80) < 0 && errno == EBADF);
        MUST(bind(fd, (void *) 8, sizeof(address)) < 0 && errno == EFAULT);
        fd = serve4();
        MUST(bind_to(own, "127.0.0.1", 80) == 0 && listen(own, 1) == 0);
        client = make(AF_INET, SOCK_STREAM);
        address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        MUST(connect(client, (struct sockaddr *) &address, sizeof(address)) == 0);
        client = accept(own, NULL, NULL);
        MUST(client >= 0 && write(client, "x", 1) == 1);
        return fd;
}

static volatile sig_atomic_t alarms;
static void on_alarm(int signal) {
        alarms++;
}

/* Signals come all the time. (Without SA_RESTART one that comes before the supervisor has seen the call would end it with EINTR.) */
static int signals(void) {
        struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
        struct itimerval often = { .it_interval = { .tv_usec = 50 }, .it_value = { .tv_usec = 50 } }, never = { 0 };
        int fd = -1;

        MUST(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
        for (int i = 0; i < 200; i++) {
                close(fd);
                fd = make(AF_INET, SOCK_STREAM);
                MUST(bind_to(fd, "0.0.0.0", i % 2 ? 80 : 1024 + i) == 0);
        }
        MUST(setitimer(ITIMER_REAL, &never, NULL) == 0);
        MUST(alarms > 0);
        MUST(listen(fd, 16) == 0);
        return fd;
}

static void *thread(void *userdata) {
        int *fd = userdata;

        *fd = make(AF_INET, SOCK_STREAM);
        set(*fd, SOL_SOCKET, SO_REUSEPORT, 1);
        MUST(bind_to(*fd, "0.0.0.0", 80) == 0 && listen(*fd, 16) == 0);
        return NULL;
}

/* All at once. */
static int threads(void) {
        pthread_t t[8];
        int fds[8];

        for (int i = 0; i < 8; i++)
                MUST(pthread_create(&t[i], NULL, thread, &fds[i]) == 0);
        for (int i = 0; i < 8; i++)
                MUST(pthread_join(t[i], NULL) == 0);
        return fds[7];
}

static int prefork(void) {
        int fd = serve4();

        for (int i = 0; i < 4; i++)
                if (fork() == 0)
                        return fd;
        for (;;)
                pause();
}

/* As a user without any capability. */
static int low_port(void) {
        MUST(getuid() == 1000);
        return serve4();
}

static int udp(void) {
        int fd = make(AF_INET, SOCK_DGRAM), tcp;

        MUST(bind_to(fd, "0.0.0.0", 53) == 0);
        tcp = serve4();
        if (fork() != 0)
                return tcp;
        for (;;) {
                struct sockaddr_in from;
                socklen_t size = sizeof(from);
                char text[64];
                ssize_t n = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *) &from, &size);

                if (n > 0)
                        sendto(fd, text, (size_t) n, 0, (struct sockaddr *) &from, size);
        }
}

static int shut_fd;
static void on_term(int signal) {
        shutdown(shut_fd, SHUT_RDWR); /* who had connected and was not accepted yet is lost */
        if (write(STDOUT_FILENO, "shut\n", 5) == 5)
                usleep(300000);
        _exit(0);
}

/* Stops to listen when it is asked to end, and takes its time for that; the socket is not its own. */
static int shut(void) {
        shut_fd = serve4();
        MUST(signal(SIGTERM, on_term) != SIG_ERR);
        return shut_fd;
}

/* What no filter of bind(2) sees: a 32-bit program's way, and io_uring's. */
static int socketcall(void) {
        struct {
                struct sockaddr_in address;
                uint32_t arguments[3];
        } *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        int fd = make(AF_INET, SOCK_STREAM);
        long result = 102; /* socketcall(2) of i386 */

        MUST(low != MAP_FAILED);
        low->address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(80) };
        low->arguments[0] = (uint32_t) fd;
        low->arguments[1] = (uint32_t) (uintptr_t) &low->address;
        low->arguments[2] = sizeof(low->address);
        __asm__ volatile("int $0x80" : "+a"(result) : "b"(2L /* SYS_BIND */), "c"((long) (uintptr_t) low->arguments) : "memory", "r8", "r9", "r10", "r11");
        MUST(result == 0);
        MUST(listen(fd, 16) == 0);
        return fd;
}

#define OP_BIND 56   /* Linux 6.11 */
#define OP_LISTEN 57

static void ring_do(int ring, const struct io_uring_params *p, char *queue, struct io_uring_sqe *entries, const struct io_uring_sqe *what) {
        unsigned *tail = (unsigned *) (queue + p->sq_off.tail), *array = (unsigned *) (queue + p->sq_off.array), *head = (unsigned *) (queue + p->cq_off.head);
        struct io_uring_cqe *done = (struct io_uring_cqe *) (queue + p->cq_off.cqes);

        entries[0] = *what;
        array[*tail % p->sq_entries] = 0;
        __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
        MUST(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1);
        errno = -done[*head % p->cq_entries].res;
        MUST(done[*head % p->cq_entries].res == 0);
        __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
}

static int uring(void) {
        struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
        struct io_uring_params p = { 0 };
        int fd = make(AF_INET6, SOCK_STREAM), ring = (int) syscall(SYS_io_uring_setup, 4, &p);
        struct io_uring_sqe what = { .opcode = OP_BIND, .fd = fd, .addr = (uintptr_t) &address, .addr2 = sizeof(address) }, *entries;
        char *queue;

        MUST(ring >= 0);
        MUST(p.features & IORING_FEAT_SINGLE_MMAP);
        queue = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
        entries = mmap(NULL, p.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
        MUST(queue != MAP_FAILED && entries != MAP_FAILED);
        ring_do(ring, &p, queue, entries, &what);
        what = (struct io_uring_sqe){ .opcode = OP_LISTEN, .fd = fd, .len = 16 };
        ring_do(ring, &p, queue, entries, &what);
        return fd;
}

static const struct {
        const char *name;
        int (*run)(void);
} cases[] = {
        { "ipv4", ipv4 },           { "dual", dual },       { "v6only", v6only },   { "in-use", in_use },
        { "reuseport", reuseport }, { "options", options }, { "others", others },   { "signals", signals },
        { "threads", threads },     { "prefork", prefork }, { "low-port", low_port }, { "udp", udp },
        { "shutdown", shut },       { "socketcall", socketcall }, { "uring", uring },
};

int main(int argc, char *argv[]) {
        int fd = -1;

        setvbuf(stdout, NULL, _IOLBF, 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                if (argc == 2 && strcmp(argv[1], cases[i].name) == 0)
                        fd = cases[i].run();
        MUST(fd >= 0);
        printf("fine\n");
        for (;;) {
                struct sockaddr_in6 from = { 0 };
                socklen_t size = sizeof(from);
                char text[INET6_ADDRSTRLEN + 32] = "?", request[4096];
                int client = accept(fd, (struct sockaddr *) &from, &size), n;

                if (client < 0)
                        continue;
                MUST(own_port(client) == 80);
                inet_ntop(from.sin6_family, from.sin6_family == AF_INET ? (void *) &((struct sockaddr_in *) &from)->sin_addr :
                                                                          (void *) &from.sin6_addr,
                        text, sizeof(text));
                if (read(client, request, sizeof(request)) > 0) {
                        n = dprintf(client, "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n%s\n", strlen(text) + 1, text);
                        (void) n;
                }
                close(client);
        }
}
