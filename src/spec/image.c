/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/parse.h"
#include "util/strv.h"

char *spec_image_service(const char *name) {
        const char *at = strchr(name, '@');

        return at ? str_format("%.*s-image%s", (int) (at - name), name, at) : str_format("%s-image", name);
}

/* The first thing that is wrong with the file, as the end of a sentence. */
static int complain(const Spec *s, const SpecProcess *p, int r, const SpecDiags *of_file, SpecDiags *diags) {
        const char *path = s->fragments[p->image.origin.file];
        unsigned line = p->image.origin.line, column = p->image.origin.column;
        _cleanup_free_ char *why = NULL;

        for (size_t i = 0; !why && i < of_file->n; i++)
                if (of_file->items[i].severity == SPEC_ERROR) {
                        why = spec_diag_format(&of_file->items[i], false);
                        if (!why)
                                return -ENOMEM;
                }
        if (r == -EBADMSG)
                return spec_diag_add(diags, SPEC_ERROR, path, line, column, "'%s' is wrong: %s", p->image.value, why ? why : "see berth verify");
        return spec_diag_add(diags, SPEC_ERROR, path, line, column, "'%s' cannot be used: %s", p->image.value, why ? why : strerror(-r));
}

static bool is_same_place(SpecOrigin a, SpecOrigin b) {
        return a.file == b.file && a.line == b.line && a.column == b.column;
}

static int resolve(const Spec *s, SpecProcess *p, const SpecSearch *search, SpecFlags flags, bool said, SpecDiags *diags) {
        _cleanup_diags_ SpecDiags of_file = SPEC_DIAGS_INIT;
        _cleanup_(spec_freep) Spec *image = NULL;
        int r;

        r = spec_read_kind_from(search, SPEC_IMAGE, p->image_file, flags, &of_file, &image);
        if (r < 0)
                return r == -ENOMEM ? r : said ? 0 : complain(s, p, r, &of_file, diags);
        free(p->image.value);
        p->image.value = strdup(spec_image_name(&image->image));
        p->image_unit = str_format("%s.service", image->service);
        return p->image.value && p->image_unit ? 0 : -ENOMEM;
}

int spec_images_resolve(Spec *s, const SpecSearch *search, SpecFlags flags, SpecDiags *diags) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < s->n_processes; i++) {
                SpecProcess *p = &s->processes[i];
                bool said = i > 0 && is_same_place(p->image.origin, p[-1].image.origin);

                /* An empty Image= took it back. */
                if (!p->image.value) {
                        free(TAKE_PTR(p->image_file));
                        free(TAKE_PTR(p->image_unit));
                }
                if (p->image_file && !p->image_unit)
                        r = resolve(s, p, search, flags, said, diags);
        }
        return r;
}
