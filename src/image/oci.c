/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/json.h"
#include "image/name.h"
#include "image/oci.h"
#include "util/strv.h"

#define OCI_SCHEMA_VERSION 2

static void descriptor_clear(OciDescriptor *d) {
        free(d->media_type);
        free(d->digest);
        free(d->os);
        free(d->architecture);
        free(d->variant);
        free(d->name);
        *d = (OciDescriptor){ 0 };
}

static void descriptors_free(OciDescriptor *d, size_t n) {
        for (size_t i = 0; i < n; i++)
                descriptor_clear(d + i);
        free(d);
}

void oci_manifest_clear(OciManifest *m) {
        free(m->media_type);
        descriptor_clear(&m->config);
        descriptors_free(m->layers, m->n_layers);
        *m = (OciManifest){ 0 };
}

void oci_index_clear(OciIndex *i) {
        descriptors_free(i->manifests, i->n_manifests);
        *i = (OciIndex){ 0 };
}

static int parse_platform(const json_t *j, OciDescriptor *d, Error *reterr) {
        json_t *platform;
        int r = json_member(j, "platform", JSON_OBJECT, &platform, reterr);

        if (r < 0 || !platform)
                return r;
        r = json_member_string(platform, "os", &d->os, reterr);
        if (r >= 0)
                r = json_member_string(platform, "architecture", &d->architecture, reterr);
        if (r >= 0)
                r = json_member_string(platform, "variant", &d->variant, reterr);
        /* What buildkit calls its attestations. */
        if (r >= 0 && d->os && streq(d->os, "unknown"))
                d->other = true;
        return r;
}

static int parse_annotations(const json_t *j, OciDescriptor *d, Error *reterr) {
        json_t *annotations;
        int r = json_member(j, "annotations", JSON_OBJECT, &annotations, reterr);

        if (r < 0 || !annotations)
                return r;
        r = json_member_string(annotations, "io.containerd.image.name", &d->name, reterr);
        if (r >= 0 && !d->name)
                r = json_member_string(annotations, "org.opencontainers.image.ref.name", &d->name, reterr);
        if (json_object_get(annotations, "vnd.docker.reference.type"))
                d->other = true;
        return r;
}

static int parse_descriptor(const json_t *j, OciDescriptor *ret, Error *reterr) {
        json_t *artifact;
        int r;

        if (!json_is_object(j))
                return error_set(reterr, -EBADMSG, "a descriptor is not an object");
        r = json_member_string(j, "mediaType", &ret->media_type, reterr);
        if (r >= 0)
                r = json_member_string(j, "digest", &ret->digest, reterr);
        if (r >= 0)
                r = json_member_size(j, "size", &ret->size, reterr);
        if (r < 0)
                return r;
        if (!ret->digest)
                return error_set(reterr, -EBADMSG, "a descriptor has no digest");
        if (!digest_valid(ret->digest))
                return error_set(reterr, -EBADMSG, "digest '%.100s' is not sha256: and 64 digits", ret->digest);
        r = json_member(j, "artifactType", JSON_STRING, &artifact, reterr);
        if (r < 0)
                return r;
        ret->other = artifact;
        r = parse_platform(j, ret, reterr);
        return r < 0 ? r : parse_annotations(j, ret, reterr);
}

static int parse_descriptors(const json_t *j, const char *key, size_t max, OciDescriptor **ret, size_t *ret_n, Error *reterr) {
        OciDescriptor *v;
        json_t *list;
        size_t n;
        int r = json_member(j, key, JSON_ARRAY, &list, reterr);

        if (r < 0)
                return r;
        n = json_array_size(list);
        if (n > max)
                return error_set(reterr, -E2BIG, "'%s' has more than %zu items", key, max);
        v = calloc(n + 1, sizeof(*v));
        if (!v)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                r = parse_descriptor(json_array_get(list, i), v + i, reterr);
                if (r < 0) {
                        descriptors_free(v, n);
                        return r;
                }
        }
        *ret = v;
        *ret_n = n;
        return 0;
}

static int parse_top(const char *text, size_t size, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        json_t *version;
        int r = json_parse(text, size, OCI_JSON_MAX, &j, reterr);

        if (r < 0)
                return r;
        if (!json_is_object(j))
                return error_set(reterr, -EBADMSG, "it is not an object");
        r = json_member(j, "schemaVersion", JSON_INTEGER, &version, reterr);
        if (r < 0)
                return r;
        if (version && json_integer_value(version) == 1)
                return error_set(reterr, -EOPNOTSUPP, "it is of Docker's schema 1, which is not read any more; have the image pushed anew");
        if (!version || json_integer_value(version) != OCI_SCHEMA_VERSION)
                return error_set(reterr, -EBADMSG, "its schemaVersion is not %d", OCI_SCHEMA_VERSION);
        *ret = TAKE_PTR(j);
        return 0;
}

OciKind oci_kind(const char *text, size_t size, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        bool index, manifest;
        int r = parse_top(text, size, &j, reterr);

        if (r < 0)
                return (OciKind) r;
        /* By what is in it: mediaType may be absent, and the one of the descriptor may lie. Both together are an attack on
         * readers that disagree (CVE-2021-41190). */
        index = json_object_get(j, "manifests");
        manifest = json_object_get(j, "config") || json_object_get(j, "layers");
        if (index == manifest)
                return (OciKind) error_set(reterr, -EBADMSG, "it is %s", index ? "an index and a manifest in one" : "no image manifest");
        return index ? OCI_INDEX : OCI_MANIFEST;
}

int oci_index_parse(const char *text, size_t size, OciIndex *ret, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        int r = parse_top(text, size, &j, reterr);

        if (r < 0)
                return r;
        return parse_descriptors(j, "manifests", OCI_DESCRIPTORS_MAX, &ret->manifests, &ret->n_manifests, reterr);
}

int oci_manifest_parse(const char *text, size_t size, OciManifest *ret, Error *reterr) {
        _cleanup_oci_manifest_ OciManifest m = { 0 };
        _cleanup_json_ json_t *j = NULL;
        json_t *config;
        int r = parse_top(text, size, &j, reterr);

        if (r < 0)
                return r;
        r = json_member(j, "config", JSON_OBJECT, &config, reterr);
        if (r < 0)
                return r;
        if (!config)
                return error_set(reterr, -EBADMSG, "it has no config");
        r = json_member_string(j, "mediaType", &m.media_type, reterr);
        if (r >= 0)
                r = parse_descriptor(config, &m.config, reterr);
        if (r >= 0)
                r = parse_descriptors(j, "layers", OCI_LAYERS_MAX, &m.layers, &m.n_layers, reterr);
        if (r < 0)
                return r;
        *ret = m;
        m = (OciManifest){ 0 };
        return 0;
}

/* The host's word for itself, and the variants of it that run here, the best first; "" is "not said". */
static const struct Platform {
        const char *architecture;
        const char *variants[5];
} platform =
#if defined(__x86_64__)
        { "amd64", { "", "v1" } };
#elif defined(__aarch64__)
        { "arm64", { "v8", "" } };
#elif defined(__arm__)
        { "arm", { "v7", "v6", "", "v5" } };
#elif defined(__i386__)
        { "386", { "" } };
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        { "ppc64le", { "", "power8" } };
#elif defined(__s390x__)
        { "s390x", { "" } };
#elif defined(__riscv) && __riscv_xlen == 64
        { "riscv64", { "" } };
#elif defined(__loongarch64)
        { "loong64", { "" } };
#elif defined(__mips64) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        { "mips64le", { "" } };
#else
#error "name this architecture as Go does"
#endif

const char *oci_architecture(void) {
        return platform.architecture;
}

const char *oci_architecture_name(const char *name) {
        static const char *const names[][2] = { { "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armhf", "arm" }, { "armel", "arm" },
                { "i386", "386" }, { "i686", "386" }, { "powerpc64le", "ppc64le" }, { "ppc64el", "ppc64le" } };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i][0], name))
                        return names[i][1];
        return name;
}

const char *oci_platform_text(const OciPlatform *p, char buffer[static OCI_PLATFORM_TEXT_MAX]) {
        bool variant = p && p->variant;

        (void) snprintf(buffer, OCI_PLATFORM_TEXT_MAX, "%.80s on %.80s%s%.80s", p && p->os ? p->os : "linux",
                p && p->architecture ? oci_architecture_name(p->architecture) : platform.architecture, variant ? " " : "",
                variant ? p->variant : "");
        return buffer;
}

/* How good a variant is for the platform; -1: it does not do. What one of another machine prefers is not known here: the
 * one that says nothing comes first. */
static int variant_rank(const OciPlatform *p, bool own, const char *variant) {
        if (p->variant)
                return streq(variant, p->variant) ? 0 : -1;
        if (!own)
                return *variant ? 1 : 0;
        for (size_t i = 0; i < ELEMENTSOF(platform.variants) && platform.variants[i]; i++)
                if (streq(platform.variants[i], variant))
                        return (int) i;
        return -1;
}

/* Lower is better; -1: not for the platform. A descriptor that says no platform comes after all that fit. */
static int platform_rank(const OciPlatform *p, const OciDescriptor *d) {
        const char *architecture = p->architecture ? oci_architecture_name(p->architecture) : platform.architecture;

        if (d->other || (d->os && *d->os && !streq(d->os, p->os ? p->os : "linux")))
                return -1;
        if (!d->architecture || !*d->architecture)
                return (int) ELEMENTSOF(platform.variants);
        if (!streq(d->architecture, architecture))
                return -1;
        return variant_rank(p, streq(architecture, platform.architecture), d->variant ? d->variant : "");
}

const OciDescriptor *oci_pick_for(const OciPlatform *p, const OciDescriptor *const *candidates, size_t n) {
        static const OciPlatform own = { 0 };
        const OciDescriptor *best = NULL;

        p = p ? p : &own;
        for (size_t i = 0; i < n; i++) {
                int rank = platform_rank(p, candidates[i]);

                if (rank >= 0 && (!best || rank < platform_rank(p, best)))
                        best = candidates[i];
        }
        return best;
}

const OciDescriptor *oci_pick(const OciDescriptor *const *candidates, size_t n) {
        return oci_pick_for(NULL, candidates, n);
}

bool oci_platform_fits(const OciPlatform *p, const Image *image) {
        OciDescriptor d = { .os = image->os, .architecture = image->architecture, .variant = image->variant };
        OciPlatform wanted = { 0 };

        if (p)
                wanted = *p;
        /* Configurations name it less often than indexes do. */
        if (!d.variant || !*d.variant)
                wanted.variant = NULL;
        return platform_rank(&wanted, &d) >= 0;
}
