/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "image/registry/registries.h"
#include "image/registry/toml.h"
#include "util/fd.h"
#include "util/nearest.h"
#include "util/strv.h"

static void mirrors_free(RegistryMirror *mirrors, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(mirrors[i].location);
        free(mirrors);
}

static void entry_clear(RegistryEntry *e) {
        free(e->prefix);
        free(e->location);
        free(e->file);
        mirrors_free(e->mirrors, e->n_mirrors);
        *e = (RegistryEntry){ 0 };
}

void registries_clear(Registries *r) {
        strv_free(r->search);
        strv_free(r->credential_helpers);
        for (size_t i = 0; i < r->n_entries; i++)
                entry_clear(r->entries + i);
        free(r->entries);
        for (size_t i = 0; i < r->n_aliases; i++) {
                free(r->aliases[i].name);
                free(r->aliases[i].target);
        }
        free(r->aliases);
        *r = REGISTRIES_INIT;
}

/* A key that is not understood could be the one that matters: what it asks for would silently not be done. */
static int check_keys(const json_t *table, const char *where, const char *const *known, size_t n, Error *reterr) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) table, key, value) {
                Nearest nearest = NEAREST_INIT(key);
                const char *other;
                size_t i = 0;

                while (i < n && !streq(known[i], key))
                        nearest_try(&nearest, known[i], known[i]), i++;
                if (i < n)
                        continue;
                other = nearest_found(&nearest);
                return error_set(reterr, -EBADMSG, "%s: key '%.60s' is not known%s%s%s", where, key, other ? ", did you mean '" : "",
                        other ? other : "", other ? "'?" : "");
        }
        return 0;
}

/* Leaves *ret alone when the key is not there. */
static int take_boolean(const json_t *table, const char *where, const char *key, bool *ret, Error *reterr) {
        const json_t *j = json_object_get(table, key);

        if (j && !json_is_boolean(j))
                return error_set(reterr, -EBADMSG, "%s: '%s' is neither true nor false", where, key);
        if (j)
                *ret = json_is_true(j);
        return 0;
}

/* "host:port/path", which may begin with "*." where wildcards are allowed. */
static int take_location(const json_t *table, const char *where, const char *key, bool wildcard, char **ret, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r = json_member_string(table, key, &text, reterr);

        if (r < 0) {
                (void) error_prefix(reterr, "%s", where);
                return r;
        }
        if (!text)
                return 0;
        if (strstr(text, "://"))
                return error_set(reterr, -EBADMSG, "%s: '%s = %.100s' has a scheme; write the host alone", where, key, text);
        if (str_after(text, "*.") && !wildcard)
                return error_set(reterr, -EBADMSG, "%s: '%s = %.100s' cannot have a wildcard; only a prefix can", where, key, text);
        n = strlen(text);
        while (n > 0 && text[n - 1] == '/')
                text[--n] = 0;
        if (n > 0)
                *ret = TAKE_PTR(text);
        return 0;
}

static int take_use(const json_t *table, const char *where, MirrorUse *ret, Error *reterr) {
        static const char *const names[_MIRROR_USE_MAX] = {
                [MIRROR_ALL] = "all",
                [MIRROR_DIGEST_ONLY] = "digest-only",
                [MIRROR_TAG_ONLY] = "tag-only",
        };
        _cleanup_free_ char *text = NULL;
        int r = json_member_string(table, "pull-from-mirror", &text, reterr);

        if (r < 0 || !text)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i], text)) {
                        *ret = (MirrorUse) i;
                        return 0;
                }
        return error_set(reterr, -EBADMSG, "%s: 'pull-from-mirror = %.60s' is neither all, digest-only nor tag-only", where, text);
}

static int read_mirror(const json_t *table, bool digest_only, RegistryMirror *m, Error *reterr) {
        static const char *const keys[] = { "location", "insecure", "pull-from-mirror" };
        static const char where[] = "[[registry.mirror]]";
        int r;

        if (!json_is_object(table))
                return error_set(reterr, -EBADMSG, "'mirror' is no array of tables");
        r = check_keys(table, where, keys, ELEMENTSOF(keys), reterr);
        if (r >= 0)
                r = take_location(table, where, "location", false, &m->location, reterr);
        if (r >= 0)
                r = take_boolean(table, where, "insecure", &m->insecure, reterr);
        if (r >= 0)
                r = take_use(table, where, &m->use, reterr);
        if (r < 0)
                return r;
        if (!m->location)
                return error_set(reterr, -EBADMSG, "%s has no location", where);
        if (digest_only && json_object_get(table, "pull-from-mirror"))
                return error_set(reterr, -EBADMSG, "%s: 'pull-from-mirror' and the registry's 'mirror-by-digest-only' exclude each other", where);
        if (digest_only)
                m->use = MIRROR_DIGEST_ONLY;
        return 0;
}

static int read_mirrors(const json_t *table, RegistryEntry *e, Error *reterr) {
        bool digest_only = false;
        json_t *list;
        int r = take_boolean(table, "[[registry]]", "mirror-by-digest-only", &digest_only, reterr);

        if (r >= 0)
                r = json_member(table, "mirror", JSON_ARRAY, &list, reterr);
        if (r < 0 || !list)
                return r;
        if (json_array_size(list) > REGISTRIES_MIRRORS_MAX)
                return error_set(reterr, -E2BIG, "a registry has more than %d mirrors", REGISTRIES_MIRRORS_MAX);
        e->mirrors = calloc(json_array_size(list) + 1, sizeof(*e->mirrors));
        if (!e->mirrors)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < json_array_size(list); i++)
                r = read_mirror(json_array_get(list, i), digest_only, e->mirrors + e->n_mirrors++, reterr);
        return r;
}

static int read_entry(const json_t *table, RegistryEntry *e, Error *reterr) {
        static const char *const keys[] = { "prefix", "location", "insecure", "blocked", "mirror-by-digest-only", "mirror" };
        static const char where[] = "[[registry]]";
        int r;

        if (!json_is_object(table))
                return error_set(reterr, -EBADMSG, "'registry' is no array of tables");
        r = check_keys(table, where, keys, ELEMENTSOF(keys), reterr);
        if (r >= 0)
                r = take_location(table, where, "prefix", true, &e->prefix, reterr);
        if (r >= 0)
                r = take_location(table, where, "location", false, &e->location, reterr);
        if (r >= 0)
                r = take_boolean(table, where, "insecure", &e->insecure, reterr);
        if (r >= 0)
                r = take_boolean(table, where, "blocked", &e->blocked, reterr);
        if (r >= 0)
                r = read_mirrors(table, e, reterr);
        if (r < 0)
                return r;
        if (!e->prefix && !e->location)
                return error_set(reterr, -EBADMSG, "%s has neither a prefix nor a location", where);
        if (!e->location && !str_after(e->prefix, "*."))
                return error_set(reterr, -EBADMSG, "%s: prefix '%.100s' has no location", where, e->prefix);
        if (!e->prefix)
                e->prefix = strdup(e->location);
        return e->prefix ? 0 : -ENOMEM;
}

/* In place of another of the same prefix that an earlier file has. */
static int add_entry(Registries *r, RegistryEntry *e, Error *reterr) {
        RegistryEntry *entries;

        for (size_t i = 0; i < r->n_entries; i++)
                if (streq(r->entries[i].prefix, e->prefix)) {
                        if (streq(r->entries[i].file, e->file))
                                return error_set(reterr, -EBADMSG, "[[registry]]: prefix '%.100s' is there twice", e->prefix);
                        entry_clear(r->entries + i);
                        r->entries[i] = *e;
                        return 0;
                }
        if (r->n_entries >= REGISTRIES_ENTRIES_MAX)
                return error_set(reterr, -E2BIG, "there are more than %d registries", REGISTRIES_ENTRIES_MAX);
        entries = reallocarray(r->entries, r->n_entries + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        r->entries = entries;
        entries[r->n_entries++] = *e;
        return 0;
}

static int read_entries(Registries *r, const json_t *root, const char *file, Error *reterr) {
        json_t *list;
        int ret = json_member(root, "registry", JSON_ARRAY, &list, reterr);

        for (size_t i = 0; ret >= 0 && i < json_array_size(list); i++) {
                RegistryEntry e = { .file = strdup(file) };

                ret = e.file ? read_entry(json_array_get(list, i), &e, reterr) : -ENOMEM;
                if (ret >= 0)
                        ret = add_entry(r, &e, reterr);
                if (ret < 0)
                        entry_clear(&e);
        }
        return ret;
}

static int add_alias(Registries *r, const char *name, const char *target, Error *reterr) {
        RegistryAlias *aliases, alias = { .name = strdup(name), .target = strdup(target) };

        if (!alias.name || !alias.target)
                goto fail;
        for (size_t i = 0; i < r->n_aliases; i++)
                if (streq(r->aliases[i].name, name)) {
                        free(r->aliases[i].name);
                        free(r->aliases[i].target);
                        r->aliases[i] = alias;
                        return 0;
                }
        if (r->n_aliases >= REGISTRIES_ALIASES_MAX) {
                free(alias.name);
                free(alias.target);
                return error_set(reterr, -E2BIG, "there are more than %d aliases", REGISTRIES_ALIASES_MAX);
        }
        aliases = reallocarray(r->aliases, r->n_aliases + 1, sizeof(*aliases));
        if (!aliases)
                goto fail;
        r->aliases = aliases;
        aliases[r->n_aliases++] = alias;
        return 0;
fail:
        free(alias.name);
        free(alias.target);
        return -ENOMEM;
}

static int read_aliases(Registries *r, const json_t *root, Error *reterr) {
        const char *key;
        json_t *table, *value;
        int ret = json_member(root, "aliases", JSON_OBJECT, &table, reterr);

        if (ret < 0)
                return ret;
        json_object_foreach(table, key, value) {
                const char *target = json_string_value(value);

                if (!target || (*target && !name_has_registry(target)))
                        return error_set(reterr, -EBADMSG, "[aliases]: '%.60s' leads to no name with a registry", key);
                if (name_has_registry(key) || strpbrk(key, ":@"))
                        return error_set(reterr, -EBADMSG, "[aliases]: '%.60s' is no short name", key);
                ret = add_alias(r, key, target, reterr);
                if (ret < 0)
                        return ret;
        }
        return 0;
}

/* Leaves *v alone when the key is not there. */
static int read_list(const json_t *root, const char *key, char ***v, Error *reterr) {
        char **list;
        int r;

        if (!json_object_get(root, key))
                return 0;
        r = json_member_strings(root, key, REGISTRIES_SEARCH_MAX, false, &list, reterr);
        if (r < 0)
                return r;
        strv_free(*v);
        *v = list;
        return 0;
}

static int read_search(Registries *r, const json_t *root, Error *reterr) {
        int ret = read_list(root, "unqualified-search-registries", &r->search, reterr);

        for (char **p = ret < 0 ? NULL : r->search; p && *p; p++)
                if (!**p || strchr(*p, '/'))
                        return error_set(reterr, -EBADMSG, "'unqualified-search-registries' has '%.100s', which is no host", *p);
        return ret;
}

static int read_mode(Registries *r, const json_t *root, Error *reterr) {
        static const char *const names[_SHORT_NAME_MODE_MAX] = {
                [SHORT_NAME_ENFORCING] = "enforcing",
                [SHORT_NAME_PERMISSIVE] = "permissive",
                [SHORT_NAME_DISABLED] = "disabled",
        };
        _cleanup_free_ char *text = NULL;
        int ret = json_member_string(root, "short-name-mode", &text, reterr);

        if (ret < 0 || !text)
                return ret;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i], text)) {
                        r->mode = (ShortNameMode) i;
                        return 0;
                }
        return error_set(reterr, -EBADMSG, "'short-name-mode = %.60s' is neither enforcing, permissive nor disabled", text);
}

static int read_root(Registries *r, const json_t *root, const char *file, Error *reterr) {
        static const char *const keys[] = { "unqualified-search-registries", "short-name-mode", "credential-helpers", "registry", "aliases" };
        int ret;

        if (json_is_object(json_object_get(root, "registries")))
                return error_set(reterr, -EOPNOTSUPP, "it is of version 1, with [registries.…]; version 2 has [[registry]]");
        if (json_object_get(root, "additional-layer-store-auth-helper"))
                return error_set(reterr, -EOPNOTSUPP, "'additional-layer-store-auth-helper': there are no additional layer stores here");
        ret = check_keys(root, "at the top", keys, ELEMENTSOF(keys), reterr);
        if (ret >= 0)
                ret = read_search(r, root, reterr);
        if (ret >= 0)
                ret = read_list(root, "credential-helpers", &r->credential_helpers, reterr);
        if (ret >= 0)
                ret = read_mode(r, root, reterr);
        if (ret >= 0)
                ret = read_entries(r, root, file, reterr);
        if (ret >= 0)
                ret = read_aliases(r, root, reterr);
        return ret;
}

int registries_read(Registries *r, const char *text, size_t size, const char *file, Error *reterr) {
        _cleanup_json_ json_t *root = NULL;
        int ret = toml_parse(text, size, &root, reterr);

        if (ret >= 0)
                ret = read_root(r, root, file, reterr);
        if (ret < 0 && ret != -ENOMEM)
                (void) error_prefix(reterr, "%s", file);
        return ret;
}

/* A file that is not there says nothing. */
static int load_file(Registries *r, int dir, const char *path, const char *name, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int ret = read_file(dir, path, TOML_SIZE_MAX, &text, &size);

        if (ret == -ENOENT)
                return 0;
        if (ret < 0)
                return error_set_errno(reterr, ret, "cannot read %s", name);
        return registries_read(r, text, size, name, reterr);
}

static int only_conf(const struct dirent *entry) {
        return entry->d_name[0] != '.' && str_ends_with(entry->d_name, ".conf");
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_directory(Registries *r, Error *reterr) {
        _cleanup_close_ int dir = open(REGISTRIES_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent **entries;
        int n, ret = 0;

        if (dir < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "cannot open " REGISTRIES_DIR);
        n = scandirat(dir, ".", &entries, only_conf, by_bytes);
        if (n < 0)
                return error_set_errno(reterr, -errno, "cannot list " REGISTRIES_DIR);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *name = str_format(REGISTRIES_DIR "/%s", entries[i]->d_name);

                if (ret >= 0)
                        ret = name ? load_file(r, dir, entries[i]->d_name, name, reterr) : -ENOMEM;
                free(entries[i]);
        }
        free(entries);
        return ret;
}

int registries_load(Registries *ret, Error *reterr) {
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        const char *file = getenv("CONTAINERS_REGISTRIES_CONF");
        int q;

        if (!file || !*file)
                file = REGISTRIES_FILE;
        q = load_file(&r, AT_FDCWD, file, file, reterr);
        if (q >= 0)
                q = load_directory(&r, reterr);
        if (q < 0)
                return q;
        *ret = r;
        r = REGISTRIES_INIT;
        return 0;
}
