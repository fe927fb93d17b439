/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "image/json.h"
#include "image/registry/base64.h"
#include "image/registry/policy.h"
#include "util/fd.h"
#include "util/strv.h"

static void requirement_clear(PolicyRequirement *q) {
        strv_free(q->key_files);
        strv_free(q->keys);
        free(q->identity.reference);
        free(q->identity.prefix);
        free(q->identity.signed_prefix);
        *q = (PolicyRequirement){ 0 };
}

void policy_clear(Policy *p) {
        for (size_t i = 0; i < p->n_requirements; i++)
                requirement_clear(p->requirements + i);
        free(p->requirements);
        free(p->scope);
        *p = (Policy){ 0 };
}

/* A key that is not understood could be a further condition. */
static int check_keys(const json_t *object, const char *where, const char *const *known, Error *reterr) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) object, key, value) {
                const char *const *p = known;

                while (*p && !streq(*p, key))
                        p++;
                if (!*p)
                        return error_set(reterr, -EBADMSG, "'%.60s' of %s is not known", key, where);
        }
        return 0;
}

static const struct {
        const char *name;
        IdentityMatch match;
        const char *keys[4];
} identities[] = {
        { "matchRepoDigestOrExact", IDENTITY_REPO_DIGEST_OR_EXACT, { "type" }                            },
        { "matchExact",             IDENTITY_EXACT,                { "type" }                            },
        { "matchRepository",        IDENTITY_REPOSITORY,           { "type" }                            },
        { "exactReference",         IDENTITY_EXACT_REFERENCE,      { "type", "dockerReference" }         },
        { "exactRepository",        IDENTITY_EXACT_REPOSITORY,     { "type", "dockerRepository" }        },
        { "remapIdentity",          IDENTITY_REMAP,                { "type", "prefix", "signedPrefix" }  },
};

static int read_identity(const json_t *j, PolicyIdentity *ret, Error *reterr) {
        char **values[] = { NULL, &ret->reference, NULL, NULL };
        _cleanup_free_ char *type = NULL;
        size_t i = 0;
        int r = json_member_string(j, "type", &type, reterr);

        if (r < 0)
                return r;
        while (i < ELEMENTSOF(identities) && !streq_ptr(identities[i].name, type))
                i++;
        if (i == ELEMENTSOF(identities))
                return error_set(reterr, -EBADMSG, "'signedIdentity' has type '%.60s', which is not known", type ? type : "");
        r = check_keys(j, "'signedIdentity'", identities[i].keys, reterr);
        ret->match = identities[i].match;
        if (ret->match == IDENTITY_REMAP) {
                values[1] = &ret->prefix;
                values[2] = &ret->signed_prefix;
        }
        for (size_t k = 1; r >= 0 && identities[i].keys[k]; k++) {
                r = json_member_string(j, identities[i].keys[k], values[k], reterr);
                if (r >= 0 && (!*values[k] || !**values[k]))
                        r = error_set(reterr, -EBADMSG, "'signedIdentity' of type '%s' lacks '%s'", type, identities[i].keys[k]);
        }
        return r;
}

static int add_key(PolicyRequirement *q, const char *data, Error *reterr) {
        _cleanup_free_ char *pem = NULL;
        size_t size;
        int r = base64_decode(data, &pem, &size);

        if (r == -EINVAL || (r >= 0 && strlen(pem) != size))
                return error_set(reterr, -EBADMSG, "'keyData' is not base64");
        return r < 0 ? r : strv_consume(&q->keys, TAKE_PTR(pem));
}

/* Just one of the four ways to say which keys. */
static int read_keys(const json_t *j, PolicyRequirement *q, Error *reterr) {
        static const char *const ways[] = { "keyPath", "keyPaths", "keyData", "keyDatas" };
        _cleanup_strv_ char **values = NULL;
        const char *way = NULL;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(ways); i++)
                if (json_object_get(j, ways[i])) {
                        if (way)
                                return error_set(reterr, -EBADMSG, "'sigstoreSigned' has both '%s' and '%s'", way, ways[i]);
                        way = ways[i];
                }
        if (!way)
                return error_set(reterr, -EBADMSG, "'sigstoreSigned' has neither keyPath, keyPaths, keyData nor keyDatas");
        r = json_member_strings(j, way, POLICY_KEYS_MAX, true, &values, reterr);
        if (r < 0)
                return r;
        if (!values[0])
                return error_set(reterr, -EBADMSG, "'%s' of 'sigstoreSigned' is empty", way);
        for (char **p = values; r >= 0 && *p; p++)
                r = str_after(way, "keyPath") ? strv_append(&q->key_files, *p) : add_key(q, *p, reterr);
        return r;
}

static int read_sigstore(const json_t *j, PolicyRequirement *q, Error *reterr) {
        static const char *const known[] = { "type", "keyPath", "keyPaths", "keyData", "keyDatas", "signedIdentity", NULL };
        static const char *const unsupported[] = { "fulcio", "pki", "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
                "rekorPublicKeyDatas" };
        json_t *identity;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(unsupported); i++)
                if (json_object_get(j, unsupported[i]))
                        return error_set(reterr, -EOPNOTSUPP, "'sigstoreSigned' with '%s' cannot be verified here, only keys", unsupported[i]);
        r = check_keys(j, "'sigstoreSigned'", known, reterr);
        if (r >= 0)
                r = read_keys(j, q, reterr);
        if (r >= 0)
                r = json_member(j, "signedIdentity", JSON_OBJECT, &identity, reterr);
        return r < 0 || !identity ? r : read_identity(identity, &q->identity, reterr);
}

static int read_requirement(const json_t *j, PolicyRequirement *q, Error *reterr) {
        static const char *const names[_POLICY_TYPE_MAX] = {
                [POLICY_ACCEPT] = "insecureAcceptAnything",
                [POLICY_REJECT] = "reject",
                [POLICY_SIGSTORE] = "sigstoreSigned",
                [POLICY_GPG] = "signedBy",
        };
        static const char *const only_type[] = { "type", NULL };
        _cleanup_free_ char *type = NULL;
        int r;

        if (!json_is_object(j))
                return error_set(reterr, -EBADMSG, "a requirement is not an object");
        r = json_member_string(j, "type", &type, reterr);
        if (r < 0)
                return r;
        q->type = _POLICY_TYPE_INVALID;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq_ptr(names[i], type))
                        q->type = (PolicyType) i;
        switch (q->type) {
        case POLICY_ACCEPT:
        case POLICY_REJECT:
                return check_keys(j, type, only_type, reterr);
        case POLICY_SIGSTORE:
                return read_sigstore(j, q, reterr);
        case POLICY_GPG:
                return 0;
        case _POLICY_TYPE_MAX:
        case _POLICY_TYPE_INVALID:
                break;
        }
        return error_set(reterr, -EBADMSG, "requirement '%.60s' is not known", type ? type : "");
}

static int read_requirements(const json_t *list, Policy *p, Error *reterr) {
        size_t n = json_array_size(list);
        int r = 0;

        if (!json_is_array(list) || n == 0)
                return error_set(reterr, -EBADMSG, "it is not a list of requirements");
        if (n > POLICY_REQUIREMENTS_MAX)
                return error_set(reterr, -E2BIG, "it has more than %d requirements", POLICY_REQUIREMENTS_MAX);
        p->requirements = calloc(n, sizeof(*p->requirements));
        if (!p->requirements)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = read_requirement(json_array_get(list, i), p->requirements + p->n_requirements++, reterr);
        return r;
}

/* Borrowed; *ret_scope is the caller's. From the most exact scope to the widest: the name with its tag or digest, its
 * repository and each part of that, the domains of its host, all registries. */
static int find_scope(const json_t *scopes, const Name *name, const json_t **ret, char **ret_scope) {
        _cleanup_free_ char *scope = name->digest ? str_format("%s@%s", name->repository, name->digest) : strdup(name->full);
        char *end = scope ? scope + strlen(name->repository) : NULL, *dot;

        for (; end; end = strrchr(scope, '/')) {
                if ((*ret = json_object_get(scopes, scope)))
                        goto found;
                *end = 0;
                if ((*ret = json_object_get(scopes, scope)))
                        goto found;
        }
        if (!scope)
                return -ENOMEM;
        scope[strcspn(scope, ":")] = 0; /* the port */
        for (dot = strchr(scope, '.'); dot && dot > scope; dot = strchr(dot + 1, '.')) {
                dot[-1] = '*';
                if ((*ret = json_object_get(scopes, dot - 1))) {
                        (void) memmove(scope, dot - 1, strlen(dot - 1) + 1);
                        goto found;
                }
        }
        *ret = json_object_get(scopes, "");
        if (!*ret)
                return 0;
        free(scope);
        scope = strdup("all registries");
        if (!scope)
                return -ENOMEM;
found:
        *ret_scope = TAKE_PTR(scope);
        return 0;
}

static int find_requirements(const json_t *root, const Name *name, const json_t **ret, char **ret_scope, Error *reterr) {
        json_t *transports, *docker;
        int r = json_member(root, "transports", JSON_OBJECT, &transports, reterr);

        if (r >= 0)
                r = json_member(transports, "docker", JSON_OBJECT, &docker, reterr);
        if (r < 0)
                return r;
        *ret = NULL;
        if (docker)
                r = find_scope(docker, name, ret, ret_scope);
        if (r < 0 || *ret)
                return r;
        *ret = json_object_get(root, "default");
        *ret_scope = strdup("default");
        return *ret_scope ? 0 : -ENOMEM;
}

int policy_parse(const char *text, size_t size, const Name *name, Policy *ret, Error *reterr) {
        static const char *const known[] = { "default", "transports", NULL };
        _cleanup_policy_ Policy p = { 0 };
        _cleanup_json_ json_t *root = NULL;
        const json_t *list;
        int r = json_parse(text, size, POLICY_SIZE_MAX, &root, reterr);

        if (r < 0)
                return r;
        if (!json_is_object(root))
                return error_set(reterr, -EBADMSG, "it is no object");
        r = check_keys(root, "the policy", known, reterr);
        if (r >= 0 && !json_object_get(root, "default"))
                r = error_set(reterr, -EBADMSG, "it lacks 'default'");
        if (r >= 0)
                r = find_requirements(root, name, &list, &p.scope, reterr);
        if (r < 0)
                return r;
        r = read_requirements(list, &p, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "'%s'", p.scope);
                return r;
        }
        *ret = p;
        p = (Policy){ 0 };
        return 0;
}

int policy_load(const Name *name, Policy *ret, Error *reterr) {
        static const char accept[] = "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}";
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        int r = read_file(AT_FDCWD, POLICY_FILE, POLICY_SIZE_MAX, &text, &size);

        if (r == -ENOENT)
                return policy_parse(accept, strlen(accept), name, ret, reterr);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read " POLICY_FILE);
        r = policy_parse(text, size, name, ret, reterr);
        if (r < 0 && r != -ENOMEM)
                (void) error_prefix(reterr, POLICY_FILE);
        return r;
}

/* Of a signature's name, which unlike ours need have neither tag nor digest. */
typedef struct SignedName {
        Name name;
        bool bare;
} SignedName;

static bool same_repository(const Name *a, const Name *b) {
        return streq(a->repository, b->repository);
}

static bool same_name(const Name *a, const SignedName *b) {
        return !b->bare && same_repository(a, &b->name) && streq_ptr(a->digest, b->name.digest) &&
                (a->digest || streq_ptr(a->tag, b->name.tag));
}

static int read_signed_name(const char *text, SignedName *ret) {
        const char *slash = strrchr(text, '/');

        ret->bare = !strpbrk(slash ? slash : text, ":@");
        return name_parse(text, NAME_DOCKER, &ret->name, NULL);
}

static bool repo_digest_or_exact(const Name *name, const SignedName *s) {
        if (name->digest)
                return !s->bare && same_repository(name, &s->name);
        return same_name(name, s);
}

/* The image's name with signed_prefix instead of prefix, where it has that. */
static bool remap(const PolicyIdentity *identity, const Name *name, const SignedName *s) {
        _cleanup_free_ char *text = name->digest ? str_format("%s@%s", name->repository, name->digest) : strdup(name->full), *moved = NULL;
        const char *rest = text ? str_after(text, identity->prefix) : NULL;
        _cleanup_name_ Name other = { 0 };

        if (!text)
                return false;
        if (!rest || (*rest && !strchr("/:@", *rest)))
                return repo_digest_or_exact(name, s);
        moved = str_format("%s%s", identity->signed_prefix, rest);
        return moved && name_parse(moved, NAME_DOCKER, &other, NULL) >= 0 && repo_digest_or_exact(&other, s);
}

bool policy_identity_fits(const PolicyIdentity *identity, const Name *name, const char *signed_name) {
        SignedName s = { 0 }, wanted = { 0 };
        bool fits = read_signed_name(signed_name, &s) >= 0;

        if (fits && identity->reference)
                fits = read_signed_name(identity->reference, &wanted) >= 0;
        if (fits)
                switch (identity->match) {
                case IDENTITY_REPO_DIGEST_OR_EXACT:
                        fits = repo_digest_or_exact(name, &s);
                        break;
                case IDENTITY_EXACT:
                        fits = same_name(name, &s);
                        break;
                case IDENTITY_REPOSITORY:
                        fits = same_repository(name, &s.name);
                        break;
                case IDENTITY_EXACT_REFERENCE:
                        fits = !wanted.bare && same_name(&wanted.name, &s);
                        break;
                case IDENTITY_EXACT_REPOSITORY:
                        fits = same_repository(&wanted.name, &s.name);
                        break;
                case IDENTITY_REMAP:
                        fits = remap(identity, name, &s);
                        break;
                case _IDENTITY_MATCH_MAX:
                case _IDENTITY_MATCH_INVALID:
                        fits = false;
                        break;
                }
        name_clear(&s.name);
        name_clear(&wanted.name);
        return fits;
}
