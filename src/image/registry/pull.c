/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>

#include "image/name.h"
#include "image/registry/pull-internal.h"
#include "util/fd.h"
#include "util/strv.h"

void pulled_clear(Pulled *p) {
        free(p->name);
        *p = (Pulled){ 0 };
}

/* All layers into the store, and then the image. */
static int store_it(Pull *pull, const Origin *origin, const OciManifest *manifest, Recipe *recipe, char ret_id[static 72],
        Error *reterr) {
        _cleanup_strv_ char **diff_ids = NULL;
        _cleanup_work_ StoreWork *work = NULL;
        int *held, r = recipe_diff_ids(recipe, manifest->n_layers, &diff_ids, reterr);

        if (r < 0)
                return r;
        held = malloc(manifest->n_layers * sizeof(*held));
        if (!held)
                return -ENOMEM;
        for (size_t i = 0; i < manifest->n_layers; i++)
                held[i] = -EBADF;
        r = store_want(pull->store, recipe->manifest_digest, diff_ids);
        if (r < 0)
                (void) error_set_errno(reterr, r, "cannot note in the image store what is pulled");
        else
                r = pull_layers(pull, origin, manifest, diff_ids, held, reterr);
        if (r >= 0)
                r = store_work_new(pull->store, &work, reterr);
        if (r >= 0)
                r = recipe_add(work, recipe, ret_id, reterr);
        if (r >= 0)
                store_want_done(pull->store, recipe->manifest_digest);
        for (size_t i = 0; i < manifest->n_layers; i++)
                fd_close(held[i]);
        free(held);
        return r;
}

/* Only an index is asked for one platform: what is a manifest alone is taken, whatever it says. Podman does so, and for a reason: many
 * images say the machine that they were made on. */
static int check_platform(Pull *pull, const Origin *origin, const Name *name, const Recipe *recipe, Error *reterr) {
        _cleanup_image_ Image *image = calloc(1, sizeof(*image));
        char is[OCI_PLATFORM_TEXT_MAX], wanted[OCI_PLATFORM_TEXT_MAX];
        _cleanup_strv_ char **diff_ids = NULL;
        _cleanup_free_ char *sentence = NULL;
        OciPlatform own;
        int r = image ? oci_config_parse(recipe->config, recipe->config_size, image, &diff_ids, reterr) : -ENOMEM;

        if (r < 0) {
                (void) error_prefix(reterr, "the image's configuration is broken");
                return r;
        }
        if (oci_platform_fits(origin->platform, image))
                return 0;
        own = (OciPlatform){ .os = image->os, .architecture = image->architecture, .variant = image->variant };
        sentence = str_format("%s says that it is for %s, and not for %s", name->full ? name->full : name->repository,
                oci_platform_text(&own, is), oci_platform_text(origin->platform, wanted));
        if (!sentence)
                return -ENOMEM;
        client_warn(pull->client, sentence);
        return 0;
}

static int pull_from(Pull *pull, const Origin *origin, const Name *name, Pulled *ret, Error *reterr) {
        _cleanup_recipe_ Recipe recipe = { .names = strv_copy((char *const[]){ ret->name, NULL }) };
        _cleanup_remote_image_ RemoteImage image = { 0 };
        RemoteManifest *last;
        int r;

        if (!recipe.names)
                return -ENOMEM;
        r = remote_image_open(origin, name->digest ? name->digest : name->tag, &image, reterr);
        if (r < 0)
                return r;
        if (pull->options->look) {
                memcpy(ret->id, image.manifest.config.digest, sizeof(ret->id));
                memcpy(ret->digest, image.manifests[0].digest, sizeof(ret->digest));
                return 0;
        }
        r = signature_check(&pull->policy, name, origin, &image, reterr);
        if (r < 0)
                return r;
        r = remote_read(origin, &image.manifest.config, "the image's configuration", OCI_JSON_MAX, &recipe.config,
                &recipe.config_size, reterr);
        if (r >= 0)
                r = check_platform(pull, origin, name, &recipe, reterr);
        if (r < 0)
                return r;
        client_tell_image(pull->client, registry_host(origin->registry), image.manifest.n_layers);
        last = image.manifests + image.n_manifests - 1;
        recipe.manifest = TAKE_PTR(last->text);
        recipe.manifest_size = last->size;
        memcpy(recipe.manifest_digest, last->digest, sizeof(recipe.manifest_digest));
        if (image.n_manifests > 1)
                memcpy(recipe.index_digest, image.manifests[0].digest, sizeof(recipe.index_digest));
        memcpy(ret->digest, image.manifests[0].digest, sizeof(ret->digest));
        return store_it(pull, origin, &image.manifest, &recipe, ret->id, reterr);
}

/* From the first place that has it. */
static int pull_places(Pull *pull, const Name *name, const Place *places, size_t n, Pulled *ret, Error *reterr) {
        Error error = { 0 };
        int r = -ENOENT;

        for (size_t i = 0; i < n; i++) {
                Origin origin;

                error = (Error){ 0 };
                r = client_origin(pull->client, places + i, &origin, &error);
                if (r >= 0)
                        r = pull_from(pull, &origin, name, ret, &error);
                if (r >= 0)
                        return r;
                if (r == -ENOMEM || r == -ECANCELED || i + 1 == n)
                        break;
                client_notice(pull->client, error.text);
                http_revive(client_http(pull->client));
        }
        if (reterr)
                *reterr = error;
        return r;
}

/* A tag beside a digest says nothing: the image may not be what has that tag now. Nor is there a name that no file can have. */
static int name_to_give(const Name *name, char **ret) {
        _cleanup_free_ char *text = name->digest ? str_format("%s@%s", name->repository, name->digest) : strdup(name->full);

        if (!text)
                return -ENOMEM;
        free(*ret);
        *ret = strlen(text) <= NAME_MAX ? TAKE_PTR(text) : NULL;
        return 0;
}

static int pull_name(Pull *pull, const char *text, Pulled *ret, Error *reterr) {
        _cleanup_name_ Name name = { 0 };
        Place *places = NULL;
        size_t n = 0;
        int r = name_parse(text, NAME_DOCKER, &name, reterr);

        if (r >= 0)
                r = name_to_give(&name, &ret->name);
        if (r >= 0)
                r = registries_places(client_registries(pull->client), &name, false, &places, &n, reterr);
        if (r >= 0)
                r = policy_load(&name, &pull->policy, reterr);
        if (r >= 0)
                r = pull_places(pull, &name, places, n, ret, reterr);
        policy_clear(&pull->policy);
        places_free(places, n);
        return r;
}

/* The first of what a short name may mean that there is. */
static int pull_candidates(Pull *pull, const char *text, Pulled *ret, Error *reterr) {
        _cleanup_strv_ char **candidates = NULL;
        Error error = { 0 };
        int r = registries_candidates(client_registries(pull->client), text, &candidates, reterr);

        if (r < 0)
                return r;
        for (char **p = candidates; *p; p++) {
                error = (Error){ 0 };
                r = pull_name(pull, *p, ret, &error);
                if (r >= 0)
                        return r;
                if (p[1])
                        client_notice(pull->client, error.text);
                /* What is there but cannot be had is not to be taken from somewhere else. */
                if (r != -ENOENT && r != -EACCES)
                        break;
                http_revive(client_http(pull->client));
        }
        if (reterr)
                *reterr = error;
        return r;
}

int pull_image(const char *text, const PullOptions *options, Pulled *ret, Error *reterr) {
        Pull pull = { .options = options };
        Pulled pulled = { 0 };
        int r = store_open(options->store, true, &pull.store, reterr);

        if (r >= 0)
                r = client_new(&options->client, &pull.client, reterr);
        if (r >= 0)
                r = pull_candidates(&pull, text, &pulled, reterr);
        client_free(pull.client);
        store_free(pull.store);
        if (r >= 0)
                *ret = pulled;
        else
                pulled_clear(&pulled);
        return r;
}
