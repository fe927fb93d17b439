/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/world.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

#define WORLD_MAGIC UINT64_C(0x32646c726f776562) /* "beworld2" */
#define WORLD_SIZE_MAX (16U << 20)
#define WORLD_NULL UINT32_MAX

/* One walk over the fields serves both directions, so that they cannot drift apart: with out set it appends
 * every field, with in set it fills every field. The first error sticks. */
typedef struct Codec {
        Buf *out;
        const char *in;
        size_t left;
        int error;
} Codec;

static void codec_fail(Codec *c, int error) {
        if (c->error == 0)
                c->error = error;
}

static void codec_bytes(Codec *c, void *data, size_t size) {
        if (c->error < 0)
                return;
        if (c->out) {
                if (buf_append(c->out, data, size) < 0)
                        codec_fail(c, -ENOMEM);
                return;
        }
        if (size > c->left) {
                codec_fail(c, -EBADMSG);
                return;
        }
        if (size > 0)
                memcpy(data, c->in, size);
        c->in += size;
        c->left -= size;
}

static void codec_u32(Codec *c, uint32_t *v) {
        codec_bytes(c, v, sizeof(*v));
}

static void codec_u64(Codec *c, uint64_t *v) {
        codec_bytes(c, v, sizeof(*v));
}

static void codec_int(Codec *c, int *v) {
        codec_bytes(c, v, sizeof(*v));
}

static void codec_bool(Codec *c, bool *v) {
        uint8_t byte = *v ? 1 : 0;

        codec_bytes(c, &byte, sizeof(byte));
        if (!c->out) {
                if (byte > 1)
                        codec_fail(c, -EBADMSG);
                *v = byte == 1;
        }
}

/* A length that counts things of at least `unit` bytes each: what cannot fit the rest of the file is a lie. */
static size_t codec_count(Codec *c, size_t n, size_t unit) {
        uint32_t count = (uint32_t) n;

        if (c->out && n >= WORLD_NULL)
                codec_fail(c, -E2BIG);
        codec_u32(c, &count);
        if (!c->out && c->error == 0 && count > c->left / unit)
                codec_fail(c, -EBADMSG);
        return c->error < 0 ? 0 : count;
}

/* NUL bytes within a string would let two readers see two different strings. */
static void codec_string(Codec *c, char **s) {
        size_t length = c->out && *s ? strlen(*s) : 0;
        uint32_t size = c->out && !*s ? WORLD_NULL : (uint32_t) length;
        char *p;

        if (length >= WORLD_SIZE_MAX)
                codec_fail(c, -E2BIG);
        codec_u32(c, &size);
        if (c->error < 0 || size == WORLD_NULL)
                return;
        if (c->out) {
                codec_bytes(c, *s, size);
                return;
        }
        if (size > c->left || memchr(c->in, 0, size)) {
                codec_fail(c, -EBADMSG);
                return;
        }
        p = strndup(c->in, size);
        if (!p) {
                codec_fail(c, -ENOMEM);
                return;
        }
        *s = p;
        c->in += size;
        c->left -= size;
}

static void codec_strv(Codec *c, char ***v) {
        size_t n = codec_count(c, c->out ? strv_length(*v) : 0, sizeof(uint32_t));

        if (c->error < 0)
                return;
        if (!c->out) {
                *v = calloc(n + 1, sizeof(char *));
                if (!*v) {
                        codec_fail(c, -ENOMEM);
                        return;
                }
        }
        for (size_t i = 0; i < n && c->error == 0; i++) {
                codec_string(c, &(*v)[i]);
                if (c->error == 0 && !(*v)[i])
                        codec_fail(c, -EBADMSG);
        }
}

static void codec_content(Codec *c, char **data, size_t *size) {
        size_t n = codec_count(c, *size, 1);

        if (c->error < 0)
                return;
        if (!c->out) {
                *data = malloc(n + 1);
                if (!*data) {
                        codec_fail(c, -ENOMEM);
                        return;
                }
                (*data)[n] = 0;
                *size = n;
        }
        codec_bytes(c, *data, n);
}

/* Makes room for n elements when reading; returns false where there is nothing to walk. */
static bool codec_array(Codec *c, void **array, size_t *n, size_t element, size_t max) {
        size_t count = codec_count(c, *n, 1);

        if (c->error == 0 && count > max)
                codec_fail(c, -E2BIG);
        if (c->error < 0)
                return false;
        if (!c->out && count > 0) {
                *array = calloc(count, element);
                if (!*array) {
                        codec_fail(c, -ENOMEM);
                        return false;
                }
                *n = count;
        }
        return count > 0;
}

static void codec_id_map(Codec *c, IdMap **map, size_t *n) {
        if (!codec_array(c, (void **) map, n, sizeof(IdMap), WORLD_ID_MAPS_MAX))
                return;
        for (size_t i = 0; i < *n; i++) {
                IdMap *m = *map + i;

                codec_u32(c, &m->inside);
                codec_u32(c, &m->outside);
                codec_u32(c, &m->count);
        }
}

#define WORLD_ITEMS_MAX 4096

static void codec_mounts(Codec *c, World *w) {
        if (!codec_array(c, (void **) &w->mounts, &w->n_mounts, sizeof(WorldMount), WORLD_ITEMS_MAX))
                return;
        for (size_t i = 0; i < w->n_mounts && c->error == 0; i++) {
                WorldMount *m = w->mounts + i;
                int type = m->type;

                codec_int(c, &type);
                if (type < 0 || type >= _WORLD_MOUNT_TYPE_MAX)
                        codec_fail(c, -EBADMSG);
                else
                        m->type = (WorldMountType) type;
                codec_string(c, &m->source);
                codec_string(c, &m->target);
                codec_string(c, &m->subpath);
                codec_string(c, &m->options);
                codec_strv(c, &m->layers);
                codec_u64(c, &m->attributes);
                codec_bool(c, &m->recursive);
                codec_bool(c, &m->idmap);
                codec_bool(c, &m->idmap_optional);
                codec_bool(c, &m->own);
                codec_bool(c, &m->copy_up);
                codec_bool(c, &m->tmpcopyup);
                codec_u64(c, &m->propagation);
        }
}

static void codec_devices(Codec *c, World *w) {
        if (!codec_array(c, (void **) &w->devices, &w->n_devices, sizeof(WorldDevice), WORLD_ITEMS_MAX))
                return;
        for (size_t i = 0; i < w->n_devices && c->error == 0; i++) {
                WorldDevice *d = w->devices + i;

                codec_string(c, &d->source);
                codec_string(c, &d->target);
                codec_bool(c, &d->read);
                codec_bool(c, &d->write);
                codec_bool(c, &d->mknod);
        }
}

static void codec_files(Codec *c, World *w) {
        if (!codec_array(c, (void **) &w->files, &w->n_files, sizeof(WorldFile), WORLD_ITEMS_MAX))
                return;
        for (size_t i = 0; i < w->n_files && c->error == 0; i++) {
                WorldFile *f = w->files + i;

                codec_string(c, &f->target);
                codec_content(c, &f->content, &f->size);
                codec_u32(c, &f->mode);
                codec_u32(c, &f->uid);
                codec_u32(c, &f->gid);
                codec_bool(c, &f->writable);
        }
}

static void codec_limits(Codec *c, World *w) {
        if (!codec_array(c, (void **) &w->limits, &w->n_limits, sizeof(WorldLimit), WORLD_ITEMS_MAX))
                return;
        for (size_t i = 0; i < w->n_limits; i++) {
                WorldLimit *l = w->limits + i;

                codec_int(c, &l->resource);
                codec_u64(c, &l->soft);
                codec_u64(c, &l->hard);
        }
}

static void codec_world(Codec *c, World *w) {
        uint64_t magic = WORLD_MAGIC;

        codec_u64(c, &magic);
        if (magic != WORLD_MAGIC)
                codec_fail(c, -EBADMSG);
        codec_string(c, &w->app);
        codec_string(c, &w->instance);

        codec_strv(c, &w->layers);
        codec_string(c, &w->rootfs);
        codec_string(c, &w->upper);
        codec_bool(c, &w->rootfs_overlay);
        codec_bool(c, &w->read_only);
        codec_bool(c, &w->read_only_tmpfs);

        codec_bool(c, &w->user_namespace);
        codec_bool(c, &w->network_namespace);
        codec_bool(c, &w->network_joined);
        codec_bool(c, &w->network_links);
        codec_id_map(c, &w->uid_map, &w->n_uid_map);
        codec_id_map(c, &w->gid_map, &w->n_gid_map);

        codec_string(c, &w->hostname);
        codec_mounts(c, w);
        codec_devices(c, w);
        codec_files(c, w);
        codec_strv(c, &w->mask);
        codec_strv(c, &w->unmask);
        codec_strv(c, &w->volumes);
        codec_strv(c, &w->sysctls);
        codec_u64(c, &w->shm_size);

        codec_strv(c, &w->argv);
        codec_strv(c, &w->env);
        codec_string(c, &w->user);
        codec_strv(c, &w->groups);
        codec_string(c, &w->cwd);
        codec_bool(c, &w->cwd_given);
        codec_u64(c, &w->capabilities);
        codec_u64(c, &w->ambient);
        codec_bool(c, &w->no_new_privileges);
        codec_bool(c, &w->seccomp);
        codec_bool(c, &w->takeover);
        codec_bool(c, &w->run_init);
        codec_bool(c, &w->terminal);
        codec_limits(c, w);
        codec_bool(c, &w->oom_score_adj_set);
        codec_int(c, &w->oom_score_adj);
}

void world_clear(World *w) {
        free(w->app);
        free(w->instance);
        strv_free(w->layers);
        free(w->rootfs);
        free(w->upper);
        free(w->uid_map);
        free(w->gid_map);
        free(w->hostname);
        for (size_t i = 0; i < w->n_mounts; i++) {
                free(w->mounts[i].source);
                free(w->mounts[i].target);
                free(w->mounts[i].subpath);
                free(w->mounts[i].options);
                strv_free(w->mounts[i].layers);
        }
        free(w->mounts);
        for (size_t i = 0; i < w->n_devices; i++) {
                free(w->devices[i].source);
                free(w->devices[i].target);
        }
        free(w->devices);
        for (size_t i = 0; i < w->n_files; i++) {
                free(w->files[i].target);
                free(w->files[i].content);
        }
        free(w->files);
        strv_free(w->mask);
        strv_free(w->unmask);
        strv_free(w->volumes);
        strv_free(w->sysctls);
        strv_free(w->argv);
        strv_free(w->env);
        free(w->user);
        strv_free(w->groups);
        free(w->cwd);
        free(w->limits);
        *w = (World){ 0 };
}

int world_write(const World *w, int fd) {
        _cleanup_buf_ Buf b = BUF_INIT;
        Codec c = { .out = &b };

        /* With out set the walk only reads. */
        codec_world(&c, (World *) w);
        if (c.error < 0)
                return c.error;
        if (b.size > WORLD_SIZE_MAX)
                return -E2BIG;
        return write_all(fd, b.data, b.size);
}

/* What every later step takes for granted, so that none of them has to ask again. */
static int world_check(const World *w, Error *reterr) {
        if (!w->app || !w->instance || !w->argv[0])
                return error_set(reterr, -EBADMSG, "the world has no app, no instance or no command");
        if (w->user_namespace && (w->n_uid_map == 0 || w->n_gid_map == 0))
                return error_set(reterr, -EBADMSG, "the world has a user namespace without id maps");
        for (size_t i = 0; i < w->n_mounts; i++)
                if (!w->mounts[i].target || w->mounts[i].target[0] != '/' ||
                        (w->mounts[i].type == WORLD_MOUNT_BIND && !w->mounts[i].source) ||
                        (w->mounts[i].type == WORLD_MOUNT_IMAGE && !w->mounts[i].layers[0]))
                        return error_set(reterr, -EBADMSG, "mount %zu of the world is incomplete", i);
        for (size_t i = 0; i < w->n_devices; i++)
                if (!w->devices[i].source || !w->devices[i].target || w->devices[i].target[0] != '/')
                        return error_set(reterr, -EBADMSG, "device %zu of the world is incomplete", i);
        for (size_t i = 0; i < w->n_files; i++)
                if (!w->files[i].target || w->files[i].target[0] != '/')
                        return error_set(reterr, -EBADMSG, "file %zu of the world is incomplete", i);
        return 0;
}

int world_read(int fd, World *ret, Error *reterr) {
        _cleanup_free_ char *data = NULL;
        World w = { 0 };
        Codec c = { 0 };
        size_t size;
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return error_set(reterr, -EBADF, "cannot read the world: it is not a file");
        if (st.st_size > WORLD_SIZE_MAX)
                return error_set(reterr, -E2BIG, "cannot read the world: it is larger than 16 MiB");
        size = (size_t) st.st_size;
        data = malloc(size + 1);
        if (!data)
                return error_set_errno(reterr, -ENOMEM, "cannot read the world");
        /* The parent's file offset is shared, so it is left alone. */
        for (size_t done = 0; done < size;) {
                ssize_t n = pread(fd, data + done, size - done, (off_t) done);

                if (n <= 0)
                        return error_set_errno(reterr, n < 0 ? -errno : -EIO, "cannot read the world");
                done += (size_t) n;
        }
        c.in = data;
        c.left = size;
        codec_world(&c, &w);
        if (c.error == 0 && c.left > 0)
                c.error = -EBADMSG;
        r = c.error < 0 ? error_set_errno(reterr, c.error, "cannot read the world") : world_check(&w, reterr);
        if (r < 0) {
                world_clear(&w);
                return r;
        }
        *ret = w;
        return 0;
}
