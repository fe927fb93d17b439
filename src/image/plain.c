/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "image/name.h"
#include "image/plain.h"
#include "util/fd.h"
#include "util/strv.h"

#define PLAIN_HEADER "berth-image 1"

typedef enum PlainKind {
        PLAIN_STRING,
        PLAIN_LIST,
        PLAIN_NUMBER,
        _PLAIN_KIND_MAX,
        _PLAIN_KIND_INVALID = -EINVAL,
} PlainKind;

typedef struct PlainField {
        const char *key;
        PlainKind kind;
        size_t offset;
} PlainField;

static const PlainField fields[] = {
        { "id",           PLAIN_STRING, offsetof(Image, id)              },
        { "manifest",     PLAIN_STRING, offsetof(Image, manifest_digest) },
        { "os",           PLAIN_STRING, offsetof(Image, os)              },
        { "architecture", PLAIN_STRING, offsetof(Image, architecture)    },
        { "variant",      PLAIN_STRING, offsetof(Image, variant)         },
        { "created",      PLAIN_NUMBER, offsetof(Image, created)         },
        { "size",         PLAIN_NUMBER, offsetof(Image, size)            },
        { "layer",        PLAIN_LIST,   offsetof(Image, layer_ids)       },
        { "hidden",       PLAIN_LIST,   offsetof(Image, hidden_ids)      },
        { "entrypoint",   PLAIN_LIST,   offsetof(Image, entrypoint)      },
        { "cmd",          PLAIN_LIST,   offsetof(Image, cmd)             },
        { "env",          PLAIN_LIST,   offsetof(Image, env)             },
        { "user",         PLAIN_STRING, offsetof(Image, user)            },
        { "workdir",      PLAIN_STRING, offsetof(Image, workdir)         },
        { "stop-signal",  PLAIN_STRING, offsetof(Image, stop_signal)     },
        { "health",       PLAIN_LIST,   offsetof(Image, health)          },
        { "health-interval",     PLAIN_NUMBER, offsetof(Image, health_interval)     },
        { "health-timeout",      PLAIN_NUMBER, offsetof(Image, health_timeout)      },
        { "health-start-period", PLAIN_NUMBER, offsetof(Image, health_start_period) },
        { "health-retries",      PLAIN_NUMBER, offsetof(Image, health_retries)      },
        { "volume",       PLAIN_LIST,   offsetof(Image, volumes)         },
        { "exposed",      PLAIN_LIST,   offsetof(Image, exposed)         },
        { "label",        PLAIN_LIST,   offsetof(Image, labels)          },
};

#define FIELD(image, field, type) ((type *) ((char *) (image) + (field)->offset))

/* A value is one line: only the newline and the backslash itself are escaped. */
static int write_line(Buf *out, const char *key, const char *value) {
        int r = buf_printf(out, "%s ", key);

        for (; r >= 0 && *value; value++)
                r = *value == '\n'       ? buf_puts(out, "\\n")
                        : *value == '\\' ? buf_puts(out, "\\\\")
                                         : buf_putc(out, *value);
        return r < 0 ? r : buf_putc(out, '\n');
}

int plain_write(const Image *image, Buf *out) {
        int r = buf_puts(out, PLAIN_HEADER "\n");

        for (const PlainField *f = fields; r >= 0 && f < fields + ELEMENTSOF(fields); f++)
                switch (f->kind) {
                case PLAIN_STRING: {
                        const char *value = *FIELD(image, f, char *const);

                        if (value)
                                r = write_line(out, f->key, value);
                        break;
                }
                case PLAIN_LIST:
                        for (char *const *p = *FIELD(image, f, char **const); r >= 0 && p && *p; p++)
                                r = write_line(out, f->key, *p);
                        break;
                case PLAIN_NUMBER: {
                        uint64_t value = *FIELD(image, f, const uint64_t);

                        if (value != 0)
                                r = buf_printf(out, "%s %llu\n", f->key, (unsigned long long) value);
                        break;
                }
                case _PLAIN_KIND_MAX:
                case _PLAIN_KIND_INVALID:
                        assert(false);
                }
        return r;
}

static char *unescape(const char *s, size_t n) {
        char *value = malloc(n + 1), *to = value;

        if (!value)
                return NULL;
        for (const char *end = s + n; s < end; s++)
                if (*s == '\\' && s + 1 < end) {
                        s++;
                        *to++ = *s == 'n' ? '\n' : *s;
                } else
                        *to++ = *s;
        *to = 0;
        return value;
}

static const PlainField *field_find(const char *key, size_t n) {
        for (const PlainField *f = fields; f < fields + ELEMENTSOF(fields); f++)
                if (strlen(f->key) == n && memcmp(f->key, key, n) == 0)
                        return f;
        return NULL;
}

static int read_value(const PlainField *f, Image *image, char *value, size_t counts[]) {
        _cleanup_free_ char *own = value;
        int r = 0;

        if (!value)
                return -ENOMEM;
        switch (f->kind) {
        case PLAIN_STRING:
                if (*FIELD(image, f, char *))
                        return -EBADMSG;
                *FIELD(image, f, char *) = TAKE_PTR(own);
                break;
        case PLAIN_LIST:
                if (counts[f - fields]++ >= PLAIN_LIST_MAX)
                        return -E2BIG;
                r = strv_consume(FIELD(image, f, char **), TAKE_PTR(own));
                break;
        case PLAIN_NUMBER:
                r = parse_u64(own, UINT64_MAX, FIELD(image, f, uint64_t));
                break;
        case _PLAIN_KIND_MAX:
        case _PLAIN_KIND_INVALID:
                assert(false);
        }
        return r;
}

int plain_read(const char *text, size_t size, Image *image, Error *reterr) {
        size_t counts[ELEMENTSOF(fields)] = { 0 };
        unsigned number = 0;

        if (memchr(text, 0, size))
                return error_set(reterr, -EBADMSG, "it has a NUL byte");
        for (const char *p = text, *end = text + size; p < end;) {
                const char *newline = memchr(p, '\n', (size_t) (end - p)), *space;
                const PlainField *f;
                int r;

                number++;
                if (!newline)
                        return error_set(reterr, -EBADMSG, "line %u has no end", number);
                if (number == 1) {
                        if ((size_t) (newline - p) != STRLEN(PLAIN_HEADER) || !str_after(p, PLAIN_HEADER))
                                return error_set(reterr, -EBADMSG, "line 1 is not '%s'", PLAIN_HEADER);
                } else {
                        space = memchr(p, ' ', (size_t) (newline - p));
                        f = space ? field_find(p, (size_t) (space - p)) : NULL;
                        if (!f)
                                return error_set(reterr, -EBADMSG, "line %u has an unknown key", number);
                        r = read_value(f, image, unescape(space + 1, (size_t) (newline - space - 1)), counts);
                        if (r < 0)
                                return error_set_errno(reterr, r, "line %u", number);
                }
                p = newline + 1;
        }
        if (!image->id)
                return error_set(reterr, -EBADMSG, "it names no id");
        /* Lists are never NULL for who reads an image. */
        for (const PlainField *f = fields; f < fields + ELEMENTSOF(fields); f++)
                if (f->kind == PLAIN_LIST && !*FIELD(image, f, char **)) {
                        *FIELD(image, f, char **) = strv_copy(NULL);
                        if (!*FIELD(image, f, char **))
                                return -ENOMEM;
                }
        return 0;
}

int plain_load(int store, const char *id, Image *image, Error *reterr) {
        char path[sizeof("image//plain") + DIGEST_HEX_LENGTH];
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        (void) snprintf(path, sizeof(path), "image/%s/plain", digest_hex(id));
        r = read_file(store, path, PLAIN_SIZE_MAX, &text, &size);
        if (r == -ENOENT)
                return error_set(reterr, r, "image %s is not in the store", id);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read %s of the image store", path);
        r = plain_read(text, size, image, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "%s of the image store is broken", path);
                return r;
        }
        if (!streq(image->id, id))
                return error_set(reterr, -EBADMSG, "%s of the image store is broken: it is of another image", path);
        return 0;
}
