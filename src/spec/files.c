/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/parse.h"
#include "util/strv.h"

/* The other files that a spec names: NAME.image, NAME.network. */

/* One that a process names, and where. */
typedef struct Reference {
        SpecKind kind;
        const char *name, *said; /* "web", "web.image" */
        SpecOrigin origin;
} Reference;

/* The first thing that is wrong with the file, as the end of a sentence. */
static int complain(const Spec *s, const Reference *f, int r, const SpecDiags *of_file, SpecDiags *diags) {
        const char *path = s->fragments[f->origin.file];
        unsigned line = f->origin.line, column = f->origin.column;
        _cleanup_free_ char *why = NULL;

        for (size_t i = 0; !why && i < of_file->n; i++)
                if (of_file->items[i].severity == SPEC_ERROR) {
                        why = spec_diag_format(&of_file->items[i], false);
                        if (!why)
                                return -ENOMEM;
                }
        if (r == -EBADMSG)
                return spec_diag_add(diags, SPEC_ERROR, path, line, column, "'%s' is wrong: %s", f->said, why ? why : "see berth verify");
        return spec_diag_add(diags, SPEC_ERROR, path, line, column, "'%s' cannot be used: %s", f->said, why ? why : strerror(-r));
}

static bool is_same_place(SpecOrigin a, SpecOrigin b) {
        return a.file == b.file && a.line == b.line && a.column == b.column;
}

/* *ret is NULL where the file cannot be used, which is complained of unless it was said. */
static int reference_read(const Spec *s, const Reference *f, const SpecSearch *search, SpecFlags flags, bool said, SpecDiags *diags,
        Spec **ret) {
        _cleanup_diags_ SpecDiags of_file = SPEC_DIAGS_INIT;
        _cleanup_(spec_freep) Spec *file = NULL;
        int r = spec_read_kind_from(search, f->kind, f->name, flags, &of_file, &file);

        if (r < 0)
                return r == -ENOMEM ? r : said ? 0 : complain(s, f, r, &of_file, diags);
        *ret = TAKE_PTR(file);
        return 0;
}

static int resolve_image(const Spec *s, SpecProcess *p, const SpecSearch *search, SpecFlags flags, bool first, SpecDiags *diags) {
        const Reference f = { .kind = SPEC_IMAGE, .name = p->image_file, .said = p->image.value, .origin = p->image.origin };
        _cleanup_(spec_freep) Spec *image = NULL;
        int r = reference_read(s, &f, search, flags, !first && is_same_place(p->image.origin, p[-1].image.origin), diags, &image);

        if (r < 0 || !image)
                return r;
        free(p->image.value);
        p->image.value = strdup(spec_image_name(&image->image));
        p->image_unit = str_format("%s.service", image->service);
        return p->image.value && p->image_unit ? 0 : -ENOMEM;
}

static int resolve_network(const Spec *s, SpecProcess *p, const SpecSearch *search, SpecFlags flags, bool first, SpecDiags *diags) {
        _cleanup_free_ char *said = str_format("%s%s", p->network_file, spec_kind_suffix(SPEC_NETWORK));
        const Reference f = { .kind = SPEC_NETWORK, .name = p->network_file, .said = said, .origin = p->network_origin };
        int r;

        if (!said)
                return -ENOMEM;
        r = reference_read(s, &f, search, flags, !first && is_same_place(p->network_origin, p[-1].network_origin), diags, &p->network_spec);
        if (r < 0 || !p->network_spec)
                return r;
        p->network_unit = str_format("%s.service", p->network_spec->service);
        return p->network_unit ? 0 : -ENOMEM;
}

int spec_files_resolve(Spec *s, const SpecSearch *search, SpecFlags flags, SpecDiags *diags) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < s->n_processes; i++) {
                SpecProcess *p = &s->processes[i];

                /* An empty value took it back. */
                if (!p->image.value) {
                        free(TAKE_PTR(p->image_file));
                        free(TAKE_PTR(p->image_unit));
                }
                if (p->network != SPEC_NETWORK_FILE)
                        free(TAKE_PTR(p->network_file));
                if (p->network != SPEC_NETWORK_CONTAINER)
                        free(TAKE_PTR(p->network_app));
                if (p->network != SPEC_NETWORK_FILE && p->network != SPEC_NETWORK_CONTAINER)
                        free(TAKE_PTR(p->network_unit));
                if (p->image_file && !p->image_unit)
                        r = resolve_image(s, p, search, flags, i == 0, diags);
                if (r == 0 && p->network_file && !p->network_unit)
                        r = resolve_network(s, p, search, flags, i == 0, diags);
        }
        return r;
}

int spec_take_file(SpecParse *c, SpecKind kind, const char *text, char **file, char **unit) {
        const char *suffix = spec_kind_suffix(kind);
        size_t n = strlen(suffix);
        _cleanup_free_ char *service = NULL, *raw = NULL;

        free(TAKE_PTR(*file));
        free(TAKE_PTR(*unit));
        *file = strndup(text, strlen(text) - n);
        if (!*file)
                return -ENOMEM;
        if (c->unknown && str_ends_with(c->line->value, suffix)) {
                raw = strndup(c->line->value, strlen(c->line->value) - n);
                service = raw ? spec_kind_service(kind, raw) : NULL;
                *unit = service ? str_format("%s.service", service) : NULL;
                if (!*unit)
                        return -ENOMEM;
        }
        if (!c->unknown && (!spec_name_valid(*file) || str_ends_with(*file, "@")))
                return spec_complain(c, c->line->value, "'%s' is not a name of a file NAME%s", text, suffix);
        return 1;
}
