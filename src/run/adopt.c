/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "run/adopt.h"
#include "run/cgroup.h"
#include "run/instance.h"
#include "run/names.h"
#include "run/publish.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

#define ORIGINS_SIZE_MAX ((size_t) SPEC_FRAGMENTS_MAX * PATH_MAX)

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
        for (size_t i = 0; i < a->n_pins; i++)
                fd_close(a->pins[i]);
        free(a->items);
        free(a->pins);
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

static int adopted_add_pin(Adoption *a, int fd) {
        int *p = reallocarray(a->pins, a->n_pins + 1, sizeof(*p));

        if (!p) {
                fd_close(fd);
                return -ENOMEM;
        }
        a->pins = p;
        p[a->n_pins++] = fd;
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

int adoption_collect(const char *name, Adoption *ret) {
        _cleanup_strv_ char **names = NULL;
        int n = sd_listen_fds_with_names(true, &names), r = 0;

        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i;

                (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
                if (r < 0)
                        fd_close(fd);
                else if ((is_internet(fd) && !str_ends_with(names[i], ADOPT_DNS_SUFFIX)) || str_after(names[i], ADOPT_PORT_PREFIX))
                        r = adopted_add_socket(ret, names[i], fd);
                else
                        r = streq(names[i], ADOPT_IMAGE_NAME) ? adopted_add_pin(ret, fd) : adopted_add(ret, names[i], fd);
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
        _cleanup_free_ char *path = str_format(CGROUP_ROOT "/berth.slice/%s", slice);
        int fd;

        if (!path)
                return -ENOMEM;
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static AdoptedFds *adopted_for(Adoption *a, const Instance *i) {
        for (size_t k = 0; k < a->n; k++)
                if (streq(a->items[k].name, i->name))
                        return &a->items[k];
        return NULL;
}

static void adopt_instance(Instance *i, Adoption *a, AdoptedFds *fds, const InstanceStatus *status) {
        int r;

        bool binds = i->process->n_ports == 0 || (fds->binds >= 0 && fds->binds_memory >= 0);

        if (!status || fds->pidfd < 0 || fds->pipe < 0 || fds->memory < 0 || !binds) {
                log_warning("Instance '%s' of app '%s': what is stored of it is not complete, it is ended", i->name, i->sv->name);
                if (fds->pidfd >= 0)
                        (void) pidfd_send_signal(fds->pidfd, SIGKILL, NULL, 0);
                return;
        }
        r = instance_adopt(i, status, TAKE_FD(fds->pidfd), TAKE_FD(fds->pipe), TAKE_FD(fds->memory), TAKE_FD(fds->notify));
        if (r >= 0 && i->process->n_ports > 0)
                r = publish_adopt(i, TAKE_FD(fds->binds), TAKE_FD(fds->binds_memory), a);
        if (r >= 0 && *status->network)
                r = names_adopt(i, TAKE_FD(fds->dns_udp), TAKE_FD(fds->dns_tcp));
        if (r < 0)
                log_warning("Instance '%s' of app '%s': cannot be taken over: %s", i->name, i->sv->name, strerror(-r));
        else
                log_notice("Instance '%s' of app '%s': taken over from an earlier supervisor", i->name, i->sv->name);
}

void adopt_instances(Supervisor *sv, Adoption *a) {
        _cleanup_(app_state_clear) AppState state = { 0 };

        if (a->n == 0) {
                _cleanup_free_ char *directory = str_format(BERTH_APP_DIR "/%s/instance", sv->name);

                adopt_kill_all(sv->slice_cgroup);
                /* A power cut or a lost run-time state leaves these. */
                if (directory)
                        (void) remover_take(sv->remover, directory);
                return;
        }
        (void) app_state_read(BERTH_RUN_DIR, sv->name, &state);
        if (state.since_usec != 0)
                sv->since_usec = state.since_usec;
        for (size_t k = 0; k < sv->n_instances; k++) {
                AdoptedFds *fds = adopted_for(a, sv->instances[k]);

                if (fds)
                        adopt_instance(sv->instances[k], a, fds, app_state_instance(&state, sv->instances[k]->name));
        }
        for (size_t k = 0; k < a->n; k++)
                if (a->items[k].pidfd >= 0) {
                        _cleanup_free_ char *text = str_format("FDSTOREREMOVE=1\nFDNAME=%s", a->items[k].name);

                        (void) pidfd_send_signal(a->items[k].pidfd, SIGKILL, NULL, 0);
                        if (text)
                                (void) sd_notify(0, text);
                }
        sv->pins = TAKE_PTR(a->pins);
        sv->n_pins = a->n_pins;
        a->n_pins = 0;
}

static int copy_file(const char *from, const char *to) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r = read_file(AT_FDCWD, from, SPEC_FILE_SIZE_MAX, &data, &size);

        return r < 0 ? r : write_file(AT_FDCWD, to, data, size, 0600, false);
}

/* The paths of the originals, each with its NUL, in the order of the fragments. */
static int origins_store(const Supervisor *sv) {
        _cleanup_free_ char *to = str_format("%s/spec/origins", sv->run_directory);
        _cleanup_buf_ Buf b = BUF_INIT;

        if (!to)
                return -ENOMEM;
        for (char **path = sv->spec->fragments; *path; path++)
                if (buf_append(&b, *path, strlen(*path) + 1) < 0)
                        return -ENOMEM;
        return write_file(AT_FDCWD, to, b.data, b.size, 0600, false);
}

static int origins_load(const char *directory, char ***ret) {
        _cleanup_free_ char *from = str_format("%s/origins", directory), *data = NULL;
        _cleanup_strv_ char **origins = NULL;
        size_t size;
        int r;

        if (!from)
                return -ENOMEM;
        r = read_file(AT_FDCWD, from, ORIGINS_SIZE_MAX, &data, &size);
        for (size_t at = 0; r >= 0 && at < size; at += strlen(data + at) + 1)
                r = strv_append(&origins, data + at);
        if (r >= 0)
                *ret = TAKE_PTR(origins);
        return r;
}

/* The first fragment is the spec, or the template that it is an instance of; its drop-ins apply to the same name. */
static int spec_store(const Supervisor *sv) {
        const char *base = strrchr(sv->spec->fragments[0], '/');
        _cleanup_free_ char *directory = NULL;
        int r = 0;

        base = base ? base + 1 : sv->spec->fragments[0];
        directory = str_format("%s/spec/%s.d", sv->run_directory, base);
        if (!directory)
                return -ENOMEM;
        r = mkdir_parents(AT_FDCWD, directory, 0700);
        for (unsigned i = 0; sv->spec->fragments[i] && r >= 0; i++) {
                _cleanup_free_ char *to = i == 0 ? str_format("%s/spec/%s", sv->run_directory, base) :
                                                   str_format("%s/%04u.conf", directory, i);

                if (!to)
                        return -ENOMEM;
                r = copy_file(sv->spec->fragments[i], to);
        }
        return r < 0 ? r : origins_store(sv);
}

/* What Image=NAME.image meant when the spec was read. A name of an image has nothing that a file would have to escape. */
static int image_files_store(const Supervisor *sv) {
        int r = 0;

        for (size_t i = 0; i < sv->spec->n_processes && r >= 0; i++) {
                const SpecProcess *p = sv->spec->processes + i;
                _cleanup_free_ char *to = NULL, *text = NULL;

                if (!p->image_file)
                        continue;
                to = str_format("%s/spec/%s.image", sv->run_directory, p->image_file);
                text = str_format("[Image]\nImage=%s\n", p->image.value);
                r = to && text ? write_file(AT_FDCWD, to, text, strlen(text), 0600, false) : -ENOMEM;
        }
        return r;
}

/* Lines of one key, none of whose values has anything that a file would have to escape. */
static int put_texts(Buf *b, const char *key, const SpecText *items, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                if (items[i].value)
                        r = buf_printf(b, "%s=%s\n", key, items[i].value);
        return r;
}

/* Likewise what Network=NAME.network meant. */
static int network_file_put(Buf *b, const Spec *file) {
        const SpecNetworkFile *n = &file->net;
        int r = buf_printf(b, "[Network]\nNetworkName=%s\nInternal=%d\nIPv6=%d\nDisableDNS=%d\nOptions=isolate=%d\n", spec_network_name(file),
                n->internal.value, n->ipv6.value, n->disable_dns.value, n->isolate.value != 0);

        if (r >= 0 && n->mtu.set)
                r = buf_printf(b, "Options=mtu=%u\n", (unsigned) n->mtu.value);
        if (r >= 0)
                r = put_texts(b, "Subnet", n->subnets.items, n->subnets.n);
        if (r >= 0)
                r = put_texts(b, "Gateway", n->gateways.items, n->gateways.n);
        if (r >= 0)
                r = put_texts(b, "IPRange", n->ranges.items, n->ranges.n);
        if (r >= 0)
                r = put_texts(b, "DNS", n->dns.items, n->dns.n);
        return r < 0 ? r : put_texts(b, "InterfaceName", &n->interface_name, 1);
}

static int network_files_store(const Supervisor *sv) {
        int r = 0;

        for (size_t i = 0; i < sv->spec->n_processes && r >= 0; i++) {
                const SpecProcess *p = sv->spec->processes + i;
                _cleanup_free_ char *to = NULL;
                _cleanup_buf_ Buf b = BUF_INIT;

                if (!p->network_spec)
                        continue;
                to = str_format("%s/spec/%s.network", sv->run_directory, p->network_file);
                r = to ? network_file_put(&b, p->network_spec) : -ENOMEM;
                if (r >= 0)
                        r = write_file(AT_FDCWD, to, b.data, b.size, 0600, false);
        }
        return r;
}

void adopt_spec_store(const Supervisor *sv) {
        int r = spec_store(sv);

        if (r >= 0)
                r = image_files_store(sv);
        if (r >= 0)
                r = network_files_store(sv);
        if (r < 0)
                log_warning("Supervisor '%s': cannot keep a copy of its spec: %s", sv->name, strerror(-r));
}

int adopt_spec_load(const char *name, const char *run_directory, Spec **ret) {
        _cleanup_free_ char *directory = str_format("%s/spec", run_directory);
        _cleanup_strv_ char **origins = NULL;
        int r;

        if (!directory)
                return -ENOMEM;
        r = origins_load(directory, &origins);
        return r < 0 ? r : spec_load_copy(name, directory, origins, NULL, ret);
}
