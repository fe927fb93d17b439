/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdarg.h>

#include "spec/parse.h"
#include "util/buf.h"
#include "util/strv.h"

static int say(SpecParse *c, SpecSeverity severity, const char *at, const char *format, va_list ap) {
        _cleanup_free_ char *text = NULL;
        SpecOrigin o;

        if (c->unknown || !c->diags)
                return 0;
        text = str_vformat(format, ap);
        if (!text)
                return -ENOMEM;
        o = spec_origin_at(c, at);
        return spec_diag_add(c->diags, severity, c->source->path, o.line, o.column, "%s", text);
}

int spec_complain(SpecParse *c, const char *at, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = say(c, SPEC_ERROR, at, format, ap);
        va_end(ap);
        return r;
}

int spec_warn(SpecParse *c, const char *at, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = say(c, SPEC_WARNING, at, format, ap);
        va_end(ap);
        return r;
}

SpecOrigin spec_origin_at(SpecParse *c, const char *at) {
        if (!at)
                return (SpecOrigin){ .file = c->file, .line = c->line->line, .column = c->line->column };
        spec_source_locate(c->source, c->line, at, &c->cursor);
        return (SpecOrigin){ .file = c->file, .line = c->cursor.line, .column = c->cursor.column };
}

int spec_expand(SpecParse *c, const char *text, const char *at, char **ret) {
        const char *bad = NULL;
        int r;

        r = specifier_expand(&c->specifiers, text, ret, &bad);
        switch (r) {
        case 1:
                c->unknown = c->any_unknown = true;
                return 1;
        case 0:
                return 1;
        case -EBADMSG:
                return bad[1] ? spec_complain(c, at, "unknown specifier '%.2s'; a percent sign is written as '%%%%'", bad) :
                                spec_complain(c, at, "a percent sign at the end is written as '%%%%'");
        case -EADDRNOTAVAIL:
                return spec_complain(c, at, "specifier '%.2s' has no value on this machine", bad);
        case -E2BIG:
                return spec_complain(c, at, "longer than %u bytes with its specifiers expanded", SPEC_EXPANDED_MAX);
        default:
                return r;
        }
}

int spec_expand_range(SpecParse *c, const char *from, const char *to, char **ret) {
        _cleanup_free_ char *text = strndup(from, (size_t) (to - from));

        return text ? spec_expand(c, text, from, ret) : -ENOMEM;
}

int spec_each_word(SpecParse *c, WordFlags flags, void *place, SpecWordFunction function) {
        const char *p = c->line->value;

        for (;;) {
                _cleanup_free_ char *word = NULL;
                const char *at, *odd = NULL;
                int r;

                p += strspn(p, WHITESPACE);
                at = p;
                r = word_next(&p, flags, &word, &odd);
                if (r == -EBADMSG)
                        return *p == '\\' ? spec_complain(c, p, "an escape that stands for no character") :
                                            spec_complain(c, p, "a quote that is not closed");
                if (r <= 0)
                        return r;
                if (odd)
                        r = spec_warn(c, odd, "unknown escape '%.2s', taken as it is", odd);
                if (r >= 0)
                        r = function(c, place, word, at);
                if (r < 0)
                        return r;
        }
}

int spec_list_add(SpecParse *c, void *place, const void *item, size_t size, const char *at) {
        typedef SPEC_LIST(char) List; /* all lists are a pointer and a count */
        List *l = place;
        void *p;
        int r;

        if (l->n >= SPEC_LIST_MAX) {
                r = spec_complain(c, at, "more than %d items", SPEC_LIST_MAX);
                return r;
        }
        /* Grown by doubling: room is full only when n is zero or a power of two. */
        if (l->n == 0 || (l->n & (l->n - 1)) == 0) {
                p = reallocarray(l->items, l->n == 0 ? 1 : l->n * 2, size);
                if (!p)
                        return -ENOMEM;
                l->items = p;
        }
        memcpy((char *) l->items + l->n * size, item, size);
        l->n++;
        return 1;
}

int spec_take_value(SpecParse *c, char **ret) {
        return spec_expand(c, c->line->value, c->line->value, ret);
}

int spec_keep_text(SpecParse *c, void *place, char *text) {
        SpecText *t = place;

        spec_store_reset(STORE_TEXT, t, NULL);
        *t = (SpecText){ .value = text, .origin = spec_origin_at(c, c->line->value) };
        return 1;
}

int spec_keep_number(SpecParse *c, void *place, uint64_t value) {
        *(SpecNumber *) place = (SpecNumber){ .set = true, .value = value, .origin = spec_origin_at(c, c->line->value) };
        return 1;
}

int path_simplify(const char *path, char **ret) {
        size_t n = strlen(path);
        char *out, *s;

        if (*path != '/')
                return -EINVAL;
        if (n >= 4096)
                return -ENAMETOOLONG;
        s = out = malloc(n + 2);
        if (!s)
                return -ENOMEM;
        for (const char *p = path; *p;) {
                size_t part;

                p += strspn(p, "/");
                part = strcspn(p, "/");
                if (part == 2 && p[0] == '.' && p[1] == '.') {
                        free(s);
                        return -EINVAL;
                }
                if (part > 0 && !(part == 1 && p[0] == '.')) {
                        *out++ = '/';
                        memcpy(out, p, part);
                        out += part;
                }
                p += part;
        }
        if (out == s)
                *out++ = '/';
        *out = 0;
        *ret = s;
        return 0;
}

int spec_take_path(SpecParse *c, const char *from, const char *to, char **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_expand_range(c, from, to, &text);
        if (r <= 0)
                return r;
        r = path_simplify(text, ret);
        if (r == -EINVAL)
                return spec_complain(c, from, "'%s' is not an absolute path without '..'", text);
        if (r == -ENAMETOOLONG)
                return spec_complain(c, from, "path is too long");
        return r < 0 ? r : 1;
}

bool env_name_valid(const char *name) {
        if (!*name || isdigit((unsigned char) *name))
                return false;
        for (; *name; name++)
                if (!isalnum((unsigned char) *name) && *name != '_')
                        return false;
        return true;
}

bool unit_name_valid(const char *name) {
        static const char *const types[] = { ".service", ".socket", ".target", ".device", ".mount", ".automount",
                ".swap", ".timer", ".path", ".slice", ".scope" };
        const char *at = strchr(name, '@');
        size_t n = strlen(name);

        if (n > 255 || at == name || (at && strchr(at + 1, '@')) ||
                strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@") != n)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (n > strlen(types[i]) && str_ends_with(name, types[i]))
                        return true;
        return false;
}

/* Forgetting. */

static void text_clear(SpecText *t) {
        free(t->value);
        *t = (SpecText){ 0 };
}

#define EACH_ITEM(type, list, body)                                          \
        do {                                                                 \
                struct {                                                     \
                        type *items;                                         \
                        size_t n;                                            \
                } *_l = (void *) (list);                                     \
                for (size_t _i = 0; _i < _l->n; _i++) {                      \
                        type *i = &_l->items[_i];                            \
                        body;                                                \
                }                                                            \
                free(_l->items);                                             \
                _l->items = NULL;                                            \
                _l->n = 0;                                                   \
        } while (0)

void spec_mount_clear(SpecMount *m) {
        free(m->source);
        free(m->source_raw);
        free(m->target);
        free(m->subpath);
        free(m->data);
}

static void mounts_reset(void *place, const char *key) {
        typedef SPEC_LIST(SpecMount) List;
        List *l = place;
        size_t kept = 0;

        for (size_t i = 0; i < l->n; i++)
                if (key && !streq(l->items[i].key, key))
                        l->items[kept++] = l->items[i];
                else
                        spec_mount_clear(&l->items[i]);
        l->n = kept;
        /* The room of a list follows from its count, so it has to shrink with it. */
        if (kept == 0) {
                free(l->items);
                l->items = NULL;
        } else {
                size_t room = 1;
                SpecMount *p;

                while (room < kept)
                        room *= 2;
                p = reallocarray(l->items, room, sizeof(SpecMount));
                l->items = p ?: l->items;
        }
}

void spec_store_reset(SpecStore store, void *place, const char *key) {
        switch (store) {
        case STORE_NONE:
                return;
        case STORE_TEXT:
                text_clear(place);
                return;
        case STORE_BOOL:
                *(SpecBool *) place = (SpecBool){ 0 };
                return;
        case STORE_NUMBER:
                *(SpecNumber *) place = (SpecNumber){ 0 };
                return;
        case STORE_SHARE:
                *(SpecShare *) place = (SpecShare){ 0 };
                return;
        case STORE_COMMAND:
                strv_free(((SpecCommand *) place)->words);
                *(SpecCommand *) place = (SpecCommand){ 0 };
                return;
        case STORE_ENUM:
                *(int *) place = 0;
                return;
        case STORE_MASK:
                *(uint64_t *) place = 0;
                return;
        case STORE_TEXTS:
                EACH_ITEM(SpecText, place, text_clear(i));
                return;
        case STORE_PAIRS:
                EACH_ITEM(SpecPair, place, (free(i->name), free(i->value)));
                return;
        case STORE_ENV_FILES:
                EACH_ITEM(SpecEnvFile, place, free(i->path));
                return;
        case STORE_MOUNTS:
                mounts_reset(place, key);
                return;
        case STORE_DEVICES:
                EACH_ITEM(SpecDevice, place, (free(i->source), free(i->target)));
                return;
        case STORE_ULIMITS:
                EACH_ITEM(SpecUlimit, place, (void) i);
                return;
        case STORE_ID_MAPS:
                EACH_ITEM(SpecIdMap, place, (void) i);
                return;
        case STORE_HOSTS:
                EACH_ITEM(SpecHost, place, (strv_free(i->names), free(i->address)));
                return;
        case STORE_PORTS:
                EACH_ITEM(SpecPort, place, (void) i);
                return;
        case STORE_ACCESS:
                EACH_ITEM(SpecAccess, place, (void) i);
                return;
        case STORE_SOCKET_BINDS:
                EACH_ITEM(SpecSocketBind, place, (void) i);
                return;
        case STORE_SECRETS:
                EACH_ITEM(SpecSecret, place, (free(i->name), free(i->target)));
                return;
        case STORE_EXIT_SET:
                *(SpecExitSet *) place = (SpecExitSet){ 0 };
                return;
        case _SPEC_STORE_MAX:
        case _SPEC_STORE_INVALID:
                break;
        }
        assert(false);
}

void spec_process_clear(SpecProcess *p) {
        for (size_t i = 0; i < spec_n_keys; i++)
                if (spec_keys[i].section == SECTION_CONTAINER && !spec_keys[i].app)
                        spec_store_reset(spec_keys[i].store, (char *) p + spec_keys[i].offset, NULL);
        free(p->image_file);
        free(p->image_unit);
        free(p->network_file);
        free(p->network_app);
        free(p->network_unit);
        spec_free(p->network_spec);
        free(p->name);
        *p = (SpecProcess){ 0 };
}
