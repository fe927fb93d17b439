/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "run/adopt.h"
#include "run/cgroup.h"
#include "run/desired.h"
#include "run/instance.h"
#include "run/names.h"
#include "run/port-pool.h"
#include "run/publish.h"
#include "run/rollout.h"
#include "unit/name.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

void adoption_clear(Adoption *a) {
        for (size_t i = 0; i < a->n; i++) {
                free(a->items[i].name);
                fd_close(a->items[i].pidfd);
                fd_close(a->items[i].pipe);
                fd_close(a->items[i].memory);
                fd_close(a->items[i].notify);
                fd_close(a->items[i].binds);
                fd_close(a->items[i].binds_memory);
                fd_close(a->items[i].dns_udp);
                fd_close(a->items[i].dns_tcp);
        }
        for (size_t i = 0; i < a->n_sockets; i++) {
                free(a->sockets[i].name);
                fd_close(a->sockets[i].fd);
        }
        free(a->sockets);
        free(a->items);
        *a = (Adoption){ 0 };
}

static AdoptedFds *adopted_named(Adoption *a, const char *name) {
        AdoptedFds *p;

        for (size_t i = 0; i < a->n; i++)
                if (streq(a->items[i].name, name))
                        return &a->items[i];
        p = reallocarray(a->items, a->n + 1, sizeof(*p));
        if (!p)
                return NULL;
        a->items = p;
        p += a->n;
        *p = (AdoptedFds){ .name = strdup(name), .pidfd = -EBADF, .pipe = -EBADF, .memory = -EBADF, .notify = -EBADF,
                .binds = -EBADF, .binds_memory = -EBADF, .dns_udp = -EBADF, .dns_tcp = -EBADF };
        if (!p->name)
                return NULL;
        a->n++;
        return p;
}

static bool is_stream(int fd) {
        int type;
        socklen_t size = sizeof(type);

        return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) >= 0 && type == SOCK_STREAM;
}

static int *place_of(AdoptedFds *p, const char *suffix, int fd, const struct stat *st) {
        bool memory = S_ISREG(st->st_mode) && st->st_size > 0;

        if (streq(suffix, ADOPT_BINDS_SUFFIX))
                return memory ? &p->binds_memory : &p->binds;
        if (streq(suffix, ADOPT_DNS_SUFFIX))
                return is_stream(fd) ? &p->dns_tcp : &p->dns_udp;
        return S_ISFIFO(st->st_mode) ? &p->pipe : memory ? &p->memory : S_ISSOCK(st->st_mode) ? &p->notify : &p->pidfd;
}

/* An instance's fds have its name, some with a suffix; each is told by what it is. */
static int adopted_add(Adoption *a, const char *name, int fd) {
        const char *suffix = name + strcspn(name, "/");
        _cleanup_free_ char *instance = strndup(name, (size_t) (suffix - name));
        AdoptedFds *p = instance ? adopted_named(a, instance) : NULL;
        struct stat st;
        int *place;

        if (!p || fstat(fd, &st) < 0) {
                fd_close(fd);
                return p ? -errno : -ENOMEM;
        }
        place = place_of(p, suffix, fd, &st);
        fd_close(*place);
        *place = fd;
        return 0;
}

static bool is_internet(int fd) {
        int domain;
        socklen_t size = sizeof(domain);

        return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) >= 0 && (domain == AF_INET || domain == AF_INET6);
}

static int adopted_add_socket(Adoption *a, const char *name, int fd) {
        AdoptedSocket *p = reallocarray(a->sockets, a->n_sockets + 1, sizeof(*p));
        char *copy = strdup(name);

        a->sockets = p ?: a->sockets;
        if (!p || !copy) {
                free(copy);
                fd_close(fd);
                return -ENOMEM;
        }
        p[a->n_sockets++] = (AdoptedSocket){ .name = copy, .fd = fd };
        return 0;
}

int adoption_collect(Adoption *ret) {
        _cleanup_strv_ char **names = NULL;
        int n = sd_listen_fds_with_names(true, &names), r = 0;

        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i;

                (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
                /* systemd has the pins of images in its store, where they keep them. */
                if (r < 0 || str_after(names[i], ADOPT_IMAGE_PREFIX))
                        fd_close(fd);
                else if ((is_internet(fd) && !str_ends_with(names[i], ADOPT_DNS_SUFFIX)) || str_after(names[i], ADOPT_PORT_PREFIX))
                        r = adopted_add_socket(ret, names[i], fd);
                else
                        r = adopted_add(ret, names[i], fd);
        }
        return n < 0 ? n : r;
}

void adopt_kill_all(int slice_cgroup) {
        _cleanup_closedir_ DIR *d = NULL;

        if (slice_cgroup < 0 || dir_open(slice_cgroup, ".", &d) < 0)
                return;
        for (struct dirent *entry; (entry = readdir(d));) {
                _cleanup_close_ int scope = -EBADF;

                if (!str_ends_with(entry->d_name, ".scope"))
                        continue;
                scope = openat(dirfd(d), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (scope >= 0)
                        (void) cgroup_kill(scope);
        }
}

int adopt_slice_open(const char *slice) {
        _cleanup_free_ char *below = NULL, *path = NULL;
        int fd, r = unit_slice_path(slice, &below);

        if (r < 0)
                return r;
        path = str_format(CGROUP_ROOT "/%s", below);
        if (!path)
                return -ENOMEM;
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static AdoptedFds *adopted_for(Adoption *a, const char *key) {
        for (size_t k = 0; k < a->n; k++)
                if (streq(a->items[k].name, key))
                        return &a->items[k];
        return NULL;
}

/* Where it cannot be taken over it is ended, and another one takes its place. */
static int adopt_instance(Instance *i, Adoption *a, AdoptedFds *fds, const InstanceStatus *status) {
        int r;

        /* None of both: its ports are not taken over. */
        bool binds = (fds->binds >= 0) == (fds->binds_memory >= 0);

        if (fds->pidfd < 0 || fds->pipe < 0 || fds->memory < 0 || !binds) {
                log_warning("Instance '%s' of app '%s': what is stored of it is not complete, it is ended", i->name, i->sv->name);
                if (fds->pidfd >= 0)
                        (void) pidfd_send_signal(fds->pidfd, SIGKILL, NULL, 0);
                return -ESTALE;
        }
        r = instance_adopt(i, status, TAKE_FD(fds->pidfd), TAKE_FD(fds->pipe), TAKE_FD(fds->memory), TAKE_FD(fds->notify));
        if (r >= 0 && i->process->n_ports > 0)
                r = publish_adopt(i, TAKE_FD(fds->binds), TAKE_FD(fds->binds_memory), a);
        if (r >= 0 && *status->addresses)
                r = names_adopt(i, TAKE_FD(fds->dns_udp), TAKE_FD(fds->dns_tcp));
        if (r < 0) {
                log_warning("Instance '%s' of app '%s': cannot be taken over: %s", i->name, i->sv->name, strerror(-r));
                if (i->pidfd >= 0)
                        (void) pidfd_send_signal(i->pidfd, SIGKILL, NULL, 0);
                return r;
        }
        log_notice("Instance '%s' of app '%s': taken over from an earlier supervisor", i->name, i->sv->name);
        return 0;
}

/* One that had ended for good, and has its place. */
static bool is_over(InstanceState s) {
        return s == INSTANCE_EXITED || s == INSTANCE_FAILED;
}

static Release *release_numbered(const Supervisor *sv, unsigned number) {
        for (size_t k = 0; k < sv->n_releases; k++)
                if (sv->releases[k]->number == number)
                        return sv->releases[k];
        return NULL;
}

static int release_adopt(Supervisor *sv, unsigned number, Release **ret) {
        Release *r = release_numbered(sv, number);
        Error error = { 0 };
        int q = r ? 0 : release_load(sv, number, &r);

        if (q >= 0) {
                q = release_open_ports(sv, r, &error);
                if (q < 0)
                        log_warning("App '%s': %s", sv->name, error.text);
        }
        if (q >= 0)
                *ret = r;
        return q;
}

/* What is to run, and how many of it. */
static int releases_adopt(Supervisor *sv, const AppState *state) {
        _cleanup_(spec_freep) Spec *desired = NULL;
        int r = release_adopt(sv, state->release, &sv->release);

        if (r >= 0 && state->stable > 0)
                r = release_adopt(sv, state->stable, &sv->stable);
        if (r >= 0)
                r = desired_kept(sv, &desired);
        return r < 0 ? r : wanted_make(desired, sv->release->spec, &sv->wanted);
}

/* False: what is there of it is of no use, and it will be started, if it is wanted. */
static bool instance_adopt_one(Supervisor *sv, Adoption *a, const InstanceStatus *status) {
        AdoptedFds *fds = adopted_for(a, status->key);
        Process *process = NULL;
        Release *release;
        Instance *i;

        if (!fds && !is_over(status->state))
                return false;
        if (release_adopt(sv, status->release, &release) >= 0)
                process = release_process(release, *status->process ? status->process : NULL);
        if (!process || supervisor_instance_add(sv, process, status->index, status->key, &i) < 0)
                return false;
        i->ever_ready = status->was_ready;
        if (!fds)
                i->state = status->state;
        else if (adopt_instance(i, a, fds, status) < 0) {
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", status->key);
                sv->n_instances--;
                instance_free(i);
                return false;
        }
        return true;
}

/* Of one that is not taken over. Its supervisor may have died just when PID 1 was asked for a scope of a process that is dead by now. */
static void instance_forget(Supervisor *sv, const InstanceStatus *status) {
        sd_bus *bus = instance_state_alive(status->state) ? supervisor_bus(sv, NULL) : NULL;

        names_forget(status);
        if (bus)
                (void) scope_drop(bus, status->scope);
}

/* What belongs to nobody. */
static void left_end(const Adoption *a) {
        for (size_t k = 0; k < a->n; k++)
                if (a->items[k].pidfd >= 0) {
                        (void) pidfd_send_signal(a->items[k].pidfd, SIGKILL, NULL, 0);
                        (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", a->items[k].name);
                }
}

int adopt_all(Supervisor *sv) {
        _cleanup_(app_state_clear) AppState state = { 0 };
        Adoption *a = sv->adoption;
        int r = app_state_read(BERTH_RUN_DIR, sv->name, &state);

        if (r >= 0)
                r = a->n > 0 ? releases_adopt(sv, &state) : -ENOENT;
        if (r < 0) {
                _cleanup_free_ char *directory = str_format(BERTH_APP_DIR "/%s/instance", sv->name);

                if (a->n > 0)
                        log_warning("App '%s': what an earlier supervisor left cannot be taken over, all is started anew: %s", sv->name, strerror(-r));
                sv->release = sv->stable = NULL;
                for (size_t k = 0; k < state.n_instances; k++)
                        instance_forget(sv, &state.instances[k]);
                left_end(a);
                adopt_kill_all(sv->slice_cgroup);
                /* A power cut or a lost run-time state leaves these. */
                if (directory)
                        (void) remover_take(sv->remover, directory);
                return 0;
        }
        if (state.since_usec != 0)
                sv->since_usec = state.since_usec;
        for (size_t k = 0; k < state.n_instances; k++)
                if (!instance_adopt_one(sv, a, &state.instances[k]))
                        instance_forget(sv, &state.instances[k]);
        left_end(a);
        port_pool_drop_left(a);
        r = rollout_resume(sv, state.changing);
        return r < 0 ? r : 1;
}
