/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What registries.conf makes of a name. */

#include "image/registry/registries.h"
#include "util/strv.h"

void places_free(Place *places, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(places[i].host);
                free(places[i].repository);
        }
        free(places);
}

/* Where a short name without its tag or digest ends. */
static size_t bare_length(const char *text) {
        const char *at = strchr(text, '@'), *slash, *colon;
        size_t n = at ? (size_t) (at - text) : strlen(text);

        slash = memrchr(text, '/', n);
        colon = memchr(slash ? slash : text, ':', n - (slash ? (size_t) (slash - text) : 0));
        return colon ? (size_t) (colon - text) : n;
}

static int add_candidate(char ***v, const char *text, const char *format, const char *first, const char *rest, Error *reterr) {
        _cleanup_free_ char *candidate = str_format(format, first, rest);
        _cleanup_name_ Name name = { 0 };
        int r = candidate ? name_parse(candidate, NAME_DOCKER, &name, reterr) : -ENOMEM;

        if (r < 0) {
                (void) error_prefix(reterr, "'%s'", text);
                return r;
        }
        return strv_consume(v, TAKE_PTR(candidate));
}

int registries_candidates(const Registries *r, const char *text, char ***ret, Error *reterr) {
        static const char *const docker[] = { "docker.io/library", NULL }, *const docker_path[] = { "docker.io", NULL };
        _cleanup_strv_ char **v = NULL;
        size_t n = bare_length(text);
        char *const *search = r->search;
        int q = 0;

        if (name_has_registry(text)) {
                q = add_candidate(&v, text, "%s%s", text, "", reterr);
                search = NULL;
        } else
                for (size_t i = 0; i < r->n_aliases; i++)
                        if (strlen(r->aliases[i].name) == n && strncmp(r->aliases[i].name, text, n) == 0 && r->aliases[i].target[0]) {
                                q = add_candidate(&v, text, "%s%s", r->aliases[i].target, text + n, reterr);
                                search = NULL;
                                break;
                        }
        /* Where no file says anything, a short name is what Docker takes it for. */
        if (!v && q >= 0 && !search)
                search = (char *const *) (strchr(text, '/') ? docker_path : docker);
        for (; q >= 0 && search && *search; search++)
                q = add_candidate(&v, text, "%s/%s", *search, text, reterr);
        if (q < 0)
                return q;
        if (!v)
                return error_set(reterr, -ENOENT, "'%s' names no registry, and 'unqualified-search-registries' of %s is empty; "
                                                  "write REGISTRY/%s", text, REGISTRIES_FILE, text);
        if (r->mode == SHORT_NAME_ENFORCING && strv_length(v) > 1) {
                _cleanup_free_ char *list = strv_join(v, ", ");

                return error_set(reterr, -ENOTUNIQ, "'%s' may be any of %s, and 'short-name-mode' is enforcing; write which", text,
                        list ? list : "several");
        }
        *ret = TAKE_PTR(v);
        return 0;
}

/* How much of a full name (with its tag or digest) the prefix takes up; 0: it does not fit. */
static size_t prefix_length(const char *full, const char *prefix) {
        size_t n;

        if (str_after(prefix, "*.")) {
                const char *domain = prefix + 1, *p = full;

                /* Anywhere in the host, but not at its beginning. */
                while ((p = strstr(p, domain))) {
                        n = (size_t) (p - full) + strlen(domain);
                        if (memchr(full, '/', (size_t) (p - full)))
                                return 0;
                        if (p > full && (!full[n] || strchr(":/@", full[n])))
                                return n;
                        p++;
                }
                return 0;
        }
        n = strlen(prefix);
        return strncmp(full, prefix, n) == 0 && (!full[n] || strchr(":/@", full[n])) ? n : 0;
}

static const RegistryEntry *entry_for(const Registries *r, const char *full) {
        const RegistryEntry *best = NULL;

        for (size_t i = 0; i < r->n_entries; i++)
                if (prefix_length(full, r->entries[i].prefix) > 0 &&
                        (!best || strlen(r->entries[i].prefix) > strlen(best->prefix)))
                        best = r->entries + i;
        return best;
}

/* What location and rest make together, as a host and a repository there. */
static int add_place(Place **places, size_t *n, const char *location, const char *rest, bool insecure, Error *reterr) {
        _cleanup_free_ char *whole = str_format("%s%s", location, rest), *host = NULL, *repository = NULL;
        _cleanup_name_ Name name = { 0 };
        char *slash;
        Place *p;
        int r;

        if (!whole)
                return -ENOMEM;
        slash = strchr(whole, '/');
        if (!slash)
                return error_set(reterr, -EBADMSG, "location '%s' makes the image's name '%s', which has no repository", location, whole);
        r = name_parse(whole, NAME_DOCKER, &name, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "location '%s'", location);
                return r;
        }
        /* A host without a dot is one here, whatever it would be in a person's name for an image. */
        host = strndup(whole, (size_t) (slash - whole));
        repository = strndup(slash + 1, bare_length(slash + 1));
        p = reallocarray(*places, *n + 1, sizeof(*p));
        if (p)
                *places = p;
        if (!p || !host || !repository)
                return -ENOMEM;
        p[(*n)++] = (Place){ .host = TAKE_PTR(host), .repository = TAKE_PTR(repository), .insecure = insecure };
        return 0;
}

static bool mirror_serves(const RegistryMirror *m, const Name *name) {
        switch (m->use) {
        case MIRROR_ALL:
                return true;
        case MIRROR_DIGEST_ONLY:
                return name->digest;
        case MIRROR_TAG_ONLY:
                return !name->digest;
        case _MIRROR_USE_MAX:
        case _MIRROR_USE_INVALID:
                break;
        }
        return false;
}

static int collect(const RegistryEntry *e, const Name *name, const char *full, bool push, Place **places, size_t *n, Error *reterr) {
        size_t length = e ? prefix_length(full, e->prefix) : 0;
        int r = 0;

        if (e && e->blocked)
                return error_set(reterr, -EPERM, "'%s' is blocked by [[registry]] '%s' of %s", name->repository, e->prefix, e->file);
        for (size_t i = 0; e && !push && r >= 0 && i < e->n_mirrors; i++)
                if (mirror_serves(e->mirrors + i, name))
                        r = add_place(places, n, e->mirrors[i].location, full + length, e->mirrors[i].insecure, reterr);
        if (r >= 0)
                r = add_place(places, n, e && e->location ? e->location : "", full + (e && e->location ? length : 0), e && e->insecure,
                        reterr);
        return r;
}

int registries_places(const Registries *r, const Name *name, bool push, Place **ret, size_t *ret_n, Error *reterr) {
        _cleanup_free_ char *full = name->digest ? str_format("%s@%s", name->repository, name->digest) : strdup(name->full);
        Place *places = NULL;
        size_t n = 0;
        int q;

        if (!full)
                return -ENOMEM;
        q = collect(entry_for(r, full), name, full, push, &places, &n, reterr);
        if (q < 0) {
                places_free(places, n);
                return q;
        }
        for (size_t i = 0; i < n; i++) {
                const char *rest = str_after(name->repository, places[i].host);

                places[i].elsewhere = !rest || *rest != '/';
        }
        *ret = places;
        *ret_n = n;
        return 0;
}
