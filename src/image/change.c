/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "image/change.h"
#include "util/strv.h"

typedef int (*ChangeApply)(json_t *config, const char *key, const char *value, Error *reterr);

static int set(json_t *config, const char *key, json_t *value) {
        return json_object_set_new(config, key, value) < 0 ? -ENOMEM : 0;
}

static int change_string(json_t *config, const char *key, const char *value, Error *reterr) {
        json_t *j = json_string(value);

        return j ? set(config, key, j) : error_set(reterr, -EINVAL, "it is not UTF-8");
}

/* A JSON array of strings, or NULL. */
static json_t *parse_array(const char *value) {
        _cleanup_json_ json_t *j = *value == '[' ? json_loads(value, 0, NULL) : NULL;
        json_t *item;
        size_t i;

        if (!json_is_array(j))
                return NULL;
        json_array_foreach(j, i, item)
                if (!json_is_string(item))
                        return NULL;
        return TAKE_PTR(j);
}

/* The JSON form is the command, any other text a shell's. */
static int change_command(json_t *config, const char *key, const char *value, Error *reterr) {
        json_t *j = parse_array(value);

        if (!j)
                j = json_pack("[s, s, s]", "/bin/sh", "-c", value);
        return j ? set(config, key, j) : error_set(reterr, -EINVAL, "it is not UTF-8");
}

static json_t *member(json_t *config, const char *key, json_t *(*make)(void)) {
        json_t *j = json_object_get(config, key);

        if (!j) {
                j = make();
                if (json_object_set_new(config, key, j) < 0)
                        return NULL;
        }
        return j;
}

/* The next word of *p, with quotes as a Dockerfile has them; NULL at the end or without memory. */
static char *next_word(const char **p) {
        const char *s = *p + strspn(*p, " \t");
        char *word, *to, quote = 0;

        if (!*s)
                return NULL;
        word = to = malloc(strlen(s) + 1);
        if (!word)
                return NULL;
        for (; *s && (quote || !strchr(" \t", *s)); s++) {
                if (*s == quote)
                        quote = 0;
                else if (!quote && (*s == '"' || *s == '\''))
                        quote = *s;
                else if (*s == '\\' && quote != '\'' && s[1])
                        *to++ = *++s;
                else
                        *to++ = *s;
        }
        *to = 0;
        *p = s;
        return word;
}

/* One assignment into what it is for. */
typedef int (*Assign)(json_t *config, const char *key, const char *name, const char *value);

static int each_assignment(json_t *config, const char *key, const char *value, Assign assign, Error *reterr) {
        size_t first = strcspn(value, "= \t\"'");
        const char *p = value;
        int r = 0;

        /* The old form has one name, a space and the rest of the line. */
        if (value[first] && strchr(" \t", value[first])) {
                _cleanup_free_ char *name = strndup(value, first);

                return name ? assign(config, key, name, value + first + strspn(value + first, " \t")) : -ENOMEM;
        }
        for (;;) {
                _cleanup_free_ char *word = next_word(&p);
                char *equals = word ? strchr(word, '=') : NULL;

                if (!word)
                        return r;
                if (!equals || equals == word)
                        return error_set(reterr, -EINVAL, "'%.100s' is not NAME=VALUE", word);
                *equals = 0;
                r = assign(config, key, word, equals + 1);
                if (r < 0)
                        return r == -ENOMEM ? error_set(reterr, -EINVAL, "it is not UTF-8") : r;
        }
}

static int assign_env(json_t *config, const char *key, const char *name, const char *value) {
        json_t *list = member(config, key, json_array), *item, *j = json_sprintf("%s=%s", name, value);
        size_t i;

        if (!list || !j) {
                json_decref(j);
                return -ENOMEM;
        }
        json_array_foreach(list, i, item) {
                const char *rest = str_after(json_string_value(item), name);

                if (rest && *rest == '=')
                        return json_array_set_new(list, i, j) < 0 ? -ENOMEM : 0;
        }
        return json_array_append_new(list, j) < 0 ? -ENOMEM : 0;
}

static int assign_label(json_t *config, const char *key, const char *name, const char *value) {
        json_t *labels = member(config, key, json_object);

        return !labels || json_object_set_new(labels, name, json_string(value)) < 0 ? -ENOMEM : 0;
}

static int change_env(json_t *config, const char *key, const char *value, Error *reterr) {
        return each_assignment(config, key, value, assign_env, reterr);
}

static int change_labels(json_t *config, const char *key, const char *value, Error *reterr) {
        return each_assignment(config, key, value, assign_label, reterr);
}

static int add_key(json_t *config, const char *key, const char *name) {
        json_t *keys = member(config, key, json_object);

        return !keys || json_object_set_new(keys, name, json_object()) < 0 ? -ENOMEM : 0;
}

/* Words or a JSON array. */
static int each_word(json_t *config, const char *key, const char *value, const char *suffix, Error *reterr) {
        _cleanup_json_ json_t *list = parse_array(value);
        _cleanup_strv_ char **words = NULL;
        const char *p = value;
        json_t *item;
        size_t i;
        int r = 0;

        json_array_foreach(list, i, item)
                if (r >= 0)
                        r = strv_append(&words, json_string_value(item));
        for (char *word; !list && r >= 0 && (word = next_word(&p));)
                r = strv_consume(&words, word);
        for (char **w = words; r >= 0 && w && *w; w++) {
                _cleanup_free_ char *full = str_format("%s%s", *w, suffix && !strchr(*w, '/') ? suffix : "");

                if (!full)
                        return -ENOMEM;
                r = add_key(config, key, full);
        }
        return r < 0 ? error_set(reterr, -EINVAL, "it is not UTF-8") : 0;
}

static int change_expose(json_t *config, const char *key, const char *value, Error *reterr) {
        return each_word(config, key, value, "/tcp", reterr);
}

static int change_volumes(json_t *config, const char *key, const char *value, Error *reterr) {
        return each_word(config, key, value, NULL, reterr);
}

static int change_append(json_t *config, const char *key, const char *value, Error *reterr) {
        json_t *list = member(config, key, json_array);

        return !list || json_array_append_new(list, json_string(value)) < 0 ? error_set(reterr, -EINVAL, "it is not UTF-8") : 0;
}

static const struct {
        const char *keyword, *key;
        ChangeApply apply;
} keywords[] = {
        { "CMD",        "Cmd",          change_command },
        { "ENTRYPOINT", "Entrypoint",   change_command },
        { "ENV",        "Env",          change_env     },
        { "EXPOSE",     "ExposedPorts", change_expose  },
        { "LABEL",      "Labels",       change_labels  },
        { "ONBUILD",    "OnBuild",      change_append  },
        { "STOPSIGNAL", "StopSignal",   change_string  },
        { "USER",       "User",         change_string  },
        { "VOLUME",     "Volumes",      change_volumes },
        { "WORKDIR",    "WorkingDir",   change_string  },
};

int change_apply(json_t *config, const char *line, Error *reterr) {
        size_t n = strcspn(line, " \t=");
        const char *value = line + n;

        if (strlen(line) > CHANGE_LENGTH_MAX)
                return error_set(reterr, -E2BIG, "a change is longer than %d bytes", CHANGE_LENGTH_MAX);
        /* Podman takes "CMD=…" as well as "CMD …". */
        value += strspn(value, " \t");
        if (*value == '=')
                value += 1 + strspn(value + 1, " \t");
        for (size_t i = 0; i < ELEMENTSOF(keywords); i++) {
                int r;

                if (strlen(keywords[i].keyword) != n || strncasecmp(keywords[i].keyword, line, n) != 0)
                        continue;
                if (!*value)
                        return error_set(reterr, -EINVAL, "change '%s' has no value", line);
                r = keywords[i].apply(config, keywords[i].key, value, reterr);
                if (r < 0)
                        (void) error_prefix(reterr, "change '%.200s'", line);
                return r;
        }
        return error_set(reterr, -EINVAL, "change '%.200s' is none of CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, "
                                          "USER, VOLUME, WORKDIR", line);
}
