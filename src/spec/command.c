/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/parse.h"
#include "util/buf.h"
#include "util/strv.h"

/* Commands and environments at the time of a start. */

static const char *env_get(char *const *env, const char *name, size_t n) {
        const char *found = NULL;

        for (; env && *env; env++)
                if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
                        found = *env + n + 1;
        return found;
}

static int add_word(char ***words, char *word) {
        if (strv_length(*words) >= SPEC_WORDS_MAX) {
                free(word);
                return -E2BIG;
        }
        return strv_consume(words, word);
}

/* "$NAME" as a word of its own: none, one or many. */
static int expand_split(const char *value, char ***words) {
        const char *p = value ?: "";

        for (;;) {
                char *word;
                int r;

                r = word_next(&p, WORD_UNQUOTE | WORD_RELAX, &word, NULL);
                if (r <= 0)
                        return r;
                r = add_word(words, word);
                if (r < 0)
                        return r;
        }
}

/* "${NAME}" and "$$" anywhere; a dollar before anything else is itself, as in a shell's "${NAME:-x}". */
static int expand_inline(const char *word, char *const *env, char **ret) {
        _cleanup_buf_ Buf b = BUF_INIT;

        for (const char *p = word; *p;) {
                size_t n = strcspn(p, "$"), name;
                int r;

                r = buf_append(&b, p, n);
                p += n;
                if (r == 0 && *p && p[1] == '{' && p[name = 2 + strcspn(p + 2, SPEC_VARIABLE_ENDS)] == '}') {
                        r = buf_puts(&b, env_get(env, p + 2, name - 2) ?: "");
                        p += name + 1;
                } else if (r == 0 && *p) {
                        r = buf_putc(&b, '$');
                        p += p[1] == '$' ? 2 : 1;
                }
                if (r < 0)
                        return r;
        }
        *ret = buf_steal(&b);
        return *ret ? 0 : -ENOMEM;
}

int spec_command_expand(char *const *words, char *const *env, char ***ret) {
        _cleanup_strv_ char **result = NULL;
        int r = 0;

        for (; words && *words && r == 0; words++) {
                const char *w = *words;
                char *word;

                if (w[0] == '$' && w[1] && w[1] != '$' && w[1] != '{') {
                        r = expand_split(env_get(env, w + 1, strlen(w + 1)), &result);
                        continue;
                }
                r = expand_inline(w, env, &word);
                if (r == 0)
                        r = add_word(&result, word);
        }
        if (r < 0)
                return r;
        *ret = result ? TAKE_PTR(result) : calloc(1, sizeof(char *));
        return *ret ? 0 : -ENOMEM;
}

int spec_env_set(char ***env, const char *name, const char *value) {
        _cleanup_buf_ Buf b = BUF_INIT;
        size_t n = strlen(name);
        char *line;

        if (buf_puts(&b, name) < 0 || buf_putc(&b, '=') < 0 || buf_puts(&b, value) < 0 || !(line = buf_steal(&b)))
                return -ENOMEM;
        for (char **e = *env; e && *e; e++)
                if (strncmp(*e, name, n) == 0 && (*e)[n] == '=') {
                        free(*e);
                        *e = line;
                        return 0;
                }
        return strv_consume(env, line);
}

int spec_env_parse(const char *text, char ***env) {
        for (const char *p = text; *p;) {
                _cleanup_free_ char *line = NULL;
                char *equals;
                size_t n;
                int r = 0;

                p += strspn(p, " \t");
                n = strcspn(p, "\n");
                line = strndup(p, n > 0 && p[n - 1] == '\r' ? n - 1 : n);
                if (!line)
                        return -ENOMEM;
                p += n + (p[n] == '\n');
                if (!*line || *line == '#')
                        continue;
                equals = strchr(line, '=');
                if (equals == line)
                        return -EBADMSG;
                if (equals) {
                        *equals = 0;
                        r = spec_env_set(env, line, equals + 1);
                } else {
                        const char *value = getenv(line);

                        if (value)
                                r = spec_env_set(env, line, value);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}
