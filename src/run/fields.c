/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/fields.h"
#include "run/state.h"
#include "util/strv.h"

void fields_clear(void *object, const Field *fields, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (fields[i].type == FIELD_STRING)
                        free(*(char **) ((char *) object + fields[i].offset));
}

static int field_set(void *object, const Field *f, const char *value) {
        void *p = (char *) object + f->offset;
        char *end = NULL;

        errno = 0;
        switch (f->type) {
        case FIELD_STRING: {
                char *copy = strdup(value);

                if (!copy)
                        return -ENOMEM;
                free(*(char **) p);
                *(char **) p = copy;
                return 0;
        }
        case FIELD_UNSIGNED:
                *(unsigned *) p = (unsigned) strtoul(value, &end, 10);
                break;
        case FIELD_INT:
                *(int *) p = (int) strtol(value, &end, 10);
                break;
        case FIELD_U64:
                *(uint64_t *) p = strtoull(value, &end, 10);
                break;
        case FIELD_STATE:
                *(InstanceState *) p = instance_state_from_string(value);
                return *(InstanceState *) p < 0 ? -EBADMSG : 0;
        }
        return errno != 0 || end == value || *end ? -EBADMSG : 0;
}

static int field_put(Buf *b, const void *object, const Field *f) {
        const void *p = (const char *) object + f->offset;
        const char *s;
        int r;

        switch (f->type) {
        case FIELD_STRING:
                r = buf_printf(b, "%s=", f->key);
                for (s = *(char *const *) p; r >= 0 && s && *s; s++)
                        r = *s == '\n' ? buf_puts(b, "\\n") : *s == '\\' ? buf_puts(b, "\\\\") : buf_putc(b, *s);
                return r < 0 ? r : buf_putc(b, '\n');
        case FIELD_UNSIGNED:
                return buf_printf(b, "%s=%u\n", f->key, *(const unsigned *) p);
        case FIELD_INT:
                return buf_printf(b, "%s=%d\n", f->key, *(const int *) p);
        case FIELD_U64:
                return buf_printf(b, "%s=%llu\n", f->key, (unsigned long long) *(const uint64_t *) p);
        case FIELD_STATE:
                return buf_printf(b, "%s=%s\n", f->key, instance_state_to_string(*(const InstanceState *) p));
        }
        return -EINVAL;
}

static void unescape(char *s) {
        char *to = s;

        for (; *s; s++) {
                if (*s == '\\' && s[1]) {
                        s++;
                        *to++ = *s == 'n' ? '\n' : *s;
                } else
                        *to++ = *s;
        }
        *to = 0;
}

int fields_put(Buf *b, const void *object, const Field *fields, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = field_put(b, object, &fields[i]);
        return r;
}

int fields_line(char **rest, char **ret_key, char **ret_value) {
        char *line, *value;

        do
                line = strsep(rest, "\n");
        while (line && !*line);
        if (!line)
                return 0;
        value = strchr(line, '=');
        if (!value)
                return -EBADMSG;
        *value++ = 0;
        unescape(value);
        *ret_key = line;
        *ret_value = value;
        return 1;
}

int fields_set(void *object, const Field *fields, size_t n, const char *key, const char *value) {
        for (size_t i = 0; i < n; i++)
                if (streq(key, fields[i].key))
                        return field_set(object, &fields[i], value);
        return 0;
}

int fields_complete(void *object, const Field *fields, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                if (fields[i].type == FIELD_STRING && !*(char **) ((char *) object + fields[i].offset))
                        r = field_set(object, &fields[i], "");
        return r;
}
