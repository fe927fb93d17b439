/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include "image/json.h"
#include "image/registry/base64.h"
#include "image/registry/credentials.h"
#include "util/fd.h"
#include "util/strv.h"

/* What docker calls its own registry in its files. */
#define DOCKER_SERVER "https://index.docker.io/v1/"

void credentials_clear(Credentials *c) {
        if (c->password)
                explicit_bzero(c->password, strlen(c->password));
        if (c->identity_token)
                explicit_bzero(c->identity_token, strlen(c->identity_token));
        free(c->user);
        free(c->password);
        free(c->identity_token);
        free(c->from);
        *c = (Credentials){ 0 };
}

/* "user:password" in base64. */
static int split_auth(const char *auth, Credentials *c, Error *reterr) {
        _cleanup_free_ char *plain = NULL;
        char *colon;
        size_t size;
        int r = base64_decode(auth, &plain, &size);

        if (r == -ENOMEM)
                return r;
        colon = r < 0 ? NULL : strchr(plain, ':');
        if (!colon)
                return error_set(reterr, -EBADMSG, "'auth' is not user:password in base64");
        c->user = strndup(plain, (size_t) (colon - plain));
        c->password = strdup(colon + 1); /* docker sometimes has NULs behind it */
        explicit_bzero(plain, size);
        return c->user && c->password ? 0 : -ENOMEM;
}

/* 1 when the entry has what it takes; docker leaves empty entries where a helper has the rest. */
static int read_entry(const json_t *entry, Credentials *c, Error *reterr) {
        _cleanup_free_ char *auth = NULL;
        int r;

        if (!json_is_object(entry))
                return error_set(reterr, -EBADMSG, "it is no object");
        r = json_member_string(entry, "auth", &auth, reterr);
        if (r >= 0)
                r = json_member_string(entry, "identitytoken", &c->identity_token, reterr);
        if (r >= 0 && auth && *auth)
                r = split_auth(auth, c, reterr);
        else if (r >= 0) {
                r = json_member_string(entry, "username", &c->user, reterr);
                if (r >= 0)
                        r = json_member_string(entry, "password", &c->password, reterr);
        }
        if (r < 0)
                return r;
        if (c->identity_token && !*c->identity_token)
                free(TAKE_PTR(c->identity_token));
        return c->identity_token || (c->user && *c->user && c->password);
}

/* The host of a key: docker's are addresses, the others are names already. */
static bool key_is_host(const char *key, const char *host) {
        const char *rest = str_after(key, "https://");
        size_t n;

        if (!rest)
                rest = str_after(key, "http://");
        n = rest ? strcspn(rest, "/") : strlen(key);
        if (!rest)
                rest = key;
        if (streq(host, "docker.io") &&
                ((n == STRLEN("index.docker.io") && strncmp(rest, "index.docker.io", n) == 0) ||
                        (n == STRLEN("registry-1.docker.io") && strncmp(rest, "registry-1.docker.io", n) == 0)))
                return true;
        return n == strlen(host) && strncmp(rest, host, n) == 0;
}

/* The most exact key first: "host/a/b", "host/a", "host"; then those that mean the host. */
static const json_t *find_key(const json_t *table, const char *host, const char *repository, const char **ret_key) {
        _cleanup_free_ char *key = str_format("%s/%s", host, repository);
        const char *other;
        json_t *value;

        for (char *slash = key; key && slash;) {
                json_t *exact = json_object_get(table, key);

                if (exact) {
                        *ret_key = json_object_iter_key(json_object_iter_at((json_t *) table, key));
                        return exact;
                }
                slash = strrchr(key, '/');
                if (slash)
                        *slash = 0;
        }
        json_object_foreach((json_t *) table, other, value)
                if (key_is_host(other, host)) {
                        *ret_key = other;
                        return value;
                }
        return NULL;
}

static int parse_auths(const json_t *root, const char *host, const char *repository, Credentials *ret, Error *reterr) {
        const json_t *entry;
        const char *key;
        json_t *auths;
        int r = json_member(root, "auths", JSON_OBJECT, &auths, reterr);

        if (r < 0)
                return r;
        entry = find_key(auths, host, repository, &key);
        if (!entry)
                return 0;
        r = read_entry(entry, ret, reterr);
        if (r < 0)
                (void) error_prefix(reterr, "'auths' of '%s'", key);
        return r;
}

/* Helper names become file names. */
static int check_helper(const char *name, Error *reterr) {
        if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(name))
                return error_set(reterr, -EBADMSG, "'%.60s' cannot be the name of a credential helper", name);
        return 0;
}

static int parse_helpers(const json_t *root, const char *host, const char *repository, char **ret_helper, char **ret_server,
        Error *reterr) {
        _cleanup_free_ char *store = NULL, *helper = NULL, *server = NULL;
        const char *key = streq(host, "docker.io") ? DOCKER_SERVER : host;
        const json_t *value;
        json_t *helpers;
        int r = json_member(root, "credHelpers", JSON_OBJECT, &helpers, reterr);

        if (r >= 0)
                r = json_member_string(root, "credsStore", &store, reterr);
        if (r < 0)
                return r;
        value = find_key(helpers, host, repository, &key);
        if (value && !json_is_string(value))
                return error_set(reterr, -EBADMSG, "'credHelpers' of '%s' is not a string", key);
        if (!value && (!store || !*store))
                return 0;
        helper = strdup(value ? json_string_value(value) : store);
        server = strdup(key);
        if (!helper || !server)
                return -ENOMEM;
        r = check_helper(helper, reterr);
        if (r < 0)
                return r;
        *ret_helper = TAKE_PTR(helper);
        *ret_server = TAKE_PTR(server);
        return 0;
}

int credentials_parse(const char *text, size_t size, const char *host, const char *repository, Credentials *ret, char **ret_helper,
        char **ret_server, Error *reterr) {
        _cleanup_credentials_ Credentials c = { 0 };
        _cleanup_json_ json_t *root = NULL;
        int r = json_parse(text, size, CREDENTIALS_FILE_MAX, &root, reterr);

        if (r < 0)
                return r;
        if (!json_is_object(root))
                return error_set(reterr, -EBADMSG, "it is no object");
        r = parse_auths(root, host, repository, &c, reterr);
        if (r == 0)
                return parse_helpers(root, host, repository, ret_helper, ret_server, reterr);
        if (r > 0) {
                *ret = c;
                c = (Credentials){ 0 };
        }
        return r;
}

int credentials_parse_helper(const char *text, size_t size, Credentials *ret, Error *reterr) {
        _cleanup_credentials_ Credentials c = { 0 };
        _cleanup_json_ json_t *root = NULL;
        int r = json_parse(text, size, CREDENTIALS_HELPER_OUTPUT_MAX, &root, reterr);

        if (r < 0)
                return r;
        if (!json_is_object(root))
                return error_set(reterr, -EBADMSG, "it is no object");
        r = json_member_string(root, "Username", &c.user, reterr);
        if (r >= 0)
                r = json_member_string(root, "Secret", &c.password, reterr);
        if (r < 0)
                return r;
        if (!c.user || !c.password)
                return error_set(reterr, -EBADMSG, "it lacks 'Username' or 'Secret'");
        if (streq(c.user, "<token>")) {
                c.identity_token = TAKE_PTR(c.password);
                free(TAKE_PTR(c.user));
        }
        *ret = c;
        c = (Credentials){ 0 };
        return 0;
}

/* Files are named by a directory, which an environment variable or its default gives, and the rest. */
static const struct {
        const char *variable, *fallback, *rest;
} files[] = {
        { "XDG_RUNTIME_DIR", NULL,                "/containers/auth.json"         },
        { NULL,              "/run/containers/0", "/auth.json"                    },
        { "XDG_CONFIG_HOME", NULL,                "/containers/auth.json"         },
        { "HOME",            "/root",             "/.config/containers/auth.json" },
        { NULL,              "/etc/containers",   "/auth.json"                    },
        { "DOCKER_CONFIG",   NULL,                "/config.json"                  },
        { "HOME",            "/root",             "/.docker/config.json"          },
};

static int list_files(const CredentialSources *sources, char ***ret) {
        _cleanup_strv_ char **v = strv_copy(NULL);
        const char *only = sources->file ? sources->file : getenv("REGISTRY_AUTH_FILE");
        int r = v ? 0 : -ENOMEM;

        if (r >= 0 && only && *only)
                r = strv_append(&v, only);
        else
                for (size_t i = 0; r >= 0 && i < ELEMENTSOF(files); i++) {
                        const char *directory = files[i].variable ? getenv(files[i].variable) : NULL;
                        _cleanup_free_ char *path = NULL;

                        if (!directory || !*directory)
                                directory = files[i].fallback;
                        if (!directory)
                                continue;
                        path = str_format("%s%s", directory, files[i].rest);
                        if (!path)
                                r = -ENOMEM;
                        else if (!strv_contains(v, path))
                                r = strv_consume(&v, TAKE_PTR(path));
                }
        if (r >= 0)
                *ret = TAKE_PTR(v);
        return r;
}

char *credentials_files(const CredentialSources *sources) {
        _cleanup_strv_ char **v = NULL;

        return list_files(sources, &v) < 0 ? NULL : strv_join(v, ", ");
}

static int try_file(const char *path, const char *host, const char *repository, Credentials *ret, Error *reterr) {
        _cleanup_free_ char *text = NULL, *helper = NULL, *server = NULL;
        size_t size;
        int r = read_file(AT_FDCWD, path, CREDENTIALS_FILE_MAX, &text, &size);

        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read %s", path);
        r = size == 0 ? 0 : credentials_parse(text, size, host, repository, ret, &helper, &server, reterr);
        explicit_bzero(text, size);
        if (r == 0 && helper)
                r = credentials_ask(helper, server, ret, reterr);
        if (r < 0 && r != -ENOMEM)
                (void) error_prefix(reterr, "%s", path);
        if (r > 0 && !ret->from) {
                ret->from = strdup(path);
                if (!ret->from) {
                        credentials_clear(ret);
                        return -ENOMEM;
                }
        }
        return r;
}

static int try_files(const CredentialSources *sources, const char *host, const char *repository, Credentials *ret, Error *reterr) {
        _cleanup_strv_ char **v = NULL;
        int r = list_files(sources, &v);

        for (char **path = v; r == 0 && *path; path++)
                r = try_file(*path, host, repository, ret, reterr);
        return r;
}

static int take_said(const char *said, Credentials *ret, Error *reterr) {
        _cleanup_credentials_ Credentials c = { 0 };
        const char *colon = strchr(said, ':');

        if (!colon || colon == said)
                return error_set(reterr, -EINVAL, "credentials are USER:PASSWORD");
        c.user = strndup(said, (size_t) (colon - said));
        c.password = strdup(colon + 1);
        c.from = strdup("--creds or Creds=");
        if (!c.user || !c.password || !c.from)
                return -ENOMEM;
        *ret = c;
        c = (Credentials){ 0 };
        return 1;
}

/* A file that was named has to be there. */
static int try_named(const CredentialSources *sources, const char *host, const char *repository, Credentials *ret, Error *reterr) {
        if (access(sources->file, F_OK) < 0)
                return error_set_errno(reterr, -errno, "cannot read %s", sources->file);
        return try_file(sources->file, host, repository, ret, reterr);
}

int credentials_find(const CredentialSources *sources, const char *host, const char *repository, Credentials *ret, Error *reterr) {
        char *const *helpers = sources->helpers;
        int r = 0;

        if (sources->said)
                return take_said(sources->said, ret, reterr);
        if (sources->file)
                return try_named(sources, host, repository, ret, reterr);
        if (!helpers)
                return try_files(sources, host, repository, ret, reterr);
        for (; r == 0 && *helpers; helpers++)
                if (streq(*helpers, "containers-auth.json"))
                        r = try_files(sources, host, repository, ret, reterr);
                else {
                        r = check_helper(*helpers, reterr);
                        if (r >= 0)
                                r = credentials_ask(*helpers, host, ret, reterr);
                }
        return r;
}
