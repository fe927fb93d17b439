/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>

#include "spec/names.h"
#include "spec/parse.h"
#include "util/buf.h"
#include "util/strv.h"

/* Volume=, Mount= and Tmpfs=. */

typedef enum MountOption {
        OPTION_READ_ONLY,
        OPTION_NOSUID,
        OPTION_NODEV,
        OPTION_NOEXEC,
        OPTION_NOATIME,
        OPTION_RECURSIVE,
        OPTION_PROPAGATION,
        OPTION_OWN,
        OPTION_COPY,
        OPTION_TMPCOPYUP,
        OPTION_RELABEL, /* SELinux: nothing to do */
        OPTION_IDMAP,   /* always done */
        OPTION_SUBPATH,
        OPTION_DATA,
        OPTION_LATER, /* Podman's, not supported yet */
        _MOUNT_OPTION_MAX,
        _MOUNT_OPTION_INVALID = -EINVAL,
} MountOption;

#define ON_BIND (1U << SPEC_MOUNT_BIND)
#define ON_VOLUME (1U << SPEC_MOUNT_VOLUME)
#define ON_TMPFS (1U << SPEC_MOUNT_TMPFS)
#define ON_IMAGE (1U << SPEC_MOUNT_IMAGE)
#define ON_DISK (ON_BIND | ON_VOLUME)
#define ON_ALL (ON_DISK | ON_TMPFS | ON_IMAGE)

typedef enum OptionValue {
        VALUE_NONE,
        VALUE_BOOL, /* "ro=true"; without a value: true */
        VALUE_TEXT,
        _OPTION_VALUE_MAX,
        _OPTION_VALUE_INVALID = -EINVAL,
} OptionValue;

/* What the part behind the colon and --mount's fields have in common is written the same in both. */
static const struct MountOptionName {
        const char *name;
        MountOption option;
        unsigned types;
        OptionValue value;
        int meaning; /* what it sets; VALUE_BOOL: what true sets */
} option_names[] = {
        { "ro",                OPTION_READ_ONLY,   ON_ALL,    VALUE_BOOL, 1 },
        { "readonly",          OPTION_READ_ONLY,   ON_ALL,    VALUE_BOOL, 1 },
        { "rw",                OPTION_READ_ONLY,   ON_ALL,    VALUE_BOOL, 0 },
        { "readwrite",         OPTION_READ_ONLY,   ON_ALL,    VALUE_BOOL, 0 },
        { "nosuid",            OPTION_NOSUID,      ON_ALL,    VALUE_NONE, 1 },
        { "suid",              OPTION_NOSUID,      ON_ALL,    VALUE_NONE, 0 },
        { "nodev",             OPTION_NODEV,       ON_ALL,    VALUE_NONE, 1 },
        { "dev",               OPTION_NODEV,       ON_ALL,    VALUE_NONE, 0 },
        { "noexec",            OPTION_NOEXEC,      ON_ALL,    VALUE_NONE, 1 },
        { "exec",              OPTION_NOEXEC,      ON_ALL,    VALUE_NONE, 0 },
        { "noatime",           OPTION_NOATIME,     ON_ALL,    VALUE_NONE, 1 },
        { "relatime",          OPTION_NOATIME,     ON_ALL,    VALUE_NONE, 0 },
        { "rbind",             OPTION_RECURSIVE,   ON_DISK,   VALUE_NONE, 1 },
        { "bind",              OPTION_RECURSIVE,   ON_DISK,   VALUE_NONE, 0 },
        { "bind-nonrecursive", OPTION_RECURSIVE,   ON_BIND,   VALUE_BOOL, 0 },
        { "private",           OPTION_PROPAGATION, ON_DISK,   VALUE_NONE, SPEC_PROPAGATION_PRIVATE },
        { "rprivate",          OPTION_PROPAGATION, ON_DISK,   VALUE_NONE, SPEC_PROPAGATION_PRIVATE },
        { "slave",             OPTION_PROPAGATION, ON_DISK,   VALUE_NONE, SPEC_PROPAGATION_SLAVE },
        { "rslave",            OPTION_PROPAGATION, ON_DISK,   VALUE_NONE, SPEC_PROPAGATION_SLAVE },
        { "shared",            OPTION_PROPAGATION, ON_DISK,   VALUE_NONE, SPEC_PROPAGATION_SHARED },
        { "rshared",           OPTION_PROPAGATION, ON_DISK,   VALUE_NONE, SPEC_PROPAGATION_SHARED },
        { "bind-propagation",  OPTION_PROPAGATION, ON_BIND,   VALUE_TEXT, 0 },
        { "U",                 OPTION_OWN,         ON_DISK | ON_TMPFS, VALUE_BOOL, 1 },
        { "chown",             OPTION_OWN,         ON_DISK | ON_TMPFS, VALUE_BOOL, 1 },
        { "copy",              OPTION_COPY,        ON_VOLUME, VALUE_NONE, 1 },
        { "nocopy",            OPTION_COPY,        ON_VOLUME, VALUE_NONE, 0 },
        { "volume-nocopy",     OPTION_COPY,        ON_VOLUME, VALUE_BOOL, 0 },
        { "tmpcopyup",         OPTION_TMPCOPYUP,   ON_TMPFS,  VALUE_NONE, 1 },
        { "notmpcopyup",       OPTION_TMPCOPYUP,   ON_TMPFS,  VALUE_NONE, 0 },
        { "z",                 OPTION_RELABEL,     ON_ALL,    VALUE_NONE, 0 },
        { "Z",                 OPTION_RELABEL,     ON_ALL,    VALUE_NONE, 0 },
        { "relabel",           OPTION_RELABEL,     ON_ALL,    VALUE_TEXT, 0 },
        { "idmap",             OPTION_IDMAP,       ON_DISK,   VALUE_NONE, 0 },
        { "subpath",           OPTION_SUBPATH,     ON_DISK | ON_IMAGE, VALUE_TEXT, 0 },
        { "volume-subpath",    OPTION_SUBPATH,     ON_VOLUME, VALUE_TEXT, 0 },
        { "size",              OPTION_DATA,        ON_TMPFS,  VALUE_TEXT, 0 },
        { "tmpfs-size",        OPTION_DATA,        ON_TMPFS,  VALUE_TEXT, 0 },
        { "mode",              OPTION_DATA,        ON_TMPFS,  VALUE_TEXT, 0 },
        { "tmpfs-mode",        OPTION_DATA,        ON_TMPFS,  VALUE_TEXT, 0 },
        { "nr_inodes",         OPTION_DATA,        ON_TMPFS,  VALUE_TEXT, 0 },
        { "nr_blocks",         OPTION_DATA,        ON_TMPFS,  VALUE_TEXT, 0 },
        { "uid",               OPTION_DATA,        ON_TMPFS,  VALUE_TEXT, 0 },
        { "gid",               OPTION_DATA,        ON_TMPFS,  VALUE_TEXT, 0 },
        { "O",                 OPTION_LATER,       ON_ALL,    VALUE_NONE, 0 },
        { "upperdir",          OPTION_LATER,       ON_ALL,    VALUE_TEXT, 0 },
        { "workdir",           OPTION_LATER,       ON_ALL,    VALUE_TEXT, 0 },
        { "unbindable",        OPTION_LATER,       ON_ALL,    VALUE_NONE, 0 },
        { "runbindable",       OPTION_LATER,       ON_ALL,    VALUE_NONE, 0 },
        { "no-dereference",    OPTION_LATER,       ON_ALL,    VALUE_BOOL, 0 },
        { "volume-driver",     OPTION_LATER,       ON_ALL,    VALUE_TEXT, 0 },
        { "volume-label",      OPTION_LATER,       ON_ALL,    VALUE_TEXT, 0 },
        { "volume-opt",        OPTION_LATER,       ON_ALL,    VALUE_TEXT, 0 },
};

static const char *const type_names[_SPEC_MOUNT_TYPE_MAX] = {
        [SPEC_MOUNT_BIND] = "bind",
        [SPEC_MOUNT_VOLUME] = "volume",
        [SPEC_MOUNT_TMPFS] = "tmpfs",
        [SPEC_MOUNT_IMAGE] = "image",
};

/* One "name=value" of tmpfs(5), checked, at the end of m->data; a later one of the same name wins in the kernel. */
static int add_data(SpecParse *c, SpecMount *m, const char *name, const char *value, const char *at) {
        size_t n = strlen(value), digits = strspn(value, "0123456789");
        char *data;
        bool ok;

        name = str_after(name, "tmpfs-") ?: name;
        if (streq(name, "mode"))
                ok = n > 0 && n <= 4 && strspn(value, "01234567") == n;
        else if (streq(name, "size"))
                ok = digits > 0 && digits < 19 && (digits == n || (digits + 1 == n && strchr("kmgKMG%", value[digits])));
        else if (streq(name, "nr_inodes") || streq(name, "nr_blocks"))
                ok = digits > 0 && digits < 19 && (digits == n || (digits + 1 == n && strchr("kmgKMG", value[digits])));
        else
                ok = digits > 0 && digits == n && digits <= 10;
        if (!ok)
                return spec_complain(c, at, "'%s' is not a value of tmpfs option %s", value, name);
        data = str_format("%s%s%s=%s", m->data ?: "", m->data ? "," : "", name, value);
        if (!data)
                return -ENOMEM;
        free(m->data);
        m->data = data;
        return 1;
}

static int set_propagation(SpecParse *c, SpecMount *m, const char *name, const char *at) {
        for (size_t i = 0; i < ELEMENTSOF(option_names); i++)
                if (option_names[i].option == OPTION_PROPAGATION && option_names[i].value == VALUE_NONE &&
                        streq(option_names[i].name, name)) {
                        m->propagation = (SpecPropagation) option_names[i].meaning;
                        m->recursive_propagation = *name == 'r';
                        return 1;
                }
        return spec_complain(c, at, "'%s' is not a propagation; there are private, slave, shared, and those with r", name);
}

/* Below the source: never upwards, never absolute in effect. */
static int set_subpath(SpecParse *c, SpecMount *m, const char *value, const char *at) {
        _cleanup_free_ char *rooted = str_format("/%s", value), *simple = NULL;
        int r;

        if (!rooted)
                return -ENOMEM;
        r = path_simplify(rooted, &simple);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || streq(simple, "/"))
                return spec_complain(c, at, "'%s' is not a path below the source", value);
        free(m->subpath);
        m->subpath = strdup(simple + 1);
        return m->subpath ? 1 : -ENOMEM;
}

static int apply_option(SpecParse *c, SpecMount *m, const struct MountOptionName *o, int meaning, const char *value, const char *at) {
        switch (o->option) {
        case OPTION_READ_ONLY:
                if (m->type == SPEC_MOUNT_IMAGE && !meaning)
                        return spec_complain(c, at, "a mounted image cannot be written: known from Podman, not supported yet");
                m->read_only = meaning;
                return 1;
        case OPTION_NOSUID:
                m->nosuid = meaning;
                return 1;
        case OPTION_NODEV:
                m->nodev = meaning;
                return 1;
        case OPTION_NOEXEC:
                m->noexec = meaning;
                return 1;
        case OPTION_NOATIME:
                m->noatime = meaning;
                return 1;
        case OPTION_RECURSIVE:
                m->recursive = meaning;
                return 1;
        case OPTION_PROPAGATION:
                return set_propagation(c, m, o->value == VALUE_TEXT ? value : o->name, at);
        case OPTION_OWN:
                m->own = meaning;
                return 1;
        case OPTION_COPY:
                m->copy = meaning;
                return 1;
        case OPTION_TMPCOPYUP:
                m->tmpcopyup = meaning;
                return 1;
        case OPTION_RELABEL:
        case OPTION_IDMAP:
                return 1;
        case OPTION_SUBPATH:
                return set_subpath(c, m, value, at);
        case OPTION_DATA:
                return add_data(c, m, o->name, value, at);
        case OPTION_LATER:
                return spec_complain(c, at, "mount option '%s' is known from Podman, not supported yet", o->name);
        case _MOUNT_OPTION_MAX:
        case _MOUNT_OPTION_INVALID:
                break;
        }
        assert(false);
        return -EINVAL;
}

/* "ro", "size=64m": one option, expanded already. */
static int take_option(SpecParse *c, SpecMount *m, const char *option, const char *at) {
        size_t n = strcspn(option, "=");
        const char *value = option[n] ? option + n + 1 : NULL;
        const struct MountOptionName *o = NULL;
        int meaning, yes;

        for (size_t i = 0; !o && i < ELEMENTSOF(option_names); i++)
                if (strlen(option_names[i].name) == n && strncmp(option_names[i].name, option, n) == 0)
                        o = &option_names[i];
        if (!o)
                return spec_complain(c, at, "unknown mount option '%.*s'", (int) n, option);
        if (!(o->types & (1U << m->type)))
                return spec_complain(c, at, "mount option '%s' is not for %s mounts", o->name,
                        m->type == SPEC_MOUNT_VOLUME && !m->source ? "anonymous volume" : type_names[m->type]);
        if (o->option == OPTION_IDMAP && value)
                return spec_complain(c, at, "'idmap=' with a mapping is known from Podman, not supported yet");
        if (o->value == VALUE_TEXT && (!value || !*value))
                return spec_complain(c, at, "mount option '%s' needs a value", o->name);
        if (o->value == VALUE_NONE && value)
                return spec_complain(c, at, "mount option '%s' takes no value", o->name);
        meaning = o->meaning;
        if (o->value == VALUE_BOOL && value) {
                yes = parse_boolean(value);
                if (yes < 0)
                        return spec_complain(c, at, "'%s' is not a boolean: true or false", value);
                meaning = yes ? meaning : !meaning;
        }
        return apply_option(c, m, o, meaning, value ?: "", at);
}

/* Options separated by commas, as they stand in the line. */
static int take_options(SpecParse *c, SpecMount *m, const char *p) {
        for (;;) {
                size_t n = strcspn(p, ",");

                if (n > 0) {
                        _cleanup_free_ char *option = NULL;
                        int r;

                        r = spec_expand_range(c, p, p + n, &option);
                        if (r > 0)
                                r = take_option(c, m, option, p);
                        if (r < 0)
                                return r;
                }
                if (!p[n])
                        return 1;
                p += n + 1;
        }
}

static void set_defaults(SpecMount *m) {
        m->recursive = m->type == SPEC_MOUNT_BIND;
        m->copy = m->type == SPEC_MOUNT_VOLUME;
        m->read_only = m->type == SPEC_MOUNT_IMAGE;
        m->nosuid = m->nodev = m->type == SPEC_MOUNT_TMPFS || m->type == SPEC_MOUNT_VOLUME;
        m->tmpcopyup = m->noexec = m->type == SPEC_MOUNT_TMPFS;
}

static bool volume_name_valid(const char *s) {
        return isalnum((unsigned char) *s) && strlen(s) <= 128 &&
                strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(s);
}

/* text is raw with its specifiers expanded. */
static int set_source(SpecParse *c, SpecMount *m, const char *raw, size_t raw_size, const char *text, const char *at) {
        if (m->type == SPEC_MOUNT_BIND) {
                m->source_raw = strndup(raw, raw_size);
                return m->source_raw ? spec_take_host_path(c, text, at, &m->source) : -ENOMEM;
        }
        if (m->type == SPEC_MOUNT_VOLUME && str_ends_with(text, ".volume"))
                return spec_complain(c, at, "'%s' names a Quadlet unit: known from Quadlet, not supported yet", text);
        if (m->type == SPEC_MOUNT_VOLUME && !volume_name_valid(text))
                return spec_complain(c, at, "'%s' is neither a path, which begins with '/' or '.', nor a name of a volume", text);
        if (m->type == SPEC_MOUNT_IMAGE && (!*text || strpbrk(text, WHITESPACE) || str_ends_with(text, ".image")))
                return spec_complain(c, at, "'%s' is not a name of an image", text);
        m->source = strdup(text);
        return m->source ? 1 : -ENOMEM;
}

static int set_target(SpecParse *c, SpecMount *m, const char *text, const char *at) {
        int r;

        r = path_simplify(text, &m->target);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return spec_complain(c, at, "'%s' is not an absolute path without '..' in the container", text);
        if (streq(m->target, "/"))
                return spec_complain(c, at, "a mount cannot be on '/'");
        return 1;
}

static int keep_mount(SpecParse *c, void *place, SpecMount *m, int r, const char *at) {
        if (r > 0)
                r = spec_list_add(c, place, m, sizeof(*m), at);
        if (r <= 0)
                spec_mount_clear(m);
        return r;
}

static int fill_volume(SpecParse *c, SpecMount *m) {
        const char *value = c->line->value, *colon = strchr(value, ':'), *target = value, *options = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        if (colon) {
                _cleanup_free_ char *source = NULL;

                if (colon == value)
                        return spec_complain(c, value, "a source is missing before ':'");
                r = spec_expand_range(c, value, colon, &source);
                if (r <= 0)
                        return r;
                m->type = *source == '/' || *source == '.' ? SPEC_MOUNT_BIND : SPEC_MOUNT_VOLUME;
                r = set_source(c, m, value, (size_t) (colon - value), source, value);
                if (r <= 0)
                        return r;
                target = colon + 1;
                options = strchr(target, ':');
        }
        set_defaults(m);
        r = spec_expand_range(c, target, options ?: target + strlen(target), &text);
        if (r > 0)
                r = set_target(c, m, text, target);
        return r <= 0 || !options ? r : take_options(c, m, options + 1);
}

int parse_volume(SpecParse *c, void *place) {
        SpecMount m = { .type = SPEC_MOUNT_VOLUME, .key = c->key->name, .origin = spec_origin_at(c, c->line->value) };

        return keep_mount(c, place, &m, fill_volume(c, &m), c->line->value);
}

static int fill_tmpfs(SpecParse *c, SpecMount *m) {
        const char *value = c->line->value, *colon = strchr(value, ':');
        _cleanup_free_ char *text = NULL;
        int r;

        set_defaults(m);
        r = spec_expand_range(c, value, colon ?: value + strlen(value), &text);
        if (r > 0)
                r = set_target(c, m, text, value);
        return r <= 0 || !colon ? r : take_options(c, m, colon + 1);
}

int parse_tmpfs(SpecParse *c, void *place) {
        SpecMount m = { .type = SPEC_MOUNT_TMPFS, .key = c->key->name, .origin = spec_origin_at(c, c->line->value) };

        return keep_mount(c, place, &m, fill_tmpfs(c, &m), c->line->value);
}

/* The value of the last field called one of names (NULL-terminated), or NULL. */
static const char *field_of(char *const *fields, const char *const *names) {
        const char *found = NULL;

        for (; *fields; fields++)
                for (size_t i = 0; names[i]; i++) {
                        const char *rest = str_after(*fields, names[i]);

                        if (rest && *rest == '=')
                                found = rest + 1;
                }
        return found;
}

static const char *const source_names[] = { "source", "src", NULL };
static const char *const target_names[] = { "destination", "dest", "dst", "target", NULL };
static const char *const mount_type_names[] = { "type", NULL };

static bool is_named_field(const char *field) {
        char *const one[] = { (char *) field, NULL };

        return field_of(one, source_names) || field_of(one, target_names) || field_of(one, mount_type_names);
}

static int fill_mount(SpecParse *c, SpecMount *m, char *const *fields, const char *at) {
        const char *type = field_of(fields, mount_type_names), *source = field_of(fields, source_names),
                   *target = field_of(fields, target_names);
        _cleanup_free_ char *place = NULL;
        int r;

        m->type = type ? _SPEC_MOUNT_TYPE_INVALID : SPEC_MOUNT_VOLUME;
        for (int i = 0; type && i < _SPEC_MOUNT_TYPE_MAX; i++)
                if (streq(type, type_names[i]))
                        m->type = (SpecMountType) i;
        if (m->type == _SPEC_MOUNT_TYPE_INVALID)
                return spec_complain(c, at, "mount type '%s' is not supported; there are bind, volume, tmpfs and image", type);
        if (!target)
                return spec_complain(c, at, "destination=PATH is missing");
        if (!source && (m->type == SPEC_MOUNT_BIND || m->type == SPEC_MOUNT_IMAGE))
                return spec_complain(c, at, "source=… is missing");
        if (source && m->type == SPEC_MOUNT_TMPFS)
                return spec_complain(c, at, "a tmpfs has no source");
        set_defaults(m);
        if (source) {
                _cleanup_free_ char *text = NULL;

                r = spec_expand(c, source, at, &text);
                if (r > 0)
                        r = set_source(c, m, source, strlen(source), text, at);
                if (r <= 0)
                        return r;
        }
        for (; *fields; fields++) {
                _cleanup_free_ char *text = NULL;

                if (is_named_field(*fields))
                        continue;
                r = spec_expand(c, *fields, at, &text);
                if (r > 0)
                        r = take_option(c, m, text, at);
                if (r <= 0)
                        return r;
        }
        r = spec_expand(c, target, at, &place);
        return r <= 0 ? r : set_target(c, m, place, at);
}

static int mount_word(SpecParse *c, void *place, const char *word, const char *at) {
        SpecMount m = { .key = c->key->name, .origin = spec_origin_at(c, at) };
        _cleanup_strv_ char **fields = NULL;
        _cleanup_free_ char *text = strdup(word);
        char *rest = text;

        if (!text)
                return -ENOMEM;
        for (char *field; (field = strsep(&rest, ","));)
                if (*field && strv_append(&fields, field) < 0)
                        return -ENOMEM;
        if (!fields)
                return spec_complain(c, at, "a mount is type=…,source=…,destination=…");
        return keep_mount(c, place, &m, fill_mount(c, &m, fields, at), at);
}

int parse_mount(SpecParse *c, void *place) {
        return spec_each_word(c, WORD_UNQUOTE | WORD_UNESCAPE, place, mount_word);
}
