/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "net/netns.h"
#include "run/adopt.h"
#include "run/cgroup.h"
#include "run/drain.h"
#include "run/exit.h"
#include "run/health.h"
#include "run/inside.h"
#include "run/instance.h"
#include "run/names.h"
#include "run/plan.h"
#include "run/publish.h"
#include "run/settle.h"
#include "run/share.h"
#include "run/status.h"
#include "run/volume.h"
#include "run/wait.h"
#include "sandbox/world.h"
#include "spec/names.h"
#include "unit/name.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"
#include "util/unix-address.h"

#define KILL_AGAIN_USEC (1U * 1000 * 1000)
#define END_PATIENCE_USEC (15U * 1000 * 1000) /* that systemd has for the end of one that did not start in its time */
#define NOTIFY_MESSAGE_MAX 4096
#define DRAIN_TIMEOUT_USEC (30U * 1000 * 1000) /* Heroku's */

static void instance_log(const Instance *i, int priority, const char *text) {
        log_line(priority, "Instance '%s' of app '%s': %s", i->name, i->sv->name, text);
}

/* ---- making and unmaking ---- */

/* The name, or a longer one where another instance has that: one that this one replaces, or one that is still on its way out. */
static char *key_make(const Supervisor *sv, const char *name) {
        char *key = strdup(name);

        for (size_t k = 0; key && k < sv->n_instances;)
                if (streq(sv->instances[k]->key, key)) {
                        char *longer = str_format("%s_", key);

                        free(key);
                        key = longer;
                        k = 0;
                } else
                        k++;
        return key;
}

int instance_new(Supervisor *sv, Process *process, unsigned index, const char *key, Instance **ret) {
        _cleanup_(instance_freep) Instance *i = calloc(1, sizeof(*i));
        const char *name = process->spec->name, *wanted = process->spec->container_name.value;
        int r;

        if (!i)
                return -ENOMEM;
        *i = (Instance){
                .sv = sv, .process = process, .index = index, .since_usec = clock_usec(CLOCK_REALTIME),
                .pidfd = -EBADF, .outer_pidfd = -EBADF, .control = -EBADF, .cgroup = -EBADF, .notify = -EBADF,
                .takeover = TAKEOVER_INIT,
        };
        i->name = name ? str_format("%s.%u", name, index) : str_format("%u", index);
        i->key = i->name ? (key ? strdup(key) : key_make(sv, i->name)) : NULL;
        if (!i->key)
                return -ENOMEM;
        r = unit_scope_name(sv->name, name, index, i->key + strlen(i->name), process->release->number, &i->scope);
        if (r < 0)
                return r;
        /* The first instance has the plain name, as the only one of most apps. */
        if (name && !wanted)
                i->container_name = str_format("%s-%s.%u", sv->name, name, index);
        else if (index == 1)
                i->container_name = strdup(wanted ? wanted : sv->name);
        else
                i->container_name = str_format("%s.%u", wanted ? wanted : sv->name, index);
        i->run_directory = str_format("%s/%s", sv->run_directory, i->key);
        i->directory = str_format(BERTH_APP_DIR "/%s/instance/%s", sv->name, i->key);
        if (!i->container_name || !i->run_directory || !i->directory)
                return -ENOMEM;
        *ret = TAKE_PTR(i);
        return 0;
}

static sd_event_source *source_drop(sd_event_source *s) {
        return sd_event_source_disable_unref(s);
}

/* Back to what it was before it was started, but for what its end has told. */
static void instance_drop(Instance *i) {
        i->pid_source = source_drop(i->pid_source);
        i->outer_source = source_drop(i->outer_source);
        i->control_source = source_drop(i->control_source);
        i->log_source = source_drop(i->log_source);
        i->notify_source = source_drop(i->notify_source);
        i->timer = source_drop(i->timer);
        i->job = scope_job_free(i->job);
        i->drain = drain_free(i->drain);
        health_end(i);
        publish_end(i);
        share_end(i);
        names_end(i);
        attach_end(i);
        i->relay = relay_free(i->relay);
        i->pidfd = fd_close(i->pidfd);
        i->outer_pidfd = fd_close(i->outer_pidfd);
        i->control = fd_close(i->control);
        i->cgroup = fd_close(i->cgroup);
        i->notify = fd_close(i->notify);
        i->pid = i->outer = 0;
}

Instance *instance_free(Instance *i) {
        if (!i)
                return NULL;
        instance_drop(i);
        free(i->name);
        free(i->key);
        free(i->scope);
        free(i->container_name);
        free(i->run_directory);
        free(i->directory);
        free(i->message);
        free(i);
        return NULL;
}

/* ---- what the helper, the process and the payload say ---- */

static int error_keep(Instance *i, int code, const Error *error) {
        if (*i->error.text)
                ; /* what comes after the first is its consequence */
        else if (error && *error->text)
                i->error = *error;
        else
                (void) error_set_errno(&i->error, code, "cannot start");
        instance_event(i, EVENT_ERROR);
        return 0;
}

static int on_exit_event(sd_event_source *s, int fd, uint32_t events, void *userdata);

static int pid_known(Instance *i, pid_t pid) {
        int r;

        i->pid = pid;
        /* Our own child, so the number cannot have been given to another process yet. */
        i->pidfd = pidfd_open(pid, 0);
        if (i->pidfd < 0)
                return -errno;
        r = sd_event_add_io(i->sv->event, &i->pid_source, i->pidfd, EPOLLIN, on_exit_event, i);
        if (r < 0)
                return r;
        instance_event(i, EVENT_PID);
        return 0;
}

/* The scope may stand already; and the process may be dead already, of what it has still to be heard about: its namespace is asked of its
 * socket. route is taken over. */
static void links_wanted(Instance *i, int route) {
        _cleanup_close_ int own = route, netns = netns_of_socket(route);
        Error error = { 0 };
        int r;

        r = netns < 0 ? netns : attach_begin(i, netns, own, &error);
        if (r >= 0)
                r = names_begin(i, netns, &error);
        if (r < 0)
                (void) error_keep(i, r, &error);
        else if (i->scoped)
                instance_event(i, EVENT_SCOPED);
}

/* Reads what is there. Returns 0, or 1 at the end of file. */
static int control_read(Instance *i) {
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                HelperMessage m;
                int r = helper_receive(i->control, MSG_DONTWAIT, &m, &fd);

                if (r == -EAGAIN)
                        return 0;
                if (r <= 0)
                        return 1;
                if (m.type == HELPER_PID) {
                        r = pid_known(i, m.pid);
                        if (r < 0)
                                (void) error_keep(i, r, NULL);
                } else if (m.type == HELPER_NETWORK && fd >= 0) {
                        links_wanted(i, TAKE_FD(fd));
                } else if (m.type == HELPER_BINDS && fd >= 0) {
                        r = publish_begin(i, TAKE_FD(fd));
                        if (r < 0)
                                (void) error_keep(i, r, NULL);
                } else if (m.type == HELPER_ERROR)
                        (void) error_keep(i, m.error.code, &m.error);
                if (i->control < 0)
                        return 0;
        }
}

static void control_process(Instance *i) {
        if (i->control < 0 || control_read(i) == 0 || i->control < 0)
                return;
        i->control_source = source_drop(i->control_source);
        i->control = fd_close(i->control);
        if (i->state == INSTANCE_EXECING)
                instance_event(i, EVENT_EXECED);
        else if (i->state == INSTANCE_SPAWNING) {
                (void) error_set(&i->error, -EPROTO, "cannot start: berth-helper ended without a word");
                instance_event(i, EVENT_ERROR);
        }
}

static int on_control(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        control_process(userdata);
        return 0;
}

static int on_exit_event(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Instance *i = userdata;

        /* What the helper said, and that it became the payload, came before. */
        control_process(i);
        /* Somebody else's child: its status can be asked for only once that one has reaped it. */
        if (i->adopted && !(events & EPOLLHUP) && exit_wait_for_hangup(i->pidfd))
                return sd_event_source_set_io_events(s, EPOLLHUP);
        i->pid_source = source_drop(i->pid_source);
        instance_event(i, EVENT_EXIT);
        return 0;
}

static int on_outer_exit(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Instance *i = userdata;
        siginfo_t info = { 0 };

        control_process(i);
        (void) waitid(P_PIDFD, (id_t) i->outer_pidfd, &info, WEXITED);
        i->outer_source = source_drop(i->outer_source);
        i->outer_pidfd = fd_close(i->outer_pidfd);
        i->outer = 0;
        if (i->pid == 0) {
                if (!*i->error.text)
                        (void) error_set(&i->error, -EPROTO, "cannot start: berth-helper ended with %s %d",
                                info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
                instance_event(i, EVENT_ERROR);
        }
        return 0;
}

static int on_notify(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        char text[NOTIFY_MESSAGE_MAX + 1], *rest = text, *line;
        Instance *i = userdata;
        InstanceState before = i->state;
        ssize_t n;

        n = recv(fd, text, NOTIFY_MESSAGE_MAX, MSG_DONTWAIT | MSG_PEEK);
        if (n < 0)
                return 0;
        text[n] = 0;
        while ((line = strsep(&rest, "\n")))
                if (streq(line, "READY=1"))
                        instance_event(i, EVENT_READY);
        /* It is not said again: until what it says is written down it stays for the next supervisor. */
        if (i->state != before)
                status_write_state(i->sv);
        (void) recv(fd, text, 0, MSG_DONTWAIT);
        return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Instance *i = userdata;

        i->timer = source_drop(i->timer);
        if (i->state == INSTANCE_STARTING) {
                i->start_timed_out = true;
                (void) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%u", END_PATIENCE_USEC);
                wait_explain(i);
        } else if (i->state == INSTANCE_STOPPING)
                instance_log(i, LOG_WARNING, "did not end in StopTimeout=, is killed");
        else if (i->state == INSTANCE_SPAWNING || i->state == INSTANCE_SCOPING || i->state == INSTANCE_EXECING)
                (void) error_set(&i->error, -ETIMEDOUT, "cannot start: berth-helper did not come to an end in time");
        instance_event(i, EVENT_TIMEOUT);
        return 0;
}

static void timer_arm(Instance *i, uint64_t usec) {
        i->timer = source_drop(i->timer);
        if (usec == SPEC_INFINITY)
                return;
        if (sd_event_add_time_relative(i->sv->event, &i->timer, CLOCK_MONOTONIC, usec, 1000, on_timer, i) < 0)
                instance_log(i, LOG_ERR, "cannot set a timer");
}

/* ---- actions ---- */

static int notify_open(Instance *i, char **ret_path) {
        _cleanup_close_ int place = -EBADF;
        _cleanup_free_ char *path = NULL;
        struct sockaddr_un address;
        int r;

        if (i->process->spec->notify != SPEC_NOTIFY_YES)
                return 0;
        path = str_format("%s/notify", i->run_directory);
        if (!path)
                return -ENOMEM;
        r = unix_address(i->run_directory, "notify", &address, &place);
        if (r < 0)
                return r;
        (void) unlink(path);
        i->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (i->notify < 0 || bind(i->notify, (struct sockaddr *) &address, sizeof(address)) < 0 || chmod(path, 0666) < 0)
                return -errno;
        r = sd_event_add_io(i->sv->event, &i->notify_source, i->notify, EPOLLIN, on_notify, i);
        if (r < 0)
                return r;
        *ret_path = TAKE_PTR(path);
        return 0;
}

/* The World stays beside the instance: `berth exec` joins with the same one. */
static int world_store(Instance *i, const World *w) {
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        path = str_format("%s/world", i->run_directory);
        if (!path)
                return -ENOMEM;
        (void) unlink(path);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = world_write(w, fd);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int helper_start(Instance *i, const World *w, Error *reterr) {
        _cleanup_close_ int world = -EBADF, log_read = -EBADF, log_write = -EBADF, control = -EBADF, null = -EBADF;
        int pair[2], pipes[2], std[3], r;

        world = world_store(i, w);
        if (world < 0)
                return world;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        i->control = pair[0];
        control = pair[1];
        if (pipe2(pipes, O_CLOEXEC) < 0)
                return -errno;
        log_read = pipes[0];
        log_write = pipes[1];
        /* So that the payload's user can be given it, and can open /dev/stdout. */
        if (w->user_namespace && w->n_uid_map > 0 && w->n_gid_map > 0 &&
                fchown(log_write, w->uid_map[0].outside, w->gid_map[0].outside) < 0)
                return -errno;
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0)
                return -errno;
        r = instance_log_open(i, TAKE_FD(log_read), -EBADF);
        if (r < 0)
                return r;
        std[0] = null;
        std[1] = std[2] = log_write;
        r = helper_spawn(i->sv->helper, "start", world, control, i->process->seccomp, share_netns(i), std, &i->outer, &i->outer_pidfd,
                reterr);
        if (r < 0)
                return r;
        r = sd_event_add_io(i->sv->event, &i->control_source, i->control, EPOLLIN, on_control, i);
        return r < 0 ? r : sd_event_add_io(i->sv->event, &i->outer_source, i->outer_pidfd, EPOLLIN, on_outer_exit, i);
}

static int spawn(Instance *i, Error *reterr) {
        _cleanup_(world_clear) World w = { 0 };
        _cleanup_free_ char *notify = NULL;
        const FilesNetwork *network;
        PlanNames names;
        int r;

        r = process_prepare(i->sv, i->process, reterr);
        if (r >= 0)
                r = health_verify(i, reterr);
        if (r < 0)
                return r;
        /* One that an earlier supervisor was about to start has left it, and may not be out of it yet. */
        r = remover_take(i->sv->remover, i->directory);
        if (r >= 0)
                r = mkdir_parents(AT_FDCWD, i->run_directory, 0700);
        if (r < 0)
                return r;
        r = notify_open(i, &notify);
        if (r < 0)
                return r;
        r = attach_plan(i, &network, reterr);
        if (r < 0)
                return r;
        names = (PlanNames){
                .app = i->sv->name, .instance = i->name, .release = i->process->release->number, .container_name = i->container_name, .directory = i->directory,
                .notify_socket = notify, .network = network,
        };
        r = plan_world(i->process->release->spec, i->process->spec, i->process->image, &names, i->sv->id_base, &w, reterr);
        if (r >= 0)
                r = share_begin(i, &w, reterr);
        return r < 0 ? r : helper_start(i, &w, reterr);
}

static uint64_t start_timeout(const Instance *i) {
        return spec_start_timeout(i->process->release->spec, i->process->spec);
}

/* The connection is made while the helper starts, or the payload ends, and not when everybody waits for it. A failure is told
 * by who needs the bus. */
static void bus_expect(Instance *i) {
        (void) supervisor_bus(i->sv, NULL);
}

int instance_limits_apply(Instance *i, Error *reterr) {
        size_t wanted = wanted_find(&i->sv->wanted, i->process->spec->name);
        ScopeSettings limits = i->limits;
        sd_bus *bus;
        int r;

        if (!i->scoped || !instance_state_alive(i->state) || wanted == SIZE_MAX)
                return 0;
        scope_limits_copy(&limits, &i->sv->wanted.limits[wanted]);
        if (scope_limits_equal(&limits, &i->limits))
                return 0;
        bus = supervisor_bus(i->sv, reterr);
        if (!bus)
                return reterr->code;
        r = scope_limit(bus, i->scope, &limits);
        if (r >= 0)
                i->limits = limits;
        return r < 0 ? error_set_errno(reterr, r, "cannot change the limits of scope '%s'", i->scope) : 0;
}

bool instance_needs_bus(const Instance *i) {
        switch (i->state) {
        case INSTANCE_SPAWNING:
        case INSTANCE_SCOPING:
        case INSTANCE_STOPPING:
        case INSTANCE_KILLING:
        case INSTANCE_REAPING:
                return true;
        case INSTANCE_IDLE:
        case INSTANCE_EXECING:
        case INSTANCE_STARTING:
        case INSTANCE_READY:
        case INSTANCE_BACKOFF:
        case INSTANCE_EXITED:
        case INSTANCE_FAILED:
        case _INSTANCE_STATE_MAX:
        case _INSTANCE_STATE_INVALID:
                return false;
        }
        return false;
}

static void action_spawn(Instance *i) {
        Error error = { 0 };
        int r;

        free(i->message);
        i->message = NULL;
        i->error = (Error){ 0 };
        i->execed = i->was_ready = i->start_timed_out = i->unwell = i->begin_again = i->gone = i->adopted = i->killed = i->scoped = false;
        i->exit_code = i->exit_status = 0;
        i->drained = true; /* until there is a pipe */
        i->started_usec = clock_usec(CLOCK_MONOTONIC);
        if (cgroup_oom_kills(i->sv->slice_cgroup, &i->slice_oom_kills) < 0)
                i->slice_oom_kills = 0;
        timer_arm(i, start_timeout(i));
        bus_expect(i);
        r = spawn(i, &error);
        if (r < 0)
                (void) error_keep(i, r, &error);
}

static void scope_is_gone(Instance *i) {
        i->gone = true;
        instance_relay(i);
        if (i->drained)
                instance_event(i, EVENT_GONE);
}

static void on_scope_stopped(ScopeJob *job, int result, const Error *error, void *userdata) {
        Instance *i = userdata;

        i->job = scope_job_free(i->job);
        if (result < 0)
                instance_log(i, LOG_WARNING, error->text);
        scope_is_gone(i);
}

/* 1: its end will be heard of; or negative errno: PID 1 sees by itself that it is empty. */
static int scope_take_down(Instance *i) {
        Error error = { 0 };
        sd_bus *bus = supervisor_bus(i->sv, &error);
        int r = bus ? scope_stop(bus, i->scope, on_scope_stopped, i, &i->job) : error.code;

        return r < 0 ? r : 1;
}

/* It came too late, or was cancelled. */
static void on_start_given_up(Instance *i, int result) {
        i->scoped = result >= 0;
        if (!i->scoped || scope_take_down(i) < 0)
                scope_is_gone(i);
}

static void on_scope_started(ScopeJob *job, int result, const Error *error, void *userdata) {
        Instance *i = userdata;

        i->job = scope_job_free(i->job);
        if (i->state == INSTANCE_REAPING) {
                on_start_given_up(i, result);
                return;
        }
        if (result == -ECANCELED) {
                /* A stop of the scope or, before its signal is here, of the service. */
                instance_event(i, EVENT_STOP);
                return;
        }
        if (result < 0) {
                (void) error_keep(i, result, error);
                return;
        }
        i->scoped = true;
        i->cgroup = cgroup_open_of_pid(i->pid, NULL);
        /* The slice of a template's instance is not that of its service, and begins with the first scope. */
        if (i->sv->slice_cgroup < 0)
                i->sv->slice_cgroup = adopt_slice_open(i->sv->slice);
        if (attach_is_done(i))
                instance_event(i, EVENT_SCOPED);
}

/* Kept by PID 1 until this instance is over, so that the next supervisor can take it over. */
static void store_fds(Instance *i) {
        _cleanup_free_ char *text = NULL;
        int fds[4], n = 0, r;

        fds[n++] = i->pidfd;
        fds[n++] = relay_pipe(i->relay);
        fds[n++] = relay_memory(i->relay);
        if (i->notify >= 0)
                fds[n++] = i->notify;
        text = str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", i->key);
        if (!text)
                return;
        r = sd_pid_notify_with_fds(0, 0, text, fds, (unsigned) n);
        if (r < 0)
                instance_log(i, LOG_WARNING, "its file descriptors cannot be stored, it will not outlive the supervisor");
}

/* Pairs of path and access for DeviceAllow=, where the instance is not kept from devices by a user namespace. */
static int devices_allowed(const Instance *i, char ***ret) {
        const SpecProcess *p = i->process->spec;
        int r = 0;

        if (p->userns != SPEC_USERNS_HOST)
                return 0;
        for (size_t k = 0; k < p->devices.n && r >= 0; k++) {
                const SpecDevice *d = &p->devices.items[k];

                r = strv_append(ret, d->source);
                if (r >= 0)
                        r = strv_appendf(ret, "%s%s%s", d->read ? "r" : "", d->write ? "w" : "", d->mknod ? "m" : "");
        }
        return r < 0 ? r : 1;
}

static int stop_signal(const Instance *i) {
        const Image *image = i->process->image;
        int signal;

        if (i->process->spec->stop_signal.set)
                return (int) i->process->spec->stop_signal.value;
        signal = image && image->stop_signal ? signal_from_name(image->stop_signal) : SIGTERM;
        return signal > 0 ? signal : SIGTERM;
}

static void action_scope(Instance *i) {
        ScopeSettings settings = SCOPE_SETTINGS_INIT;
        _cleanup_free_ char *description = NULL, *service = NULL;
        _cleanup_strv_ char **devices = NULL;
        static const char *const no_devices[] = { NULL };
        Error error = { 0 };
        size_t wanted;
        sd_bus *bus;
        int r;

        store_fds(i);
        bus = supervisor_bus(i->sv, &error);
        if (!bus) {
                (void) error_keep(i, error.code, &error);
                return;
        }
        description = str_format("Instance %s of app %s", i->name, i->sv->name);
        service = str_format("%s.service", i->process->release->spec->service);
        if (!description || !service) {
                (void) error_keep(i, -ENOMEM, NULL);
                return;
        }
        plan_scope(i->process->release->spec, i->process->spec, &settings);
        wanted = wanted_find(&i->sv->wanted, i->process->spec->name);
        if (wanted != SIZE_MAX)
                scope_limits_copy(&settings, &i->sv->wanted.limits[wanted]);
        i->limits = settings;
        settings.name = i->scope;
        settings.description = description;
        settings.slice = i->sv->slice;
        settings.service = service;
        settings.pid = i->pid;
        settings.kill_signal = stop_signal(i);
        settings.stop_timeout_usec = MAX(spec_stop_timeout(i->process->spec), (uint64_t) 1);
        r = devices_allowed(i, &devices);
        if (r > 0)
                settings.devices = devices ? (const char *const *) devices : no_devices;
        if (r >= 0)
                r = scope_start(bus, &settings, on_scope_started, i, &i->job);
        if (r < 0) {
                (void) error_set_errno(&error, r, "cannot ask systemd for scope '%s'", i->scope);
                (void) error_keep(i, r, &error);
        }
}

static void action_go(Instance *i) {
        const HelperMessage m = { .type = HELPER_GO };

        /* When it is dead, its exit tells. */
        (void) send(i->control, &m, sizeof(m), MSG_NOSIGNAL);
}

static void action_watch(Instance *i) {
        const SpecProcess *p = i->process->spec;

        i->execed = true;
        for (size_t k = 0; k < p->mounts.n; k++)
                if (p->mounts.items[k].type == SPEC_MOUNT_VOLUME && p->mounts.items[k].source)
                        (void) volume_filled(p->mounts.items[k].source);
        health_begin(i);
        if (inside_begin(i) < 0)
                instance_log(i, LOG_WARNING, "what its payload listens on cannot be looked at: Cannot allocate memory");
        if (spec_is_release(p) || p->notify == SPEC_NOTIFY_YES || health_gates(i) || (p->ports.n > 0 && !publish_is_taken(i)))
                timer_arm(i, start_timeout(i));
        else
                instance_event(i, EVENT_READY);
}

static void action_kill(Instance *i) {
        i->killed = true;
        i->drain = drain_free(i->drain);
        if (i->cgroup >= 0)
                (void) cgroup_kill(i->cgroup);
        /* The scope may not have it yet. */
        if (i->pidfd >= 0)
                (void) pidfd_send_signal(i->pidfd, SIGKILL, NULL, 0);
        else if (i->outer_pidfd < 0) {
                instance_event(i, EVENT_EXIT);
                return;
        } else if (clock_usec(CLOCK_MONOTONIC) - i->started_usec >= start_timeout(i))
                (void) pidfd_send_signal(i->outer_pidfd, SIGKILL, NULL, 0);
        timer_arm(i, KILL_AGAIN_USEC);
}

/* One that is replaced may finish what it is about: its successor is there already. */
static uint64_t stop_timeout(const Instance *i) {
        return i->replaced && !i->process->spec->stop_timeout.set ? DRAIN_TIMEOUT_USEC : spec_stop_timeout(i->process->spec);
}

static void on_drained(void *userdata) {
        Instance *i = userdata;

        action_kill(i);
}

/* Nobody would see the signal. Where the app goes on without it, those who wait for its answer get that. */
static void kill_when_drained(Instance *i, uint64_t timeout) {
        int r = 0;

        if (timeout > 0 && i->stop_asked && i->sv->phase == PHASE_RUNNING)
                r = drain_begin(i, on_drained, i, &i->drain);
        if (r > 0)
                timer_arm(i, timeout);
        else
                action_kill(i);
}

static void action_signal(Instance *i) {
        uint64_t timeout = stop_timeout(i);
        int signal = stop_signal(i), catcher = CATCHER_LEADER;

        bus_expect(i);
        /* A process 1 of a PID namespace does not even see a signal that it does not handle, pid_namespaces(7). */
        if (i->cgroup >= 0)
                catcher = cgroup_catcher(i->cgroup, i->pid, signal);
        if (timeout == 0 || catcher == CATCHER_NONE) {
                kill_when_drained(i, timeout);
                return;
        }
        if (catcher == CATCHER_OTHERS)
                (void) cgroup_signal(i->cgroup, signal);
        else
                (void) pidfd_send_signal(i->pidfd, signal, NULL, 0);
        timer_arm(i, timeout);
}

static void exit_read(Instance *i) {
        uint64_t kills;

        exit_status_read(i->pidfd, i->adopted, &i->exit_code, &i->exit_status);
        /* The scope's own count, or that of the slice above it when the scope is gone already. */
        if (cgroup_oom_kills(i->cgroup, &kills) >= 0)
                i->oom_kills = kills;
        else if (cgroup_oom_kills(i->sv->slice_cgroup, &kills) >= 0 && kills > i->slice_oom_kills)
                i->oom_kills = kills - i->slice_oom_kills;
        else
                i->oom_kills = 0;
}

static void action_reap(Instance *i) {
        int r;

        i->timer = source_drop(i->timer);
        i->drain = drain_free(i->drain);
        i->control_source = source_drop(i->control_source);
        i->control = fd_close(i->control);
        if (i->pidfd >= 0)
                exit_read(i);
        r = i->job && !i->scoped ? scope_start_cancel(i->job) : 0;
        if (r <= 0) {
                i->job = scope_job_free(i->job);
                r = i->scoped ? scope_take_down(i) : 0;
        }
        i->gone = r <= 0;
        if (!i->drained)
                instance_relay(i); /* which says EVENT_GONE when that was all */
        else if (i->gone)
                instance_event(i, EVENT_GONE);
}

/* What it has left: its fds at PID 1, its directories. */
static void forget(Instance *i) {
        _cleanup_free_ char *text = str_format("FDSTOREREMOVE=1\nFDNAME=%s", i->key);
        int r;

        if (i->pid != 0 && text)
                (void) sd_notify(0, text);
        instance_drop(i);
        r = remover_take(i->sv->remover, i->directory);
        if (r < 0)
                log_warning("Instance '%s' of app '%s': cannot remove '%s': %s", i->name, i->sv->name, i->directory, strerror(-r));
        (void) remove_tree(AT_FDCWD, i->run_directory);
}

static void action_settle(Instance *i) {
        forget(i);
        i->state = instance_settle(i->sv, i);
        if (i->state == INSTANCE_BACKOFF)
                timer_arm(i, i->backoff.delay_usec);
}

static void action_none(Instance *i) {
        if (i->state == INSTANCE_READY) {
                i->timer = source_drop(i->timer);
                relay_tail_drop(i->relay);
                i->was_ready = i->ever_ready = true;
        }
}

void instance_event(Instance *i, InstanceEvent event) {
        static void (*const actions[])(Instance *) = {
                [ACTION_NONE] = action_none,     [ACTION_SPAWN] = action_spawn, [ACTION_SCOPE] = action_scope,
                [ACTION_GO] = action_go,         [ACTION_WATCH] = action_watch, [ACTION_SIGNAL] = action_signal,
                [ACTION_KILL] = action_kill,     [ACTION_REAP] = action_reap,   [ACTION_SETTLE] = action_settle,
        };
        const Transition *t = machine_transition(i->state, event);

        if (event == EVENT_STOP)
                i->stop_asked = true;
        else if (event == EVENT_START)
                i->stop_asked = false;
        if (!t)
                return;
        if (t->action != ACTION_SETTLE)
                i->state = t->next;
        i->since_usec = clock_usec(CLOCK_REALTIME);
        publish_set_live(i, i->state == INSTANCE_READY); /* before it is told to stop */
        actions[t->action](i);
        if (i->state != INSTANCE_STARTING && i->state != INSTANCE_READY)
                health_end(i);
        names_update(i);
        supervisor_changed(i->sv);
}

void instance_reached(Instance *i) {
        if (i->process->spec->notify != SPEC_NOTIFY_YES && !health_gates(i))
                instance_event(i, EVENT_READY);
}

int instance_adopt(Instance *i, const InstanceStatus *status, int pidfd, int pipe, int memory, int notify) {
        bool running = status->state == INSTANCE_STARTING || status->state == INSTANCE_READY ||
                status->state == INSTANCE_STOPPING || status->state == INSTANCE_KILLING;
        int r;

        i->pidfd = pidfd;
        i->notify = notify;
        i->adopted = i->execed = i->scoped = true;
        i->restarts = status->restarts;
        i->pid = status->pid;
        i->started_usec = clock_usec(CLOCK_MONOTONIC);
        i->state = running ? status->state : INSTANCE_KILLING;
        /* One that has not become the payload cannot be helped on: another one is to be started in its place. */
        i->stop_asked = status->stopping || status->state == INSTANCE_SPAWNING || status->state == INSTANCE_SCOPING ||
                status->state == INSTANCE_EXECING;
        i->was_ready = i->state == INSTANCE_READY;
        i->since_usec = status->since_usec;
        r = instance_log_open(i, pipe, memory);
        if (r >= 0)
                r = attach_adopt(i, status);
        if (r < 0 || i->pid <= 0)
                return r < 0 ? r : -ESRCH;
        i->cgroup = cgroup_open_of_pid(i->pid, NULL);
        r = sd_event_add_io(i->sv->event, &i->pid_source, i->pidfd, EPOLLIN, on_exit_event, i);
        if (r >= 0 && notify >= 0)
                r = sd_event_add_io(i->sv->event, &i->notify_source, i->notify, EPOLLIN, on_notify, i);
        if (r < 0)
                return r;
        if (i->state == INSTANCE_KILLING)
                action_kill(i);
        else if (i->state == INSTANCE_STOPPING)
                action_signal(i);
        else if (i->state == INSTANCE_STARTING)
                timer_arm(i, start_timeout(i));
        if (i->state == INSTANCE_STARTING || i->state == INSTANCE_READY)
                health_begin(i);
        instance_relay(i);
        share_adopt(i);
        return 0;
}
