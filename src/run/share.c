/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/netns.h"
#include "run/instance.h"
#include "run/share.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

struct Share {
        Instance *instance;
        int pidfd; /* of the other instance */
        int netns;
        sd_event_source *source;
};

static const char *other_app(const Instance *i) {
        return i->process->spec->network_app;
}

/* ---- the other ---- */

static const InstanceStatus *first_running(const AppState *state) {
        for (size_t k = 0; k < state->n_instances; k++)
                if (state->instances[k].pid > 0 && state->instances[k].state == INSTANCE_READY)
                        return &state->instances[k];
        for (size_t k = 0; k < state->n_instances; k++)
                if (state->instances[k].pid > 0 && state->instances[k].state == INSTANCE_STARTING)
                        return &state->instances[k];
        return NULL;
}

/* The state file may be older than its process' end: a number that is in it before and after is that of the process in between. */
static int other_open(const Instance *i, struct Share *s, char **ret_key) {
        _cleanup_(app_state_clear) AppState before = { 0 }, after = { 0 };
        const InstanceStatus *first, *again;
        int r = app_state_read(BERTH_RUN_DIR, other_app(i), &before);

        first = r >= 0 ? first_running(&before) : NULL;
        if (!first)
                return r < 0 ? r : -ESRCH;
        s->pidfd = pidfd_open(first->pid, 0);
        s->netns = netns_of(first->pid);
        if (s->pidfd < 0 || s->netns < 0)
                return -ESRCH;
        r = app_state_read(BERTH_RUN_DIR, other_app(i), &after);
        again = r >= 0 ? first_running(&after) : NULL;
        if (!again || again->pid != first->pid || pidfd_send_signal(s->pidfd, 0, NULL, 0) < 0)
                return -ESRCH;
        *ret_key = strdup(first->key);
        return *ret_key ? 0 : -ENOMEM;
}

static bool is_same_namespace(int a, int b) {
        struct stat st_a, st_b;

        return fstat(a, &st_a) >= 0 && fstat(b, &st_b) >= 0 && st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

static bool is_hosts(int netns) {
        _cleanup_close_ int own = netns_of(getpid());

        return own < 0 || is_same_namespace(own, netns);
}

/* ---- files ---- */

static WorldFile *file_find(const World *w, const char *target) {
        for (size_t k = 0; k < w->n_files; k++)
                if (streq(w->files[k].target, target))
                        return &w->files[k];
        return NULL;
}

/* What says who is who is the same for all on a network. */
static int files_share(const char *app, const char *key, World *w) {
        static const char *const targets[] = { "/etc/hosts", "/etc/resolv.conf" };
        _cleanup_free_ char *path = str_format(BERTH_RUN_DIR "/%s/%s/world", app, key);
        _cleanup_(world_clear) World other = { 0 };
        _cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -EBADF;
        Error error = { 0 };
        int r = fd < 0 ? -ESRCH : world_read(fd, &other, &error);

        for (size_t k = 0; r >= 0 && k < ELEMENTSOF(targets); k++) {
                WorldFile *from = file_find(&other, targets[k]), *to = file_find(w, targets[k]);

                if (!from || !to)
                        continue;
                free(to->content);
                to->content = TAKE_PTR(from->content);
                to->size = from->size;
        }
        return r < 0 ? r : 0;
}

/* ---- its end ---- */

static int on_other_exit(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct Share *s = userdata;
        Instance *i = s->instance;

        s->source = sd_event_source_disable_unref(s->source);
        (void) error_set(&i->error, -EPIPE, "is ended with the instance of app '%s' whose network it shared", other_app(i));
        i->unwell = i->begin_again = true;
        instance_event(i, i->state == INSTANCE_STARTING || i->state == INSTANCE_READY ? EVENT_UNWELL : EVENT_ERROR);
        return 0;
}

static int watch(struct Share *s) {
        return sd_event_add_io(s->instance->sv->event, &s->source, s->pidfd, EPOLLIN, on_other_exit, s);
}

static struct Share *share_new(Instance *i) {
        struct Share *s = calloc(1, sizeof(*s));

        if (!s)
                return NULL;
        *s = (struct Share){ .instance = i, .pidfd = -EBADF, .netns = -EBADF };
        i->attachment.network.name = str_format("container:%s", other_app(i)); /* which others are told */
        return s;
}

int share_begin(Instance *i, World *w, Error *reterr) {
        _cleanup_free_ char *key = NULL;
        char origin[512];
        int r;

        if (i->process->spec->network != SPEC_NETWORK_CONTAINER)
                return 0;
        i->share = share_new(i);
        if (!i->share)
                return -ENOMEM;
        r = other_open(i, i->share, &key);
        if (r >= 0 && is_hosts(i->share->netns))
                r = -EXDEV;
        if (r >= 0)
                r = files_share(other_app(i), key, w);
        /* Capabilities in the other's user namespace are not this payload's: a low port must not need one. */
        if (r >= 0)
                r = netns_write(i->share->netns, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
        if (r >= 0)
                r = watch(i->share);
        if (r >= 0)
                return 0;
        if (r == -EXDEV)
                (void) error_set(reterr, r, "app '%s' is on the host's network, which is Network=host", other_app(i));
        else if (r == -ENOENT || r == -ESRCH)
                (void) error_set(reterr, r, "app '%s', whose network this one shares, is not running", other_app(i));
        else
                (void) error_set_errno(reterr, r, "cannot share the network of app '%s'", other_app(i));
        return error_prefix(reterr, "%s", spec_origin_text(i->process->release->spec, i->process->spec->network_origin, origin, sizeof(origin)));
}

int share_netns(const Instance *i) {
        return i->share ? i->share->netns : -EBADF;
}

void share_adopt(Instance *i) {
        _cleanup_free_ char *key = NULL;
        _cleanup_close_ int own = -EBADF;
        int r;

        if (i->process->spec->network != SPEC_NETWORK_CONTAINER)
                return;
        i->share = share_new(i);
        if (!i->share)
                return;
        own = netns_of(i->pid);
        r = other_open(i, i->share, &key);
        if (r < 0 || own < 0 || !is_same_namespace(own, i->share->netns))
                (void) on_other_exit(NULL, -EBADF, 0, i->share);
        else
                (void) watch(i->share);
}

void share_end(Instance *i) {
        if (!i->share)
                return;
        sd_event_source_disable_unref(i->share->source);
        fd_close(i->share->pidfd);
        fd_close(i->share->netns);
        free(i->share);
        i->share = NULL;
}
