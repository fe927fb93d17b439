/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "run/control.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"
#include "util/unix-address.h"

#define MESSAGE_MAX 8192
#define WORD_SIZE 16
#define CLIENTS_MAX 64
#define PATIENCE_USEC (30U * 1000 * 1000) /* that systemd shall have, told anew while somebody waits */
#define PATIENCE_AGAIN_USEC (5U * 1000 * 1000)

#define WORD_ASK "reload"
#define WORD_OVERTAKE "overtake"
#define WORD_SAY "say"
static const char *const words[_CONTROL_RESULT_MAX] = {
        [CONTROL_DONE] = "done", [CONTROL_UNCHANGED] = "unchanged", [CONTROL_FAILED] = "failed",
};

typedef struct Client {
        sd_event_source *source; /* with its fd */
        bool waits;              /* it has asked */
} Client;

struct Control {
        sd_event *event;
        sd_event_source *listener, *patience;
        Client clients[CLIENTS_MAX];
        size_t n_clients;
        control_callback callback;
        void *userdata;
};

static void client_drop(Control *c, size_t k) {
        sd_event_source_disable_unref(c->clients[k].source);
        c->clients[k] = c->clients[--c->n_clients];
}

bool control_is_waited_for(const Control *c) {
        for (size_t k = 0; k < c->n_clients; k++)
                if (c->clients[k].waits)
                        return true;
        return false;
}

/* systemd's time-out of the reload is not that of the instances, which have their own. */
static int on_patience(sd_event_source *s, uint64_t usec, void *userdata) {
        Control *c = userdata;

        c->patience = sd_event_source_disable_unref(c->patience);
        if (!control_is_waited_for(c))
                return 0;
        (void) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%u", PATIENCE_USEC);
        return sd_event_add_time_relative(c->event, &c->patience, CLOCK_MONOTONIC, PATIENCE_AGAIN_USEC, 0, on_patience, c);
}

/* It asks; or it has nothing more to say, and that it goes is all there is to be seen. */
static int on_client(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        char word[WORD_SIZE] = "";
        Control *c = userdata;
        size_t k = 0;

        while (c->clients[k].source != s)
                k++;
        if (recv(fd, word, sizeof(word) - 1, MSG_DONTWAIT) < 0 && errno == EAGAIN)
                return 0;
        if (streq(word, WORD_ASK) && !c->clients[k].waits) {
                c->clients[k].waits = true;
                if (!c->patience)
                        (void) on_patience(NULL, 0, c);
                c->callback(c->userdata);
                return 0;
        }
        client_drop(c, k);
        if (streq(word, WORD_OVERTAKE) && control_is_waited_for(c))
                c->callback(c->userdata);
        return 0;
}

static int on_listener(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        _cleanup_close_ int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        Control *c = userdata;
        int r;

        if (client < 0 || c->n_clients >= CLIENTS_MAX)
                return 0;
        c->clients[c->n_clients] = (Client){ 0 };
        r = sd_event_add_io(c->event, &c->clients[c->n_clients].source, client, EPOLLIN, on_client, c);
        if (r < 0)
                return 0;
        (void) sd_event_source_set_io_fd_own(c->clients[c->n_clients++].source, true);
        (void) TAKE_FD(client);
        return 0;
}

int control_open(sd_event *event, const char *directory, control_callback callback, void *userdata, Control **ret) {
        _cleanup_close_ int fd = -EBADF, place = -EBADF;
        struct sockaddr_un address;
        Control *c;
        int r;

        r = unix_address(directory, "control", &address, &place);
        if (r < 0)
                return r;
        (void) unlink(address.sun_path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || chmod(address.sun_path, 0600) < 0 || listen(fd, SOMAXCONN) < 0)
                return -errno;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (Control){ .event = event, .callback = callback, .userdata = userdata };
        r = sd_event_add_io(event, &c->listener, fd, EPOLLIN, on_listener, c);
        if (r < 0) {
                free(c);
                return r;
        }
        (void) sd_event_source_set_io_fd_own(c->listener, true);
        (void) TAKE_FD(fd);
        *ret = c;
        return 0;
}

Control *control_free(Control *c) {
        if (!c)
                return NULL;
        while (c->n_clients > 0)
                client_drop(c, 0);
        sd_event_source_disable_unref(c->patience);
        sd_event_source_disable_unref(c->listener);
        free(c);
        return NULL;
}

static void client_tell(Control *c, size_t k, const char *word, const char *text) {
        char message[MESSAGE_MAX];
        int n = snprintf(message, sizeof(message), "%s %s", word, text);

        (void) send(sd_event_source_get_io_fd(c->clients[k].source), message, MIN((size_t) n, sizeof(message) - 1), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void control_say(Control *c, const char *text) {
        for (size_t k = 0; k < c->n_clients; k++)
                if (c->clients[k].waits)
                        client_tell(c, k, WORD_SAY, text);
}

void control_finish(Control *c, ControlResult result, const char *text) {
        for (size_t k = c->n_clients; k-- > 0;)
                if (c->clients[k].waits) {
                        client_tell(c, k, words[result], text);
                        client_drop(c, k);
                }
        c->patience = sd_event_source_disable_unref(c->patience);
}

/* A connection to the supervisor to which the word is said. -ENOENT: it does not run. */
static int client_open(const char *app, const char *word) {
        _cleanup_free_ char *directory = str_format(BERTH_RUN_DIR "/%s", app);
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), place = -EBADF;
        struct sockaddr_un address;
        int r = directory ? unix_address(directory, "control", &address, &place) : -ENOMEM;

        if (r < 0)
                return r;
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return errno == ECONNREFUSED ? -ENOENT : -errno;
        return send(fd, word, strlen(word), MSG_NOSIGNAL) < 0 ? -errno : TAKE_FD(fd);
}

void control_overtake(const char *app) {
        int fd = client_open(app, WORD_OVERTAKE);

        if (fd >= 0)
                (void) close(fd);
}

int control_ask(const char *app, void (*say)(const char *text), Error *reterr) {
        _cleanup_close_ int fd = client_open(app, WORD_ASK);
        char message[MESSAGE_MAX];
        ssize_t n;

        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot reach the supervisor");
        while ((n = recv(fd, message, sizeof(message) - 1, 0)) > 0) {
                const char *text;

                message[n] = 0;
                text = str_after(message, WORD_SAY " ");
                if (text && say)
                        say(text);
                for (int k = 0; !text && k < _CONTROL_RESULT_MAX; k++) {
                        const char *rest = str_after(message, words[k]);

                        if (rest && *rest == ' ') {
                                (void) error_set(reterr, 0, "%s", rest + 1);
                                return k;
                        }
                }
        }
        return error_set(reterr, -EPIPE, "the supervisor has ended meanwhile");
}
