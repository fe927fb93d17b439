/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/name.h"
#include "util/strv.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define TAG_LENGTH_MAX 128

void name_clear(Name *name) {
        free(name->repository);
        free(name->tag);
        free(name->digest);
        free(name->full);
        *name = (Name){ 0 };
}

const char *digest_hex(const char *text) {
        const char *hex = str_after(text, "sha256:");

        if (!hex || strlen(hex) != DIGEST_HEX_LENGTH || strspn(hex, DIGITS "abcdef") != DIGEST_HEX_LENGTH)
                return NULL;
        return hex;
}

bool digest_valid(const char *text) {
        return digest_hex(text);
}

char *name_to_file(const char *full) {
        char *file = strdup(full);

        for (char *p = file; p && *p; p++)
                if (*p == '/')
                        *p = '=';
        return file;
}

char *name_from_file(const char *file) {
        char *full = strdup(file);

        for (char *p = full; p && *p; p++)
                if (*p == '=')
                        *p = '/';
        return full;
}

bool name_has_registry(const char *text) {
        size_t n = strcspn(text, "/");

        if (!text[n])
                return false;
        if (n == STRLEN("localhost") && strncmp(text, "localhost", n) == 0)
                return true;
        for (size_t i = 0; i < n; i++)
                if (strchr(".:" UPPER, text[i]))
                        return true;
        return false;
}

/* DNS labels with dots between, or an IPv6 address in brackets; then a port. */
static bool registry_valid(const char *s, size_t n) {
        size_t host = 0;

        if (n > 0 && s[0] == '[') {
                host = 1 + strspn(s + 1, DIGITS "abcdefABCDEF:.");
                if (host < 3 || host >= n || s[host] != ']')
                        return false;
                host++;
        } else
                for (;;) {
                        size_t label = MIN(strspn(s + host, LOWER UPPER DIGITS "-"), n - host);

                        if (label == 0 || s[host] == '-' || s[host + label - 1] == '-')
                                return false;
                        host += label;
                        if (host == n || s[host] != '.')
                                break;
                        host++;
                }
        if (host == n)
                return true;
        return s[host] == ':' && host + 1 < n && strspn(s + host + 1, DIGITS) >= n - host - 1;
}

/* Lower-case words with one '.', one or two '_' or any number of '-' between them. */
static bool path_component_valid(const char *s, size_t n) {
        size_t i = 0;

        for (;;) {
                size_t word = MIN(strspn(s + i, LOWER DIGITS), n - i);

                if (word == 0)
                        return false;
                i += word;
                if (i == n)
                        return true;
                if (s[i] == '.')
                        i++;
                else if (s[i] == '_')
                        i += s[i + 1] == '_' ? 2 : 1;
                else if (s[i] == '-')
                        i += strspn(s + i, "-");
                else
                        return false;
                if (i >= n)
                        return false;
        }
}

static int path_check(const char *text, const char *path, Error *reterr) {
        for (const char *p = path;;) {
                size_t n = strcspn(p, "/");

                if (!path_component_valid(p, n)) {
                        if (strpbrk(path, UPPER))
                                return error_set(reterr, -EINVAL,
                                        "image name '%s' has capital letters, which only a tag or a registry may have", text);
                        return error_set(reterr, -EINVAL, "'%s' is not an image name", text);
                }
                if (!p[n])
                        return 0;
                p += n + 1;
        }
}

static bool tag_valid(const char *tag) {
        size_t n = strspn(tag, LOWER UPPER DIGITS "_.-");

        return n > 0 && n <= TAG_LENGTH_MAX && !tag[n] && tag[0] != '.' && tag[0] != '-';
}

/* Cuts "@sha256:…" and then ":tag" off the end of rest. */
static int name_split_end(const char *text, char *rest, Name *n, Error *reterr) {
        char *at = strchr(rest, '@'), *slash, *colon;

        if (at) {
                *at = 0;
                if (!digest_valid(at + 1))
                        return error_set(reterr, -EINVAL, "image name '%s' has a digest that is not sha256: and 64 digits", text);
                n->digest = strdup(at + 1);
                if (!n->digest)
                        return -ENOMEM;
        }
        slash = strrchr(rest, '/');
        colon = strrchr(slash ? slash : rest, ':');
        if (colon) {
                *colon = 0;
                if (!tag_valid(colon + 1))
                        return error_set(reterr, -EINVAL, "image name '%s' has a malformed tag '%s'", text, colon + 1);
        }
        if (colon || !at) {
                n->tag = strdup(colon ? colon + 1 : "latest");
                if (!n->tag)
                        return -ENOMEM;
        }
        return 0;
}

static char *docker_repository(const char *path) {
        return str_format("docker.io/%s%s", strchr(path, '/') ? "" : "library/", path);
}

int name_parse(const char *text, NameDefault fallback, Name *ret, Error *reterr) {
        _cleanup_name_ Name n = { 0 };
        _cleanup_free_ char *rest = NULL;
        const char *path;
        int r;

        if (!*text)
                return error_set(reterr, -EINVAL, "an image name cannot be empty");
        if (strlen(text) > NAME_LENGTH_MAX + DIGEST_LENGTH + 1)
                return error_set(reterr, -EINVAL, "image name '%.40s…' is longer than %d bytes", text, NAME_LENGTH_MAX);
        rest = strdup(text);
        if (!rest)
                return -ENOMEM;
        r = name_split_end(text, rest, &n, reterr);
        if (r < 0)
                return r;

        if (name_has_registry(rest)) {
                size_t registry = strcspn(rest, "/");
                bool docker;

                if (!registry_valid(rest, registry))
                        return error_set(reterr, -EINVAL, "image name '%s' has a malformed registry", text);
                path = rest + registry + 1;
                docker = (registry == STRLEN("docker.io") && str_after(rest, "docker.io/")) ||
                        (registry == STRLEN("index.docker.io") && str_after(rest, "index.docker.io/"));
                n.repository = docker ? docker_repository(path) : strdup(rest);
        } else {
                path = rest;
                n.repository = fallback == NAME_LOCAL ? str_format("localhost/%s", path) : docker_repository(path);
        }
        if (!n.repository)
                return -ENOMEM;
        r = path_check(text, path, reterr);
        if (r < 0)
                return r;
        n.full = n.tag ? str_format("%s:%s", n.repository, n.tag) : NULL;
        if (n.tag && !n.full)
                return -ENOMEM;
        if (strlen(n.full ? n.full : n.repository) > NAME_LENGTH_MAX)
                return error_set(reterr, -EINVAL, "image name '%.40s…' is longer than %d bytes", text, NAME_LENGTH_MAX);
        *ret = n;
        n = (Name){ 0 };
        return 0;
}

int name_parse_new(const char *text, NameDefault fallback, char **ret_full, Error *reterr) {
        _cleanup_name_ Name name = { 0 };
        int r = name_parse(text, fallback, &name, reterr);

        if (r < 0)
                return r;
        if (name.digest)
                return error_set(reterr, -EINVAL, "'%s' cannot name an image here: it has a digest", text);
        *ret_full = TAKE_PTR(name.full);
        return 0;
}
