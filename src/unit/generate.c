/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/generate.h"
#include "util/fd.h"
#include "util/strv.h"

typedef struct Generation {
        const SpecSearch *search;
        char **names;    /* of all specs, sorted */
        size_t n_names;
        char **services; /* given by ServiceName=, in no order */
} Generation;

void unit_file_clear(UnitFile *f) {
        free(f->name);
        buf_clear(&f->text);
        unit_links_clear(&f->links);
}

/* Why the spec cannot have the service it asks for; an app's own name comes before another's ServiceName=. */
static int claim_service(Generation *g, Spec *s, SpecDiags *diags, char **ret_reason) {
        bool taken;

        *ret_reason = NULL;
        if (streq(s->service, s->name))
                return 0;
        taken = strv_contains(g->services, s->service) ||
                strv_sorted_contains(g->names, g->n_names, s->service);
        if (!taken)
                return strv_append(&g->services, s->service);
        *ret_reason = str_format("ServiceName=%s is the service of another app", s->service);
        if (!*ret_reason)
                return -ENOMEM;
        free(s->service);
        s->service = strdup(s->name);
        return s->service ? spec_diag_add(diags, SPEC_ERROR, s->path, 0, 0, "%s", *ret_reason) : -ENOMEM;
}

static int make_unit(Generation *g, const char *name, SpecDiags *diags, UnitFile *ret) {
        _cleanup_(spec_freep) Spec *s = NULL;
        _cleanup_free_ char *reason = NULL;
        int r, q;

        r = spec_read_from(g->search, SPEC_CONTAINER, name, SPEC_STATIC, diags, &s);
        if (r < 0 && r != -EBADMSG)
                return r;
        ret->broken = r < 0;
        q = claim_service(g, s, diags, &reason);
        if (q < 0)
                return q;
        ret->name = unit_file_name(s);
        if (!ret->name)
                return -ENOMEM;
        if (reason) {
                ret->broken = true;
                return unit_text_refused(s, reason, &ret->text);
        }
        r = ret->broken ? unit_text_broken(s, &ret->text) : unit_text(s, &ret->text);
        return r < 0 ? r : unit_links(s, &ret->links);
}

static int generate_one(Generation *g, const char *name, UnitFunction function, void *userdata) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_unit_ UnitFile f = { 0 };
        int r;

        r = make_unit(g, name, &diags, &f);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && diags.n_errors == 0)
                (void) spec_diag_add(&diags, SPEC_ERROR, NULL, 0, 0, "cannot read the spec of app '%s': %s", name, strerror(-r));
        return function(userdata, r < 0 ? NULL : &f, &diags);
}

int unit_generate(const SpecSearch *search, UnitFunction function, void *userdata) {
        _cleanup_strv_ char **names = NULL, **services = NULL;
        Generation g = { .search = search };
        int r;

        r = spec_search_list(search, SPEC_CONTAINER, &names);
        if (r < 0)
                return r;
        g.names = names;
        g.n_names = strv_length(names);
        for (char **name = names; r >= 0 && *name; name++)
                r = generate_one(&g, *name, function, userdata);
        services = g.services;
        return r < 0 ? r : 0;
}

static int write_link(int dir, const UnitLink *l) {
        _cleanup_free_ char *parent = strdup(l->path), *temporary = str_format("%s.tmp", l->path);
        char *slash = parent ? strrchr(parent, '/') : NULL;

        if (!parent || !temporary)
                return -ENOMEM;
        if (slash) {
                *slash = 0;
                if (mkdirat(dir, parent, 0755) < 0 && errno != EEXIST)
                        return -errno;
        }
        if (symlinkat(l->target, dir, l->path) == 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        if ((unlinkat(dir, temporary, 0) < 0 && errno != ENOENT) || symlinkat(l->target, dir, temporary) < 0)
                return -errno;
        if (renameat(dir, temporary, dir, l->path) < 0) {
                int r = -errno;

                (void) unlinkat(dir, temporary, 0);
                return r;
        }
        return 0;
}

int unit_file_write(int dir, const UnitFile *f, Error *reterr) {
        int r;

        r = write_file(dir, f->name, f->text.data, f->text.size, 0644, false);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write unit %s", f->name);
        for (size_t i = 0; i < f->links.n; i++) {
                r = write_link(dir, &f->links.items[i]);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot make link %s", f->links.items[i].path);
        }
        return 0;
}
