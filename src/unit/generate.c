/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/generate.h"
#include "unit/name.h"
#include "util/fd.h"
#include "util/strv.h"

#define UNIT_NAME_LENGTH_MAX 255 /* systemd.unit(5) */

typedef struct Generation {
        const SpecSearch *search;
        char **names[_SPEC_KIND_MAX]; /* of all specs, sorted */
        char **own;      /* services that they have by their own name, sorted; before those of ServiceName= */
        size_t n_own;
        char **services; /* given by ServiceName=, in no order */
} Generation;

void unit_file_clear(UnitFile *f) {
        free(f->name);
        buf_clear(&f->text);
        unit_links_clear(&f->links);
}

/* The service that a spec has without ServiceName=. NULL when out of memory. */
static char *own_service(const Spec *s) {
        return spec_kind_service(s->kind, s->name);
}

/* Why the spec cannot have the service it asks for; an app's own name comes before another's ServiceName=. */
static int claim_service(Generation *g, Spec *s, SpecDiags *diags, char **ret_reason) {
        _cleanup_free_ char *own = own_service(s);
        bool taken;

        *ret_reason = NULL;
        if (!own)
                return -ENOMEM;
        if (streq(s->service, own))
                return 0;
        taken = strv_contains(g->services, s->service) ||
                strv_sorted_contains(g->own, g->n_own, s->service);
        if (!taken)
                return strv_append(&g->services, s->service);
        *ret_reason = str_format("ServiceName=%s is the service of another %s", s->service, s->kind == SPEC_CONTAINER ? "app" : "spec");
        if (!*ret_reason)
                return -ENOMEM;
        free(s->service);
        s->service = TAKE_PTR(own);
        return spec_diag_add(diags, SPEC_ERROR, s->path, 0, 0, "%s", *ret_reason);
}

/* Two specs of different kinds may have one service by their own names: "x-image.container" and "x.image". The app has it. */
static int yield_to_app(const Generation *g, const Spec *s, SpecDiags *diags) {
        if (s->kind == SPEC_CONTAINER || !strv_sorted_contains(g->names[SPEC_CONTAINER], strv_length(g->names[SPEC_CONTAINER]), s->service))
                return 0;
        return spec_diag_add(diags, SPEC_ERROR, s->path, 0, 0, "app '%s' has its service; ServiceName= gives it another", s->service) < 0 ?
                -ENOMEM :
                -EEXIST;
}

/* Escaping makes a name up to four times as long, and the names of an app's other units hold it, too. */
static int check_lengths(const Spec *s, SpecDiags *diags, char **ret_reason) {
        const char *process = NULL;
        _cleanup_free_ char *slice = NULL, *scope = NULL;
        size_t longest;
        int r;

        if (s->kind != SPEC_CONTAINER)
                return 0;
        for (size_t i = 0; i < s->n_processes; i++)
                if (s->processes[i].name && (!process || strlen(s->processes[i].name) > strlen(process)))
                        process = s->processes[i].name;
        r = unit_slice_name(s->name, &slice);
        if (r == 0)
                r = unit_scope_name(s->name, process, SPEC_INSTANCES_MAX, "", UINT32_MAX, &scope);
        if (r < 0)
                return r;
        /* `berth exec` puts the number of a process into it. */
        longest = MAX(strlen(slice), strlen(scope) + STRLEN(".exec-4194304"));
        if (longest <= UNIT_NAME_LENGTH_MAX)
                return 0;
        *ret_reason = str_format("the app's name is too long for the names of its units: they would have %zu bytes, escaped, and can have %d",
                longest, UNIT_NAME_LENGTH_MAX);
        return *ret_reason ? spec_diag_add(diags, SPEC_ERROR, s->path, 0, 0, "%s", *ret_reason) : -ENOMEM;
}

static int put_text(const Spec *s, UnitFile *f) {
        if (s->kind != SPEC_CONTAINER)
                return unit_oneshot_text(s, f->broken, &f->text);
        return f->broken ? unit_text_broken(s, &f->text) : unit_text(s, &f->text);
}

/* As make_socket(). */
static int make_slice(const Spec *s, UnitFile *ret) {
        ret->name = unit_slice_file(s);
        return ret->name ? unit_slice_text(s, &ret->text) : 0;
}

static int make_socket(const Spec *s, UnitFile *ret) {
        int r;

        ret->name = unit_socket_name(s);
        if (!ret->name)
                return 0;
        r = unit_socket_text(s, &ret->text);
        return r < 0 ? r : unit_links(s, UNIT_INSTALL_SOCKET, &ret->links);
}

/* ret_socket and ret_slice have a name where there is one. */
static int make_units(Generation *g, SpecKind kind, const char *name, SpecDiags *diags, UnitFile *ret, UnitFile *ret_socket, UnitFile *ret_slice) {
        _cleanup_(spec_freep) Spec *s = NULL;
        _cleanup_free_ char *reason = NULL;
        int r, q;

        r = spec_read_kind_from(g->search, kind, name, SPEC_STATIC, diags, &s);
        if (r < 0 && r != -EBADMSG)
                return r;
        ret->broken = r < 0;
        q = claim_service(g, s, diags, &reason);
        if (q == 0)
                q = yield_to_app(g, s, diags);
        if (q == 0 && !reason)
                q = check_lengths(s, diags, &reason);
        if (q < 0)
                return q;
        ret->name = unit_file_name(s);
        if (!ret->name)
                return -ENOMEM;
        if (reason) {
                ret->broken = true;
                return unit_text_refused(s, reason, &ret->text);
        }
        r = put_text(s, ret);
        if (r == 0 && !ret->broken)
                r = make_socket(s, ret_socket);
        if (r == 0 && !ret->broken)
                r = make_slice(s, ret_slice);
        return r < 0 ? r : unit_links(s, ret_socket->name ? UNIT_INSTALL_SERVICE : UNIT_INSTALL_ALL, &ret->links);
}

static int generate_one(Generation *g, SpecKind kind, const char *name, UnitFunction function, void *userdata) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_unit_ UnitFile f = { 0 }, socket = { 0 }, slice = { 0 };
        SpecDiags none = SPEC_DIAGS_INIT;
        int r;

        r = make_units(g, kind, name, &diags, &f, &socket, &slice);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && diags.n_errors == 0)
                (void) spec_diag_add(&diags, SPEC_ERROR, NULL, 0, 0, "cannot read %s%s: %s", name, spec_kind_suffix(kind), strerror(-r));
        if (r < 0)
                return function(userdata, NULL, &diags);
        r = function(userdata, &f, &diags);
        if (r >= 0 && socket.name)
                r = function(userdata, &socket, &none);
        return r < 0 || !slice.name ? r : function(userdata, &slice, &none);
}

/* Nothing but the slice of an instance is its own: all else systemd makes of the template. */
static int generate_instance(Generation *g, const char *name, UnitFunction function, void *userdata) {
        _cleanup_diags_ SpecDiags unsaid = SPEC_DIAGS_INIT; /* its start says it */
        _cleanup_unit_ UnitFile slice = { 0 };
        _cleanup_(spec_freep) Spec *s = NULL;
        SpecDiags none = SPEC_DIAGS_INIT;
        int r;

        if (strv_sorted_contains(g->names[SPEC_CONTAINER], strv_length(g->names[SPEC_CONTAINER]), name))
                return 0; /* it has a file */
        r = spec_read_kind_from(g->search, SPEC_CONTAINER, name, SPEC_STATIC, &unsaid, &s);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = s->slice_keys.n > 0 ? make_slice(s, &slice) : 0;
        return r < 0 || !slice.name ? r : function(userdata, &slice, &none);
}

static int generate_instances(Generation *g, UnitFunction function, void *userdata) {
        _cleanup_strv_ char **names = NULL;
        int r = spec_search_list_instances(g->search, &names);

        for (char **name = names; r >= 0 && *name; name++)
                r = generate_instance(g, *name, function, userdata);
        return r;
}

static int list_specs(Generation *g) {
        int r = 0;

        for (int kind = 0; r == 0 && kind < _SPEC_KIND_MAX; kind++)
                r = spec_search_list_kind(g->search, (SpecKind) kind, &g->names[kind]);
        if (r == 0)
                g->own = strv_copy(g->names[SPEC_CONTAINER]);
        if (r == 0 && !g->own)
                r = -ENOMEM;
        for (int kind = SPEC_CONTAINER + 1; r == 0 && kind < _SPEC_KIND_MAX; kind++)
                for (char **name = g->names[kind]; r == 0 && *name; name++) {
                        char *service = spec_kind_service((SpecKind) kind, *name);

                        r = service ? strv_consume(&g->own, service) : -ENOMEM;
                }
        if (r < 0)
                return r;
        strv_sort(g->own);
        g->n_own = strv_length(g->own);
        return 0;
}

/* They have no unit, but a word about them. */
static int tell_misnamed(const SpecSearch *search, SpecKind kind, UnitFunction function, void *userdata) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_strv_ char **paths = NULL;
        int r;

        r = spec_search_list_misnamed(search, kind, &paths);
        for (char **path = paths; r >= 0 && path && *path; path++)
                r = spec_diag_add(&diags, SPEC_ERROR, *path, 0, 0,
                        "the file is ignored: what is before '%s' has to be 1 to %d letters, digits and :-_.\\ with at most one @",
                        spec_kind_suffix(kind), SPEC_NAME_MAX);
        return r < 0 || diags.n == 0 ? r : function(userdata, NULL, &diags);
}

int unit_generate(const SpecSearch *search, UnitFunction function, void *userdata) {
        Generation g = { .search = search };
        int r;

        r = list_specs(&g);
        for (int kind = 0; r >= 0 && kind < _SPEC_KIND_MAX; kind++)
                r = tell_misnamed(search, (SpecKind) kind, function, userdata);
        for (int kind = 0; r >= 0 && kind < _SPEC_KIND_MAX; kind++)
                for (char **name = g.names[kind]; r >= 0 && *name; name++)
                        r = generate_one(&g, (SpecKind) kind, *name, function, userdata);
        if (r >= 0)
                r = generate_instances(&g, function, userdata);
        for (int kind = 0; kind < _SPEC_KIND_MAX; kind++)
                strv_free(g.names[kind]);
        strv_free(g.own);
        strv_free(g.services);
        return r < 0 ? r : 0;
}

/* Of NAME.d/FILE. */
static int make_parent(int dir, const char *path) {
        const char *slash = strchr(path, '/');
        _cleanup_free_ char *parent = strndup(path, slash ? (size_t) (slash - path) : 0);

        if (!parent)
                return -ENOMEM;
        return slash && mkdirat(dir, parent, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int write_link(int dir, const UnitLink *l) {
        _cleanup_free_ char *temporary = str_format("%s.tmp", l->path);
        int r = temporary ? make_parent(dir, l->path) : -ENOMEM;

        if (r < 0)
                return r;
        if (symlinkat(l->target, dir, l->path) == 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        if ((unlinkat(dir, temporary, 0) < 0 && errno != ENOENT) || symlinkat(l->target, dir, temporary) < 0)
                return -errno;
        if (renameat(dir, temporary, dir, l->path) < 0) {
                r = -errno;
                (void) unlinkat(dir, temporary, 0);
                return r;
        }
        return 0;
}

int unit_file_write(int dir, const UnitFile *f, Error *reterr) {
        int r;

        r = make_parent(dir, f->name);
        if (r >= 0)
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
