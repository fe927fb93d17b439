/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "image/registry/toml-internal.h"
#include "util/strv.h"

int toml_fail(Toml *t, int code, const char *format, ...) {
        char sentence[ERROR_TEXT_MAX];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(sentence, sizeof(sentence), format, ap);
        va_end(ap);
        return error_set(t->error, code, "line %u: %s", t->line, sentence);
}

int toml_remember(Toml *t, const json_t *node, TomlOrigin origin, const json_t *home) {
        TomlNode *nodes;

        if (t->n_nodes >= TOML_TABLES_MAX)
                return toml_fail(t, -E2BIG, "there are more than %d tables and arrays", TOML_TABLES_MAX);
        nodes = reallocarray(t->nodes, t->n_nodes + 1, sizeof(*nodes));
        if (!nodes)
                return -ENOMEM;
        t->nodes = nodes;
        nodes[t->n_nodes++] = (TomlNode){ .node = node, .origin = origin, .home = home };
        return 0;
}

TomlNode *toml_node(Toml *t, const json_t *node) {
        for (size_t i = 0; i < t->n_nodes; i++)
                if (t->nodes[i].node == node)
                        return t->nodes + i;
        return NULL;
}

void toml_skip_space(Toml *t) {
        while (t->p < t->end && (*t->p == ' ' || *t->p == '\t'))
                t->p++;
}

static int skip_comment(Toml *t) {
        if (t->p >= t->end || *t->p != '#')
                return 0;
        for (; t->p < t->end && *t->p != '\n'; t->p++)
                if (((unsigned char) *t->p < ' ' && *t->p != '\t' && !(*t->p == '\r' && t->p[1] == '\n')) || *t->p == 0x7f)
                        return toml_fail(t, -EBADMSG, "a comment has a control character");
        return 0;
}

/* 1: there was a line's end. */
static int skip_newline(Toml *t) {
        if (t->end - t->p >= 2 && t->p[0] == '\r' && t->p[1] == '\n')
                t->p++;
        if (t->p >= t->end || *t->p != '\n')
                return 0;
        t->p++;
        t->line++;
        return 1;
}

int toml_skip_lines(Toml *t) {
        int r;

        do {
                toml_skip_space(t);
                r = skip_comment(t);
                if (r >= 0)
                        r = skip_newline(t);
        } while (r > 0);
        return r;
}

int toml_end_line(Toml *t) {
        int r;

        toml_skip_space(t);
        r = skip_comment(t);
        if (r < 0)
                return r;
        if (skip_newline(t) > 0 || t->p >= t->end)
                return 0;
        return toml_fail(t, -EBADMSG, "'%.20s' stands behind the end", t->p);
}

/* A new table below parent. */
static int make_table(Toml *t, json_t *parent, const char *key, TomlOrigin origin, const json_t *home, json_t **ret) {
        json_t *table = json_object();
        int r;

        if (!table)
                return -ENOMEM;
        *ret = table;
        r = toml_remember(t, table, origin, home);
        if (r < 0) {
                json_decref(table);
                return r;
        }
        if (json_object_set_new(parent, key, table) < 0)
                return toml_fail(t, -EBADMSG, "a key is not UTF-8");
        return 0;
}

/* The table that a dotted key's part names: made, or one that the same table's dotted keys made before. */
static int walk_dotted(Toml *t, json_t *home, json_t *table, const char *part, json_t **ret) {
        json_t *next = json_object_get(table, part);
        const TomlNode *node = next ? toml_node(t, next) : NULL;

        if (!next)
                return make_table(t, table, part, TOML_DOTTED, home, ret);
        if (!json_is_object(next) || !node || node->origin != TOML_DOTTED || node->home != home)
                return toml_fail(t, -EBADMSG, "'%.60s' is there already", part);
        *ret = next;
        return 0;
}

int toml_add(Toml *t, json_t *table) {
        _cleanup_strv_ char **key = NULL;
        json_t *home = table, *value;
        size_t n;
        int r = toml_key(t, &key);

        if (r < 0)
                return r;
        n = strv_length(key);
        for (size_t i = 0; r >= 0 && i + 1 < n; i++)
                r = walk_dotted(t, home, table, key[i], &table);
        if (r < 0)
                return r;
        if (json_object_get(table, key[n - 1]))
                return toml_fail(t, -EBADMSG, "'%.60s' is there already", key[n - 1]);
        if (t->p >= t->end || *t->p != '=')
                return toml_fail(t, -EBADMSG, "'%.60s' wants '=' and a value", key[n - 1]);
        t->p++;
        toml_skip_space(t);
        r = toml_value(t, &value);
        if (r < 0)
                return r;
        if (json_object_set_new(table, key[n - 1], value) < 0)
                return toml_fail(t, -EBADMSG, "a key is not UTF-8");
        return 0;
}

/* The table that a header's part, but not its last, names; of an array of tables its last one. */
static int walk_header(Toml *t, json_t *table, const char *part, json_t **ret) {
        json_t *next = json_object_get(table, part);
        const TomlNode *node = next ? toml_node(t, next) : NULL;

        if (!next)
                return make_table(t, table, part, TOML_IMPLIED, NULL, ret);
        if (!node || node->origin == TOML_CLOSED)
                return toml_fail(t, -EBADMSG, "'%.60s' is a value and cannot be added to", part);
        *ret = json_is_array(next) ? json_array_get(next, json_array_size(next) - 1) : next;
        return 0;
}

static int open_table(Toml *t, json_t *parent, const char *key, json_t **ret) {
        json_t *there = json_object_get(parent, key);
        TomlNode *node = there ? toml_node(t, there) : NULL;

        if (!there)
                return make_table(t, parent, key, TOML_HEADED, NULL, ret);
        if (!node || node->origin != TOML_IMPLIED)
                return toml_fail(t, -EBADMSG, "'%.60s' is there already", key);
        node->origin = TOML_HEADED;
        *ret = there;
        return 0;
}

static int open_array(Toml *t, json_t *parent, const char *key, json_t **ret) {
        json_t *there = json_object_get(parent, key), *table = json_object();
        TomlNode *node = there ? toml_node(t, there) : NULL;
        int r = 0;

        if (!table)
                return -ENOMEM;
        if (!there) {
                there = json_array();
                if (!there || json_object_set_new(parent, key, there) < 0)
                        r = toml_fail(t, -EBADMSG, "a key is not UTF-8");
                else
                        r = toml_remember(t, there, TOML_REPEATED, NULL);
        } else if (!node || node->origin != TOML_REPEATED)
                r = toml_fail(t, -EBADMSG, "'%.60s' is there already, and is no array of tables", key);
        if (r >= 0)
                r = toml_remember(t, table, TOML_HEADED, NULL);
        if (r < 0) {
                json_decref(table);
                return r;
        }
        *ret = table;
        return json_array_append_new(there, table) < 0 ? -ENOMEM : 0;
}

/* "[a.b]" or "[[a.b]]": the table that the lines below it belong to. */
static int parse_header(Toml *t, json_t *root, json_t **ret) {
        bool repeated = t->end - t->p >= 2 && t->p[1] == '[';
        _cleanup_strv_ char **key = NULL;
        json_t *table = root;
        size_t n;
        int r;

        t->p += repeated ? 2 : 1;
        r = toml_key(t, &key);
        if (r < 0)
                return r;
        if (t->p >= t->end || *t->p != ']' || (repeated && (t->end - t->p < 2 || t->p[1] != ']')))
                return toml_fail(t, -EBADMSG, "a table's name wants '%s' behind it", repeated ? "]]" : "]");
        t->p += repeated ? 2 : 1;
        n = strv_length(key);
        for (size_t i = 0; r >= 0 && i + 1 < n; i++)
                r = walk_header(t, table, key[i], &table);
        if (r < 0)
                return r;
        return repeated ? open_array(t, table, key[n - 1], ret) : open_table(t, table, key[n - 1], ret);
}

static int parse_document(Toml *t, json_t *root) {
        json_t *table = root;
        int r;

        for (;;) {
                r = toml_skip_lines(t);
                if (r < 0 || t->p >= t->end)
                        return r;
                r = *t->p == '[' ? parse_header(t, root, &table) : toml_add(t, table);
                if (r >= 0)
                        r = toml_end_line(t);
                if (r < 0)
                        return r;
        }
}

int toml_parse(const char *text, size_t size, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *root = json_object();
        Toml t = { .p = text, .end = text + size, .line = 1, .error = reterr };
        int r;

        if (!root)
                return -ENOMEM;
        if (size > TOML_SIZE_MAX)
                return error_set(reterr, -E2BIG, "it is longer than %u bytes", TOML_SIZE_MAX);
        if (memchr(text, 0, size))
                return error_set(reterr, -EBADMSG, "it has a NUL byte");
        if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                t.p += 3;
        r = parse_document(&t, root);
        free(t.nodes);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(root);
        return 0;
}
