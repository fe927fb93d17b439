/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>

#include "spec/names.h"
#include "spec/parse.h"
#include "util/strv.h"

/* Keys with one value. */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool all_of(const char *s, const char *accept) {
        return *s && !s[strspn(s, accept)];
}

int parse_rootfs(SpecParse *c, void *place) {
        const char *value = c->line->value, *colon = strchr(value, ':');
        const char *end = colon ?: value + strlen(value);
        bool overlay = false, idmap = false;
        char *path;
        int r;

        for (const char *p = colon; p;) {
                size_t n;

                p++;
                n = strcspn(p, ":,");
                if (n == 1 && *p == 'O')
                        overlay = true;
                else if (n == 5 && strncmp(p, "idmap", n) == 0)
                        idmap = true;
                else
                        return spec_complain(c, p, "'%.*s' is not an option of Rootfs=; there are O and idmap", (int) n, p);
                p = p[n] ? p + n : NULL;
        }
        r = spec_take_path(c, value, end, &path);
        if (r <= 0)
                return r;
        c->process->rootfs_overlay = overlay;
        c->process->rootfs_idmap = idmap;
        return spec_keep_text(c, place, path);
}

/* Users and groups. */

static bool account_valid(const char *name) {
        uint64_t id;

        if (isdigit((unsigned char) *name) && all_of(name, DIGITS))
                return parse_u64(name, UINT32_MAX - 1, &id) == 0;
        return all_of(name, LETTERS DIGITS "_.-") && *name != '-' && *name != '.' && strlen(name) <= 256;
}

int parse_group(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        if (!account_valid(text))
                return spec_complain(c, c->line->value, "'%s' is not a name or number of a group", text);
        return spec_keep_text(c, place, TAKE_PTR(text));
}

int parse_user(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL, *group = NULL;
        char *colon;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        colon = strchr(text, ':');
        if (colon) {
                *colon = 0;
                group = strdup(colon + 1);
                if (!group)
                        return -ENOMEM;
                if (!account_valid(group))
                        return spec_complain(c, c->line->value, "'%s' is not a name or number of a group", group);
        }
        if (!account_valid(text))
                return spec_complain(c, c->line->value, "'%s' is not a name or number of a user", text);
        if (group)
                (void) spec_keep_text(c, &c->process->group, TAKE_PTR(group));
        return spec_keep_text(c, place, TAKE_PTR(text));
}

static int group_word(SpecParse *c, void *place, const char *word, const char *at) {
        SpecText item = { .origin = spec_origin_at(c, at) };
        int r;

        r = spec_expand(c, word, at, &item.value);
        if (r <= 0)
                return r;
        if (streq(item.value, "keep-groups"))
                r = spec_complain(c, at, "'keep-groups' is known from Quadlet, not supported yet");
        else if (!account_valid(item.value))
                r = spec_complain(c, at, "'%s' is not a name or number of a group", item.value);
        else
                r = spec_list_add(c, place, &item, sizeof(item), at);
        if (r <= 0)
                free(item.value);
        return r;
}

int parse_groups(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, group_word);
}

int parse_path(SpecParse *c, void *place) {
        const char *value = c->line->value;
        char *path;
        int r;

        r = spec_take_path(c, value, value + strlen(value), &path);
        return r <= 0 ? r : spec_keep_text(c, place, path);
}

static int take_bool(SpecParse *c, bool *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        r = parse_boolean(text);
        if (r < 0)
                return spec_complain(c, c->line->value, "'%s' is not a boolean: yes or no", text);
        *ret = r;
        return 1;
}

int parse_bool(SpecParse *c, void *place) {
        bool value = false;
        int r;

        r = take_bool(c, &value);
        if (r > 0)
                *(SpecBool *) place = (SpecBool){ .set = true, .value = value, .origin = spec_origin_at(c, c->line->value) };
        return r;
}

int parse_plain_bool(SpecParse *c, void *place) {
        if (!*c->line->value) {
                *(bool *) place = false;
                return 1;
        }
        return take_bool(c, place);
}

/* Names. */

static int keep_checked(SpecParse *c, void *place, bool (*valid)(const char *), const char *what) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        if (!valid(text))
                return spec_complain(c, c->line->value, "'%s' is not %s", text, what);
        return spec_keep_text(c, place, TAKE_PTR(text));
}

/* 64 bytes: HOST_NAME_MAX of Linux. */
static bool hostname_valid(const char *s) {
        size_t n = strlen(s);

        if (n > 64 || !all_of(s, LETTERS DIGITS "-."))
                return false;
        for (size_t i = 0; i < n; i++) {
                bool edge = i == 0 || i == n - 1 || s[i - 1] == '.' || s[i + 1] == '.';

                if ((s[i] == '-' && edge) || (s[i] == '.' && (i == 0 || i == n - 1 || s[i + 1] == '.')))
                        return false;
        }
        return true;
}

int parse_hostname(SpecParse *c, void *place) {
        return keep_checked(c, place, hostname_valid, "a host name");
}

static bool container_name_valid(const char *s) {
        return isalnum((unsigned char) *s) && all_of(s, LETTERS DIGITS "_.-") && strlen(s) <= 255;
}

int parse_name(SpecParse *c, void *place) {
        return keep_checked(c, place, container_name_valid, "a name of a container: letters, digits, '_', '.' and '-'");
}

static bool timezone_valid(const char *s) {
        return streq(s, "local") ||
                (strlen(s) < 256 && isalnum((unsigned char) *s) && all_of(s, LETTERS DIGITS "_+-/") && !strstr(s, "//") &&
                        !str_ends_with(s, "/"));
}

int parse_timezone(SpecParse *c, void *place) {
        return keep_checked(c, place, timezone_valid, "a time zone such as Europe/Paris, or local");
}

/* The name itself was needed before all else: spec.c has looked for it. */
int parse_service_name(SpecParse *c, void *place) {
        const char *value = c->line->value;

        if (!*value)
                return 1;
        if (c->spec->template || c->spec->instance)
                return spec_complain(c, NULL, "ServiceName= is not for templates");
        if (!spec_name_valid(value) || strchr(value, '@') || str_ends_with(value, ".service"))
                return spec_complain(c, value, "'%s' is not a name of a service, without '.service'", value);
        return 1;
}

int parse_seccomp(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        if (streq(text, "unconfined"))
                return spec_keep_text(c, place, TAKE_PTR(text));
        if (*text != '/')
                return spec_complain(c, c->line->value, "'%s' is neither an absolute path nor unconfined", text);
        return parse_path(c, place);
}

/* Numbers. */

static int take_size(SpecParse *c, bool zero_is_infinity, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        r = parse_limit_size(text, ret);
        if (r < 0)
                return spec_complain(c, c->line->value, "'%s' is not a size such as 64m or 2g", text);
        if (*ret == 0 && zero_is_infinity)
                *ret = SPEC_INFINITY;
        return 1;
}

int parse_size_limit(SpecParse *c, void *place) {
        uint64_t v;
        int r;

        r = take_size(c, true, &v);
        return r <= 0 ? r : spec_keep_number(c, place, v);
}

int parse_swap(SpecParse *c, void *place) {
        uint64_t v;
        int r;

        r = take_size(c, false, &v);
        return r <= 0 ? r : spec_keep_number(c, place, v);
}

int parse_cpus(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        uint64_t v;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        r = parse_limit_cpus(text, &v);
        if (r == -ERANGE)
                return spec_complain(c, c->line->value, "'%s' is less than a hundredth of a processor", text);
        if (r < 0)
                return spec_complain(c, c->line->value, "'%s' is not a number of processors such as 1.5", text);
        return spec_keep_number(c, place, v);
}

int spec_take_number(SpecParse *c, uint64_t least, uint64_t most, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        if (parse_u64(text, most, ret) < 0 || *ret < least)
                return spec_complain(c, c->line->value, "'%s' is not a number from %llu to %llu", text,
                        (unsigned long long) least, (unsigned long long) most);
        return 1;
}

/* What read knows, from 1 to most. */
static int take_limit(SpecParse *c, int (*read)(const char *text, uint64_t *ret), unsigned most, void *place) {
        _cleanup_free_ char *text = NULL;
        uint64_t v;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        if (read(text, &v) < 0)
                return spec_complain(c, c->line->value, "'%s' is not a number from 1 to %u", text, most);
        return spec_keep_number(c, place, v);
}

int parse_cpu_weight(SpecParse *c, void *place) {
        return streq(c->line->value, "idle") ? spec_keep_number(c, place, 0) : take_limit(c, parse_limit_weight, LIMIT_WEIGHT_MAX, place);
}

int parse_io_weight(SpecParse *c, void *place) {
        return take_limit(c, parse_limit_weight, LIMIT_WEIGHT_MAX, place);
}

int parse_pids(SpecParse *c, void *place) {
        return take_limit(c, parse_limit_pids, LIMIT_PIDS_MAX, place);
}

int parse_count(SpecParse *c, void *place) {
        uint64_t v;
        int r;

        r = spec_take_number(c, 0, UINT32_MAX, &v);
        return r <= 0 ? r : spec_keep_number(c, place, v);
}

int parse_signal(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        const char *near;
        int r, number;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        number = signal_from_name(text);
        if (number > 0)
                return spec_keep_number(c, place, (uint64_t) number);
        near = signal_near(text);
        return near ? spec_complain(c, c->line->value, "unknown signal '%s', did you mean '%s'?", text, near) :
                      spec_complain(c, c->line->value, "unknown signal '%s'", text);
}

int spec_take_seconds(SpecParse *c, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        /* A template's service must not be less patient than one of its instances. */
        if (c->unknown) {
                *ret = SPEC_INFINITY;
                return 1;
        }
        if (parse_timespan(text, ret) < 0)
                return spec_complain(c, c->line->value, "'%s' is not a time such as 20 or 1min 30s", text);
        return 1;
}

int parse_seconds(SpecParse *c, void *place) {
        uint64_t v;
        int r;

        r = spec_take_seconds(c, &v);
        return r <= 0 ? r : spec_keep_number(c, place, v);
}

int parse_both_timeouts(SpecParse *c, void *place) {
        int r;

        if (!*c->line->value) {
                c->spec->timeout_start = c->spec->timeout_stop = (SpecNumber){ 0 };
                return 1;
        }
        r = parse_seconds(c, &c->spec->timeout_start);
        if (r > 0)
                c->spec->timeout_stop = c->spec->timeout_start;
        return r;
}

/* Choices. */

int parse_notify(SpecParse *c, void *place) {
        const char *value = c->line->value;
        bool yes = false;
        int r;

        if (streq(value, "healthy")) {
                *(SpecNotify *) place = SPEC_NOTIFY_HEALTHY;
                return 1;
        }
        r = take_bool(c, &yes);
        if (r > 0)
                *(SpecNotify *) place = yes ? SPEC_NOTIFY_YES : SPEC_NOTIFY_NO;
        return r;
}

int spec_take_choice(SpecParse *c, const char *const *names, size_t n, const char *what, const char *there_are, int *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (streq_ptr(text, names[i])) {
                        *ret = (int) i;
                        return 1;
                }
        return spec_complain(c, c->line->value, "'%s' is not %s; there are %s", text, what, there_are);
}

int parse_pull(SpecParse *c, void *place) {
        static const char *const names[_SPEC_PULL_MAX] = {
                [SPEC_PULL_MISSING] = "missing",
                [SPEC_PULL_ALWAYS] = "always",
                [SPEC_PULL_NEWER] = "newer",
                [SPEC_PULL_NEVER] = "never",
        };

        return spec_take_choice(c, names, ELEMENTSOF(names), "a pull policy", "missing, always, newer and never", place);
}

int parse_auto_update(SpecParse *c, void *place) {
        static const char *const names[_SPEC_AUTO_UPDATE_MAX] = {
                [SPEC_AUTO_UPDATE_REGISTRY] = "registry",
                [SPEC_AUTO_UPDATE_LOCAL] = "local",
        };

        return spec_take_choice(c, names, ELEMENTSOF(names), "a source of updates", "registry and local", place);
}

/* Podman's other modes; what they are needed for a system's service has not: a user who logs in, another container. */
static bool userns_is_known(const char *text) {
        static const char *const modes[] = { "container:", "keep-id", "keep-id:", "nomap", "ns:" };

        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (modes[i][strlen(modes[i]) - 1] == ':' ? str_after(text, modes[i]) != NULL : streq(text, modes[i]))
                        return true;
        return false;
}

/* "size=1024" */
static int userns_options(SpecParse *c, const char *text, uint32_t *ret_size) {
        const char *number = str_after(text, "size=");
        uint64_t size;

        if (!number)
                return spec_complain(c, c->line->value, "'%s' of UserNS=auto is known from Quadlet, not supported yet; there is size=", text);
        if (parse_u64(number, SPEC_USERNS_IDS, &size) < 0 || size == 0)
                return spec_complain(c, c->line->value, "'%s' is not a number from 1 to %d", number, SPEC_USERNS_IDS);
        *ret_size = (uint32_t) size;
        return 1;
}

int parse_userns(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        const char *options;
        uint32_t size = 0;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        options = str_after(text, "auto:");
        if (options) {
                r = userns_options(c, options, &size);
                if (r <= 0)
                        return r;
        }
        c->process->userns_size = size;
        if (options || streq(text, "auto") || streq(text, "private"))
                *(SpecUserns *) place = SPEC_USERNS_AUTO;
        else if (streq(text, "host"))
                *(SpecUserns *) place = SPEC_USERNS_HOST;
        else if (userns_is_known(text))
                return spec_complain(c, c->line->value, "user namespace '%s' is known from Quadlet, not supported yet; there are auto and "
                        "host, and UIDMap= and GIDMap= for other maps", text);
        else
                return spec_complain(c, c->line->value, "'%s' is not a user namespace; there are auto and host", text);
        return 1;
}

/* [Service] */

int parse_type(SpecParse *c, void *place) {
        const char *value = c->line->value;

        if (!*value || streq(value, "notify"))
                *(bool *) place = false;
        else if (streq(value, "oneshot"))
                *(bool *) place = true;
        else
                return spec_complain(c, value, "Type= is notify, which is the default, or oneshot");
        return 1;
}

int parse_restart(SpecParse *c, void *place) {
        static const char *const names[_SPEC_RESTART_MAX] = {
                [SPEC_RESTART_NO] = "no",
                [SPEC_RESTART_ON_SUCCESS] = "on-success",
                [SPEC_RESTART_ON_FAILURE] = "on-failure",
                [SPEC_RESTART_ON_ABNORMAL] = "on-abnormal",
                [SPEC_RESTART_ON_WATCHDOG] = "on-watchdog",
                [SPEC_RESTART_ON_ABORT] = "on-abort",
                [SPEC_RESTART_ALWAYS] = "always",
        };
        SpecRestart *restart = place;

        if (!*c->line->value) {
                *restart = _SPEC_RESTART_INVALID;
                return 1;
        }
        for (int i = 0; i < _SPEC_RESTART_MAX; i++)
                if (streq(c->line->value, names[i])) {
                        *restart = (SpecRestart) i;
                        return 1;
                }
        return spec_complain(c, c->line->value,
                "'%s' is none of no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always", c->line->value);
}

static int exit_word(SpecParse *c, void *place, const char *word, const char *at) {
        SpecExitSet *set = place;
        int status = exit_status_from_name(word), number;

        if (status >= 0) {
                set->status[status / 64] |= UINT64_C(1) << (status % 64);
                return 1;
        }
        number = signal_from_name(word);
        if (number <= 0)
                return spec_complain(c, at, "'%s' is neither an exit status nor a signal", word);
        set->signals |= UINT64_C(1) << (number - 1);
        return 1;
}

int parse_exit_set(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE, place, exit_word);
}
