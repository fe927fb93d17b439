/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "spec/document.h"
#include "spec/spec.h"
#include "spec/table.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

#define PATH_SIZE 4096

static const char *const suffixes[_SPEC_KIND_MAX] = {
        [SPEC_CONTAINER] = ".container",
        [SPEC_IMAGE] = ".image",
        [SPEC_NETWORK] = ".network",
};

static const char *const nouns[_SPEC_KIND_MAX] = { [SPEC_CONTAINER] = "app", [SPEC_IMAGE] = "image", [SPEC_NETWORK] = "network" };

const char *spec_kind_noun(SpecKind kind) {
        return nouns[kind];
}

char *spec_kind_service(SpecKind kind, const char *name) {
        const char *at = strchr(name, '@');

        if (kind == SPEC_CONTAINER)
                return strdup(name);
        return at ? str_format("%.*s-%s%s", (int) (at - name), name, nouns[kind], at) : str_format("%s-%s", name, nouns[kind]);
}

const char *spec_kind_suffix(SpecKind kind) {
        return suffixes[kind];
}

SpecKind spec_kind_of(const char *file) {
        for (int i = 0; i < _SPEC_KIND_MAX; i++)
                if (str_ends_with(file, suffixes[i]))
                        return (SpecKind) i;
        return _SPEC_KIND_INVALID;
}

bool spec_name_valid(const char *name) {
        const char *at = strchr(name, '@');
        size_t n = strlen(name);

        /* "@" at the end is a template; a "." at the start a hidden file, and never a unit. */
        if (n == 0 || n > SPEC_NAME_MAX || at == name || *name == '.' || (at && strchr(at + 1, '@')))
                return false;
        return strspn(name,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@") == n;
}

int spec_search_open(const char *dirs, SpecSearch *ret) {
        _cleanup_free_ char *copy = NULL;
        SpecSearch s = { 0 };
        char *state = NULL;

        dirs = dirs ?: getenv("BERTH_SPEC_PATH");
        copy = strdup(dirs && *dirs ? dirs : BERTH_SPEC_DIRS);
        s.fds = calloc(SPEC_DIRS_MAX, sizeof(int));
        if (!copy || !s.fds)
                goto oom;
        for (char *dir = strtok_r(copy, ":", &state); dir && s.n < SPEC_DIRS_MAX; dir = strtok_r(NULL, ":", &state)) {
                size_t n = strlen(dir);

                while (n > 1 && dir[n - 1] == '/')
                        dir[--n] = 0;
                if (strv_append(&s.dirs, dir) < 0)
                        goto oom;
                s.fds[s.n] = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (s.fds[s.n] < 0)
                        s.fds[s.n] = -errno;
                s.n++;
        }
        *ret = s;
        return 0;
oom:
        spec_search_close(&s);
        return -ENOMEM;
}

void spec_search_close(SpecSearch *s) {
        for (size_t i = 0; i < s->n; i++)
                fd_close(s->fds[i]);
        free(s->fds);
        strv_free(s->dirs);
        *s = (SpecSearch){ 0 };
}

typedef enum FileKind {
        FILE_NONE,
        FILE_PLAIN,
        FILE_MASK, /* a link to /dev/null, or an empty file: systemd.unit(5) */
        FILE_OTHER,
} FileKind;

static FileKind file_kind(int dir, const char *name) {
        struct stat st;

        if (fstatat(dir, name, &st, 0) < 0)
                return errno == ENOENT && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? FILE_NONE : FILE_OTHER;
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
                return FILE_MASK;
        if (!S_ISREG(st.st_mode))
                return FILE_OTHER;
        return st.st_size == 0 ? FILE_MASK : FILE_PLAIN;
}

/* Names in directory fd that end in suffix, without it where cut says so, of directories or of all else; sorted by the caller. */
static int list_names(int fd, const char *suffix, bool cut, bool directories, char ***names) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(fd, ".", &d);

        for (struct dirent *e; r == 0 && (e = readdir(d));) {
                size_t n = strlen(e->d_name);

                if (e->d_name[0] == '.' || !str_ends_with(e->d_name, suffix) || (e->d_type == DT_DIR) != directories)
                        continue;
                if (cut)
                        e->d_name[n - strlen(suffix)] = 0;
                r = strv_append(names, e->d_name);
        }
        return r;
}

int spec_search_list_kind(const SpecSearch *s, SpecKind kind, char ***ret) {
        _cleanup_strv_ char **all = NULL, **result = NULL;
        size_t n;
        int r;

        for (size_t i = 0; i < s->n; i++) {
                r = s->fds[i] < 0 ? 0 : list_names(s->fds[i], suffixes[kind], true, false, &all);
                if (r < 0)
                        return r;
        }
        n = strv_length(all);
        strv_sort(all);
        for (size_t k = 0; k < n; k++) {
                _cleanup_free_ char *file = NULL;
                FileKind found = FILE_NONE;

                if ((k > 0 && streq(all[k], all[k - 1])) || !spec_name_valid(all[k]))
                        continue;
                file = str_format("%s%s", all[k], suffixes[kind]);
                if (!file)
                        return -ENOMEM;
                for (size_t i = 0; i < s->n && found == FILE_NONE; i++)
                        found = s->fds[i] < 0 ? FILE_NONE : file_kind(s->fds[i], file);
                r = found == FILE_PLAIN || found == FILE_OTHER ? strv_append(&result, all[k]) : 0;
                if (r < 0)
                        return r;
        }
        *ret = result ? TAKE_PTR(result) : calloc(1, sizeof(char *));
        return *ret ? 0 : -ENOMEM;
}

static int add_misnamed(const char *dir, const char *name, SpecKind kind, char ***paths) {
        char *path;

        if (spec_name_valid(name))
                return 0;
        path = str_format("%s/%s%s", dir, name, suffixes[kind]);
        for (char *c = path; c && *c; c++)
                if ((unsigned char) *c < ' ' || *c == 0x7f)
                        *c = '?'; /* a diagnostic is one line */
        return path ? strv_consume(paths, path) : -ENOMEM;
}

int spec_search_list_misnamed(const SpecSearch *s, SpecKind kind, char ***ret) {
        _cleanup_strv_ char **paths = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n; i++) {
                _cleanup_strv_ char **names = NULL;

                r = s->fds[i] < 0 ? 0 : list_names(s->fds[i], suffixes[kind], true, false, &names);
                strv_sort(names);
                for (char **name = names; r >= 0 && name && *name; name++)
                        r = add_misnamed(s->dirs[i], *name, kind, &paths);
        }
        if (r < 0)
                return r;
        *ret = paths ? TAKE_PTR(paths) : calloc(1, sizeof(char *));
        return *ret ? 0 : -ENOMEM;
}

int spec_search_list_instances(const SpecSearch *s, char ***ret) {
        _cleanup_strv_ char **all = NULL, **result = strv_copy(NULL);
        int r = result ? 0 : -ENOMEM;

        for (size_t i = 0; i < s->n && r >= 0; i++)
                r = s->fds[i] < 0 ? 0 : list_names(s->fds[i], ".container.d", true, true, &all);
        if (r < 0)
                return r;
        strv_sort(all);
        for (size_t k = 0; all && all[k] && r >= 0; k++)
                if (strchr(all[k], '@') && !str_ends_with(all[k], "@") && spec_name_valid(all[k]) && !(k > 0 && streq(all[k], all[k - 1])))
                        r = strv_append(&result, all[k]);
        if (r >= 0)
                *ret = TAKE_PTR(result);
        return r;
}

int spec_search_list(const SpecSearch *s, char ***ret) {
        return spec_search_list_kind(s, SPEC_CONTAINER, ret);
}

static size_t count_lines(const SpecDocument *d) {
        size_t n = 0;

        for (size_t i = 0; i < d->n_sources; i++)
                n += d->sources[i].n_lines;
        return n;
}

/* The text of a file, or why there is none. A FIFO must not hold up the boot: nothing but regular files is read. */
static int read_source(int dir, const char *name, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        return S_ISREG(st.st_mode) ? read_fd(fd, SPEC_FILE_SIZE_MAX, ret, ret_size) : -EMEDIUMTYPE;
}

/* A file that cannot be read becomes an empty source, and an error in diags. */
static int add_source(SpecDocument *d, int dir, const char *name, const char *path, SpecDiags *diags) {
        _cleanup_free_ char *text = NULL;
        SpecSource *sources;
        size_t size = 0, lines;
        int r;

        if (d->n_sources >= SPEC_FRAGMENTS_MAX)
                return spec_diag_add(diags, SPEC_ERROR, path, 0, 0, "one spec has at most %d files", SPEC_FRAGMENTS_MAX);
        r = read_source(dir, name, &text, &size);
        if (r < 0 && r != -ENOMEM) {
                r = spec_diag_add(diags, SPEC_ERROR, path, 0, 0, "cannot read it: %s",
                        r == -E2BIG                 ? "it is larger than 4 MiB"
                                : r == -EMEDIUMTYPE ? "it is not a regular file"
                                                    : strerror(-r));
                text = strdup("");
        }
        if (r < 0 || !text)
                return -ENOMEM;
        sources = reallocarray(d->sources, d->n_sources + 1, sizeof(SpecSource));
        if (!sources)
                return -ENOMEM;
        d->sources = sources;
        lines = count_lines(d);
        return spec_source_lex(&d->sources[d->n_sources++], path, TAKE_PTR(text), size,
                SPEC_ASSIGNMENTS_MAX - MIN(lines, (size_t) SPEC_ASSIGNMENTS_MAX), diags);
}

/* Drop-ins. A name that several directories have counts once, from the first of them. */
typedef struct DropIn {
        char *name; /* "10-image.conf" */
        char *dir;  /* "/etc/berth/shop.container.d" */
        int fd;
        size_t order; /* of dir */
} DropIn;

typedef struct DropIns {
        DropIn *items;
        size_t n;
        size_t n_dirs;
} DropIns;

static void drop_ins_clear(DropIns *d) {
        for (size_t i = 0; i < d->n; i++) {
                free(d->items[i].name);
                free(d->items[i].dir);
                fd_close(d->items[i].fd);
        }
        free(d->items);
}

static int compare_drop_ins(const void *a, const void *b) {
        const DropIn *x = a, *y = b;
        int r = strcmp(x->name, y->name);

        return r != 0 ? r : (x->order > y->order) - (x->order < y->order);
}

static int drop_ins_scan(DropIns *d, const SpecSearch *s, size_t i, const char *sub) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_strv_ char **names = NULL;
        size_t n, order = d->n_dirs++;
        DropIn *items;
        int r;

        if (s->fds[i] < 0)
                return 0;
        fd = openat(s->fds[i], sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOMEM ? -ENOMEM : 0;
        r = list_names(fd, ".conf", false, false, &names);
        n = strv_length(names);
        if (r < 0 || n == 0)
                return r;
        items = reallocarray(d->items, d->n + n, sizeof(DropIn));
        if (!items)
                return -ENOMEM;
        d->items = items;
        for (size_t k = 0; k < n; k++) {
                DropIn item = { .name = strdup(names[k]), .fd = fcntl(fd, F_DUPFD_CLOEXEC, 3), .order = order };

                item.dir = str_format("%s/%s", s->dirs[i], sub);
                if (!item.name || !item.dir || item.fd < 0) {
                        r = item.fd < 0 ? -errno : -ENOMEM;
                        free(item.name);
                        free(item.dir);
                        fd_close(item.fd);
                        return r;
                }
                d->items[d->n++] = item;
        }
        return 0;
}

/* The directories that one directory of the search path may have for name, most specific first: "a-b@i.container.d",
 * "a-b@.container.d", "a-.container.d". */
static int drop_ins_scan_name(DropIns *d, const SpecSearch *s, size_t i, const SpecDocument *doc) {
        const char *suffix = suffixes[doc->kind];
        char sub[SPEC_NAME_MAX + 32];
        int r;

        (void) snprintf(sub, sizeof(sub), "%s%s.d", doc->name, suffix);
        r = drop_ins_scan(d, s, i, sub);
        if (r == 0 && doc->instance) {
                (void) snprintf(sub, sizeof(sub), "%s@%s.d", doc->prefix, suffix);
                r = drop_ins_scan(d, s, i, sub);
        }
        for (size_t n = strlen(doc->prefix); r == 0 && n > 0; n--) {
                /* systemd.unit(5): "foo-bar-baz" also has "foo-bar-" and "foo-"; a dash at the end is no boundary. */
                if (doc->prefix[n - 1] != '-' || n == strlen(doc->prefix))
                        continue;
                (void) snprintf(sub, sizeof(sub), "%.*s%s.d", (int) n, doc->prefix, suffix);
                r = drop_ins_scan(d, s, i, sub);
        }
        return r;
}

static int add_drop_ins(SpecDocument *doc, const SpecSearch *s, SpecDiags *diags) {
        _cleanup_(drop_ins_clear) DropIns d = { 0 };
        char of_all[32];
        int r = 0;

        (void) snprintf(of_all, sizeof(of_all), "%s.d", suffixes[doc->kind] + 1);

        for (size_t i = 0; r == 0 && i < s->n; i++)
                r = drop_ins_scan_name(&d, s, i, doc);
        for (size_t i = 0; r == 0 && i < s->n; i++)
                r = drop_ins_scan(&d, s, i, of_all);
        if (d.n > 1)
                qsort(d.items, d.n, sizeof(DropIn), compare_drop_ins);
        for (size_t i = 0; r == 0 && i < d.n; i++) {
                _cleanup_free_ char *path = NULL;

                if ((i > 0 && streq(d.items[i].name, d.items[i - 1].name)) ||
                        file_kind(d.items[i].fd, d.items[i].name) == FILE_MASK)
                        continue;
                path = str_format("%s/%s", d.items[i].dir, d.items[i].name);
                if (!path)
                        return -ENOMEM;
                r = add_source(doc, d.items[i].fd, d.items[i].name, path, diags);
        }
        return r;
}

static int set_name(SpecDocument *d, const char *name) {
        const char *at = strchr(name, '@');

        d->name = strdup(name);
        d->prefix = strndup(name, at ? (size_t) (at - name) : strlen(name));
        d->template = at && !at[1];
        if (at && at[1])
                d->instance = strdup(at + 1);
        return !d->name || !d->prefix || (at && at[1] && !d->instance) ? -ENOMEM : 0;
}

/* The first directory that has the file decides, whatever it has there. */
static int find_file(const SpecSearch *s, const char *file, size_t *ret_dir) {
        for (size_t i = 0; i < s->n; i++) {
                FileKind kind = s->fds[i] < 0 ? FILE_NONE : file_kind(s->fds[i], file);

                if (kind == FILE_NONE)
                        continue;
                *ret_dir = i;
                return kind == FILE_MASK ? -ERFKILL : 0;
        }
        return -ENOENT;
}

static int not_found(const SpecSearch *s, SpecKind kind, const char *name, SpecDiags *diags) {
        _cleanup_free_ char *where = NULL;
        size_t n = 1;

        for (size_t i = 0; i < s->n; i++)
                n += strlen(s->dirs[i]) + 2;
        where = calloc(1, n);
        if (!where)
                return -ENOMEM;
        for (size_t i = 0; i < s->n; i++) {
                strcat(where, i > 0 ? ", " : "");
                strcat(where, s->dirs[i]);
        }
        (void) spec_diag_add(diags, SPEC_ERROR, NULL, 0, 0, "no spec %s%s in %s", name, suffixes[kind], where);
        return -ENOENT;
}

int spec_document_read(const SpecSearch *s, SpecKind kind, const char *name, SpecDiags *diags, SpecDocument *ret) {
        _cleanup_document_ SpecDocument d = { .kind = kind };
        char file[SPEC_NAME_MAX + 32], path[PATH_SIZE];
        size_t dir = 0;
        int r;

        if (!spec_name_valid(name)) {
                (void) spec_diag_add(diags, SPEC_ERROR, NULL, 0, 0, "'%s' cannot be the name of %s%s", name,
                        kind == SPEC_CONTAINER ? "an app" : "a file NAME", kind == SPEC_CONTAINER ? "" : suffixes[kind]);
                return -EINVAL;
        }
        r = set_name(&d, name);
        if (r < 0)
                return r;
        (void) snprintf(file, sizeof(file), "%s%s", name, suffixes[kind]);
        r = find_file(s, file, &dir);
        if (r == -ENOENT && d.instance) {
                (void) snprintf(file, sizeof(file), "%s@%s", d.prefix, suffixes[kind]);
                r = find_file(s, file, &dir);
        }
        if (r == -ENOENT)
                return not_found(s, kind, name, diags);
        if (snprintf(path, sizeof(path), "%s/%s", s->dirs[dir], file) >= (int) sizeof(path))
                return -ENAMETOOLONG;
        if (r == -ERFKILL) {
                (void) spec_diag_add(diags, SPEC_ERROR, path, 0, 0, "%s '%s' is masked by this file",
                        nouns[kind], name);
                return r;
        }
        r = add_source(&d, s->fds[dir], file, path, diags);
        if (r == 0)
                r = add_drop_ins(&d, s, diags);
        if (r < 0)
                return r;
        *ret = d;
        d = (SpecDocument){ 0 };
        return 0;
}

int spec_document_read_file(const char *path, SpecDiags *diags, SpecDocument *ret) {
        _cleanup_document_ SpecDocument d = { 0 };
        _cleanup_search_ SpecSearch s = { 0 };
        _cleanup_free_ char *dir = NULL, *name = NULL;
        const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
        SpecKind kind = spec_kind_of(file);
        int r;

        dir = slash ? strndup(path, slash == path ? 1 : (size_t) (slash - path)) : strdup(".");
        name = strndup(file, strlen(file) - (kind >= 0 ? strlen(suffixes[kind]) : 0));
        if (!dir || !name)
                return -ENOMEM;
        if (kind < 0 || !spec_name_valid(name)) {
                (void) spec_diag_add(diags, SPEC_ERROR, path, 0, 0, "a spec is called NAME.container or NAME.image");
                return -EINVAL;
        }
        d.kind = kind;
        r = set_name(&d, name);
        if (r == 0)
                r = spec_search_open(dir, &s);
        if (r == 0)
                r = add_source(&d, AT_FDCWD, path, path, diags);
        if (r == 0)
                r = add_drop_ins(&d, &s, diags);
        if (r < 0)
                return r;
        *ret = d;
        d = (SpecDocument){ 0 };
        return 0;
}

void spec_document_clear(SpecDocument *d) {
        free(d->name);
        free(d->prefix);
        free(d->instance);
        for (size_t i = 0; i < d->n_sources; i++)
                spec_source_clear(&d->sources[i]);
        free(d->sources);
        *d = (SpecDocument){ 0 };
}

/* ---- what counts ---- */

int spec_document_sections(const SpecDocument *d, char ***ret) {
        _cleanup_strv_ char **sections = NULL;

        for (size_t f = 0; f < d->n_sources; f++)
                for (size_t i = 0; i < d->sources[f].n_lines; i++) {
                        const SpecLine *l = &d->sources[f].lines[i];

                        if (!l->key && !strv_contains(sections, l->value) && strv_append(&sections, l->value) < 0)
                                return -ENOMEM;
                }
        *ret = TAKE_PTR(sections);
        return 0;
}

static const SpecKey *key_of(const char *section, const char *name) {
        for (int i = 0; i < _SPEC_SECTION_MAX; i++)
                if (streq(spec_section_name((SpecSection) i), section))
                        return spec_key_find((SpecSection) i, name);
        return str_after(section, "Process ") ? spec_key_find(SECTION_CONTAINER, name) : NULL;
}

bool spec_document_counts(const SpecDocument *d, size_t f, size_t i) {
        const SpecLine *line = &d->sources[f].lines[i];
        const char *section = spec_line_section(&d->sources[f], line);
        const SpecKey *k = key_of(section, line->key);

        /* systemd's own keys are not known that well: whatever is written goes into the unit. */
        if (!k || k->state == KEY_PASSED)
                return true;
        if (!*line->value)
                return false;
        for (size_t g = f; g < d->n_sources; g++)
                for (size_t j = g == f ? i + 1 : 0; j < d->sources[g].n_lines; j++) {
                        const SpecLine *l = &d->sources[g].lines[j];

                        if (l->key && streq(l->key, line->key) && streq(spec_line_section(&d->sources[g], l), section) &&
                                (!*l->value || !spec_key_is_list(k)))
                                return false;
                }
        return true;
}
