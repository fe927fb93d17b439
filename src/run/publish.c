/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <systemd/sd-daemon.h>

#include "run/inner-port.h"
#include "run/inside.h"
#include "run/instance.h"
#include "run/publish.h"
#include "run/translate.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/strv.h"

#define YIELD_USEC (2U * 1000 * 1000) /* longer than PID 1 is ever busy */
#define AGAIN_USEC (100U * 1000)      /* what a payload takes to go on with a call at most, mostly */

static const char *protocol_name(const SpecPort *p) {
        return p->protocol == SPEC_PROTOCOL_UDP ? "udp" : "tcp";
}

/* ---- the sockets ---- */

int publish_open(Supervisor *sv, Process *process, Adoption *a, Error *reterr) {
        const SpecProcess *spec = process->spec;
        char origin[512];
        int r;

        if (a)
                translate_adopt(sv, a);
        process->ports = calloc(spec->ports.n + 1, sizeof(Port *));
        if (!process->ports)
                return -ENOMEM;
        for (size_t i = 0; i < spec->ports.n; i++) {
                r = port_pool_get(&sv->ports, sv->event, spec->name, &spec->ports.items[i], a, &process->ports[i], reterr);
                if (r < 0) {
                        publish_close(sv, process);
                        return error_prefix(reterr, "%s", spec_origin_text(process->release->spec, spec->ports.items[i].origin, origin, sizeof(origin)));
                }
                process->n_ports++;
        }
        r = port_pool_translate(&sv->ports);
        if (r < 0)
                log_notice("App '%s': its processes see the host's port numbers where they ask for their own: %s", sv->name, strerror(-r));
        return 0;
}

void publish_close(Supervisor *sv, Process *process) {
        for (size_t i = 0; i < process->n_ports; i++) {
                if (port_pool_is_last(&sv->ports, process->ports[i]))
                        passages_forget(sv, process->ports[i]);
                port_pool_put(&sv->ports, process->ports[i]);
        }
        free(process->ports);
        process->ports = NULL;
        process->n_ports = 0;
}

/* ---- the calls ---- */

static char *inner_port_name(const Instance *i, size_t port) {
        return str_format("%s" ADOPT_INNER_INFIX "%u", i->key, i->process->spec->ports.items[port].container);
}

/* listener: an earlier supervisor's, or -EBADF; taken over. */
static int inner_port_serve(Instance *i, size_t port, int listener) {
        _cleanup_free_ char *name = inner_port_name(i, port), *text = NULL;

        text = name ? str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name) : NULL;
        if (!text) {
                fd_close(listener);
                return -ENOMEM;
        }
        if (listener < 0) {
                listener = inner_port_listen(i->pid, i->process->spec->ports.items[port].container);
                if (listener < 0)
                        return listener;
                (void) sd_pid_notify_with_fds(0, 0, text, &listener, 1);
        }
        return inner_port_new(i->sv->event, listener, &i->takeover, port, &i->inner_ports[port]);
}

static void inner_port_close(Instance *i, size_t port) {
        _cleanup_free_ char *name = inner_port_name(i, port);

        if (i->inner_ports[port] && name)
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
        i->inner_ports[port] = inner_port_free(i->inner_ports[port]);
}

/* The payload wants the port itself, at once, and PID 1 has a copy of our socket until it has read that it may close it. */
static void inner_port_yield(Instance *i, size_t port) {
        inner_port_close(i, port);
        (void) sd_notify_barrier(0, YIELD_USEC);
}

/* The payload listens in the host's namespace now; its own shall find it there, too. */
static void inner_port_open(Instance *i, size_t port, int listener) {
        const Port *p = i->process->ports[port];
        int r;

        if (i->process->spec->network == SPEC_NETWORK_HOST || p->spec.protocol != SPEC_PROTOCOL_TCP || i->inner_ports[port]) {
                fd_close(listener);
                return;
        }
        r = inner_port_serve(i, port, listener);
        if (r < 0 && r != -EADDRINUSE)
                log_warning("Instance '%s' of app '%s': its port %u cannot be reached from inside: %s", i->name, i->sv->name,
                        i->process->spec->ports.items[port].container, strerror(-r));
}

static int on_inner_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Instance *i = userdata;

        i->inner_timer = sd_event_source_disable_unref(i->inner_timer);
        for (size_t k = 0; k < i->process->n_ports; k++)
                if (takeover_has(&i->takeover, k, _PORT_KIND_MAX))
                        inner_port_open(i, k, -EBADF);
        return 0;
}

/* The payload may have wanted one family alone: the other is served again when it has it. A call that comes later is yielded to again. */
static void inner_port_again(Instance *i) {
        if (!i->inner_timer)
                (void) sd_event_add_time_relative(i->sv->event, &i->inner_timer, CLOCK_MONOTONIC, AGAIN_USEC, 1000, on_inner_timer, i);
}

static char *listener_name(const Instance *i, size_t port) {
        const SpecPort *p = &i->process->spec->ports.items[port];

        return str_format("%s" ADOPT_LISTENER_INFIX "%u/%s", i->key, p->container, protocol_name(p));
}

/* It outlives the supervisor with the instance. */
static int listener_store(const Instance *i, size_t port, PortKind kind) {
        _cleanup_free_ char *name = listener_name(i, port), *text = NULL;
        int fd = takeover_listener(&i->takeover, port, kind);

        text = name ? str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name) : NULL;
        if (!text)
                return -ENOMEM;
        return fd >= 0 ? sd_pid_notify_with_fds(0, 0, text, &fd, 1) : 0;
}

static void listeners_adopt(Instance *i, size_t port, Adoption *a) {
        _cleanup_free_ char *name = listener_name(i, port);

        for (size_t k = 0; name && k < a->n_sockets; k++)
                if (a->sockets[k].fd >= 0 && streq(a->sockets[k].name, name) && takeover_adopt(&i->takeover, port, a->sockets[k].fd) > 0)
                        a->sockets[k].fd = -EBADF;
}

static void listeners_forget(const Instance *i, size_t port) {
        _cleanup_free_ char *name = listener_name(i, port);

        if (name && takeover_has(&i->takeover, port, _PORT_KIND_MAX) && port_is_grouped(i->process->ports[port]))
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

static void taken(Instance *i, const TakeoverAnswer *a) {
        inner_port_open(i, a->port, -EBADF);
        (void) listener_store(i, a->port, a->kind);
        /* A socket of another kind may be new. */
        port_pool_changed(&i->sv->ports, i->process->ports[a->port]);
        instance_reached(i);
        supervisor_changed(i->sv);
}

static int on_bind(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        TakeoverAnswer a;
        Instance *i = userdata;
        Error error = { 0 };
        int r;

        r = takeover_answer(&i->takeover, &a, &error);
        if (r == TAKEOVER_ELSEWHERE) {
                if (a.port < i->process->n_ports && i->inner_ports[a.port]) {
                        inner_port_yield(i, a.port);
                        inner_port_again(i);
                }
                r = takeover_continue(&i->takeover);
        }
        else if (r == TAKEOVER_TAKEN)
                taken(i, &a);
        else if (r == TAKEOVER_REFUSED && *error.text)
                log_warning("Instance '%s' of app '%s': %s", i->name, i->sv->name, error.text);
        if (r < 0 || (events & (EPOLLHUP | EPOLLERR)))
                i->binds_source = sd_event_source_disable_unref(i->binds_source); /* nobody is left who could call */
        return 0;
}

static int takeover_watch(Instance *i, int listener, int memory) {
        int r = takeover_open(&i->takeover, listener, memory, i->process->ports, i->process->spec->ports.items, i->process->n_ports);

        if (r >= 0) {
                i->inner_ports = calloc(i->process->n_ports, sizeof(*i->inner_ports));
                r = i->inner_ports ? 0 : -ENOMEM;
        }
        return r < 0 ? r : sd_event_add_io(i->sv->event, &i->binds_source, i->takeover.listener, EPOLLIN, on_bind, i);
}

int publish_begin(Instance *i, int listener) {
        _cleanup_free_ char *text = str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s" ADOPT_BINDS_SUFFIX, i->key);
        int r = takeover_watch(i, listener, -EBADF);

        if (r < 0)
                return r;
        if (!text)
                return -ENOMEM;
        i->takeover.cgroup = i->cgroup;
        return sd_pid_notify_with_fds(0, 0, text, (int[]){ i->takeover.listener, i->takeover.memory_fd }, 2);
}

static int adopted_inner_port(const Instance *i, size_t port, Adoption *a) {
        _cleanup_free_ char *name = inner_port_name(i, port);

        for (size_t k = 0; name && k < a->n_sockets; k++)
                if (streq(a->sockets[k].name, name))
                        return TAKE_FD(a->sockets[k].fd);
        return -EBADF;
}

int publish_adopt(Instance *i, int listener, int memory, Adoption *a) {
        int r;

        if (listener < 0)
                return inside_begin(i);
        r = takeover_watch(i, listener, memory);
        if (r < 0)
                return r;
        i->takeover.cgroup = i->cgroup;
        for (size_t k = 0; k < i->process->n_ports; k++)
                listeners_adopt(i, k, a);
        for (size_t k = 0; k < i->process->n_ports; k++)
                if (takeover_has(&i->takeover, k, _PORT_KIND_MAX))
                        inner_port_open(i, k, adopted_inner_port(i, k, a));
        publish_set_live(i, i->state == INSTANCE_READY);
        r = inside_begin(i);
        if (r < 0)
                return r;
        /* The earlier supervisor may have died before it wrote down that this had made it ready. */
        if (publish_is_taken(i))
                instance_reached(i);
        /* A call that it had received is not told again. */
        return i->takeover.memory->call.id != 0 ? on_bind(NULL, -EBADF, 0, i) : 0;
}

void publish_end(Instance *i) {
        size_t n = i->takeover.n_ports;

        inside_end(i);
        i->binds_source = sd_event_source_disable_unref(i->binds_source);
        i->inner_timer = sd_event_source_disable_unref(i->inner_timer);
        if (i->takeover.memory)
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s" ADOPT_BINDS_SUFFIX, i->key);
        for (size_t k = 0; k < n; k++)
                listeners_forget(i, k);
        takeover_close(&i->takeover);
        for (size_t k = 0; k < n; k++)
                port_pool_changed(&i->sv->ports, i->process->ports[k]);
        for (size_t k = 0; i->inner_ports && k < i->process->n_ports; k++)
                inner_port_close(i, k);
        free(i->inner_ports);
        i->inner_ports = NULL;
}

void publish_set_live(Instance *i, bool live) {
        int r = takeover_set_live(&i->takeover, live && !i->sv->maintenance);

        if (r < 0)
                log_warning("Instance '%s' of app '%s': cannot %s clients of its published ports: %s", i->name, i->sv->name,
                        live ? "give it" : "take from it", strerror(-r));
        if (i->state == INSTANCE_REAPING)
                takeover_shut(&i->takeover);
        if (i->inside)
                translate_update(i->sv);
}

bool publish_is_taken(const Instance *i) {
        for (size_t k = 0; k < i->process->n_ports; k++)
                if (takeover_has(&i->takeover, k, _PORT_KIND_MAX))
                        return true;
        return false;
}

/* What is said behind the port; NULL: the instance does not have it. */
static const char *way_of(const Instance *i, size_t port) {
        if (takeover_has(&i->takeover, port, _PORT_KIND_MAX))
                return port_is_grouped(i->process->ports[port]) ? "" : "shared";
        return translate_way(i, port);
}

char *publish_text(const Instance *i) {
        _cleanup_buf_ Buf b = BUF_INIT;

        for (size_t k = 0; k < i->process->n_ports; k++) {
                const SpecPort *p = &i->process->spec->ports.items[k];
                const char *way = way_of(i, k);

                if (way && buf_printf(&b, "%s%s->%u/%s%s%s", b.size > 0 ? ", " : "", port_text(i->process->ports[k]).text, p->container,
                                   protocol_name(p), *way ? " " : "", way) < 0)
                        return NULL;
        }
        return b.data ? buf_steal(&b) : strdup("");
}
