/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "image/digest.h"
#include "image/load-internal.h"
#include "image/oci.h"
#include "util/strv.h"

#define INDEX_DEPTH_MAX 4 /* an index may name indexes */

static int blob_path(const char *digest, char **ret) {
        *ret = str_format("blobs/sha256/%s", digest_hex(digest));
        return *ret ? 0 : -ENOMEM;
}

/* A JSON blob, by its digest. */
static int read_blob(Load *load, const char *digest, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        char real[72];
        size_t size;
        int r = blob_path(digest, &path);

        if (r < 0)
                return r;
        r = source_read(load->source, path, OCI_JSON_MAX, &text, &size, reterr);
        if (r < 0)
                return r;
        if (digest_of(text, size, real) < 0)
                return -ENOMEM;
        if (!streq(real, digest))
                return error_set(reterr, -EBADMSG, "%s is broken: its digest is %s", path, real);
        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}

static int plan_layers(const OciManifest *m, LoadPlan *plan) {
        plan->layers = calloc(m->n_layers + 1, sizeof(*plan->layers));
        if (!plan->layers)
                return -ENOMEM;
        plan->n_layers = m->n_layers;
        for (size_t i = 0; i < m->n_layers; i++) {
                plan->layers[i].digest = strdup(m->layers[i].digest);
                if (!plan->layers[i].digest || blob_path(m->layers[i].digest, &plan->layers[i].file) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int load_manifest(Load *load, const char *digest, char *text, size_t size, const char *name, Error *reterr) {
        _cleanup_oci_manifest_ OciManifest manifest = { 0 };
        _cleanup_plan_ LoadPlan plan = { .recipe = { .manifest = text, .manifest_size = size } };
        int r = oci_manifest_parse(text, size, &manifest, reterr);

        if (r < 0) {
                (void) error_prefix(reterr, "manifest %s is broken", digest);
                return r;
        }
        (void) snprintf(plan.recipe.manifest_digest, sizeof(plan.recipe.manifest_digest), "%s", digest);
        r = load_names(load, (char *const[]){ (char *) name, NULL }, NAME_LOCAL, &plan.recipe.names, reterr);
        if (r >= 0)
                r = read_blob(load, manifest.config.digest, &plan.recipe.config, &plan.recipe.config_size, reterr);
        if (r >= 0)
                r = plan_layers(&manifest, &plan);
        return r < 0 ? r : load_plan_run(load, &plan, reterr);
}

static const OciDescriptor *pick(const OciIndex *index) {
        const OciDescriptor **candidates = calloc(index->n_manifests + 1, sizeof(*candidates)), *best;

        if (!candidates)
                return NULL;
        for (size_t i = 0; i < index->n_manifests; i++)
                candidates[i] = index->manifests + i;
        best = oci_pick(candidates, index->n_manifests);
        free(candidates);
        return best;
}

/* What a descriptor leads to, through indexes for several machines. */
static int load_descriptor(Load *load, const char *digest, const char *name, unsigned depth, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        _cleanup_oci_index_ OciIndex index = { 0 };
        const OciDescriptor *next;
        size_t size;
        OciKind kind;
        int r;

        if (depth > INDEX_DEPTH_MAX)
                return error_set(reterr, -EBADMSG, "index %s is more than %d indexes deep", digest, INDEX_DEPTH_MAX);
        r = read_blob(load, digest, &text, &size, reterr);
        if (r < 0)
                return r;
        kind = oci_kind(text, size, reterr);
        if (kind == OCI_MANIFEST)
                return load_manifest(load, digest, TAKE_PTR(text), size, name, reterr);
        r = kind == OCI_INDEX ? oci_index_parse(text, size, &index, reterr) : (int) kind;
        if (r < 0) {
                (void) error_prefix(reterr, "%s is broken", digest);
                return r;
        }
        next = pick(&index);
        if (!next)
                return error_set(reterr, -ENOENT, "index %s has no image for this machine", digest);
        return load_descriptor(load, next->digest, name, depth + 1, reterr);
}

static bool wanted(const Load *load, const OciDescriptor *d) {
        return !d->other && (!load->options->reference || streq_ptr(d->name, load->options->reference));
}

/* Descriptors of one name are one image for several machines. */
static bool first_of_name(const OciIndex *index, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (!index->manifests[j].other && streq_ptr(index->manifests[j].name, index->manifests[i].name))
                        return false;
        return true;
}

static const OciDescriptor *pick_of_name(const OciIndex *index, const char *name) {
        const OciDescriptor **candidates = calloc(index->n_manifests + 1, sizeof(*candidates)), *best;
        size_t n = 0;

        if (!candidates)
                return NULL;
        for (size_t i = 0; i < index->n_manifests; i++)
                if (streq_ptr(index->manifests[i].name, name))
                        candidates[n++] = index->manifests + i;
        best = oci_pick(candidates, n);
        free(candidates);
        return best;
}

static int load_all(Load *load, const OciIndex *index, Error *reterr) {
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; i < index->n_manifests; i++)
                n += wanted(load, index->manifests + i) && first_of_name(index, i);
        if (n == 0)
                return load->options->reference
                        ? error_set(reterr, -ENOENT, "there is no image '%s' in it", load->options->reference)
                        : error_set(reterr, -ENOENT, "there is no image in it");
        if (n > 1 && load->options->names && load->options->names[0])
                return error_set(reterr, -E2BIG, "there are %zu images in it: choose one to be given a name", n);
        for (size_t i = 0; r >= 0 && i < index->n_manifests; i++) {
                const OciDescriptor *d = index->manifests + i;

                if (!wanted(load, d) || !first_of_name(index, i))
                        continue;
                d = pick_of_name(index, d->name);
                r = d ? load_descriptor(load, d->digest, d->name, 1, reterr)
                      : error_set(reterr, -ENOENT, "image '%s' is not there for this machine",
                                index->manifests[i].name ? index->manifests[i].name : "without a name");
        }
        return r;
}

int load_oci(Load *load, Error *reterr) {
        _cleanup_oci_index_ OciIndex index = { 0 };
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = source_read(load->source, "index.json", OCI_JSON_MAX, &text, &size, reterr);

        if (r < 0)
                return r;
        r = oci_index_parse(text, size, &index, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "index.json is broken");
                return r;
        }
        return load_all(load, &index, reterr);
}
