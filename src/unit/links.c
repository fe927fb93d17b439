/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/text-internal.h"
#include "util/strv.h"

void unit_links_clear(UnitLinks *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].path);
                free(l->items[i].target);
        }
        free(l->items);
        *l = (UnitLinks){ 0 };
}

static int link_add(UnitLinks *l, char *path, char *target) {
        UnitLink *items = reallocarray(l->items, l->n + 1, sizeof(UnitLink));

        if (items)
                l->items = items;
        if (!items || !path || !target) {
                free(path);
                free(target);
                return -ENOMEM;
        }
        l->items[l->n++] = (UnitLink){ .path = path, .target = target };
        return 0;
}

static int add_all(UnitLinks *l, const void *list, const char *suffix, const char *name, const char *file) {
        const SPEC_LIST(SpecText) *units = list;

        for (size_t i = 0; i < units->n; i++) {
                char *path = str_format("%s.%s/%s", units->items[i].value, suffix, name);
                int r = link_add(l, path, str_format("../%s", file));

                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_wants(UnitLinks *l, const Spec *s, const char *name, const char *file) {
        int r = add_all(l, &s->wanted_by, "wants", name, file);

        if (r == 0)
                r = add_all(l, &s->required_by, "requires", name, file);
        return r == 0 ? add_all(l, &s->upheld_by, "upholds", name, file) : r;
}

static int socket_links(const Spec *s, UnitLinks *ret) {
        _cleanup_free_ char *file = unit_socket_name(s), *name = str_format("%s%s.socket", s->service, s->template ? s->default_instance.value : "");
        _cleanup_links_ UnitLinks l = { 0 };
        int r;

        if (!file || !name)
                return -ENOMEM;
        r = unit_socket_is_wanted(s) ? add_wants(&l, s, name, file) :
                                       link_add(&l, str_format("sockets.target.wants/%s", name), str_format("../%s", file));
        if (r < 0)
                return r;
        *ret = l;
        l = (UnitLinks){ 0 };
        return 0;
}

int unit_links(const Spec *s, UnitInstall install, UnitLinks *ret) {
        _cleanup_free_ char *file = unit_file_name(s), *name = NULL;
        _cleanup_links_ UnitLinks l = { 0 };
        int r = 0;

        /* What a template would be without an instance cannot be started. */
        if (s->template && !s->default_instance.value) {
                *ret = (UnitLinks){ 0 };
                return 0;
        }
        if (install == UNIT_INSTALL_SOCKET)
                return socket_links(s, ret);
        name = str_format("%s%s.service", s->service, s->template ? s->default_instance.value : "");
        if (!file || !name)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < s->alias.n; i++)
                if (!streq(s->alias.items[i].value, file))
                        r = link_add(&l, strdup(s->alias.items[i].value), strdup(file));
        if (r == 0 && install == UNIT_INSTALL_ALL)
                r = add_wants(&l, s, name, file);
        if (r < 0)
                return r;
        *ret = l;
        l = (UnitLinks){ 0 };
        return 0;
}
