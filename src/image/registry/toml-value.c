/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/registry/toml-internal.h"
#include "util/strv.h"

#define BARE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define WORD BARE "+.:"

static int keep(Toml *t, json_t *value, json_t **ret) {
        if (!value)
                return -ENOMEM;
        *ret = value;
        return 0;
}

static int string_value(Toml *t, json_t **ret) {
        _cleanup_buf_ Buf text = BUF_INIT;
        int r = toml_string(t, true, &text);

        if (r < 0)
                return r;
        *ret = json_stringn(text.data ? text.data : "", text.size);
        return *ret ? 0 : toml_fail(t, -EBADMSG, "a text is not UTF-8");
}

static int array_value(Toml *t, json_t **ret) {
        _cleanup_json_ json_t *array = json_array();
        int r = array ? toml_remember(t, array, TOML_CLOSED, NULL) : -ENOMEM;

        t->p++;
        for (;;) {
                json_t *item;

                if (r >= 0)
                        r = toml_skip_lines(t);
                if (r < 0)
                        return r;
                if (t->p < t->end && *t->p == ']')
                        break;
                r = toml_value(t, &item);
                if (r < 0)
                        return r;
                if (json_array_append_new(array, item) < 0)
                        return -ENOMEM;
                r = toml_skip_lines(t);
                if (r < 0)
                        return r;
                if (t->p < t->end && *t->p == ',')
                        t->p++;
                else if (t->p >= t->end || *t->p != ']')
                        return toml_fail(t, -EBADMSG, "an array wants ',' or ']'");
        }
        t->p++;
        *ret = TAKE_PTR(array);
        return 0;
}

static int table_value(Toml *t, json_t **ret) {
        _cleanup_json_ json_t *table = json_object();
        int r = table ? toml_remember(t, table, TOML_HEADED, NULL) : -ENOMEM;

        t->p++;
        toml_skip_space(t);
        if (r >= 0 && t->p < t->end && *t->p == '}')
                t->p++;
        else
                for (;;) {
                        toml_skip_space(t);
                        if (r >= 0)
                                r = toml_add(t, table);
                        if (r < 0)
                                return r;
                        toml_skip_space(t);
                        if (t->p < t->end && *t->p == '}') {
                                t->p++;
                                break;
                        }
                        if (t->p >= t->end || *t->p != ',')
                                return toml_fail(t, -EBADMSG, "an inline table wants ',' or '}'");
                        t->p++;
                }
        toml_node(t, table)->origin = TOML_CLOSED;
        *ret = TAKE_PTR(table);
        return 0;
}

static int number_value(Toml *t, const char *word, json_t **ret) {
        _cleanup_buf_ Buf digits = BUF_INIT;
        const char *s = word + (*word == '+' || *word == '-');
        uint64_t n, max = (uint64_t) INT64_MAX;

        for (size_t i = 0; s[i]; i++) {
                bool digit = s[i] >= '0' && s[i] <= '9';

                /* An underscore has a digit on both sides. */
                if (!digit && !(s[i] == '_' && i > 0 && s[i - 1] != '_' && s[i + 1] >= '0' && s[i + 1] <= '9'))
                        return -EINVAL;
                if (digit && buf_putc(&digits, s[i]) < 0)
                        return -ENOMEM;
        }
        if (digits.size == 0 || (digits.size > 1 && digits.data[0] == '0'))
                return -EINVAL;
        if (parse_u64(digits.data, max, &n) < 0)
                return toml_fail(t, -EBADMSG, "%s is too large", word);
        return keep(t, json_integer(*word == '-' ? -(json_int_t) n : (json_int_t) n), ret);
}

/* true, false, or a number. */
static int word_value(Toml *t, json_t **ret) {
        size_t n = strspn(t->p, WORD);
        _cleanup_free_ char *word = strndup(t->p, n);
        int r;

        if (!word)
                return -ENOMEM;
        if (n == 0)
                return toml_fail(t, -EBADMSG, "there is no value");
        if (streq(word, "true") || streq(word, "false"))
                r = keep(t, json_boolean(*word == 't'), ret);
        else
                r = number_value(t, word, ret);
        if (r == -EINVAL) {
                if (strchr("0123456789+-", *word) || streq(word, "inf") || streq(word, "nan"))
                        return toml_fail(t, -EBADMSG, "'%.60s' is no decimal whole number; floating-point numbers, other bases and "
                                                      "dates are not known here", word);
                return toml_fail(t, -EBADMSG, "'%.60s' is no value; a text stands in quotation marks", word);
        }
        if (r >= 0)
                t->p += n;
        return r;
}

int toml_value(Toml *t, json_t **ret) {
        char c = t->p < t->end ? *t->p : 0;
        int r;

        if (t->depth >= TOML_DEPTH_MAX)
                return toml_fail(t, -E2BIG, "values are more than %d deep", TOML_DEPTH_MAX);
        t->depth++;
        if (c == '"' || c == '\'')
                r = string_value(t, ret);
        else if (c == '[')
                r = array_value(t, ret);
        else if (c == '{')
                r = table_value(t, ret);
        else
                r = word_value(t, ret);
        t->depth--;
        return r;
}

static int key_part(Toml *t, char ***parts) {
        size_t n = strspn(t->p, BARE);
        _cleanup_buf_ Buf text = BUF_INIT;
        int r;

        if (t->p < t->end && (*t->p == '"' || *t->p == '\''))
                r = toml_string(t, false, &text);
        else if (n == 0)
                return toml_fail(t, -EBADMSG, "there is no key where one should be");
        else {
                r = buf_append(&text, t->p, n);
                t->p += n;
        }
        if (r < 0)
                return r;
        return strv_append(parts, text.data ? text.data : "");
}

int toml_key(Toml *t, char ***ret) {
        _cleanup_strv_ char **parts = NULL;

        for (;;) {
                int r;

                if (strv_length(parts) >= TOML_DEPTH_MAX)
                        return toml_fail(t, -E2BIG, "a key has more than %d parts", TOML_DEPTH_MAX);
                toml_skip_space(t);
                r = key_part(t, &parts);
                if (r < 0)
                        return r;
                toml_skip_space(t);
                if (t->p >= t->end || *t->p != '.')
                        break;
                t->p++;
        }
        *ret = TAKE_PTR(parts);
        return 0;
}
