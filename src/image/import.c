/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/change.h"
#include "image/import.h"
#include "image/layer.h"
#include "image/name.h"
#include "image/oci-make.h"
#include "image/oci.h"
#include "image/recipe.h"
#include "image/tree.h"
#include "util/fd.h"

static int open_input(const char *path, Blob **ret, uint64_t *ret_size, Error *reterr) {
        bool standard = streq(path, "-");
        int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open %s", standard ? "standard input" : path);
        if (fstat(fd, &st) < 0) {
                int r = error_set_errno(reterr, -errno, "cannot look at %s", path);

                fd_close(fd);
                return r;
        }
        if (S_ISDIR(st.st_mode)) {
                *ret_size = 0;
                return tree_blob(path, fd, ret, reterr);
        }
        *ret_size = S_ISREG(st.st_mode) ? (uint64_t) st.st_size : 0;
        *ret = blob_new_fd(standard ? "standard input" : path, fd);
        return *ret ? 0 : -ENOMEM;
}

static int make_config(const ImportOptions *o, const char *diff_id, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *root = NULL, *config = json_object();
        time_t seconds = (time_t) o->created;
        char created[64];
        struct tm tm;

        for (char *const *change = o->changes; config && change && *change; change++) {
                int r = change_apply(config, *change, reterr);

                if (r < 0)
                        return r;
        }
        if (!gmtime_r(&seconds, &tm) || strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                return error_set(reterr, -EINVAL, "the time of creation is out of range");
        root = json_pack("{s:s, s:s, s:s, s:O, s:{s:s, s:[s]}, s:[{s:s, s:s, s:s*}]}",
                "created", created, "architecture", oci_architecture(), "os", "linux", "config", config,
                "rootfs", "type", "layers", "diff_ids", diff_id,
                "history", "created", created, "created_by", "berth import", "comment", o->message);
        if (!root)
                return error_set(reterr, -EINVAL, "the message is not UTF-8");
        *ret = TAKE_PTR(root);
        return 0;
}

static int make_recipe(const ImportOptions *o, const char *diff_id, const LayerMeta *meta, Recipe *recipe, Error *reterr) {
        _cleanup_json_ json_t *config = NULL;
        OciLayer layer = { .size = meta->tar_size, .format = PACK_NONE };
        OciParts parts;
        char id[72];
        int r = make_config(o, diff_id, &config, reterr);

        if (r >= 0)
                r = oci_json_dump(config, &recipe->config, &recipe->config_size, id);
        if (r < 0)
                return r;
        (void) snprintf(layer.digest, sizeof(layer.digest), "%s", diff_id);
        parts = (OciParts){ .config = recipe->config, .config_size = recipe->config_size, .layers = &layer, .n_layers = 1 };
        return oci_manifest_make(&parts, &recipe->manifest, &recipe->manifest_size, recipe->manifest_digest, reterr);
}

typedef struct ImportProgress {
        const LoadProgress *progress;
        uint64_t total;
} ImportProgress;

static void show_progress(void *userdata, uint64_t bytes) {
        const ImportProgress *p = userdata;

        if (p->progress->layer)
                p->progress->layer(p->progress->userdata, NULL, 1, 1, bytes, p->total);
}

static int add_layer(StoreWork *work, const char *path, const ImportOptions *o, char diff_id[static 72], LayerMeta *meta,
        Error *reterr) {
        ImportProgress progress = { .progress = &o->progress };
        LayerRequest request = { .progress = show_progress, .userdata = &progress };
        _cleanup_blob_ Blob *blob = NULL;
        int r = open_input(path, &blob, &progress.total, reterr);

        if (r < 0)
                return r;
        r = layer_add(work, blob, &request, diff_id, meta, reterr);
        if (r >= 0 && meta->entries == 0) {
                fd_close(r);
                return error_set(reterr, -EBADMSG, "there are no files in it");
        }
        return r;
}

static int import_into(StoreWork *work, const char *path, const ImportOptions *o, char ret_id[static 72], Error *reterr) {
        _cleanup_recipe_ Recipe recipe = { 0 };
        _cleanup_close_ int layer = -EBADF;
        LayerMeta meta = { 0 };
        char diff_id[72];
        int r = 0;

        recipe.names = strv_copy(NULL);
        if (!recipe.names)
                return -ENOMEM;
        if (o->name) {
                char *full;

                r = name_parse_new(o->name, NAME_LOCAL, &full, reterr);
                if (r >= 0)
                        r = strv_consume(&recipe.names, full);
                if (r < 0)
                        return r;
        }
        /* The changes are tried before the long work, with a stand-in for the digest. */
        r = make_recipe(o, "sha256:", &meta, &recipe, reterr);
        if (r < 0)
                return r;
        free(TAKE_PTR(recipe.config));
        free(TAKE_PTR(recipe.manifest));
        layer = add_layer(work, path, o, diff_id, &meta, reterr);
        if (layer < 0)
                return layer;
        r = make_recipe(o, diff_id, &meta, &recipe, reterr);
        return r < 0 ? r : recipe_add(work, &recipe, ret_id, reterr);
}

int import_image(Store *store, const char *path, const ImportOptions *options, char ret_id[static 72], Error *reterr) {
        _cleanup_work_ StoreWork *work = NULL;
        int r = store_work_new(store, &work, reterr);

        if (r < 0)
                return r;
        r = import_into(work, path, options, ret_id, reterr);
        if (r < 0)
                (void) store_collect(work, NULL);
        return r;
}
