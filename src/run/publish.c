/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "net/sockname.h"
#include "run/cgroup.h"
#include "run/inner-port.h"
#include "run/instance.h"
#include "run/publish.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/strv.h"

static const char *protocol_name(const Port *p) {
        return p->spec->protocol == SPEC_PROTOCOL_UDP ? "udp" : "tcp";
}

/* ---- the sockets ---- */

/* FDNAME= of a port's sockets, but for the number that the port has on the host: what has to be the same for them to be of
 * use. (The sockets themselves do not tell: see sockname.h.) */
static char *port_name(const Process *process, const Port *p) {
        char address[2 * sizeof(p->spec->address) + 1];

        for (size_t i = 0; i < sizeof(p->spec->address); i++)
                (void) snprintf(address + 2 * i, 3, "%02x", p->spec->address[i]);
        return str_format(ADOPT_PORT_PREFIX "%s/%u/%s/%d/%s/", process->spec->name ? process->spec->name : "", p->spec->container,
                protocol_name(p), p->spec->family, p->spec->family != 0 ? address : "");
}

/* Those that are not there yet, in the store. */
static int port_store(const Process *process, Port *p) {
        _cleanup_free_ char *name = port_name(process, p), *text = NULL;
        int fds[_PORT_KIND_MAX];
        unsigned n = 0;

        for (int k = 0; k < _PORT_KIND_MAX; k++)
                if (p->sockets[k] >= 0 && !p->foreign[k])
                        fds[n++] = p->sockets[k];
        text = name ? str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s%u", name, p->host) : NULL;
        if (!text)
                return -ENOMEM;
        return n > 0 ? sd_pid_notify_with_fds(0, 0, text, fds, n) : 0;
}

static void port_adopt_all(const Process *process, Port *p, Adoption *a) {
        _cleanup_free_ char *name = port_name(process, p);

        for (size_t i = 0; name && i < a->n_sockets; i++) {
                AdoptedSocket *s = &a->sockets[i];
                const char *host = str_after(s->name, name);
                uint64_t number;

                if (s->fd < 0 || strstr(s->name, ADOPT_INNER_INFIX))
                        continue;
                if (str_after(s->name, ADOPT_PORT_PREFIX) ?
                                host && parse_u64(host, UINT16_MAX, &number) >= 0 && port_adopt(p, s->fd, (uint16_t) number) > 0 :
                                port_adopt_foreign(p, s->fd) > 0)
                        s->fd = -EBADF;
        }
}

/* A payload that shuts the socket down, as some do when they end, has it shut for all. */
static int on_port_shut(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        if (listen(fd, PORT_BACKLOG) < 0)
                (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

/* Of all sockets that serve now, and no others: one that does not would report that it is shut for ever. */
static void ports_watch(Supervisor *sv, Process *process) {
        for (size_t i = 0; i < process->n_ports * _PORT_KIND_MAX; i++) {
                const Port *p = &process->ports[i / _PORT_KIND_MAX];
                PortKind kind = (PortKind) (i % _PORT_KIND_MAX);
                sd_event_source **watch = &process->port_watches[i];

                if (!p->serving[kind] || p->foreign[kind])
                        *watch = sd_event_source_disable_unref(*watch);
                else if (!*watch)
                        (void) sd_event_add_io(sv->event, watch, p->sockets[kind], EPOLLHUP, on_port_shut, NULL);
        }
}

static int port_take(const Supervisor *sv, Process *process, Port *p, const SpecPort *spec, Adoption *a, Error *reterr) {
        _cleanup_free_ char *owner = NULL;
        char origin[512], text[ERROR_TEXT_MAX];
        int r;

        port_init(p, spec);
        port_adopt_all(process, p, a);
        if (port_is_open(p))
                return port_store(process, p);
        r = port_open(p, spec, reterr);
        if (r == -EADDRINUSE && port_find_owner(p, &owner) >= 0)
                (void) error_set(reterr, r, "%s by %s", (const char *) memcpy(text, reterr->text, sizeof(text)), owner);
        if (r < 0)
                return error_prefix(reterr, "%s", spec_origin_text(sv->spec, spec->origin, origin, sizeof(origin)));
        return port_store(process, p);
}

/* The sockets are made here, and all that is made here is for the app. */
static void ports_translate(Supervisor *sv) {
        _cleanup_close_ int cgroup = -EBADF;
        _cleanup_free_ const Port **ports = NULL;
        size_t n = 0;
        int r;

        for (size_t i = 0; i < sv->n_processes; i++)
                n += sv->processes[i].n_ports;
        ports = calloc(n + 1, sizeof(*ports));
        n = 0;
        for (size_t i = 0; ports && i < sv->n_processes; i++)
                for (size_t k = 0; k < sv->processes[i].n_ports; k++)
                        if (sv->processes[i].ports[k].host != sv->processes[i].ports[k].spec->container)
                                ports[n++] = &sv->processes[i].ports[k];
        if (n == 0)
                return;
        cgroup = cgroup_open_of_pid(getpid(), NULL);
        r = cgroup < 0 ? cgroup : sockname_translate(cgroup, ports, n);
        if (r < 0)
                log_notice("App '%s': its processes see the host's port numbers where they ask for their own: %s", sv->name, strerror(-r));
}

int publish_open(Supervisor *sv, Adoption *a, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < sv->n_processes; i++) {
                Process *process = &sv->processes[i];

                process->ports = calloc(process->spec->ports.n + 1, sizeof(*process->ports));
                process->port_watches = calloc(process->spec->ports.n * _PORT_KIND_MAX + 1, sizeof(*process->port_watches));
                if (!process->ports || !process->port_watches)
                        return -ENOMEM;
                for (size_t k = 0; k < process->spec->ports.n; k++) {
                        r = port_take(sv, process, &process->ports[k], &process->spec->ports.items[k], a, reterr);
                        if (r < 0)
                                return r;
                        process->n_ports++;
                }
                ports_watch(sv, process);
        }
        ports_translate(sv);
        /* Of a port that is no longer published. */
        for (size_t i = 0; i < a->n_sockets; i++)
                if (a->sockets[i].fd >= 0 && str_after(a->sockets[i].name, ADOPT_PORT_PREFIX))
                        (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", a->sockets[i].name);
        return 0;
}

void publish_close(Supervisor *sv) {
        for (size_t i = 0; i < sv->n_processes; i++) {
                Process *process = &sv->processes[i];

                for (size_t k = 0; k < process->n_ports * _PORT_KIND_MAX; k++)
                        sd_event_source_disable_unref(process->port_watches[k]);
                for (size_t k = 0; k < process->n_ports; k++)
                        port_close(&process->ports[k]);
                free(process->port_watches);
                free(process->ports);
        }
}

/* ---- the calls ---- */

static char *inner_port_name(const Instance *i, size_t port) {
        return str_format("%s" ADOPT_INNER_INFIX "%u", i->name, i->process->ports[port].spec->container);
}

/* listener: an earlier supervisor's, or -EBADF; taken over. */
static int inner_port_serve(Instance *i, size_t port, PortKind kind, int listener) {
        const Port *p = &i->process->ports[port];
        _cleanup_free_ char *name = inner_port_name(i, port), *text = NULL;
        struct sockaddr_storage destination;
        socklen_t size;

        text = name ? str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name) : NULL;
        if (!text) {
                fd_close(listener);
                return -ENOMEM;
        }
        if (listener < 0) {
                listener = inner_port_listen(i->pid, p->spec->container);
                if (listener < 0)
                        return listener;
                (void) sd_pid_notify_with_fds(0, 0, text, &listener, 1);
        }
        size = port_destination(p, kind, &destination);
        return inner_port_new(i->sv->event, listener, &destination, size, &i->inner_ports[port]);
}

static void inner_port_close(Instance *i, size_t port) {
        _cleanup_free_ char *name = inner_port_name(i, port);

        if (i->inner_ports[port] && name)
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
        i->inner_ports[port] = inner_port_free(i->inner_ports[port]);
}

/* The payload listens in the host's namespace now; its own shall find it there, too. */
static void inner_port_open(Instance *i, size_t port, PortKind kind, int listener) {
        const Port *p = &i->process->ports[port];
        int r;

        if (i->process->spec->network == SPEC_NETWORK_HOST || p->spec->protocol != SPEC_PROTOCOL_TCP || i->inner_ports[port]) {
                fd_close(listener);
                return;
        }
        r = inner_port_serve(i, port, kind, listener);
        if (r < 0 && r != -EADDRINUSE)
                log_warning("Instance '%s' of app '%s': its port %u cannot be reached from inside: %s", i->name, i->sv->name,
                        p->spec->container, strerror(-r));
}

static void taken(Instance *i, const TakeoverAnswer *a) {
        inner_port_open(i, a->port, a->kind, -EBADF);
        /* A socket of another kind may be new. */
        (void) port_store(i->process, &i->process->ports[a->port]);
        ports_watch(i->sv, i->process);
        if (i->process->spec->notify != SPEC_NOTIFY_YES)
                instance_event(i, EVENT_READY);
        supervisor_changed(i->sv);
}

static int on_bind(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        TakeoverAnswer a;
        Instance *i = userdata;
        Error error = { 0 };
        int r;

        r = takeover_answer(&i->takeover, &a, &error);
        if (r == TAKEOVER_ELSEWHERE) {
                if (a.port < i->process->n_ports)
                        inner_port_close(i, a.port); /* the payload wants it itself */
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
        int r = takeover_open(&i->takeover, listener, memory, i->process->ports, i->process->n_ports);

        if (r >= 0) {
                i->inner_ports = calloc(i->process->n_ports, sizeof(*i->inner_ports));
                r = i->inner_ports ? 0 : -ENOMEM;
        }
        return r < 0 ? r : sd_event_add_io(i->sv->event, &i->binds_source, i->takeover.listener, EPOLLIN, on_bind, i);
}

int publish_begin(Instance *i, int listener) {
        _cleanup_free_ char *text = str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s" ADOPT_BINDS_SUFFIX, i->name);
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
        int r = takeover_watch(i, listener, memory);

        if (r < 0)
                return r;
        i->takeover.cgroup = i->cgroup;
        for (size_t k = 0; k < i->process->n_ports; k++)
                for (int kind = 0; kind < _PORT_KIND_MAX; kind++)
                        if (takeover_has(&i->takeover, k, (PortKind) kind))
                                inner_port_open(i, k, (PortKind) kind, adopted_inner_port(i, k, a));
        /* One that the earlier supervisor had received is not told again. */
        return i->takeover.memory->call.id != 0 ? on_bind(NULL, -EBADF, 0, i) : 0;
}

void publish_end(Instance *i) {
        i->binds_source = sd_event_source_disable_unref(i->binds_source);
        if (i->takeover.memory)
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s" ADOPT_BINDS_SUFFIX, i->name);
        takeover_close(&i->takeover);
        ports_watch(i->sv, i->process);
        for (size_t k = 0; i->inner_ports && k < i->process->n_ports; k++)
                inner_port_close(i, k);
        free(i->inner_ports);
        i->inner_ports = NULL;
}

bool publish_is_taken(const Instance *i) {
        for (size_t k = 0; k < i->process->n_ports; k++)
                if (takeover_has(&i->takeover, k, _PORT_KIND_MAX))
                        return true;
        return false;
}

char *publish_text(const Instance *i) {
        _cleanup_buf_ Buf b = BUF_INIT;

        for (size_t k = 0; k < i->process->n_ports; k++) {
                const Port *p = &i->process->ports[k];

                if (takeover_has(&i->takeover, k, _PORT_KIND_MAX) &&
                        buf_printf(&b, "%s%s->%u/%s", b.size > 0 ? ", " : "", port_text(p).text, p->spec->container, protocol_name(p)) < 0)
                        return NULL;
        }
        return b.data ? buf_steal(&b) : strdup("");
}
