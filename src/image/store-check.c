/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "image/digest.h"
#include "image/find.h"
#include "image/layer-tar.h"
#include "image/name.h"
#include "image/oci.h"
#include "image/plain.h"
#include "image/store-check.h"
#include "image/store-internal.h"
#include "util/fd.h"

typedef struct Check {
        Store *store;
        const StoreCheck *options;
        StoreChecked checked;
        size_t faults;
        char **used; /* layers that images have */
} Check;

static void fault(Check *c, const char *kind, const char *what, const char *format, ...) _printf_(4, 5);

static void fault(Check *c, const char *kind, const char *what, const char *format, ...) {
        _cleanup_free_ char *object = str_format("%s %s", kind, what), *sentence = NULL;
        va_list ap;

        va_start(ap, format);
        sentence = str_vformat(format, ap);
        va_end(ap);
        c->faults++;
        c->options->fault(c->options->userdata, object ? object : kind, sentence ? sentence : "out of memory");
}

static void check_name(Check *c, const char *file) {
        _cleanup_free_ char *name = name_from_file(file), *full = NULL, *text = NULL;
        NameRecord record;
        size_t size;
        int r = name_record_read(c->store->fd, file, &record);

        c->checked.names++;
        if (!name || name_parse_new(name, NAME_LOCAL, &full, NULL) < 0 || !streq(full, name))
                fault(c, "name", file, "this is no full name of an image");
        else if (r < 0)
                fault(c, "name", name, "its file is broken: %s", strerror(-r));
        else if (store_image_json(c->store, record.id, record.manifest, &text, &size, NULL) < 0)
                fault(c, "name", name, "image %s with manifest %s is not there", record.id, record.manifest);
}

/* A file of JSON that is called by its digest. */
static void check_json(Check *c, const char *id, const char *manifest) {
        _cleanup_free_ char *text = NULL;
        const char *what = manifest ? manifest : id;
        Error e = { 0 };
        char digest[72];
        size_t size;
        int r = store_image_json(c->store, id, manifest, &text, &size, &e);

        if (r < 0)
                fault(c, "image", id, "%s", e.text);
        else if (digest_of(text, size, digest) < 0 || !streq(digest, what))
                fault(c, "image", id, "its %s is broken: the digest is not %s any more", manifest ? "manifest" : "configuration", what);
}

static void check_files(Check *c, const char *id) {
        char path[sizeof("image/") + DIGEST_HEX_LENGTH];
        _cleanup_strv_ char **files = NULL;

        (void) snprintf(path, sizeof(path), "image/%s", digest_hex(id));
        if (store_list_directory(c->store, path, &files) < 0)
                return fault(c, "image", id, "its directory cannot be read");
        check_json(c, id, NULL);
        for (char **file = files; *file; file++) {
                const char *hex = str_after(*file, "manifest-");
                _cleanup_free_ char *digest = NULL;

                if (!hex || !str_ends_with(hex, ".json"))
                        continue;
                digest = str_format("sha256:%.64s", hex);
                if (digest && digest_valid(digest))
                        check_json(c, id, digest);
                else
                        fault(c, "image", id, "its file %s is not called by a digest", *file);
        }
}

static bool has(const Image *image, const char *diff_id) {
        return strv_contains(image->layer_ids, diff_id) || strv_contains(image->hidden_ids, diff_id);
}

/* What the plain file says of layers is what the configuration says. */
static void check_layers(Check *c, const char *id, const Image *image) {
        _cleanup_image_ Image *parsed = calloc(1, sizeof(*parsed));
        _cleanup_strv_ char **diff_ids = NULL;
        _cleanup_free_ char *text = NULL;
        uint64_t size = 0;
        size_t n;

        if (!parsed || store_image_json(c->store, id, NULL, &text, &n, NULL) < 0)
                return;
        if (oci_config_parse(text, n, parsed, &diff_ids, NULL) < 0)
                return fault(c, "image", id, "its configuration is broken");
        for (char **diff_id = diff_ids; *diff_id; diff_id++)
                if (!has(image, *diff_id))
                        fault(c, "image", id, "its file plain lacks layer %s of the configuration", *diff_id);
        for (char **layer = image->layer_ids; *layer; layer++) {
                LayerMeta meta;
                int r = store_layer_meta(c->store, *layer, &meta);

                if (!strv_contains(diff_ids, *layer))
                        fault(c, "image", id, "its file plain has layer %s, which the configuration lacks", *layer);
                if (r < 0)
                        fault(c, "image", id, "its layer %s is %s", *layer, r == -ENOENT ? "not there" : "broken");
                else
                        size += meta.size;
        }
        for (char **layer = image->hidden_ids; *layer; layer++) {
                LayerMeta meta;

                if (store_layer_meta(c->store, *layer, &meta) < 0)
                        fault(c, "image", id, "its layer %s is not there or broken", *layer);
        }
        if (size != image->size)
                fault(c, "image", id, "its file plain says %llu bytes, the layers have %llu", (unsigned long long) image->size,
                        (unsigned long long) size);
}

static int check_image(Check *c, const char *id) {
        _cleanup_image_ Image *image = calloc(1, sizeof(*image));
        Error e = { 0 };
        int r = 0;

        if (!image)
                return -ENOMEM;
        c->checked.images++;
        check_files(c, id);
        r = plain_load(c->store->fd, id, image, &e);
        if (r < 0) {
                fault(c, "image", id, "%s", r == -ENOENT ? "its file plain is not there" : e.text);
                return 0;
        }
        check_layers(c, id, image);
        for (char **layer = image->layer_ids; r >= 0 && *layer; layer++)
                r = strv_append(&c->used, *layer);
        for (char **layer = image->hidden_ids; r >= 0 && *layer; layer++)
                r = strv_append(&c->used, *layer);
        return r;
}

/* All but the layers' inside; the caller has the store's lock. */
static int check_locked(Check *c, char ***ret_layers) {
        static const char *const kinds[] = { "image", "layer" };
        _cleanup_strv_ char **names = NULL, **images = NULL;
        int r = store_list_directory(c->store, "name", &names);

        for (char **file = names; r >= 0 && *file; file++)
                check_name(c, *file);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(kinds); i++) {
                _cleanup_strv_ char **entries = NULL;

                r = store_list_directory(c->store, kinds[i], &entries);
                for (char **p = entries; r >= 0 && *p; p++) {
                        _cleanup_free_ char *id = str_format("sha256:%s", *p);

                        if (!id || !digest_valid(id))
                                fault(c, kinds[i], *p, "it is not called by a digest");
                }
        }
        if (r >= 0)
                r = store_list_ids(c->store, "image", &images);
        for (char **id = images; r >= 0 && *id; id++)
                r = check_image(c, *id);
        return r < 0 ? r : store_list_ids(c->store, "layer", ret_layers);
}

static void read_content(Check *c, int layer, const char *diff_id, size_t number, size_t count, uint64_t total) {
        _cleanup_blob_ Blob *blob = NULL;
        const void *piece;
        uint64_t bytes = 0;
        Error e = { 0 };
        ssize_t n = layer_tar_open_at(layer, diff_id, &blob, &e);

        if (n < 0)
                return fault(c, "layer", diff_id, "%s", e.text);
        while ((n = blob_read_below(blob, &piece, &e)) > 0) {
                bytes += (uint64_t) n;
                if (c->options->progress)
                        c->options->progress(c->options->userdata, diff_id, number, count, bytes, total);
        }
        if (n < 0)
                fault(c, "layer", diff_id, "%s", e.text[0] ? e.text : strerror((int) -n));
}

static void check_layer(Check *c, const char *diff_id, size_t number, size_t count) {
        _cleanup_close_ int layer = -EBADF;
        LayerMeta meta;
        Error e = { 0 };
        int r;

        layer = store_layer_hold(c->store, diff_id, &meta);
        if (layer < 0) {
                char path[sizeof("layer//meta") + DIGEST_HEX_LENGTH];

                /* Gone since it was listed, or without what belongs in it. */
                (void) snprintf(path, sizeof(path), "layer/%s", digest_hex(diff_id));
                if (layer != -ENOENT || faccessat(c->store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                        fault(c, "layer", diff_id, "its file meta cannot be read: %s", strerror(-layer));
                return;
        }
        c->checked.layers++;
        c->checked.unused += !strv_contains(c->used, diff_id);
        r = layer_tar_check(layer, meta.tar_size, &e);
        if (r < 0)
                fault(c, "layer", diff_id, "%s", e.text[0] ? e.text : strerror(-r));
        else if (c->options->content)
                read_content(c, layer, diff_id, number, count, meta.tar_size);
}

int store_check(Store *store, const StoreCheck *check, StoreChecked *ret, Error *reterr) {
        Check c = { .store = store, .options = check };
        _cleanup_strv_ char **layers = NULL;
        size_t n;
        int r = store_lock(store, false, reterr);

        if (r < 0)
                return r;
        r = check_locked(&c, &layers);
        store_unlock(store);
        if (r < 0)
                (void) error_set_errno(reterr, r, "cannot look through the image store %s", store->path);
        n = r < 0 ? 0 : strv_length(layers);
        for (size_t i = 0; i < n; i++)
                check_layer(&c, layers[i], i + 1, n);
        strv_free(c.used);
        *ret = c.checked;
        return r < 0 ? r : (int) MIN(c.faults, (size_t) INT32_MAX);
}
