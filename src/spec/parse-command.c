/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <strings.h>

#include "spec/parse.h"
#include "util/strv.h"

/* Keys with a command. */

/* "$" in an expanded word: what spec_command_expand() will meet. */
static int check_variables(SpecParse *c, const char *word, const char *at) {
        if (word[0] == '$' && word[1] != '$' && word[1] != '{' && !env_name_valid(word + 1))
                return spec_complain(c, at, "'%s' is not a variable; a dollar is written as '$$'", word);
        for (const char *p = word; (p = strchr(p, '$')); ) {
                if (p[1] == '{') {
                        size_t n = strcspn(p + 2, SPEC_VARIABLE_ENDS);
                        _cleanup_free_ char *name = strndup(p + 2, n);
                        int r;

                        if (!name)
                                return -ENOMEM;
                        if (p[2 + n] == '}' && !env_name_valid(name))
                                return spec_complain(c, at, "'${%s}' is not a variable; a dollar is written as '$$'", name);
                        if (p[2 + n] != '}') {
                                r = spec_warn(c, at, "'${%s%.1s' is no variable here and stays as it is; '$${' says that it shall", name, p + 2 + n);
                                if (r < 0)
                                        return r;
                        }
                        p += n + 2;
                } else
                        p += p[1] == '$' ? 2 : 1;
        }
        return 1;
}

static int add_word(SpecParse *c, SpecCommand *command, const char *word, const char *at) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (strv_length(command->words) >= SPEC_WORDS_MAX)
                return spec_complain(c, at, "more than %d words", SPEC_WORDS_MAX);
        r = spec_expand(c, word, at, &text);
        if (r <= 0)
                return r;
        r = check_variables(c, text, at);
        if (r <= 0)
                return r;
        r = strv_consume(&command->words, TAKE_PTR(text));
        return r < 0 ? r : 1;
}

static int command_word(SpecParse *c, void *place, const char *word, const char *at) {
        SpecCommand *command = place;
        size_t prefix = strspn(at, "@-:+!");

        if (at[0] == ';' && strchr(WHITESPACE, at[1]))
                return spec_complain(c, at, "%s= is one command; a semicolon of its own is written as '\\;'", c->key->name);
        /* "-x" and "@file" are fine arguments of an entry point; before a path they are systemd's. */
        if (!command->words && prefix > 0 && at[prefix] == '/')
                return spec_complain(c, at, "prefix '%.*s' is for commands of systemd, not for %s=", (int) prefix, at, c->key->name);
        return add_word(c, command, word, at);
}

static int keep_command(SpecParse *c, SpecCommand *place, SpecCommand *command, int r) {
        if (r < 0) {
                strv_free(command->words);
                return r;
        }
        spec_store_reset(STORE_COMMAND, place, NULL);
        command->set = true;
        command->origin = spec_origin_at(c, c->line->value);
        *place = *command;
        return 1;
}

int parse_command(SpecParse *c, void *place) {
        SpecCommand command = { 0 };
        int r;

        r = spec_each_word(c, WORD_UNQUOTE | WORD_UNESCAPE | WORD_COMMAND, &command, command_word);
        return keep_command(c, place, &command, r);
}

/* Four hex digits at p, or -1. */
static int hex4(const char *p) {
        int v = 0;

        for (size_t i = 0; i < 4; i++) {
                if (!isxdigit((unsigned char) p[i]))
                        return -1;
                v = v * 16 + (isdigit((unsigned char) p[i]) ? p[i] - '0' : tolower((unsigned char) p[i]) - 'a' + 10);
        }
        return v;
}

/* A JSON string whose opening quote is at *p: 1 with it and *p behind its closing quote, 0 where it is none. */
static int json_string(const char **p, char **ret) {
        static const char plain[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
        const char *s = *p + 1;
        char *out, *text;

        out = text = malloc(strlen(s) + 1);
        if (!text)
                return -ENOMEM;
        for (; *s && *s != '"'; s++) {
                const char *found;
                int high, low;
                uint32_t code;

                if ((unsigned char) *s < ' ')
                        break;
                if (*s != '\\') {
                        *out++ = *s;
                        continue;
                }
                s++;
                found = *s ? strchr(plain, *s) : NULL;
                if (found) {
                        *out++ = meaning[found - plain];
                        continue;
                }
                high = *s == 'u' ? hex4(s + 1) : -1;
                if (high <= 0)
                        break;
                s += 4;
                code = (uint32_t) high;
                if (high >= 0xd800 && high < 0xdc00 && s[1] == '\\' && s[2] == 'u' && (low = hex4(s + 3)) >= 0xdc00 && low < 0xe000) {
                        code = 0x10000 + (((uint32_t) high - 0xd800) << 10) + ((uint32_t) low - 0xdc00);
                        s += 6;
                }
                if (code >= 0xd800 && code < 0xe000)
                        break;
                out += utf8_encode(code, out); /* at most as long as its escape */
        }
        if (*s != '"') {
                free(text);
                return 0;
        }
        *out = 0;
        *ret = text;
        *p = s + 1;
        return 1;
}

/* The next string of the JSON list *p, which stands on its "[" where `first`, and else behind a string of it: 1 with it and where it
 * begins, 0 at the end, -EBADMSG with *p at what *reterr says is wrong. */
static int json_next(const char **p, bool first, char **ret, const char **ret_at, const char **reterr) {
        bool comma = !first && **p == ',';
        int r;

        *reterr = "not a JSON list of strings";
        if (first || comma) {
                *p += 1 + strspn(*p + 1, WHITESPACE);
                if (**p == '"') {
                        *ret_at = *p;
                        *reterr = "not a JSON string";
                        r = json_string(p, ret);
                        if (r > 0)
                                *p += strspn(*p, WHITESPACE);
                        return r == 0 ? -EBADMSG : r;
                }
                if (comma)
                        *reterr = "a string is missing after ','";
        }
        return comma || **p != ']' || (*p)[1 + strspn(*p + 1, WHITESPACE)] ? -EBADMSG : 0;
}

/* ["/bin/sh", "-c"]: how Podman's --entrypoint takes more than one word. */
static int entrypoint_json(SpecParse *c, SpecCommand *command) {
        const char *p = c->line->value;

        for (bool first = true;; first = false) {
                _cleanup_free_ char *word = NULL;
                const char *at = NULL, *wrong;
                int r = json_next(&p, first, &word, &at, &wrong);

                if (r == -EBADMSG)
                        return spec_complain(c, p, "%s", wrong);
                if (r > 0)
                        r = add_word(c, command, word, at);
                if (r <= 0)
                        return r;
        }
}

int parse_entrypoint(SpecParse *c, void *place) {
        SpecCommand command = { 0 };

        if (*c->line->value != '[')
                return parse_command(c, place);
        return keep_command(c, place, &command, entrypoint_json(c, &command));
}

/* Where the value is a JSON list of strings: 1 with them, as they are. 0: it is none, and so for the shell, as "[ -e /ready ]". */
static int health_json(const char *text, char ***ret) {
        _cleanup_strv_ char **words = strv_copy(NULL);
        bool first = true;

        if (!words)
                return -ENOMEM;
        for (const char *p = text;; first = false) {
                const char *at = NULL, *wrong;
                char *word = NULL;
                int r = json_next(&p, first, &word, &at, &wrong);

                if (r < 0)
                        return r == -EBADMSG ? 0 : r;
                if (r == 0)
                        break;
                r = strv_consume(&words, word);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(words);
        return 1;
}

/* A word at the start of text that says how the rest is run; in any case, as Podman takes it. */
static const char *after_word(const char *text, const char *word) {
        size_t n = strlen(word);

        if (strncasecmp(text, word, n) != 0 || (text[n] && !strchr(WHITESPACE, text[n])))
                return NULL;
        return text + n + strspn(text + n, WHITESPACE);
}

static int shell_words(const char *text, char ***ret) {
        int r = strv_append(ret, "/bin/sh");

        if (r == 0)
                r = strv_append(ret, "-c");
        return r == 0 ? strv_append(ret, text) : r;
}

static int plain_words(const char *text, char ***ret) {
        for (const char *p = text + strspn(text, WHITESPACE); *p;) {
                size_t n = strcspn(p, WHITESPACE);
                int r = strv_appendf(ret, "%.*s", (int) n, p);

                if (r < 0)
                        return r;
                p += n + strspn(p + n, WHITESPACE);
        }
        return 0;
}

/* What a list means: ["CMD", …] and a list of several are run as they are, ["CMD-SHELL", …] and one alone by the shell. */
static int health_list(char **words, char ***ret) {
        bool shell = words[0] && (strcasecmp(words[0], "CMD-SHELL") == 0 || !words[1]);
        bool named = words[0] && words[1] && (shell || strcasecmp(words[0], "CMD") == 0);
        _cleanup_free_ char *text = NULL;
        int r = 0;

        if (shell) {
                text = strv_join(words + named, " ");
                return text ? shell_words(text, ret) : -ENOMEM;
        }
        for (char **w = words + named; r == 0 && *w; w++)
                r = strv_append(ret, *w);
        return r;
}

static bool is_none(const char *text, char *const *list) {
        return list ? list[0] && !list[1] && strcasecmp(list[0], "none") == 0 : strcasecmp(text, "none") == 0;
}

/* In Quadlet's unit two dollars stand for one, and so here; all others are for the shell of the container. */
static void join_dollars(char *text) {
        char *to = text;

        for (const char *p = text; *p; p++) {
                *to++ = *p;
                if (p[0] == '$' && p[1] == '$')
                        p++;
        }
        *to = 0;
}

static int health_words(const char *text, char **list, char ***ret) {
        const char *rest;

        if (list)
                return health_list(list, ret);
        rest = after_word(text, "CMD-SHELL");
        if (rest)
                return *rest ? shell_words(rest, ret) : 0;
        rest = after_word(text, "CMD");
        return rest ? plain_words(rest, ret) : shell_words(text, ret);
}

int parse_health_cmd(SpecParse *c, void *place) {
        _cleanup_strv_ char **list = NULL;
        _cleanup_free_ char *text = NULL;
        SpecCommand command = { 0 };
        int r = spec_take_value(c, &text);

        if (r <= 0)
                return r;
        join_dollars(text);
        r = *text == '[' ? health_json(text, &list) : 0;
        if (r >= 0 && !is_none(text, list)) {
                r = health_words(text, list, &command.words);
                if (strv_length(command.words) > SPEC_WORDS_MAX) {
                        strv_free(command.words);
                        return spec_complain(c, c->line->value, "more than %d words", SPEC_WORDS_MAX);
                }
                if (r == 0 && !command.words)
                        return spec_complain(c, c->line->value, "%s= has no command; none means that there shall be no check", c->key->name);
        }
        return keep_command(c, place, &command, r);
}
