/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>
#include <unistd.h>

#include "spec/names.h"
#include "spec/parse.h"
#include "util/capability.h"
#include "util/rlimit.h"
#include "util/strv.h"

/* Keys with lists. */

#define QUOTED (WORD_UNQUOTE | WORD_UNESCAPE)

static bool control_free(const char *s) {
        for (; *s; s++)
                if ((unsigned char) *s < ' ' || *s == 0x7f)
                        return false;
        return true;
}

/* NAME=VALUE */

static void pair_clear(SpecPair *p) {
        free(p->name);
        free(p->value);
}

static int pair_take(SpecParse *c, const char *word, const char *at, SpecPair *ret) {
        _cleanup_free_ char *text = NULL;
        char *equals;
        int r;

        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        equals = strchr(text, '=');
        if (!equals || equals == text)
                return spec_complain(c, at, "'%s' is not NAME=VALUE", text);
        *equals = 0;
        if (!control_free(text) || strpbrk(text, WHITESPACE))
                return spec_complain(c, at, "'%s' has characters that a name cannot have", text);
        *ret = (SpecPair){ .name = strdup(text), .value = strdup(equals + 1), .origin = spec_origin_at(c, at) };
        if (!ret->name || !ret->value) {
                pair_clear(ret);
                return -ENOMEM;
        }
        return 1;
}

static int pair_word(SpecParse *c, void *place, const char *word, const char *at) {
        SpecPair pair;
        int r;

        r = pair_take(c, word, at, &pair);
        if (r <= 0)
                return r;
        r = spec_list_add(c, place, &pair, sizeof(pair), at);
        if (r <= 0)
                pair_clear(&pair);
        return r;
}

int parse_pairs(SpecParse *c, void *place) {
        return spec_each_word(c, QUOTED, place, pair_word);
}

/* The parameters that belong to a namespace of the container's own, and so to the container: sysctl(2) of the others would
 * be the host's. */
static bool sysctl_is_namespaced(const char *name) {
        static const char *const whole[] = { "kernel.domainname", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
                "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced" };

        if (str_after(name, "net.") || str_after(name, "fs.mqueue."))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(whole); i++)
                if (streq(name, whole[i]))
                        return true;
        return false;
}

static int sysctl_word(SpecParse *c, void *place, const char *word, const char *at) {
        SpecPair pair;
        int r;

        r = pair_take(c, word, at, &pair);
        if (r <= 0)
                return r;
        if (strspn(pair.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:") != strlen(pair.name) ||
                strstr(pair.name, ".."))
                r = spec_complain(c, at, "'%s' is not a name of a kernel parameter", pair.name);
        else if (streq(pair.name, "kernel.hostname"))
                r = spec_complain(c, at, "use HostName= for kernel.hostname");
        else if (!sysctl_is_namespaced(pair.name))
                r = spec_complain(c, at, "kernel parameter '%s' is not the container's own, it would change the host", pair.name);
        else if (!control_free(pair.value))
                r = spec_complain(c, at, "the value of '%s' has control characters", pair.name);
        else
                r = spec_list_add(c, place, &pair, sizeof(pair), at);
        if (r <= 0)
                pair_clear(&pair);
        return r;
}

int parse_sysctls(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, sysctl_word);
}

/* Files of variables. */

/* Quadlet takes relative paths from where the file with the line is. */
static int absolute_from(SpecParse *c, const char *path, char **ret) {
        const char *file = c->source->path, *slash = strrchr(file, '/');
        _cleanup_free_ char *whole = NULL, *cwd = NULL;

        if (*path == '/')
                return path_simplify(path, ret);
        if (*file != '/' && !(cwd = getcwd(NULL, 0)))
                return -errno;
        whole = str_format("%s/%.*s/%s", cwd ?: "", slash ? (int) (slash - file) : 0, file, path);
        return whole ? path_simplify(whole, ret) : -ENOMEM;
}

int spec_take_host_path(SpecParse *c, const char *text, const char *at, char **ret) {
        int r;

        r = absolute_from(c, text, ret);
        if (r == -EINVAL)
                return spec_complain(c, at, "path '%s' leads upwards by '..'", text);
        if (r == -ENAMETOOLONG)
                return spec_complain(c, at, "path is too long");
        return r < 0 ? r : 1;
}

static int env_file_word(SpecParse *c, void *place, const char *word, const char *at) {
        _cleanup_free_ char *text = NULL;
        SpecEnvFile item = { .optional = *word == '-', .origin = spec_origin_at(c, at) };
        int r;

        r = spec_expand(c, word + item.optional, at, &text);
        if (r <= 0)
                return r;
        if (!*text)
                return spec_complain(c, at, "a path is missing");
        r = spec_take_host_path(c, text, at, &item.path);
        if (r <= 0)
                return r;
        r = spec_list_add(c, place, &item, sizeof(item), at);
        if (r <= 0)
                free(item.path);
        return r;
}

int parse_env_files(SpecParse *c, void *place) {
        return spec_each_word(c, QUOTED, place, env_file_word);
}

/* Capabilities. */

static int capability_word(SpecParse *c, void *place, const char *word, const char *at) {
        _cleanup_free_ char *text = NULL;
        const char *near;
        int r, number;

        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        if (strcasecmp(text, "all") == 0) {
                *(uint64_t *) place = UINT64_MAX;
                return 1;
        }
        number = capability_from_name(text);
        if (number >= 0) {
                *(uint64_t *) place |= UINT64_C(1) << number;
                return 1;
        }
        near = capability_near(text);
        return near ? spec_complain(c, at, "unknown capability '%s', did you mean '%s'?", text, near) :
                      spec_complain(c, at, "unknown capability '%s'", text);
}

int parse_capabilities(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, capability_word);
}

/* Limits. */

static int take_limit(SpecParse *c, const char *text, const char *at, uint64_t *ret) {
        if (streq(text, "-1") || streq(text, "unlimited") || streq(text, "infinity")) {
                *ret = SPEC_INFINITY;
                return 1;
        }
        if (parse_u64(text, INT64_MAX, ret) < 0)
                return spec_complain(c, at, "'%s' is not a limit: a number, or unlimited", text);
        return 1;
}

static int ulimit_word(SpecParse *c, void *place, const char *word, const char *at) {
        _cleanup_free_ char *text = NULL;
        SpecUlimit item = { .origin = spec_origin_at(c, at) };
        char *equals, *colon;
        const char *near;
        int r;

        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        if (streq(text, "host")) {
                item.host = true;
                item.resource = -1;
                return spec_list_add(c, place, &item, sizeof(item), at);
        }
        equals = strchr(text, '=');
        if (!equals)
                return spec_complain(c, at, "'%s' is neither NAME=SOFT[:HARD] nor host", text);
        *equals = 0;
        item.resource = rlimit_from_name(text);
        if (item.resource < 0) {
                near = rlimit_near(text);
                return near ? spec_complain(c, at, "unknown limit '%s', did you mean '%s'?", text, near) :
                              spec_complain(c, at, "unknown limit '%s'", text);
        }
        colon = strchr(equals + 1, ':');
        if (colon)
                *colon = 0;
        r = take_limit(c, equals + 1, at, &item.soft);
        if (r <= 0)
                return r;
        item.hard = item.soft;
        if (colon) {
                r = take_limit(c, colon + 1, at, &item.hard);
                if (r <= 0)
                        return r;
        }
        if (item.soft > item.hard)
                return spec_complain(c, at, "the soft limit of '%s' is above the hard one", text);
        return spec_list_add(c, place, &item, sizeof(item), at);
}

int parse_ulimits(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, ulimit_word);
}

/* Id maps. */

static int id_map_word(SpecParse *c, void *place, const char *word, const char *at) {
        typedef SPEC_LIST(SpecIdMap) List;
        _cleanup_free_ char *text = NULL;
        SpecIdMap item = { .origin = spec_origin_at(c, at) };
        uint64_t v[3] = { 0, 0, 1 };
        char *state = NULL, *part;
        List *list = place;
        size_t n = 0;
        int r;

        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        if (strpbrk(text, "@+ug"))
                return spec_complain(c, at, "id map '%s' has flags: known from Quadlet, not supported yet", text);
        for (part = strtok_r(text, ":", &state); part && n < 4; part = strtok_r(NULL, ":", &state), n++)
                if (n == 3 || parse_u64(part, UINT32_MAX, &v[n]) < 0)
                        return spec_complain(c, at, "'%s' is not INSIDE:OUTSIDE[:COUNT]", word);
        if (n < 2)
                return spec_complain(c, at, "'%s' is not INSIDE:OUTSIDE[:COUNT]", word);
        /* 4294967295 is (uid_t) -1, nobody's id. */
        if (v[2] == 0 || v[0] + v[2] > UINT32_MAX || v[1] + v[2] > UINT32_MAX)
                return spec_complain(c, at, "id map '%s' is empty or goes past the last id", word);
        for (size_t i = 0; i < list->n; i++) {
                const SpecIdMap *m = &list->items[i];

                if ((v[0] < (uint64_t) m->inside + m->count && m->inside < v[0] + v[2]) ||
                        (v[1] < (uint64_t) m->outside + m->count && m->outside < v[1] + v[2]))
                        return spec_complain(c, at, "id map '%s' overlaps with %u:%u:%u", word, m->inside, m->outside, m->count);
        }
        item.inside = (uint32_t) v[0];
        item.outside = (uint32_t) v[1];
        item.count = (uint32_t) v[2];
        return spec_list_add(c, place, &item, sizeof(item), at);
}

int parse_id_maps(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, id_map_word);
}

/* Names and addresses. */

/* "::1" and "[::1]": what inet_pton() and resolv.conf(5) take. */
static bool address_valid(char *text) {
        struct in6_addr any;
        size_t n = strlen(text);

        if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
                memmove(text, text + 1, n - 2);
                text[n - 2] = 0;
                return inet_pton(AF_INET6, text, &any) == 1;
        }
        return inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
}

static void host_clear(SpecHost *h) {
        strv_free(h->names);
        free(h->address);
}

static int host_word(SpecParse *c, void *place, const char *word, const char *at) {
        _cleanup_free_ char *text = NULL;
        SpecHost item = { .origin = spec_origin_at(c, at) };
        char *colon, *state = NULL;
        bool gateway;
        int r;

        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        colon = strchr(text, ':');
        if (!colon || colon == text)
                return spec_complain(c, at, "'%s' is not NAME:ADDRESS", text);
        *colon = 0;
        gateway = streq(colon + 1, "host-gateway");
        if (!gateway && !address_valid(colon + 1))
                return spec_complain(c, at, "'%s' is neither an IPv4 or IPv6 address nor host-gateway", colon + 1);
        item.address = gateway ? NULL : strdup(colon + 1);
        r = gateway || item.address ? 1 : -ENOMEM;
        for (char *name = strtok_r(text, ";", &state); r > 0 && name; name = strtok_r(NULL, ";", &state))
                if (!control_free(name) || strpbrk(name, WHITESPACE "#"))
                        r = spec_complain(c, at, "'%s' is not a name of a host", name);
                else if (strv_append(&item.names, name) < 0)
                        r = -ENOMEM;
        if (r > 0 && !item.names)
                r = spec_complain(c, at, "a name is missing before ':'");
        if (r > 0)
                r = spec_list_add(c, place, &item, sizeof(item), at);
        if (r <= 0)
                host_clear(&item);
        return r;
}

int parse_hosts(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, host_word);
}

/* Words that one function finds valid. */
static int checked_word(SpecParse *c, void *place, const char *word, const char *at, bool (*valid)(char *), const char *what) {
        SpecText item = { .origin = spec_origin_at(c, at) };
        int r;

        r = spec_expand(c, word, at, &item.value);
        if (r <= 0)
                return r;
        if (!valid(item.value))
                r = spec_complain(c, at, "'%s' is not %s", item.value, what);
        else
                r = spec_list_add(c, place, &item, sizeof(item), at);
        if (r <= 0)
                free(item.value);
        return r;
}

static int address_word(SpecParse *c, void *place, const char *word, const char *at) {
        return checked_word(c, place, word, at, address_valid, "an IPv4 or IPv6 address");
}

int parse_addresses(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, address_word);
}

static bool word_valid(char *text) {
        return *text && control_free(text) && !strpbrk(text, WHITESPACE);
}

static int plain_word(SpecParse *c, void *place, const char *word, const char *at) {
        return checked_word(c, place, word, at, word_valid, "a word");
}

int parse_words(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, plain_word);
}

static bool domain_valid(char *text) {
        size_t n = strlen(text);

        return n > 0 && n <= 253 &&
                strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == n &&
                (streq(text, ".") || !strstr(text, ".."));
}

static int domain_word(SpecParse *c, void *place, const char *word, const char *at) {
        return checked_word(c, place, word, at, domain_valid, "a domain");
}

int parse_domains(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, domain_word);
}

/* Paths separated by colons, as Podman's --security-opt mask= and unmask= have them. */
static int path_list(SpecParse *c, void *place, bool all_allowed) {
        for (const char *p = c->line->value; *p;) {
                size_t n = strcspn(p, ":");
                SpecText item = { .origin = spec_origin_at(c, p) };
                int r;

                if (n > 0) {
                        if (all_allowed && n == 3 && strncasecmp(p, "all", 3) == 0)
                                r = (item.value = strdup("ALL")) ? 1 : -ENOMEM;
                        else
                                r = spec_take_path(c, p, p + n, &item.value);
                        if (r > 0) {
                                r = spec_list_add(c, place, &item, sizeof(item), p);
                                if (r <= 0)
                                        free(item.value);
                        }
                        if (r < 0)
                                return r;
                }
                p += n + (p[n] == ':');
        }
        return 1;
}

int parse_path_list(SpecParse *c, void *place) {
        return path_list(c, place, false);
}

int parse_unmask(SpecParse *c, void *place) {
        return path_list(c, place, true);
}

/* Devices. */

static bool take_permissions(const char *s, SpecDevice *d) {
        if (!*s || s[strspn(s, "rwm")])
                return false;
        d->read = strchr(s, 'r');
        d->write = strchr(s, 'w');
        d->mknod = strchr(s, 'm');
        return true;
}

static int device_fill(SpecParse *c, SpecDevice *d, char *text, const char *at) {
        char *parts[4], *rest = text;
        size_t n = 0;
        int r;

        for (char *part; n < ELEMENTSOF(parts) && (part = strsep(&rest, ":"));)
                parts[n++] = part;
        if (n > 3 || rest)
                return spec_complain(c, at, "a device is HOST[:CONTAINER][:PERMISSIONS]");
        d->read = d->write = d->mknod = true;
        if (n > 1 && *parts[n - 1] != '/') {
                if (!take_permissions(parts[n - 1], d))
                        return spec_complain(c, at, "'%s' are not permissions made of r, w and m", parts[n - 1]);
                n--;
        }
        if (n == 3)
                return spec_complain(c, at, "'%s' are not permissions made of r, w and m", parts[2]);
        for (size_t i = 0; i < 2; i++) {
                const char *path = parts[n > 1 ? i : 0];

                r = path_simplify(path, i == 0 ? &d->source : &d->target);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return spec_complain(c, at, "'%s' is not an absolute path of a device", path);
        }
        return 1;
}

static int device_word(SpecParse *c, void *place, const char *word, const char *at) {
        _cleanup_free_ char *text = NULL;
        SpecDevice item = { .optional = *word == '-', .origin = spec_origin_at(c, at) };
        int r;

        r = spec_expand(c, word + item.optional, at, &text);
        if (r <= 0)
                return r;
        r = device_fill(c, &item, text, at);
        if (r > 0)
                r = spec_list_add(c, place, &item, sizeof(item), at);
        if (r <= 0) {
                free(item.source);
                free(item.target);
        }
        return r;
}

int parse_devices(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, device_word);
}

/* Secrets. */

static int secret_option(SpecParse *c, SpecSecret *s, char **target, const char *option, const char *at) {
        const char *v;
        uint64_t id;

        if ((v = str_after(option, "type="))) {
                if (!streq(v, "env") && !streq(v, "mount"))
                        return spec_complain(c, at, "type '%s' of a secret is neither mount nor env", v);
                s->env = streq(v, "env");
        } else if ((v = str_after(option, "target="))) {
                free(*target);
                *target = strdup(v);
                if (!*target)
                        return -ENOMEM;
        } else if ((v = str_after(option, "uid=")) || (v = str_after(option, "gid="))) {
                if (parse_u64(v, UINT32_MAX - 1, &id) < 0)
                        return spec_complain(c, at, "'%s' is not an id", v);
                *(*option == 'u' ? &s->uid : &s->gid) = (uint32_t) id;
        } else if ((v = str_after(option, "mode="))) {
                size_t n = strlen(v);

                if (n == 0 || n > 4 || strspn(v, "01234567") != n)
                        return spec_complain(c, at, "'%s' is not a mode in octal", v);
                s->mode = (uint32_t) strtoul(v, NULL, 8);
        } else
                return spec_complain(c, at, "'%s' is not an option of a secret; there are type, target, uid, gid and mode", option);
        return 1;
}

/* Where the secret goes: Podman's defaults are its own name, and below /run/secrets. */
static int secret_target(SpecParse *c, SpecSecret *s, const char *target, const char *at) {
        _cleanup_free_ char *path = NULL;
        int r;

        target = target ?: s->name;
        if (s->env) {
                if (!env_name_valid(target))
                        return spec_complain(c, at, "'%s' is not a name of a variable; say target=NAME", target);
                s->target = strdup(target);
                return s->target ? 1 : -ENOMEM;
        }
        path = str_format("%s%s", *target == '/' ? "" : "/run/secrets/", target);
        if (!path)
                return -ENOMEM;
        r = path_simplify(path, &s->target);
        if (r == -ENOMEM)
                return r;
        return r < 0 || streq(s->target, "/") ? spec_complain(c, at, "'%s' is not a target for a secret", target) : 1;
}

static int secret_word(SpecParse *c, void *place, const char *word, const char *at) {
        _cleanup_free_ char *text = NULL, *target = NULL;
        SpecSecret item = { .mode = 0444, .origin = spec_origin_at(c, at) };
        char *rest, *name;
        int r;

        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        rest = text;
        name = strsep(&rest, ",");
        if (!isalnum((unsigned char) *name) || strlen(name) > 253 ||
                strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != strlen(name))
                return spec_complain(c, at, "'%s' is not a name of a secret", name);
        for (char *option; (option = strsep(&rest, ","));) {
                r = secret_option(c, &item, &target, option, at);
                if (r <= 0)
                        return r;
        }
        item.name = strdup(name);
        r = item.name ? secret_target(c, &item, target, at) : -ENOMEM;
        if (r > 0)
                r = spec_list_add(c, place, &item, sizeof(item), at);
        if (r <= 0) {
                free(item.name);
                free(item.target);
        }
        return r;
}

int parse_secrets(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, secret_word);
}

/* Units. */

/* Quadlet turns the names of its files into the names of their services. */
int spec_unit_of(SpecParse *c, const char *word, const char *at, char **ret) {
        static const char *const others[] = { ".volume", ".pod", ".kube", ".build" };
        _cleanup_free_ char *text = NULL, *service = NULL;
        SpecKind kind;
        int r;

        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (str_ends_with(text, others[i]))
                        return spec_complain(c, at, "'%s' names a Quadlet unit: known from Quadlet, not supported yet", text);
        kind = spec_kind_of(text);
        if (kind >= 0) {
                text[strlen(text) - strlen(spec_kind_suffix(kind))] = 0;
                service = spec_service_of(c, kind, text);
                *ret = service ? str_format("%s.service", service) : NULL;
        } else
                *ret = TAKE_PTR(text);
        if (!*ret)
                return -ENOMEM;
        if (!c->unknown && !unit_name_valid(*ret)) {
                r = spec_complain(c, at, "'%s' is not a name of a unit", *ret);
                free(*ret);
                return r;
        }
        return 1;
}

static int unit_word(SpecParse *c, void *place, const char *word, const char *at) {
        SpecText item = { .origin = spec_origin_at(c, at) };
        int r;

        r = spec_unit_of(c, word, at, &item.value);
        if (r <= 0)
                return r;
        r = spec_list_add(c, place, &item, sizeof(item), at);
        if (r <= 0)
                free(item.value);
        return r;
}

int parse_units(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, unit_word);
}

static int alias_word(SpecParse *c, void *place, const char *word, const char *at) {
        if (!str_ends_with(word, ".service"))
                return spec_complain(c, at, "alias '%s' is not a name of a service", word);
        return unit_word(c, place, word, at);
}

int parse_aliases(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, alias_word);
}

int parse_instance(SpecParse *c, void *place) {
        SpecText *t = place;
        const char *value = c->line->value;
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_expand(c, value, value, &text);
        if (r <= 0)
                return r;
        /* An instance has it from its template. */
        if (c->spec->instance)
                return 1;
        if (!c->spec->template)
                return spec_warn(c, NULL, "DefaultInstance= means something in a template only");
        if (strchr(text, '@') || !spec_name_valid(text))
                return spec_complain(c, value, "'%s' is not a name of an instance", text);
        spec_store_reset(STORE_TEXT, t, NULL);
        *t = (SpecText){ .value = TAKE_PTR(text), .origin = spec_origin_at(c, value) };
        return 1;
}

static int dependency_word(SpecParse *c, void *place, const char *word, const char *at) {
        _cleanup_free_ char *unit = NULL;
        char *found = NULL;
        int r;

        r = spec_unit_of(c, word, at, &found);
        unit = r > 0 ? found : NULL;
        return r;
}

int parse_dependencies(SpecParse *c, void *place) {
        return *c->line->value ? spec_each_word(c, WORD_UNQUOTE, place, dependency_word) : 1;
}
