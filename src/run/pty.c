/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "run/pty.h"
#include "util/fd.h"

struct PtyForward {
        int master;
        bool raw;
        struct termios saved;
        sd_event_source *input, *output, *window;
};

PtyForward *pty_forward_free(PtyForward *f) {
        if (!f)
                return NULL;
        sd_event_source_disable_unref(f->input);
        sd_event_source_disable_unref(f->output);
        sd_event_source_disable_unref(f->window);
        if (f->raw)
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &f->saved);
        fd_close(f->master);
        free(f);
        return NULL;
}

/* 1: moved something, 0: nothing there, -EPIPE: the end. */
static int copy_some(int from, int to) {
        char data[8192];
        ssize_t n = read(from, data, sizeof(data));

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) /* a master says EIO once all slaves are closed */
                return -EPIPE;
        return write_all(to, data, (size_t) n) < 0 ? -EPIPE : 1;
}

static int on_input(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        PtyForward *f = userdata;

        if (copy_some(STDIN_FILENO, f->master) < 0)
                (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

static int on_output(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        PtyForward *f = userdata;

        if (copy_some(f->master, STDOUT_FILENO) < 0)
                (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

static void window_copy(const PtyForward *f) {
        struct winsize size;

        if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) >= 0)
                (void) ioctl(f->master, TIOCSWINSZ, &size);
}

static int on_window(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        window_copy(userdata);
        return 0;
}

void pty_forward_drain(PtyForward *f) {
        if (set_nonblock(f->master, true) < 0)
                return;
        while (copy_some(f->master, STDOUT_FILENO) > 0)
                ;
}

int pty_forward_new(sd_event *event, int master, PtyForward **ret) {
        _cleanup_(pty_forward_freep) PtyForward *f = calloc(1, sizeof(*f));
        struct termios raw;
        int r;

        if (!f) {
                fd_close(master);
                return -ENOMEM;
        }
        f->master = master;
        if (tcgetattr(STDIN_FILENO, &f->saved) < 0)
                return -errno;
        raw = f->saved;
        cfmakeraw(&raw);
        window_copy(f);
        if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
                return -errno;
        f->raw = true;
        r = sd_event_add_io(event, &f->input, STDIN_FILENO, EPOLLIN, on_input, f);
        if (r >= 0)
                r = sd_event_add_io(event, &f->output, master, EPOLLIN, on_output, f);
        if (r >= 0)
                r = sd_event_add_signal(event, &f->window, SIGWINCH, on_window, f);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}
