/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/find.h"
#include "image/image.h"
#include "image/name.h"
#include "image/plain.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

Image *image_free(Image *image) {
        if (!image)
                return NULL;
        free(image->id);
        free(image->manifest_digest);
        free(image->name);
        free(image->store);
        strv_free(image->layers);
        strv_free(image->layer_ids);
        strv_free(image->hidden_ids);
        strv_free(image->entrypoint);
        strv_free(image->cmd);
        strv_free(image->env);
        strv_free(image->labels);
        strv_free(image->volumes);
        strv_free(image->exposed);
        free(image->user);
        free(image->workdir);
        free(image->stop_signal);
        strv_free(image->health);
        free(image->architecture);
        free(image->os);
        free(image->variant);
        free(image);
        return NULL;
}

static int name_layers(Image *image, Error *reterr) {
        image->layers = strv_copy(NULL);
        if (!image->layers)
                return -ENOMEM;
        for (char **id = image->layer_ids; *id; id++) {
                const char *hex = digest_hex(*id);
                int r;

                if (!hex)
                        return error_set(reterr, -EBADMSG, "image %s has a malformed layer id '%s'", image->id, *id);
                r = strv_appendf(&image->layers, "%s/layer/%s/root", image->store, hex);
                if (r < 0)
                        return r;
        }
        return 0;
}

int image_open(const char *store, const char *name, Image **ret, Error *reterr) {
        _cleanup_image_ Image *image = calloc(1, sizeof(*image));
        _cleanup_close_ int fd = -EBADF;
        Found found;
        int r;

        if (!store)
                store = BERTH_STORE;
        if (!image)
                return -ENOMEM;
        image->store = realpath(store, NULL);
        fd = open(store, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (!image->store || fd < 0) {
                if (errno == ENOENT) /* nothing was ever stored */
                        return error_set(reterr, -ENOENT, "image '%s' is not in the store", name);
                return error_set_errno(reterr, -errno, "cannot open the image store %s", store);
        }
        r = image_find(fd, name, &found, reterr);
        if (r < 0)
                return r;
        image->name = found.name;
        r = plain_load(fd, found.id, image, reterr);
        if (r < 0)
                return r;
        if (found.manifest[0]) {
                free(image->manifest_digest);
                image->manifest_digest = strdup(found.manifest);
                if (!image->manifest_digest)
                        return -ENOMEM;
        }
        r = name_layers(image, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(image);
        return 0;
}

static int flock_shared(int fd) {
        int r;

        do
                r = flock(fd, LOCK_SH);
        while (r < 0 && errno == EINTR);
        return r;
}

/* Under the store's lock, so that nobody removes the image between the look and the lock. */
static int pin_locked(int store, const char *hex, const char *user) {
        char path[sizeof("image//use/") + DIGEST_HEX_LENGTH + NAME_MAX];
        _cleanup_close_ int fd = -EBADF;

        (void) snprintf(path, sizeof(path), "image/%s/use", hex);
        if (mkdirat(store, path, 0700) < 0 && errno != EEXIST)
                return -errno;
        (void) snprintf(path, sizeof(path), "image/%s/use/%s", hex, user);
        fd = openat(store, path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        /* Its time says prune when the image was needed last. */
        if (fd < 0 || flock_shared(fd) < 0 || futimens(fd, NULL) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int hold_locked(int store, const char *hex, const char *holder) {
        char path[sizeof("image//hold/") + DIGEST_HEX_LENGTH + NAME_MAX];
        _cleanup_close_ int fd = -EBADF, directory = -EBADF;

        (void) snprintf(path, sizeof(path), "image/%s/hold", hex);
        if (mkdirat(store, path, 0700) < 0 && errno != EEXIST)
                return -errno;
        directory = openat(store, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (directory < 0)
                return -errno;
        fd = openat(directory, holder, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 || fsync(directory) < 0 ? -errno : 0;
}

static int unhold_locked(int store, const char *hex, const char *holder) {
        char path[sizeof("image//hold/") + DIGEST_HEX_LENGTH + NAME_MAX];

        (void) snprintf(path, sizeof(path), "image/%s/hold/%s", hex, holder);
        return unlinkat(store, path, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* What act does to an image of the store on behalf of who, while nobody removes it. */
static int keep(const char *store_path, const char *id, const char *who, int (*act)(int store, const char *hex, const char *who),
        Error *reterr) {
        _cleanup_close_ int store = -EBADF, lock = -EBADF;
        int r;

        if (!*who || strlen(who) > NAME_MAX || strchr(who, '/') || who[0] == '.')
                return error_set(reterr, -EINVAL, "'%s' cannot keep an image: it is not an app's name", who);
        store = open(store_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (store >= 0)
                lock = openat(store, "lock", O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (store < 0 || lock < 0)
                return error_set_errno(reterr, -errno, "cannot open the image store %s", store_path);
        r = flock_shared(lock) < 0 ? -errno : 0;
        if (r >= 0)
                r = act(store, digest_hex(id), who);
        if (r == -ENOENT)
                return error_set(reterr, r, "image %s is not in the store any more", id);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot keep image %s in the store", id);
        return r;
}

int image_pin(const Image *image, const char *user, Error *reterr) {
        return keep(image->store, image->id, user, pin_locked, reterr);
}

int image_hold(const Image *image, const char *holder, Error *reterr) {
        return keep(image->store, image->id, holder, hold_locked, reterr);
}

int image_unhold(const char *store, const char *id, const char *holder, Error *reterr) {
        if (!digest_hex(id))
                return error_set(reterr, -EINVAL, "'%s' is no image id", id);
        return keep(store ? store : BERTH_STORE, id, holder, unhold_locked, reterr);
}
