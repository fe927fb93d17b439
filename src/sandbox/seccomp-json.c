/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON profiles of Podman and Docker. What is not understood is an error: skipped, it might have been a refusal. */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "sandbox/seccomp-rules.h"
#include "sandbox/seccomp.h"
#include "util/buf.h"
#include "util/capability.h"
#include "util/strv.h"

#define RULES_MAX 10000

typedef struct Json {
        uint64_t capabilities;
        Buf arches;
        SeccompRule *rules;
        size_t n_rules;
        char **strings; /* what rules point to */
} Json;

static void json_clear(Json *j) {
        buf_clear(&j->arches);
        free(j->rules);
        strv_free(j->strings);
}

static void jsonp(json_t **j) {
        json_decref(*j);
}

static const char *json_text(json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key));
}

/* Absent, null, "" and {} are all the same to the programs that write these. */
static bool json_is_empty(json_t *v) {
        return !v || json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0) ||
                (json_is_array(v) && json_array_size(v) == 0) || (json_is_object(v) && json_object_size(v) == 0);
}

static int keys_check(json_t *object, const char *const *known, size_t n, const char *where, Error *reterr) {
        const char *key;
        json_t *value;

        json_object_foreach(object, key, value) {
                bool found = json_is_empty(value);

                for (size_t i = 0; i < n; i++)
                        found = found || streq(key, known[i]);
                if (!found)
                        return error_set(reterr, -EINVAL, "the profile has '%s' in %s, which is not supported", key, where);
        }
        return 0;
}
#define KEYS_CHECK(object, where, reterr, ...)                                                           \
        ({                                                                                               \
                static const char *const _known[] = { __VA_ARGS__ };                                     \
                keys_check(object, _known, ELEMENTSOF(_known), where, reterr);                           \
        })

static const struct {
        const char *name;
        uint32_t action;
} actions[] = {
        { "SCMP_ACT_ALLOW",        SCMP_ACT_ALLOW        },
        { "SCMP_ACT_KILL",         SCMP_ACT_KILL         },
        { "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
        { "SCMP_ACT_KILL_THREAD",  SCMP_ACT_KILL_THREAD  },
        { "SCMP_ACT_LOG",          SCMP_ACT_LOG          },
        { "SCMP_ACT_TRAP",         SCMP_ACT_TRAP         },
};

static const struct {
        const char *name;
        int value;
} error_names[] = {
        { "EPERM", EPERM }, { "ENOENT", ENOENT }, { "EACCES", EACCES }, { "EINVAL", EINVAL }, { "ENOSYS", ENOSYS },
        { "EAGAIN", EAGAIN }, { "EBADF", EBADF }, { "EFAULT", EFAULT }, { "EIO", EIO }, { "ENODEV", ENODEV },
        { "ENOMEM", ENOMEM }, { "ENOTTY", ENOTTY }, { "ENOTSUP", ENOTSUP }, { "EOPNOTSUPP", EOPNOTSUPP },
        { "EAFNOSUPPORT", EAFNOSUPPORT }, { "EPROTONOSUPPORT", EPROTONOSUPPORT }, { "ESRCH", ESRCH },
};

/* "errnoRet": 38, or Podman's "errno": "ENOSYS", which wins; EPERM where neither stands. */
static int json_errno(json_t *object, const char *key_name, const char *key_number, Error *reterr) {
        const char *name = json_text(object, key_name);
        json_t *number = json_object_get(object, key_number);
        uint64_t v;

        if (name && *name) {
                for (size_t i = 0; i < ELEMENTSOF(error_names); i++)
                        if (streq(name, error_names[i].name))
                                return error_names[i].value;
                if (parse_u64(name, 4095, &v) >= 0)
                        return (int) v;
                return error_set(reterr, -EINVAL, "the profile has the unknown error '%s'", name);
        }
        if (!number || json_is_null(number))
                return EPERM;
        if (!json_is_integer(number) || json_integer_value(number) < 0 || json_integer_value(number) > 4095)
                return error_set(reterr, -EINVAL, "the profile's '%s' is not an error number", key_number);
        return (int) json_integer_value(number);
}

static int json_action(json_t *object, const char *key, const char *key_name, const char *key_number, uint32_t *ret,
        Error *reterr) {
        const char *name = json_text(object, key);
        int error;

        if (!name)
                return error_set(reterr, -EINVAL, "the profile lacks '%s'", key);
        for (size_t i = 0; i < ELEMENTSOF(actions); i++)
                if (streq(name, actions[i].name)) {
                        *ret = actions[i].action;
                        return 0;
                }
        if (streq(name, "SCMP_ACT_NOTIFY"))
                return error_set(reterr, -EOPNOTSUPP, "the profile wants SCMP_ACT_NOTIFY, and nobody here would answer");
        if (!streq(name, "SCMP_ACT_ERRNO") && !streq(name, "SCMP_ACT_TRACE"))
                return error_set(reterr, -EINVAL, "the profile has the unknown action '%s'", name);
        error = json_errno(object, key_name, key_number, reterr);
        if (error < 0)
                return error;
        *ret = streq(name, "SCMP_ACT_ERRNO") ? SCMP_ACT_ERRNO((uint32_t) error) : SCMP_ACT_TRACE((uint32_t) error);
        return 0;
}

static const struct {
        const char *name;
        enum scmp_compare op;
} comparisons[] = {
        { "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_LE", SCMP_CMP_LE },
        { "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
        { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
};

static int json_arg(json_t *object, SeccompArg *ret, Error *reterr) {
        json_t *index = json_object_get(object, "index"), *value = json_object_get(object, "value"),
               *two = json_object_get(object, "valueTwo");
        const char *op = json_text(object, "op");

        if (!json_is_object(object) || !json_is_integer(index) || json_integer_value(index) < 0 ||
                json_integer_value(index) >= SECCOMP_ARGS_MAX || !json_is_integer(value) || !op ||
                (two && !json_is_integer(two)))
                return error_set(reterr, -EINVAL, "the profile has an incomplete argument");
        if (KEYS_CHECK(object, "an argument", reterr, "index", "value", "valueTwo", "op") < 0)
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTSOF(comparisons); i++)
                if (streq(op, comparisons[i].name)) {
                        *ret = (SeccompArg){
                                .index = (unsigned) json_integer_value(index),
                                .op = comparisons[i].op,
                                .value = (uint64_t) json_integer_value(value),
                                .value_two = two ? (uint64_t) json_integer_value(two) : 0,
                        };
                        return 0;
                }
        return error_set(reterr, -EINVAL, "the profile has the unknown comparison '%s'", op);
}

/* An array of words becomes one string with spaces between, owned by j. */
static int json_words(Json *j, json_t *array, const char **ret, Error *reterr) {
        _cleanup_buf_ Buf b = BUF_INIT;
        json_t *item;
        size_t i;
        char *s;

        if (!json_is_array(array))
                return error_set(reterr, -EINVAL, "the profile has something else where a list of names belongs");
        json_array_foreach(array, i, item) {
                const char *word = json_string_value(item);

                if (!word || !*word || strpbrk(word, " \t\n"))
                        return error_set(reterr, -EINVAL, "the profile has something that is not a name in a list of names");
                if (buf_printf(&b, "%s%s", i > 0 ? " " : "", word) < 0)
                        return error_set_errno(reterr, -ENOMEM, "cannot read the profile");
        }
        s = buf_steal(&b);
        if (!s || strv_consume(&j->strings, s) < 0)
                return error_set_errno(reterr, -ENOMEM, "cannot read the profile");
        *ret = s;
        return 0;
}

static int json_caps(json_t *array, uint64_t *ret, Error *reterr) {
        json_t *item;
        size_t i;

        json_array_foreach(array, i, item) {
                const char *name = json_string_value(item);
                int n = name ? capability_from_name(name) : -EINVAL;

                if (n < 0)
                        return error_set(reterr, -EINVAL, "the profile has the unknown capability '%s'", name ?: "");
                *ret |= CAPABILITY(n);
        }
        return 0;
}

/* 1 when this kernel is at least that one: "4.8". */
static int kernel_is(const char *minimum) {
        struct utsname host;
        unsigned want[2], have[2];

        if (sscanf(minimum, "%u.%u", want, want + 1) != 2 || uname(&host) < 0 ||
                sscanf(host.release, "%u.%u", have, have + 1) != 2)
                return -EINVAL;
        return have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]);
}

/* 0 when the condition can hold on this kernel, 1 when it cannot. */
static int json_condition(Json *j, json_t *object, bool include, SeccompRule *rule, Error *reterr) {
        json_t *caps = json_object_get(object, "caps"), *arches = json_object_get(object, "arches");
        const char *minimum = json_text(object, "minKernel");
        int r;

        if (json_is_empty(object))
                return 0;
        if (!json_is_object(object))
                return error_set(reterr, -EINVAL, "the profile has a condition that is not an object");
        r = KEYS_CHECK(object, "a condition", reterr, "caps", "arches", "minKernel");
        if (r < 0)
                return r;
        if (!json_is_empty(caps)) {
                r = json_caps(caps, include ? &rule->include_caps : &rule->exclude_caps, reterr);
                if (r < 0)
                        return r;
        }
        if (!json_is_empty(arches)) {
                r = json_words(j, arches, include ? &rule->arches : &rule->exclude_arches, reterr);
                if (r < 0)
                        return r;
        }
        if (!minimum || !*minimum)
                return 0;
        r = kernel_is(minimum);
        if (r < 0)
                return error_set(reterr, r, "the profile has the kernel version '%s', which is none", minimum);
        return include ? !r : r;
}

static int json_rule(Json *j, json_t *object, Error *reterr) {
        json_t *names = json_object_get(object, "names"), *args = json_object_get(object, "args"), *arg;
        const char *name = json_text(object, "name");
        SeccompRule rule = { 0 };
        size_t i;
        int r, skip_in, skip_ex;

        if (!json_is_object(object))
                return error_set(reterr, -EINVAL, "the profile has a rule that is not an object");
        r = KEYS_CHECK(object, "a rule", reterr, "names", "name", "action", "errnoRet", "errno", "args", "comment",
                "includes", "excludes");
        if (r < 0)
                return r;
        if (name && json_is_empty(names)) {
                if (strchr(name, ' '))
                        return error_set(reterr, -EINVAL, "the profile has the system call '%s', which is no name", name);
                rule.names = name;
        } else if ((r = json_words(j, names, &rule.names, reterr)) < 0)
                return r;
        r = json_action(object, "action", "errno", "errnoRet", &rule.action, reterr);
        if (r < 0)
                return r;
        if (!json_is_empty(args)) {
                if (!json_is_array(args) || json_array_size(args) > SECCOMP_ARGS_MAX)
                        return error_set(reterr, -EINVAL, "the profile has a rule with too many arguments");
                json_array_foreach(args, i, arg) {
                        r = json_arg(arg, rule.args + i, reterr);
                        if (r < 0)
                                return r;
                }
                rule.n_args = json_array_size(args);
        }
        skip_in = json_condition(j, json_object_get(object, "includes"), true, &rule, reterr);
        if (skip_in < 0)
                return skip_in;
        skip_ex = json_condition(j, json_object_get(object, "excludes"), false, &rule, reterr);
        if (skip_ex < 0)
                return skip_ex;
        if (!skip_in && !skip_ex)
                j->rules[j->n_rules++] = rule;
        return 0;
}

/* "SCMP_ARCH_X86_64" becomes libseccomp's "x86_64". */
static int json_arch(const char *name, char *ret, size_t size, Error *reterr) {
        const char *rest = name ? str_after(name, "SCMP_ARCH_") : NULL;
        size_t n = 0;

        if (rest)
                for (; rest[n] && n < size - 1; n++)
                        ret[n] = (char) tolower((unsigned char) rest[n]);
        ret[n] = 0;
        if (n == 0 || seccomp_arch_resolve_name(ret) == 0)
                return error_set(reterr, -EINVAL, "the profile has the unknown architecture '%s'", name ?: "");
        return 0;
}

static int json_arch_add(Json *j, json_t *item, Error *reterr) {
        char name[32];
        int r = json_arch(json_string_value(item), name, sizeof(name), reterr);

        if (r < 0)
                return r;
        return buf_printf(&j->arches, "%s%s", j->arches.size > 0 ? " " : "", name) < 0 ?
                error_set_errno(reterr, -ENOMEM, "cannot read the profile") : 0;
}

/* "architectures" is a list; "archMap" names for each architecture what else such a machine runs. */
static int json_arches(Json *j, json_t *root, Error *reterr) {
        json_t *list = json_object_get(root, "architectures"), *map = json_object_get(root, "archMap"), *item, *sub;
        size_t i, k;
        int r;

        if (!json_is_empty(list) && !json_is_empty(map))
                return error_set(reterr, -EINVAL, "the profile has both 'architectures' and 'archMap'");
        json_array_foreach(list, i, item) {
                r = json_arch_add(j, item, reterr);
                if (r < 0)
                        return r;
        }
        json_array_foreach(map, i, item) {
                char name[32];

                r = json_arch(json_text(item, "architecture"), name, sizeof(name), reterr);
                if (r < 0)
                        return r;
                if (seccomp_arch_resolve_name(name) != seccomp_arch_native())
                        continue;
                json_array_foreach(json_object_get(item, "subArchitectures"), k, sub) {
                        r = json_arch_add(j, sub, reterr);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* TSYNC and SPEC_ALLOW make no difference to what is allowed; the others would be missed. */
static int json_flags(json_t *flags, Error *reterr) {
        json_t *item;
        size_t i;

        json_array_foreach(flags, i, item) {
                const char *name = json_string_value(item);

                if (!name || (!streq(name, "SECCOMP_FILTER_FLAG_TSYNC") && !streq(name, "SECCOMP_FILTER_FLAG_SPEC_ALLOW")))
                        return error_set(reterr, -EOPNOTSUPP, "the profile has the flag '%s', which is not supported",
                                name ?: "");
        }
        return 0;
}

int seccomp_json_compile(const char *text, uint64_t capabilities, int fd, Error *reterr) {
        _cleanup_(json_clear) Json j = { .capabilities = capabilities };
        _cleanup_(jsonp) json_t *root = NULL;
        SeccompProfile p = { 0 };
        json_t *rules, *rule;
        json_error_t where;
        size_t i;
        int r;

        root = json_loads(text, JSON_REJECT_DUPLICATES, &where);
        if (!root)
                return error_set(reterr, -EINVAL, "the profile is not JSON: line %d, column %d: %s", where.line, where.column,
                        where.text);
        if (!json_is_object(root))
                return error_set(reterr, -EINVAL, "the profile is not a JSON object");
        r = KEYS_CHECK(root, "the profile", reterr, "defaultAction", "defaultErrnoRet", "defaultErrno", "architectures",
                "archMap", "syscalls", "flags", "comment");
        if (r < 0)
                return r;
        r = json_action(root, "defaultAction", "defaultErrno", "defaultErrnoRet", &p.default_action, reterr);
        if (r < 0)
                return r;
        r = json_arches(&j, root, reterr);
        if (r < 0)
                return r;
        r = json_flags(json_object_get(root, "flags"), reterr);
        if (r < 0)
                return r;
        rules = json_object_get(root, "syscalls");
        if (!json_is_empty(rules) && (!json_is_array(rules) || json_array_size(rules) > RULES_MAX))
                return error_set(reterr, -EINVAL, "the profile's 'syscalls' is not a list of at most %d rules", RULES_MAX);
        j.rules = calloc(json_array_size(rules) + 1, sizeof(*j.rules));
        if (!j.rules)
                return error_set_errno(reterr, -ENOMEM, "cannot read the profile");
        json_array_foreach(rules, i, rule) {
                r = json_rule(&j, rule, reterr);
                if (r < 0)
                        return error_prefix(reterr, "rule %zu", i + 1);
        }
        p.arches = j.arches.data;
        p.rules = j.rules;
        p.n_rules = j.n_rules;
        return seccomp_profile_compile(&p, capabilities, fd, reterr);
}
