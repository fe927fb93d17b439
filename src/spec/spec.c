/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>

#include "spec/check.h"
#include "spec/names.h"
#include "spec/parse.h"
#include "util/buf.h"
#include "util/nearest.h"
#include "util/strv.h"

#define PROCESS_SECTION "Process"

/* What a section header says. */
typedef enum Section {
        IN_KNOWN,   /* one of SpecSection's */
        IN_PROCESS, /* [Process NAME] */
        IN_IGNORED, /* [X-…]: for other programs, as systemd has it */
        IN_UNKNOWN, /* complained about */
        _SECTION_MAX,
        _SECTION_INVALID = -EINVAL,
} Section;

typedef struct SectionOf {
        Section what;
        SpecSection section;
        const char *process; /* IN_PROCESS */
} SectionOf;

static void passed_clear(void *list) {
        SPEC_LIST(SpecPassed) *l = list;

        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].key);
                free(l->items[i].value);
        }
        free(l->items);
}

Spec *spec_free(Spec *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_processes; i++)
                spec_process_clear(&s->processes[i]);
        free(s->processes);
        for (size_t i = 0; i < spec_n_keys; i++)
                if (spec_keys[i].section != SECTION_CONTAINER || spec_keys[i].app)
                        spec_store_reset(spec_keys[i].store, (char *) s + spec_keys[i].offset, NULL);
        passed_clear(&s->unit);
        passed_clear(&s->service_keys);
        passed_clear(&s->slice_keys);
        passed_clear(&s->install);
        strv_free(s->fragments);
        free(s->name);
        free(s->prefix);
        free(s->instance);
        free(s->path);
        free(s->service);
        free(s);
        return NULL;
}

static bool process_name_valid(const char *name) {
        size_t n = strlen(name);

        return n <= SPEC_PROCESS_NAME_MAX && isalpha((unsigned char) *name) &&
                strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == n;
}

static const char *section_near(SpecKind kind, const char *name) {
        Nearest nearest = NEAREST_INIT(name);

        for (int i = 0; i < _SPEC_SECTION_MAX; i++)
                if (spec_section_is_of((SpecSection) i, kind))
                        nearest_try(&nearest, spec_section_name((SpecSection) i), spec_section_name((SpecSection) i));
        if (kind == SPEC_CONTAINER)
                nearest_try(&nearest, PROCESS_SECTION " NAME", PROCESS_SECTION " NAME");
        return nearest_found(&nearest);
}

/* Without complaints; complain_section() has those. */
static SectionOf section_of(SpecKind kind, const char *name) {
        const char *process = str_after(name, PROCESS_SECTION " ");

        for (int i = 0; i < _SPEC_SECTION_MAX; i++)
                if (spec_section_is_of((SpecSection) i, kind) && streq(name, spec_section_name((SpecSection) i)))
                        return (SectionOf){ .what = IN_KNOWN, .section = (SpecSection) i };
        if (process)
                process += strspn(process, " \t");
        if (kind == SPEC_CONTAINER && process && process_name_valid(process))
                return (SectionOf){ .what = IN_PROCESS, .section = SECTION_CONTAINER, .process = process };
        return (SectionOf){ .what = str_after(name, "X-") ? IN_IGNORED : IN_UNKNOWN };
}

static int complain_section(SpecParse *c, const char *name) {
        static const char *const quadlet[] = { "Pod", "Kube", "Volume", "Build" };
        const char *near;

        if (c->spec->kind != SPEC_CONTAINER && (streq(name, "Container") || streq(name, "Slice") || str_after(name, PROCESS_SECTION " ")))
                return spec_complain(c, NULL, "section [%s] belongs into a file NAME.container", name);
        if (streq(name, "Image") || streq(name, "Network"))
                return spec_complain(c, NULL, "section [%s] belongs into a file NAME.%s", name, streq(name, "Image") ? "image" : "network");
        if (streq(name, PROCESS_SECTION))
                return spec_complain(c, NULL, "[Process NAME] needs a name");
        if (str_after(name, PROCESS_SECTION " "))
                return spec_complain(c, NULL,
                        "'%s' is not a name of a process: at most %d letters, digits, '_' and '-', a letter first",
                        name + STRLEN(PROCESS_SECTION " "), SPEC_PROCESS_NAME_MAX);
        for (size_t i = 0; i < ELEMENTSOF(quadlet); i++)
                if (streq(name, quadlet[i]))
                        return spec_complain(c, NULL, "section [%s] is known from Quadlet, not supported yet", name);
        near = section_near(c->spec->kind, name);
        return near ? spec_complain(c, NULL, "unknown section [%s], did you mean [%s]?", name, near) :
                      spec_complain(c, NULL, "unknown section [%s]", name);
}

static int complain_key(SpecParse *c, SpecSection section) {
        const char *name = c->line->key;
        const SpecKey *k;

        k = spec_key_elsewhere(c->spec->kind, section, name);
        if (k)
                return spec_complain(c, NULL, "unknown key '%s', it belongs into [%s]", name, spec_section_name(k->section));
        k = spec_key_near(section, name);
        return k ? spec_complain(c, NULL, "unknown key '%s', did you mean '%s'?", name, k->name) :
                   spec_complain(c, NULL, "unknown key '%s'", name);
}

/* One word of translate_units(). */
static int put_unit_word(SpecParse *c, Buf *b, const char *word, size_t n) {
        _cleanup_free_ char *name = strndup(word, n), *service = NULL;
        SpecKind kind = name ? spec_kind_of(name) : _SPEC_KIND_INVALID;

        if (!name)
                return -ENOMEM;
        if (kind < 0 || n == strlen(spec_kind_suffix(kind)))
                return buf_append(b, word, n);
        name[n - strlen(spec_kind_suffix(kind))] = 0;
        service = spec_service_of(c, kind, name);
        return service ? buf_printf(b, "%s.service", service) : -ENOMEM;
}

/* "After=basic.container" is "After=basic.service" for systemd; all else stays as it is written. */
static char *translate_units(SpecParse *c) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = 0;

        for (const char *p = c->line->value; r == 0 && *p;) {
                size_t space = strspn(p, WHITESPACE), n = strcspn(p + space, WHITESPACE);

                r = buf_append(&b, p, space);
                if (r == 0)
                        r = put_unit_word(c, &b, p + space, n);
                p += space + n;
        }
        return r < 0 ? NULL : buf_steal(&b);
}

static int pass_on(SpecParse *c, void *list) {
        SpecPassed item = { .key = strdup(c->line->key), .origin = spec_origin_at(c, NULL) };
        int r;

        item.value = c->key && c->key->parse == parse_dependencies ? translate_units(c) : strdup(c->line->value);
        r = item.key && item.value ? spec_list_add(c, list, &item, sizeof(item), NULL) : -ENOMEM;
        if (r <= 0) {
                free(item.key);
                free(item.value);
        }
        return r;
}

/* What a newer systemd may know, this does not have to. */
static int pass_unknown(SpecParse *c, SpecSection section, void *list) {
        const SpecKey *k = spec_key_elsewhere(c->spec->kind, section, c->line->key);
        int r;

        if (k && spec_section_is_own(k->section))
                return complain_key(c, section);
        if (k)
                r = spec_warn(c, NULL, "unknown key '%s', it belongs into [%s]; passed on to systemd", c->line->key,
                        spec_section_name(k->section));
        else if ((k = spec_key_near(section, c->line->key)))
                r = spec_warn(c, NULL, "unknown key '%s', did you mean '%s'? Passed on to systemd", c->line->key, k->name);
        else
                r = spec_warn(c, NULL, "unknown key '%s', passed on to systemd", c->line->key);
        return r < 0 ? r : pass_on(c, list);
}

static int apply_value(SpecParse *c, void *object) {
        const SpecKey *k = c->key;
        void *place = (char *) object + k->offset;

        if (!*c->line->value && k->store != STORE_NONE) {
                spec_store_reset(k->store, place, k->name);
                return 0;
        }
        return k->parse ? k->parse(c, place) : 0;
}

/* A line of [Unit], [Service], [Slice], [Install] or [Quadlet]. */
static int apply_app_line(SpecParse *c, SpecSection section) {
        Spec *s = c->spec;
        void *list = section == SECTION_UNIT ? (void *) &s->unit :
                section == SECTION_SERVICE   ? (void *) &s->service_keys :
                section == SECTION_SLICE     ? (void *) &s->slice_keys :
                                               (void *) &s->install;
        int r = 0;

        if (str_after(c->line->key, "X-"))
                return 0;
        c->key = spec_key_find(section, c->line->key);
        if (!c->key)
                return section == SECTION_QUADLET ? complain_key(c, section) : pass_unknown(c, section, list);
        if (c->key->state == KEY_REFUSED)
                return spec_complain(c, NULL, "%s= cannot be set in [%s]: %s", c->line->key, spec_section_name(section),
                        spec_key_refusal(c->key));
        if (c->key->state == KEY_PASSED || section == SECTION_INSTALL)
                r = pass_on(c, list);
        return r < 0 ? r : apply_value(c, s);
}

/* A line of an image's or network's [Unit] or [Service]. No supervisor stands between systemd and the command, so all of systemd's keys
 * mean what they say; these are berth's. */
static int apply_oneshot_line(SpecParse *c, SpecSection section) {
        static const char *const own[] = { "ExecStart", "SourcePath", "Type" };
        Spec *s = c->spec;
        int r = 0;

        if (str_after(c->line->key, "X-"))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(own); i++)
                if (streq(c->line->key, own[i]))
                        return spec_complain(c, NULL, "%s= cannot be set in [%s]: berth sets it", own[i], spec_section_name(section));
        c->key = spec_key_find(section, c->line->key);
        if (!c->key)
                return pass_unknown(c, section, section == SECTION_UNIT ? (void *) &s->unit : (void *) &s->service_keys);
        if (c->key->parse == parse_dependencies)
                r = parse_dependencies(c, s);
        else if (c->key->parse == parse_restart)
                r = parse_restart(c, &s->restart);
        return r < 0 ? r : pass_on(c, section == SECTION_UNIT ? (void *) &s->unit : (void *) &s->service_keys);
}

/* Does the process `release` have it? What [Container] says of traffic and scale is for the others. */
static bool is_for_release(const SpecKey *k) {
        static const char *const not[] = { "ExposeHostPort", "Instances", "IP", "IP6", "MaxSurge", "MaxUnavailable", "NetworkAlias", "Notify",
                "PublishPort", "ReloadCmd", "ReloadSignal", "Update" };

        for (size_t i = 0; i < ELEMENTSOF(not); i++)
                if (streq(k->name, not[i]))
                        return false;
        return !str_after(k->name, "Health");
}

/* A line of [Container] or [Process NAME], for c->process, or of [Image] or [Network], for the spec as a whole. */
static int apply_own_line(SpecParse *c, SpecSection section, void *object) {
        const char *refusal;

        if (str_after(c->line->key, "X-"))
                return 0;
        c->key = spec_key_find(section, c->line->key);
        if (!c->key)
                return complain_key(c, section);
        refusal = spec_key_refusal(c->key);
        if (refusal)
                return spec_complain(c, NULL, "key '%s' is %s", c->line->key, refusal);
        if (c->key->app && c->in_process)
                return spec_complain(c, NULL, "%s= is for the whole app: it belongs into [Container]", c->key->name);
        if (section == SECTION_CONTAINER && spec_is_release(c->process) && !c->key->app && !is_for_release(c->key))
                return c->in_process ? spec_complain(c, NULL, "%s= means nothing to the process '" SPEC_RELEASE_PROCESS
                        "', which runs once for each new release", c->key->name) : 0;
        return apply_value(c, c->key->app ? c->spec : object);
}

typedef enum Pass {
        PASS_APP,       /* all headers, and the lines of the app as a whole */
        PASS_CONTAINER, /* [Container] */
        PASS_PROCESS,   /* [Process NAME] of c->process */
        _PASS_MAX,
        _PASS_INVALID = -EINVAL,
} Pass;

static int add_process(SpecParse *c, const char *name) {
        Spec *s = c->spec;
        SpecProcess *p;

        for (size_t i = 0; i < s->n_processes; i++)
                if (streq_ptr(s->processes[i].name, name))
                        return 0;
        if (s->n_processes >= SPEC_PROCESSES_MAX)
                return spec_complain(c, NULL, "more than %d processes", SPEC_PROCESSES_MAX);
        p = reallocarray(s->processes, s->n_processes + 1, sizeof(SpecProcess));
        if (!p)
                return -ENOMEM;
        s->processes = p;
        p = &s->processes[s->n_processes];
        *p = (SpecProcess){ .name = name ? strdup(name) : NULL };
        if (name && !p->name)
                return -ENOMEM;
        if (name)
                p->origin = spec_origin_at(c, NULL);
        s->n_processes++;
        return 0;
}

static int apply_line(SpecParse *c, Pass pass) {
        SectionOf in = section_of(c->spec->kind, c->source->lines[c->line->section].value);

        c->unknown = false;
        c->key = NULL;
        if (!c->line->key) {
                if (pass != PASS_APP)
                        return 0;
                return in.what == IN_UNKNOWN ? complain_section(c, c->line->value) :
                        in.what == IN_PROCESS ? add_process(c, in.process) :
                                                0;
        }
        switch (in.what) {
        case IN_KNOWN:
                if (in.section == SECTION_CONTAINER)
                        return pass == PASS_CONTAINER ? apply_own_line(c, SECTION_CONTAINER, c->process) : 0;
                if (pass != PASS_APP)
                        return 0;
                if (spec_section_is_own(in.section))
                        return apply_own_line(c, in.section, c->spec);
                if (c->spec->kind != SPEC_CONTAINER && (in.section == SECTION_UNIT || in.section == SECTION_SERVICE))
                        return apply_oneshot_line(c, in.section);
                return apply_app_line(c, in.section);
        case IN_PROCESS:
                return pass == PASS_PROCESS && streq_ptr(in.process, c->process->name) ?
                        apply_own_line(c, SECTION_CONTAINER, c->process) : 0;
        case IN_IGNORED:
        case IN_UNKNOWN:
                return 0;
        case _SECTION_MAX:
        case _SECTION_INVALID:
                break;
        }
        assert(false);
        return 0;
}

static int apply_lines(SpecParse *c, const SpecDocument *d, Pass pass) {
        c->in_process = pass == PASS_PROCESS;
        for (c->file = 0; c->file < d->n_sources; c->file++) {
                c->source = &d->sources[c->file];
                for (size_t i = 0; i < c->source->n_lines; i++) {
                        int r;

                        c->line = &c->source->lines[i];
                        c->cursor = (SpecCursor){ 0 };
                        r = apply_line(c, pass);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* ServiceName= decides what %n is, so it has to be known first. The last one counts; parse_service_name() complains. */
static char *find_service(const SpecDocument *d) {
        const char *own = spec_section_name(spec_kind_section(d->kind)), *found = NULL;

        for (size_t f = 0; f < d->n_sources; f++)
                for (size_t i = 0; i < d->sources[f].n_lines; i++) {
                        const SpecLine *l = &d->sources[f].lines[i];

                        if (l->key && streq(l->key, "ServiceName") && streq(d->sources[f].lines[l->section].value, own))
                                found = *l->value ? l->value : NULL;
                }
        if (found && !d->template && !d->instance && spec_name_valid(found) && !strchr(found, '@') && !str_ends_with(found, ".service"))
                return strdup(found);
        return spec_kind_service(d->kind, d->name);
}

char *spec_service_of(SpecParse *c, SpecKind kind, const char *name) {
        _cleanup_diags_ SpecDiags unsaid = SPEC_DIAGS_INIT; /* that file has a service of its own to say it */
        _cleanup_document_ SpecDocument d = { 0 };
        int r = spec_document_read(c->search, kind, name, &unsaid, &d);

        if (r == -ENOMEM)
                return NULL;
        return r < 0 ? spec_kind_service(kind, name) : find_service(&d);
}

static int apply_processes(SpecParse *c, const SpecDocument *d, SpecDiags *diags) {
        Spec *s = c->spec;
        SpecProcess base = { 0 };
        int r;

        /* [Container] is complained about once, whatever the number of processes. */
        c->process = &base;
        r = apply_lines(c, d, PASS_CONTAINER);
        if (s->n_processes == 0 && r == 0) {
                s->processes = calloc(1, sizeof(SpecProcess));
                if (s->processes) {
                        s->processes[0] = base;
                        s->n_processes = 1;
                        return 0;
                }
                r = -ENOMEM;
        }
        spec_process_clear(&base);
        for (size_t i = 0; r == 0 && i < s->n_processes; i++) {
                c->process = &s->processes[i];
                c->diags = NULL;
                r = apply_lines(c, d, PASS_CONTAINER);
                c->diags = diags;
                if (r == 0)
                        r = apply_lines(c, d, PASS_PROCESS);
        }
        return r;
}

/* The part of a service's name before "@", which is %p and, without an instance, all of it. */
static char *service_prefix(const Spec *s) {
        const char *at = strchr(s->service, '@');

        return at ? strndup(s->service, (size_t) (at - s->service)) : strdup(s->service);
}

static int spec_build(const SpecDocument *d, const SpecSearch *search, SpecFlags flags, SpecDiags *diags, Spec **ret) {
        _cleanup_(spec_freep) Spec *s = calloc(1, sizeof(Spec));
        SpecParse c = { .spec = s, .search = search, .diags = diags };
        _cleanup_free_ char *prefix = NULL;
        int r;

        if (!s)
                return -ENOMEM;
        s->kind = d->kind;
        s->name = strdup(d->name);
        s->prefix = strdup(d->prefix);
        s->instance = d->instance ? strdup(d->instance) : NULL;
        s->template = d->template;
        s->path = strdup(d->sources[0].path);
        s->service = find_service(d);
        s->restart = _SPEC_RESTART_INVALID;
        if (!s->name || !s->prefix || (d->instance && !s->instance) || !s->path || !s->service)
                return -ENOMEM;
        prefix = service_prefix(s);
        if (!prefix)
                return -ENOMEM;
        for (size_t i = 0; i < d->n_sources; i++)
                if (strv_append(&s->fragments, d->sources[i].path) < 0)
                        return -ENOMEM;
        c.specifiers = (SpecifierContext){
                .service = s->service,
                .prefix = prefix,
                .instance = s->instance,
                .template = s->template,
                .is_static = flags & SPEC_STATIC,
        };
        r = apply_lines(&c, d, PASS_APP);
        if (r == 0 && s->kind == SPEC_CONTAINER)
                r = apply_processes(&c, d, diags);
        if (r == 0)
                r = spec_files_resolve(s, search, flags, diags);
        if (r == 0)
                r = spec_check(s, d, c.any_unknown, diags);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

static size_t source_index(const SpecDocument *d, const char *path) {
        size_t i = 0;

        while (path && i < d->n_sources && !streq(d->sources[i].path, path))
                i++;
        return i;
}

static bool is_before(const SpecDocument *d, const SpecDiag *a, const SpecDiag *b) {
        size_t x = source_index(d, a->path), y = source_index(d, b->path);

        return x != y ? x < y : a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* As a person reads the files, not as they were gone through; an insertion sort, which keeps equals in order. */
static void sort_diags(const SpecDocument *d, SpecDiags *diags) {
        for (size_t i = 1; i < diags->n; i++) {
                SpecDiag item = diags->items[i];
                size_t k = i;

                for (; k > 0 && is_before(d, &item, &diags->items[k - 1]); k--)
                        diags->items[k] = diags->items[k - 1];
                diags->items[k] = item;
        }
}

/* Builds *ret from a document that was read with result r into diags of its own, which then go to the caller. search: where
 * the files are that it names. */
static int spec_finish(int r, SpecDocument *d, const SpecSearch *search, SpecFlags flags, SpecDiags *own, SpecDiags *diags, Spec **ret) {
        size_t errors;

        if (r == 0)
                r = spec_build(d, search, flags, own, ret);
        errors = own->n_errors;
        sort_diags(d, own);
        if (diags && spec_diags_move(diags, own) < 0)
                r = -ENOMEM;
        return r < 0 ? r : errors > 0 ? -EBADMSG : 0;
}

int spec_read_kind_from(const SpecSearch *search, SpecKind kind, const char *name, SpecFlags flags, SpecDiags *diags, Spec **ret) {
        _cleanup_document_ SpecDocument d = { 0 };
        _cleanup_diags_ SpecDiags own = SPEC_DIAGS_INIT;

        return spec_finish(spec_document_read(search, kind, name, &own, &d), &d, search, flags, &own, diags, ret);
}

int spec_read_from(const SpecSearch *search, const char *name, SpecFlags flags, SpecDiags *diags, Spec **ret) {
        return spec_read_kind_from(search, SPEC_CONTAINER, name, flags, diags, ret);
}

int spec_read(const char *name, const char *dirs, SpecFlags flags, SpecDiags *diags, Spec **ret) {
        _cleanup_search_ SpecSearch search = { 0 };
        int r;

        r = spec_search_open(dirs, &search);
        return r < 0 ? r : spec_read_from(&search, name, flags, diags, ret);
}

int spec_read_file(const char *path, SpecFlags flags, SpecDiags *diags, Spec **ret) {
        const char *slash = strrchr(path, '/');
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_document_ SpecDocument d = { 0 };
        _cleanup_diags_ SpecDiags own = SPEC_DIAGS_INIT;
        _cleanup_free_ char *dir = slash ? strndup(path, MAX((size_t) (slash - path), (size_t) 1)) : strdup(".");
        int r = dir ? spec_search_open(dir, &search) : -ENOMEM;

        if (r < 0)
                return r;
        return spec_finish(spec_document_read_file(path, &own, &d), &d, &search, flags, &own, diags, ret);
}

static int spec_loaded(int r, Spec *read, SpecDiags *diags, Spec **ret) {
        _cleanup_(spec_freep) Spec *s = read;

        if (r == 0 && s->template) {
                (void) spec_diag_add(diags, SPEC_ERROR, s->path, 0, 0, "is a template: it needs an instance, %sNAME", s->name);
                return -EINVAL;
        }
        if (r == 0)
                *ret = TAKE_PTR(s);
        return r;
}

int spec_load(const char *name, const char *dirs, SpecDiags *diags, Spec **ret) {
        Spec *s = NULL;
        int r;

        r = spec_read(name, dirs, 0, diags, &s);
        return spec_loaded(r, s, diags, ret);
}

static int kind_load(SpecKind kind, const char *name, const char *dirs, SpecDiags *diags, Spec **ret) {
        _cleanup_search_ SpecSearch search = { 0 };
        Spec *s = NULL;
        int r = spec_search_open(dirs, &search);

        if (r >= 0)
                r = spec_read_kind_from(&search, kind, name, 0, diags, &s);
        return spec_loaded(r, s, diags, ret);
}

int spec_image_load(const char *name, const char *dirs, SpecDiags *diags, Spec **ret) {
        return kind_load(SPEC_IMAGE, name, dirs, diags, ret);
}

int spec_network_load(const char *name, const char *dirs, SpecDiags *diags, Spec **ret) {
        return kind_load(SPEC_NETWORK, name, dirs, diags, ret);
}

static int document_read_copy(const SpecSearch *search, const char *name, char *const *origins, SpecDiags *diags, SpecDocument *ret) {
        _cleanup_document_ SpecDocument d = { 0 };
        int r;

        r = spec_document_read(search, SPEC_CONTAINER, name, diags, &d);
        if (r < 0)
                return r;
        if (strv_length(origins) != d.n_sources)
                return -ESTALE;
        for (size_t i = 0; i < d.n_sources; i++) {
                free(d.sources[i].path);
                d.sources[i].path = strdup(origins[i]);
                if (!d.sources[i].path)
                        return -ENOMEM;
        }
        *ret = d;
        d = (SpecDocument){ 0 };
        return 0;
}

int spec_load_copy(const char *name, const char *dir, char *const *origins, SpecDiags *diags, Spec **ret) {
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_document_ SpecDocument d = { 0 };
        _cleanup_diags_ SpecDiags own = SPEC_DIAGS_INIT;
        Spec *s = NULL;
        int r;

        r = spec_search_open(dir, &search);
        if (r < 0)
                return r;
        r = document_read_copy(&search, name, origins, &own, &d);
        r = spec_finish(r, &d, &search, 0, &own, diags, &s);
        return spec_loaded(r, s, diags, ret);
}

int spec_list(const char *dirs, char ***ret) {
        _cleanup_search_ SpecSearch search = { 0 };
        int r;

        r = spec_search_open(dirs, &search);
        return r < 0 ? r : spec_search_list(&search, ret);
}

const char *spec_origin_text(const Spec *s, SpecOrigin o, char *buffer, size_t size) {
        const char *path = o.file < strv_length(s->fragments) ? s->fragments[o.file] : "", *slash = strrchr(path, '/');

        if (o.line == 0)
                return "";
        (void) snprintf(buffer, size, "%s:%u:%u", slash ? slash + 1 : path, o.line, o.column);
        return buffer;
}

const SpecProcess *spec_process(const Spec *s, const char *name) {
        for (size_t i = 0; i < s->n_processes; i++)
                if (streq_ptr(s->processes[i].name, name))
                        return &s->processes[i];
        return NULL;
}

uint64_t spec_capabilities(const SpecProcess *p, uint64_t defaults, int last_cap) {
        uint64_t all = last_cap >= 63 ? UINT64_MAX : (UINT64_C(1) << (last_cap + 1)) - 1;

        /* As Podman merges them: "all" of one side is the base that the other changes. */
        if (p->drop_capabilities == UINT64_MAX)
                return p->add_capabilities == UINT64_MAX ? 0 : p->add_capabilities & all;
        return ((defaults | p->add_capabilities) & ~p->drop_capabilities) & all;
}
