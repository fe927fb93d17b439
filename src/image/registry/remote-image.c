/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/registry/remote-image.h"
#include "util/strv.h"

void remote_image_clear(RemoteImage *i) {
        for (size_t n = 0; n < i->n_manifests; n++)
                free(i->manifests[n].text);
        oci_manifest_clear(&i->manifest);
        *i = (RemoteImage){ 0 };
}

const RemoteManifest *remote_image_last(const RemoteImage *i) {
        return i->manifests + i->n_manifests - 1;
}

static const char *const config_types[] = {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
};

static const char *const layer_types[] = {
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
};

static bool is_one_of(const char *type, const char *const *types, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (streq(type, types[i]))
                        return true;
        return false;
}

int remote_manifest_check(const OciManifest *manifest, Error *reterr) {
        const char *type = manifest->config.media_type;

        if (type && !is_one_of(type, config_types, ELEMENTSOF(config_types)))
                return error_set(reterr, -EOPNOTSUPP, "it is no container image: its configuration is of type '%.100s'", type);
        for (size_t i = 0; i < manifest->n_layers; i++) {
                const OciDescriptor *d = manifest->layers + i;

                type = d->media_type;
                if (type && (strstr(type, "nondistributable") || strstr(type, ".foreign.")))
                        return error_set(reterr, -EOPNOTSUPP, "layer %s may not be distributed: its maker alone gives it away", d->digest);
                if (type && !is_one_of(type, layer_types, ELEMENTSOF(layer_types)))
                        return error_set(reterr, -EOPNOTSUPP, "layer %s is of type '%.100s', which is no layer of files", d->digest, type);
        }
        return 0;
}

static const OciDescriptor *pick(const OciIndex *index, const OciPlatform *platform) {
        const OciDescriptor *candidates[OCI_DESCRIPTORS_MAX];

        for (size_t i = 0; i < index->n_manifests; i++)
                candidates[i] = index->manifests + i;
        return oci_pick_for(platform, candidates, index->n_manifests);
}

/* The digest that an index says for the platform. */
static int choose(const RemoteManifest *m, const OciPlatform *platform, char **ret, Error *reterr) {
        _cleanup_oci_index_ OciIndex index = { 0 };
        const OciDescriptor *d;
        char text[OCI_PLATFORM_TEXT_MAX];
        int r = oci_index_parse(m->text, m->size, &index, reterr);

        if (r < 0) {
                (void) error_prefix(reterr, "index %s is broken", m->digest);
                return r;
        }
        d = pick(&index, platform);
        if (!d)
                return error_set(reterr, -ENOENT, "it has no image for %s", oci_platform_text(platform, text));
        *ret = strdup(d->digest);
        return *ret ? 0 : -ENOMEM;
}

static int finish(RemoteImage *i, Error *reterr) {
        const RemoteManifest *m = remote_image_last(i);
        int r = oci_manifest_parse(m->text, m->size, &i->manifest, reterr);

        if (r >= 0)
                r = remote_manifest_check(&i->manifest, reterr);
        if (r < 0)
                (void) error_prefix(reterr, "manifest %s", m->digest);
        return r;
}

int remote_image_open(const Origin *o, const char *reference, RemoteImage *ret, Error *reterr) {
        _cleanup_remote_image_ RemoteImage i = { 0 };
        _cleanup_free_ char *next = strdup(reference);
        int r = next ? 0 : -ENOMEM;

        while (r >= 0) {
                RemoteManifest *m = i.manifests + i.n_manifests;
                OciKind kind;

                if (i.n_manifests == ELEMENTSOF(i.manifests))
                        return error_set(reterr, -EBADMSG, "index %s is more than %d indexes deep", i.manifests[0].digest,
                                REMOTE_INDEX_DEPTH_MAX);
                r = remote_manifest(o, next, &m->text, &m->size, m->digest, reterr);
                if (r < 0)
                        break;
                i.n_manifests++;
                kind = oci_kind(m->text, m->size, reterr);
                if (kind < 0) {
                        r = (int) kind;
                        (void) error_prefix(reterr, "registry %s, manifest %s", registry_host(o->registry), next);
                } else if (kind == OCI_MANIFEST) {
                        r = finish(&i, reterr);
                        break;
                } else {
                        free(TAKE_PTR(next));
                        r = choose(m, o->platform, &next, reterr);
                }
        }
        if (r < 0)
                return r;
        *ret = i;
        i = (RemoteImage){ 0 };
        return 0;
}
