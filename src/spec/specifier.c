/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "spec/spec.h"
#include "spec/specifier.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

typedef int (*SpecifierValue)(const SpecifierContext *c, const char *argument, Buf *b);

typedef enum SpecifierNeeds {
        NEEDS_NOTHING,
        NEEDS_INSTANCE,
        NEEDS_MACHINE,
        _SPECIFIER_NEEDS_MAX,
        _SPECIFIER_NEEDS_INVALID = -EINVAL,
} SpecifierNeeds;

char *unit_name_unescape(const char *name) {
        char *s = strdup(name), *out = s;

        for (const char *p = name; s && *p; p++)
                if (p[0] == '\\' && p[1] == 'x' && isxdigit((unsigned char) p[2]) && isxdigit((unsigned char) p[3])) {
                        char digits[] = { p[2], p[3], 0 }, byte = (char) strtoul(digits, NULL, 16);

                        if (byte)
                                *out++ = byte;
                        p += 3;
                } else
                        *out++ = *p == '-' ? '/' : *p;
        if (s)
                *out = 0;
        return s;
}

static int put_unescaped(Buf *b, const char *before, const char *name) {
        _cleanup_free_ char *plain = unit_name_unescape(name);

        return !plain || buf_puts(b, before) < 0 || buf_puts(b, plain) < 0 ? -ENOMEM : 0;
}

static int value_literal(const SpecifierContext *c, const char *argument, Buf *b) {
        return buf_puts(b, argument);
}

static int value_service(const SpecifierContext *c, const char *suffix, Buf *b) {
        int r = buf_puts(b, c->service);

        return r < 0 ? r : buf_puts(b, suffix);
}

static const char *last_part(const char *prefix) {
        const char *dash = strrchr(prefix, '-');

        return dash ? dash + 1 : prefix;
}

static int value_prefix(const SpecifierContext *c, const char *argument, Buf *b) {
        return buf_puts(b, *argument == 'j' ? last_part(c->prefix) : c->prefix);
}

static int value_prefix_unescaped(const SpecifierContext *c, const char *argument, Buf *b) {
        return put_unescaped(b, "", *argument == 'J' ? last_part(c->prefix) : c->prefix);
}

static int value_instance(const SpecifierContext *c, const char *argument, Buf *b) {
        return c->instance ? buf_puts(b, c->instance) : 0;
}

static int value_instance_unescaped(const SpecifierContext *c, const char *argument, Buf *b) {
        return c->instance ? put_unescaped(b, "", c->instance) : 0;
}

static int value_file_name(const SpecifierContext *c, const char *argument, Buf *b) {
        const char *from = c->instance ?: c->prefix;

        return put_unescaped(b, *from == '-' ? "" : "/", from);
}

static int value_host_name(const SpecifierContext *c, const char *argument, Buf *b) {
        struct utsname u;

        if (uname(&u) < 0)
                return -errno;
        if (*argument == 'l')
                u.nodename[strcspn(u.nodename, ".")] = 0;
        return buf_puts(b, u.nodename);
}

/* A field of a file such as os-release(5); one that is not there is empty. */
static int put_field(const char *path, const char *field, Buf *b) {
        _cleanup_free_ char *text = NULL;
        char *state = NULL;
        int r;

        r = read_file(AT_FDCWD, path, 64 * 1024, &text, NULL);
        if (r < 0)
                return r;
        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *value = str_after(line, field);
                size_t n;

                if (!value || *value++ != '=')
                        continue;
                n = strlen(value);
                if (n >= 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value) {
                        value++;
                        n -= 2;
                }
                return buf_append(b, value, n);
        }
        return 0;
}

/* The name that people read, machine-info(5); the host's name where there is none. */
static int value_pretty_host_name(const SpecifierContext *c, const char *argument, Buf *b) {
        size_t before = b->size;
        int r;

        r = put_field("/etc/machine-info", "PRETTY_HOSTNAME", b);
        return r == -ENOENT || (r == 0 && b->size == before) ? value_host_name(c, "H", b) : r;
}

/* As ConditionArchitecture= calls it. */
static int value_architecture(const SpecifierContext *c, const char *argument, Buf *b) {
        static const struct {
                const char *machine, *name; /* uname -m's word, and systemd's */
        } names[] = {
                { "x86_64",  "x86-64"   },
                { "i686",    "x86"      },
                { "aarch64", "arm64"    },
                { "armv7l",  "arm"      },
                { "ppc64le", "ppc64-le" },
        };
        struct utsname u;

        if (uname(&u) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i].machine, u.machine))
                        return buf_puts(b, names[i].name);
        return buf_puts(b, u.machine);
}

static int value_release(const SpecifierContext *c, const char *argument, Buf *b) {
        struct utsname u;

        return uname(&u) < 0 ? -errno : buf_puts(b, u.release);
}

/* 128-bit ids: with or without dashes in the file, always without in the value. */
static int value_id(const SpecifierContext *c, const char *path, Buf *b) {
        _cleanup_free_ char *text = NULL;
        size_t n = 0;
        int r;

        r = read_file(AT_FDCWD, path, 128, &text, NULL);
        if (r < 0)
                return r;
        for (const char *p = text; *p && *p != '\n'; p++)
                if (*p != '-') {
                        r = buf_putc(b, *p);
                        if (r < 0)
                                return r;
                        n++;
                }
        return n == 32 ? 0 : -EADDRNOTAVAIL;
}

static int value_os_release(const SpecifierContext *c, const char *field, Buf *b) {
        int r;

        r = put_field("/etc/os-release", field, b);
        return r == -ENOENT ? put_field("/usr/lib/os-release", field, b) : r;
}

static const struct Specifier {
        char letter;
        SpecifierNeeds needs;
        SpecifierValue value;
        const char *argument;
} specifiers[] = {
        { '%', NEEDS_NOTHING,  value_literal,            "%" },
        { 'a', NEEDS_MACHINE,  value_architecture,       NULL },
        { 'A', NEEDS_MACHINE,  value_os_release,         "IMAGE_VERSION" },
        { 'b', NEEDS_MACHINE,  value_id,                 "/proc/sys/kernel/random/boot_id" },
        { 'B', NEEDS_MACHINE,  value_os_release,         "BUILD_ID" },
        { 'C', NEEDS_NOTHING,  value_literal,            "/var/cache" },
        { 'E', NEEDS_NOTHING,  value_literal,            "/etc" },
        { 'f', NEEDS_INSTANCE, value_file_name,          NULL },
        { 'g', NEEDS_NOTHING,  value_literal,            "root" },
        { 'G', NEEDS_NOTHING,  value_literal,            "0" },
        { 'h', NEEDS_NOTHING,  value_literal,            "/root" },
        { 'H', NEEDS_MACHINE,  value_host_name,          "H" },
        { 'i', NEEDS_INSTANCE, value_instance,           NULL },
        { 'I', NEEDS_INSTANCE, value_instance_unescaped, NULL },
        { 'j', NEEDS_NOTHING,  value_prefix,             "j" },
        { 'J', NEEDS_NOTHING,  value_prefix_unescaped,   "J" },
        { 'l', NEEDS_MACHINE,  value_host_name,          "l" },
        { 'L', NEEDS_NOTHING,  value_literal,            "/var/log" },
        { 'm', NEEDS_MACHINE,  value_id,                 "/etc/machine-id" },
        { 'M', NEEDS_MACHINE,  value_os_release,         "IMAGE_ID" },
        { 'n', NEEDS_INSTANCE, value_service,            ".service" },
        { 'N', NEEDS_INSTANCE, value_service,            "" },
        { 'o', NEEDS_MACHINE,  value_os_release,         "ID" },
        { 'p', NEEDS_NOTHING,  value_prefix,             "p" },
        { 'P', NEEDS_NOTHING,  value_prefix_unescaped,   "P" },
        { 'q', NEEDS_MACHINE,  value_pretty_host_name,   NULL },
        { 'S', NEEDS_NOTHING,  value_literal,            "/var/lib" },
        { 't', NEEDS_NOTHING,  value_literal,            "/run" },
        { 'T', NEEDS_NOTHING,  value_literal,            "/tmp" },
        { 'u', NEEDS_NOTHING,  value_literal,            "root" },
        { 'U', NEEDS_NOTHING,  value_literal,            "0" },
        { 'v', NEEDS_MACHINE,  value_release,            NULL },
        { 'V', NEEDS_NOTHING,  value_literal,            "/var/tmp" },
        { 'w', NEEDS_MACHINE,  value_os_release,         "VERSION_ID" },
        { 'W', NEEDS_MACHINE,  value_os_release,         "VARIANT_ID" },
};

static const struct Specifier *specifier_find(char letter) {
        for (size_t i = 0; i < ELEMENTSOF(specifiers); i++)
                if (specifiers[i].letter == letter)
                        return &specifiers[i];
        return NULL;
}

int specifier_expand(const SpecifierContext *c, const char *text, char **ret, const char **ret_bad) {
        _cleanup_buf_ Buf b = BUF_INIT;
        bool unknown = false;
        int r;

        for (const char *p = text;;) {
                size_t n = strcspn(p, "%");
                const struct Specifier *s;

                if (buf_append(&b, p, n) < 0)
                        return -ENOMEM;
                p += n;
                if (!*p)
                        break;
                s = specifier_find(p[1]);
                if (!p[1] || !s) {
                        *ret_bad = p;
                        return -EBADMSG;
                }
                if ((s->needs == NEEDS_INSTANCE && c->template) || (s->needs == NEEDS_MACHINE && c->is_static)) {
                        unknown = true;
                        r = buf_putc(&b, 'x');
                } else
                        r = s->value(c, s->argument, &b);
                if (r < 0) {
                        *ret_bad = p;
                        return r == -ENOMEM ? r : -EADDRNOTAVAIL;
                }
                if (b.size > SPEC_EXPANDED_MAX)
                        return -E2BIG;
                p += 2;
        }
        *ret = buf_steal(&b);
        return *ret ? (int) unknown : -ENOMEM;
}
