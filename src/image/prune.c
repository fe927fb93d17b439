/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "image/name.h"
#include "image/prune.h"
#include "image/store-internal.h"
#include "util/fd.h"

typedef struct Candidate {
        StoreImage *image;
        char **repositories; /* of the names that it has or had */
        int64_t since;       /* when it was needed last */
        bool stays;
} Candidate;

typedef struct Prune {
        Store *store;
        StoreWork *work;
        const PrunePolicy *policy;
        const PruneCalls *calls;
        StoreImage *images;
        size_t n_images;
        Candidate *candidates;
        size_t n_candidates;
        uint64_t free; /* bytes that the file system has left, and will have */
        uint64_t wanted_free;
        Pruned done;
} Prune;

static int64_t file_time(Store *store, const char *path) {
        struct stat st;

        return fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mtim.tv_sec;
}

/* The latest of the times in one directory of the image. */
static int latest(Store *store, const char *id, const char *directory, int64_t *since) {
        _cleanup_strv_ char **files = NULL;
        char path[sizeof("image///") + DIGEST_HEX_LENGTH + 8 + NAME_MAX];
        int n = snprintf(path, sizeof(path), "image/%s/%s", digest_hex(id), directory), r;

        r = store_list_directory(store, path, &files);
        for (char **file = files; r >= 0 && *file; file++) {
                (void) snprintf(path + n, sizeof(path) - (size_t) n, "/%s", *file);
                *since = MAX(*since, file_time(store, path));
        }
        return r;
}

/* Stored, started, or had a name: whatever was last. */
static int find_since(Store *store, const char *id, int64_t *ret) {
        char path[sizeof("image//config.json") + DIGEST_HEX_LENGTH];
        int64_t since;
        int r;

        (void) snprintf(path, sizeof(path), "image/%s/config.json", digest_hex(id));
        since = file_time(store, path);
        r = latest(store, id, "use", &since);
        if (r >= 0)
                r = latest(store, id, "was", &since);
        *ret = since;
        return r;
}

static int add_repository(Candidate *c, const char *name) {
        _cleanup_free_ char *repository = strdup(name);
        char *colon = repository ? strrchr(repository, ':') : NULL;

        if (!repository)
                return -ENOMEM;
        if (colon && !strchr(colon, '/'))
                *colon = 0;
        return strv_contains(c->repositories, repository) ? 0 : strv_consume(&c->repositories, TAKE_PTR(repository));
}

static int find_repositories(Store *store, Candidate *c) {
        char path[sizeof("image//was") + DIGEST_HEX_LENGTH];
        _cleanup_strv_ char **files = NULL;
        int r;

        (void) snprintf(path, sizeof(path), "image/%s/was", digest_hex(c->image->image->id));
        r = store_list_directory(store, path, &files);
        for (char **file = files; r >= 0 && *file; file++) {
                _cleanup_free_ char *name = name_from_file(*file);

                r = name ? add_repository(c, name) : -ENOMEM;
        }
        for (char **name = c->image->names; r >= 0 && *name; name++)
                r = add_repository(c, *name);
        return r;
}

/* What runs was needed last just now, whenever it was started. */
static void touch_users(Store *store, const StoreImage *image) {
        for (char **user = image->users; *user; user++) {
                char path[sizeof("image//use/") + DIGEST_HEX_LENGTH + NAME_MAX];

                if (**user == '/') /* where it is mounted */
                        continue;
                (void) snprintf(path, sizeof(path), "image/%s/use/%s", digest_hex(image->image->id), *user);
                (void) utimensat(store->fd, path, NULL, AT_SYMLINK_NOFOLLOW);
        }
}

static int consider(Prune *p, StoreImage *image, Error *reterr) {
        Candidate *c = p->candidates + p->n_candidates;
        int r;

        if (!p->policy->dry_run)
                touch_users(p->store, image);
        if (image->users[0] || image->holders[0] || (image->names[0] && !p->policy->all))
                return 0;
        r = p->calls->needed ? p->calls->needed(p->calls->userdata, image, reterr) : 0;
        if (r != 0)
                return MIN(r, 0);
        *c = (Candidate){ .image = image };
        p->n_candidates++;
        r = find_since(p->store, image->image->id, &c->since);
        if (r >= 0)
                r = find_repositories(p->store, c);
        return r < 0 ? error_set_errno(reterr, r, "cannot look at image %s", image->image->id) : 0;
}

/* The one that was needed last comes first. */
static int compare_since(const void *a, const void *b) {
        const Candidate *x = a, *y = b;

        if (x->since != y->since)
                return x->since > y->since ? -1 : 1;
        return strcmp(x->image->image->id, y->image->image->id);
}

/* How many of those before it have a repository in common with candidate i: with the one that has most. */
static unsigned rank(const Prune *p, size_t i) {
        const Candidate *c = p->candidates + i;
        unsigned best = c->repositories ? 0 : UINT_MAX;

        for (char **repository = c->repositories; repository && *repository; repository++) {
                unsigned n = 0;

                for (size_t j = 0; j < i; j++)
                        n += strv_contains(p->candidates[j].repositories, *repository);
                best = MAX(best, n);
        }
        return best;
}

static void apply_policy(Prune *p) {
        int64_t now = time(NULL);

        qsort(p->candidates, p->n_candidates, sizeof(*p->candidates), compare_since);
        for (size_t i = 0; i < p->n_candidates; i++) {
                Candidate *c = p->candidates + i;
                /* A clock that was set back does not make it older than it is. */
                uint64_t age = now > c->since ? (uint64_t) (now - c->since) : 0;

                c->stays = (p->policy->keep > 0 && rank(p, i) < p->policy->keep) || (p->policy->min_age > 0 && age <= p->policy->min_age);
        }
}

static bool has_layer(const StoreImage *image, const char *layer) {
        return strv_contains(image->image->layer_ids, layer) || strv_contains(image->image->hidden_ids, layer);
}

/* Bytes of the layers that no image has which is left. */
static uint64_t own_bytes(const Prune *p, const StoreImage *image) {
        uint64_t bytes = 0;

        for (char **layer = image->image->layer_ids; *layer; layer++) {
                bool other = false;
                LayerMeta meta;

                for (size_t i = 0; !other && i < p->n_images; i++)
                        other = p->images + i != image && p->images[i].image && has_layer(p->images + i, *layer);
                if (!other && store_layer_meta(p->store, *layer, &meta) >= 0)
                        bytes += meta.size;
        }
        return bytes;
}

static int remove_one(Prune *p, Candidate *c, Error *reterr) {
        uint64_t bytes = own_bytes(p, c->image);
        int r = p->policy->dry_run ? 0 : store_remove_locked(p->work, c->image->image->id, c->image->names);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot remove image %s", c->image->image->id);
        p->done.images++;
        p->free += bytes;
        if (p->calls->removed)
                p->calls->removed(p->calls->userdata, c->image, (uint64_t) c->since, bytes);
        c->image->image = image_free(c->image->image); /* no image that is left */
        return 0;
}

static int look_at_space(Prune *p, Error *reterr) {
        struct statvfs st;
        uint64_t percent;

        if (fstatvfs(p->store->fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot see how much space is left for the image store");
        p->free = (uint64_t) st.f_bavail * st.f_frsize;
        percent = (uint64_t) st.f_blocks / 100 * p->policy->free_percent * st.f_frsize;
        p->wanted_free = MAX(p->policy->free_bytes, percent);
        return 0;
}

/* What a collection would take. */
static int count_unused(Prune *p, Error *reterr) {
        _cleanup_strv_ char **layers = NULL, **wanted = NULL;
        int r = store_list_ids(p->store, "layer", &layers);

        if (r >= 0)
                r = store_wanted(p->store, &wanted);
        for (char **layer = layers; r >= 0 && *layer; layer++) {
                bool used = strv_contains(wanted, *layer);
                LayerMeta meta = { 0 };

                for (size_t i = 0; !used && i < p->n_images; i++)
                        used = p->images[i].image && has_layer(p->images + i, *layer);
                if (used)
                        continue;
                (void) store_layer_meta(p->store, *layer, &meta);
                p->done.layers++;
                p->done.bytes += meta.size;
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot list the layers of %s", p->store->path) : 0;
}

static int prune_locked(Prune *p, Error *reterr) {
        int r = store_list_locked(p->store, &p->images, &p->n_images, reterr);

        if (r >= 0)
                r = look_at_space(p, reterr);
        if (r < 0)
                return r;
        p->candidates = calloc(p->n_images + 1, sizeof(*p->candidates));
        if (!p->candidates)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < p->n_images; i++)
                r = consider(p, p->images + i, reterr);
        if (r < 0)
                return r;
        apply_policy(p);
        for (size_t i = p->n_candidates; r >= 0 && i > 0; i--) {
                if (p->wanted_free > 0 && p->free >= p->wanted_free)
                        break;
                if (!p->candidates[i - 1].stays)
                        r = remove_one(p, p->candidates + i - 1, reterr);
        }
        if (r < 0)
                return r;
        return p->policy->dry_run ? count_unused(p, reterr) : store_collect_locked(p->work, &p->done.layers, &p->done.bytes, reterr);
}

int store_prune(Store *store, const PrunePolicy *policy, const PruneCalls *calls, Pruned *ret, Error *reterr) {
        Prune p = { .store = store, .policy = policy, .calls = calls };
        int r = store_work_new(store, &p.work, reterr);

        if (r >= 0)
                r = store_lock(store, true, reterr);
        if (r >= 0) {
                r = prune_locked(&p, reterr);
                store_unlock(store);
        }
        for (size_t i = 0; i < p.n_candidates; i++)
                strv_free(p.candidates[i].repositories);
        free(p.candidates);
        store_list_free(p.images, p.n_images);
        store_work_free(p.work); /* what was moved away goes from the disk */
        *ret = p.done;
        return r;
}
