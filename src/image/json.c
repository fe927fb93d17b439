/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/json.h"
#include "util/strv.h"

int json_parse(const char *text, size_t size, size_t max, json_t **ret, Error *reterr) {
        json_error_t e;
        json_t *j;

        if (size > max)
                return error_set(reterr, -E2BIG, "it is longer than %zu bytes", max);
        j = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e);
        if (!j)
                return error_set(reterr, -EBADMSG, "line %d, column %d: %s", e.line, e.column, e.text);
        *ret = j;
        return 0;
}

static const char *type_name(json_type type) {
        switch (type) {
        case JSON_OBJECT:
                return "an object";
        case JSON_ARRAY:
                return "an array";
        case JSON_STRING:
                return "a string";
        case JSON_INTEGER:
                return "a whole number";
        case JSON_REAL:
                return "a number";
        case JSON_TRUE:
        case JSON_FALSE:
                return "true or false";
        case JSON_NULL:
                return "null";
        }
        return "something else";
}

int json_member(const json_t *object, const char *key, json_type type, json_t **ret, Error *reterr) {
        json_t *j = json_object_get(object, key);

        if (j && json_is_null(j))
                j = NULL;
        if (j && json_typeof(j) != type)
                return error_set(reterr, -EBADMSG, "'%s' is not %s", key, type_name(type));
        *ret = j;
        return 0;
}

int json_member_string(const json_t *object, const char *key, char **ret, Error *reterr) {
        char *copy = NULL;
        json_t *j;
        int r = json_member(object, key, JSON_STRING, &j, reterr);

        if (r < 0)
                return r;
        if (j) {
                copy = strdup(json_string_value(j));
                if (!copy)
                        return -ENOMEM;
        }
        *ret = copy;
        return 0;
}

int json_member_size(const json_t *object, const char *key, uint64_t *ret, Error *reterr) {
        json_t *j;
        int r = json_member(object, key, JSON_INTEGER, &j, reterr);

        if (r < 0)
                return r;
        if (j && json_integer_value(j) < 0)
                return error_set(reterr, -EBADMSG, "'%s' is negative", key);
        *ret = j ? (uint64_t) json_integer_value(j) : 0;
        return 0;
}

int json_member_strings(const json_t *object, const char *key, size_t max, bool one, char ***ret, Error *reterr) {
        _cleanup_strv_ char **v = strv_copy(NULL);
        json_t *j = json_object_get(object, key), *item;
        size_t i;
        int r;

        if (!v)
                return -ENOMEM;
        if (one && json_is_string(j)) {
                r = strv_append(&v, json_string_value(j));
                j = NULL;
        } else
                r = json_member(object, key, JSON_ARRAY, &j, reterr);
        if (r < 0)
                return r;
        if (json_array_size(j) > max)
                return error_set(reterr, -E2BIG, "'%s' has more than %zu items", key, max);
        json_array_foreach(j, i, item) {
                if (!json_is_string(item))
                        return error_set(reterr, -EBADMSG, "'%s' has an item that is not a string", key);
                r = strv_append(&v, json_string_value(item));
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(v);
        return 0;
}

int json_member_pairs(const json_t *object, const char *key, size_t max, char separator, char ***ret, Error *reterr) {
        _cleanup_strv_ char **v = strv_copy(NULL);
        const char *name;
        json_t *j, *value;
        int r;

        if (!v)
                return -ENOMEM;
        r = json_member(object, key, JSON_OBJECT, &j, reterr);
        if (r < 0)
                return r;
        if (json_object_size(j) > max)
                return error_set(reterr, -E2BIG, "'%s' has more than %zu members", key, max);
        json_object_foreach(j, name, value) {
                if (separator && !json_is_string(value))
                        return error_set(reterr, -EBADMSG, "'%s' has a member that is not a string", key);
                r = separator ? strv_appendf(&v, "%s%c%s", name, separator, json_string_value(value)) : strv_append(&v, name);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(v);
        return 0;
}
