/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "run/attach.h"
#include "run/environment.h"
#include "run/files.h"
#include "run/ids.h"
#include "run/plan.h"
#include "run/volume.h"
#include "util/capability.h"
#include "util/fd.h"
#include "util/strv.h"

#define PIDS_DEFAULT 2048 /* as Podman */
#define SHM_UNLIMITED (UINT64_C(1) << 62)

static bool has_user_namespace(const SpecProcess *p) {
        return p->userns != SPEC_USERNS_HOST;
}

uint32_t plan_ids_needed(const SpecProcess *p) {
        return has_user_namespace(p) && p->uid_map.n == 0 && p->gid_map.n == 0 ? IDS_RANGE : 0;
}

static int maps_copy(const SpecIdMap *items, size_t n, IdMap **ret, size_t *ret_n) {
        IdMap *maps = calloc(n, sizeof(*maps));

        if (!maps)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                maps[i] = (IdMap){ items[i].inside, items[i].outside, items[i].count };
        *ret = maps;
        *ret_n = n;
        return 0;
}

static int maps_make(const SpecProcess *p, uint32_t base, World *w) {
        const SpecIdMap range = {
                .inside = 0,
                .outside = base,
                .count = p->userns == SPEC_USERNS_AUTO && p->userns_size > 0 ? p->userns_size : IDS_RANGE,
        };
        const SpecIdMap *uid = p->uid_map.items, *gid = p->gid_map.items;
        size_t n_uid = p->uid_map.n, n_gid = p->gid_map.n;
        int r;

        w->user_namespace = has_user_namespace(p);
        if (!w->user_namespace)
                return 0;
        if (n_uid == 0 && n_gid == 0) {
                uid = gid = &range;
                n_uid = n_gid = 1;
        } else if (n_gid == 0) { /* one without the other stands for both, as Podman has it */
                gid = uid;
                n_gid = n_uid;
        } else if (n_uid == 0) {
                uid = gid;
                n_uid = n_gid;
        }
        r = maps_copy(uid, n_uid, &w->uid_map, &w->n_uid_map);
        return r < 0 ? r : maps_copy(gid, n_gid, &w->gid_map, &w->n_gid_map);
}

/* The directory of the instance with an overlay upper in it, plain ids as in the store. */
static int upper_make(const char *directory, char **ret, Error *reterr) {
        static const char *const parts[] = { "upper", "work" };
        int r = mkdir_parents(AT_FDCWD, directory, 0700);

        for (size_t i = 0; i < ELEMENTSOF(parts) && r >= 0; i++) {
                _cleanup_free_ char *path = str_format("%s/%s", directory, parts[i]);

                if (!path)
                        return -ENOMEM;
                /* The upper's own mode becomes that of the instance's "/". */
                if ((mkdir(path, 0755) < 0 && errno != EEXIST) || chmod(path, 0755) < 0)
                        r = -errno;
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the instance's directory '%s'", directory);
        *ret = strdup(directory);
        return *ret ? 0 : -ENOMEM;
}

static int root_make(const Spec *spec, const SpecProcess *p, const Image *image, const PlanNames *names, World *w,
        Error *reterr) {
        w->read_only = p->read_only.value;
        w->read_only_tmpfs = w->read_only && spec_read_only_tmpfs(p);
        if (image) {
                w->layers = strv_copy(image->layers);
                if (!w->layers)
                        return -ENOMEM;
        } else {
                w->rootfs = strdup(p->rootfs.value);
                w->rootfs_overlay = p->rootfs_overlay;
                if (!w->rootfs)
                        return -ENOMEM;
        }
        if (w->read_only || (w->rootfs && !w->rootfs_overlay))
                return 0;
        return upper_make(names->directory, &w->upper, reterr);
}

static WorldMount *mount_add(World *w) {
        WorldMount *p = reallocarray(w->mounts, w->n_mounts + 1, sizeof(*p));

        if (!p)
                return NULL;
        w->mounts = p;
        p[w->n_mounts] = (WorldMount){ 0 };
        return &p[w->n_mounts++];
}

static int copy_text(const char *text, char **ret) {
        *ret = text ? strdup(text) : NULL;
        return text && !*ret ? -ENOMEM : 0;
}

/* A volume without a name lives in the instance's directory, and ends with it. */
static int anonymous_make(const PlanNames *names, size_t number, char **ret, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        int r;

        path = str_format("%s/volume-%zu", names->directory, number);
        if (!path)
                return -ENOMEM;
        r = mkdir_parents(AT_FDCWD, names->directory, 0700);
        if (r >= 0 && ((mkdir(path, 0755) < 0 && errno != EEXIST) || chmod(path, 0755) < 0))
                r = -errno;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make a volume in '%s'", names->directory);
        *ret = TAKE_PTR(path);
        return 0;
}

static uint64_t mount_attributes(const SpecMount *m) {
        return (m->read_only ? MOUNT_ATTR_RDONLY : 0) | (m->nosuid ? MOUNT_ATTR_NOSUID : 0) |
                (m->nodev ? MOUNT_ATTR_NODEV : 0) | (m->noexec ? MOUNT_ATTR_NOEXEC : 0) |
                (m->noatime ? MOUNT_ATTR_NOATIME : 0);
}

static uint64_t mount_propagation(const SpecMount *m) {
        uint64_t recursive = m->recursive_propagation ? MS_REC : 0;

        switch (m->propagation) {
        case SPEC_PROPAGATION_SLAVE:
                return MS_SLAVE | recursive;
        case SPEC_PROPAGATION_SHARED:
                return MS_SHARED | recursive;
        case SPEC_PROPAGATION_PRIVATE:
        case _SPEC_PROPAGATION_MAX:
        case _SPEC_PROPAGATION_INVALID:
                break;
        }
        return MS_PRIVATE | recursive;
}

static int mount_source(const SpecMount *m, const PlanNames *names, World *w, WorldMount *ret, Error *reterr) {
        _cleanup_image_ Image *image = NULL;
        int r;

        switch (m->type) {
        case SPEC_MOUNT_BIND:
                ret->type = WORLD_MOUNT_BIND;
                return copy_text(m->source, &ret->source);
        case SPEC_MOUNT_VOLUME:
                ret->type = WORLD_MOUNT_BIND;
                if (!m->source) {
                        ret->copy_up = m->copy;
                        return anonymous_make(names, w->n_mounts, &ret->source, reterr);
                }
                r = volume_open(m->source, &ret->source, &ret->copy_up, reterr);
                ret->copy_up = ret->copy_up && m->copy;
                return r;
        case SPEC_MOUNT_TMPFS:
                ret->type = WORLD_MOUNT_TMPFS;
                return copy_text(m->data, &ret->options);
        case SPEC_MOUNT_IMAGE:
                ret->type = WORLD_MOUNT_IMAGE;
                r = image_open(NULL, m->source, &image, reterr);
                if (r < 0)
                        return r;
                ret->layers = strv_copy(image->layers);
                return ret->layers ? 0 : -ENOMEM;
        case _SPEC_MOUNT_TYPE_MAX:
        case _SPEC_MOUNT_TYPE_INVALID:
                break;
        }
        return -EINVAL;
}

static int mount_make(const Spec *spec, const SpecMount *m, const PlanNames *names, World *w, Error *reterr) {
        WorldMount *add = mount_add(w);
        char origin[512];
        int r;

        if (!add)
                return -ENOMEM;
        add->attributes = mount_attributes(m);
        add->recursive = m->recursive;
        add->idmap = w->user_namespace;
        /* A volume is as good as its ids are right; what is the host's may be of any file system, /proc and NFS too. */
        add->idmap_optional = m->type == SPEC_MOUNT_BIND && !m->own;
        add->own = m->own;
        add->tmpcopyup = m->tmpcopyup;
        add->propagation = mount_propagation(m);
        r = copy_text(m->target, &add->target);
        if (r >= 0)
                r = copy_text(m->subpath, &add->subpath);
        if (r >= 0)
                r = mount_source(m, names, w, add, reterr);
        if (r < 0 && reterr && *reterr->text)
                (void) error_prefix(reterr, "%s", spec_origin_text(spec, m->origin, origin, sizeof(origin)));
        return r;
}

static bool is_mounted(const World *w, const char *target) {
        for (size_t i = 0; i < w->n_mounts; i++)
                if (streq(w->mounts[i].target, target))
                        return true;
        return false;
}

/* VOLUME of the image. Where the root can be written, its upper is that volume already: both end with the instance. */
static int image_volumes_make(const Image *image, const PlanNames *names, World *w, Error *reterr) {
        if (image && image->volumes && !w->read_only) {
                w->volumes = strv_copy(image->volumes);
                return w->volumes ? 0 : -ENOMEM;
        }
        for (char **v = image ? image->volumes : NULL; v && *v; v++) {
                WorldMount *add;
                int r;

                if (is_mounted(w, *v) || !(*v)[0] || streq(*v, "/"))
                        continue;
                add = mount_add(w);
                if (!add)
                        return -ENOMEM;
                *add = (WorldMount){ .type = WORLD_MOUNT_BIND, .idmap = w->user_namespace, .copy_up = true,
                        .attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID };
                r = copy_text(*v, &add->target);
                if (r >= 0)
                        r = anonymous_make(names, w->n_mounts - 1, &add->source, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int notify_make(const PlanNames *names, World *w) {
        WorldMount *add;
        int r;

        if (!names->notify_socket)
                return 0;
        add = mount_add(w);
        if (!add)
                return -ENOMEM;
        /* Not idmapped: the socket is open to all, and its owner is nobody inside. */
        *add = (WorldMount){ .type = WORLD_MOUNT_BIND };
        r = copy_text(names->notify_socket, &add->source);
        if (r >= 0)
                r = copy_text(PLAN_NOTIFY_TARGET, &add->target);
        return r < 0 ? r : spec_env_set(&w->env, "NOTIFY_SOCKET", PLAN_NOTIFY_TARGET);
}

static int device_add(World *w, const SpecDevice *d, const char *source, const char *target) {
        WorldDevice *p = reallocarray(w->devices, w->n_devices + 1, sizeof(*p));
        int r;

        if (!p)
                return -ENOMEM;
        w->devices = p;
        p += w->n_devices++;
        *p = (WorldDevice){ .read = d->read, .write = d->write, .mknod = d->mknod };
        r = copy_text(source, &p->source);
        return r < 0 ? r : copy_text(target, &p->target);
}

#define DEVICE_DEPTH_MAX 8

/* A directory stands for all device nodes below it. */
static int device_add_tree(World *w, const SpecDevice *d, const char *source, const char *target, unsigned depth) {
        struct dirent **entries = NULL;
        struct stat st;
        int n, r = 0;

        if (stat(source, &st) < 0)
                return -errno;
        if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
                return device_add(w, d, source, target);
        if (!S_ISDIR(st.st_mode))
                return depth == 0 ? -ENODEV : 0;
        if (depth >= DEVICE_DEPTH_MAX)
                return -ELOOP;
        n = scandir(source, &entries, NULL, alphasort);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *below = NULL, *inside = NULL;

                if (r >= 0 && entries[i]->d_name[0] != '.') {
                        below = str_format("%s/%s", source, entries[i]->d_name);
                        inside = str_format("%s/%s", target, entries[i]->d_name);
                        r = below && inside ? device_add_tree(w, d, below, inside, depth + 1) : -ENOMEM;
                }
                free(entries[i]);
        }
        free(entries);
        return r;
}

static int devices_make(const Spec *spec, const SpecProcess *p, World *w, Error *reterr) {
        char origin[512];

        for (size_t i = 0; i < p->devices.n; i++) {
                const SpecDevice *d = &p->devices.items[i];
                int r;

                r = device_add_tree(w, d, d->source, d->target, 0);
                if (r == -ENOENT && d->optional)
                        continue;
                if (r < 0)
                        return error_set_errno(reterr, r, "%s: cannot use device '%s'",
                                spec_origin_text(spec, d->origin, origin, sizeof(origin)), d->source);
        }
        return 0;
}

static int texts_copy(const SpecText *items, size_t n, char ***ret) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = strv_append(ret, items[i].value);
        return r;
}

static int limits_make(const SpecProcess *p, World *w) {
        w->limits = calloc(p->ulimits.n + 1, sizeof(*w->limits));
        if (!w->limits)
                return -ENOMEM;
        for (size_t i = 0; i < p->ulimits.n; i++) {
                const SpecUlimit *u = &p->ulimits.items[i];

                if (u->host) /* what the supervisor has, its children have */
                        continue;
                w->limits[w->n_limits++] = (WorldLimit){
                        .resource = u->resource,
                        .soft = u->soft == SPEC_INFINITY ? RLIM_INFINITY : u->soft,
                        .hard = u->hard == SPEC_INFINITY ? RLIM_INFINITY : u->hard,
                };
        }
        return 0;
}

/* A host name of at most 64 bytes of letters, digits, '-' and '.', hostname(7). On the host's network it is the host's, as Podman has it. */
static int hostname_make(const SpecProcess *p, const char *container_name, World *w) {
        struct utsname u;

        if (p->hostname.value)
                return copy_text(p->hostname.value, &w->hostname);
        if (p->network == SPEC_NETWORK_HOST)
                return uname(&u) < 0 ? -errno : copy_text(u.nodename, &w->hostname);
        w->hostname = strndup(container_name, 64);
        for (char *c = w->hostname; c && *c; c++)
                if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-", *c))
                        *c = '-';
        return w->hostname ? 0 : -ENOMEM;
}

static int user_make(const SpecProcess *p, const Image *image, World *w) {
        if (!p->user.value)
                return copy_text(image ? image->user : NULL, &w->user);
        if (!p->group.value)
                return copy_text(p->user.value, &w->user);
        w->user = str_format("%s:%s", p->user.value, p->group.value);
        return w->user ? 0 : -ENOMEM;
}

static int privileges_make(const SpecProcess *p, World *w) {
        int r = 0;

        w->capabilities = spec_capabilities(p, CAPABILITIES_DEFAULT, cap_max_bits() - 1);
        w->ambient = p->add_capabilities & w->capabilities;
        w->no_new_privileges = p->no_new_privileges.value;
        w->seccomp = !streq_ptr(p->seccomp.value, "unconfined");
        w->run_init = p->run_init.value;
        /* A network of its own lets root ping, as Podman has it. */
        if (w->network_namespace)
                r = strv_append(&w->sysctls, "net.ipv4.ping_group_range=0 0");
        w->shm_size = !p->shm_size.set ? 0 : MIN(p->shm_size.value, SHM_UNLIMITED);
        for (size_t i = 0; i < p->sysctls.n && r >= 0; i++)
                if (!attach_is_sysctl(p, p->sysctls.items[i].name))
                        r = strv_appendf(&w->sysctls, "%s=%s", p->sysctls.items[i].name, p->sysctls.items[i].value);
        if (r >= 0)
                r = texts_copy(p->groups.items, p->groups.n, &w->groups);
        if (r >= 0)
                r = texts_copy(p->mask.items, p->mask.n, &w->mask);
        if (r >= 0)
                r = texts_copy(p->unmask.items, p->unmask.n, &w->unmask);
        return r < 0 ? r : limits_make(p, w);
}

int plan_world(const Spec *spec, const SpecProcess *p, const Image *image, const PlanNames *names, uint32_t id_base,
        World *ret, Error *reterr) {
        EnvironmentNames environment = { .app = names->app, .instance = names->instance, .release = names->release };
        _cleanup_(world_clear) World w = { 0 };
        int r;

        *reterr = (Error){ 0 };
        w.network_joined = p->network == SPEC_NETWORK_CONTAINER;
        w.network_namespace = p->network != SPEC_NETWORK_HOST && !w.network_joined;
        w.network_links = names->network;
        w.takeover = p->ports.n > 0 && p->publish_by != SPEC_PUBLISH_BY_NAT;
        r = copy_text(names->app, &w.app);
        if (r >= 0)
                r = copy_text(names->instance, &w.instance);
        if (r >= 0)
                r = maps_make(p, id_base, &w);
        if (r >= 0)
                r = root_make(spec, p, image, names, &w, reterr);
        if (r >= 0)
                r = hostname_make(p, names->container_name, &w);
        for (size_t i = 0; i < p->mounts.n && r >= 0; i++)
                r = mount_make(spec, &p->mounts.items[i], names, &w, reterr);
        if (r >= 0)
                r = image_volumes_make(image, names, &w, reterr);
        if (r >= 0)
                r = devices_make(spec, p, &w, reterr);
        if (r >= 0)
                r = files_make(spec, p, names->container_name, names->network, &w, reterr);
        environment.hostname = w.hostname;
        if (r >= 0)
                r = environment_make(spec, p, image, &environment, &w.env, reterr);
        if (r >= 0)
                r = command_make(spec, p, image, w.env, &w.argv, reterr);
        if (r >= 0)
                r = notify_make(names, &w);
        if (r >= 0)
                r = user_make(p, image, &w);
        if (r >= 0)
                r = copy_text(p->working_dir.value ? p->working_dir.value : image ? image->workdir : NULL, &w.cwd);
        w.cwd_given = p->working_dir.value;
        if (r >= 0)
                r = privileges_make(p, &w);
        if (r < 0)
                return *reterr->text ? r : error_set_errno(reterr, r, "cannot plan the instance");
        *ret = w;
        w = (World){ 0 };
        return 0;
}

void plan_scope(const Spec *spec, const SpecProcess *p, ScopeSettings *ret) {
        ret->spec = spec;
        if (p->memory.set)
                ret->memory_max = p->memory.value;
        if (p->swap.set)
                ret->memory_swap_max = p->swap.value;
        if (p->cpu_quota.set)
                ret->cpu_quota_usec = p->cpu_quota.value;
        if (p->cpu_weight.set)
                ret->cpu_weight = p->cpu_weight.value;
        if (p->io_weight.set)
                ret->io_weight = p->io_weight.value;
        ret->tasks_max = p->pids.set ? p->pids.value : PIDS_DEFAULT;
}
