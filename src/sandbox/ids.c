/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox/ids.h"
#include "util/buf.h"
#include "util/fd.h"

uint32_t ids_outside(const World *w, bool uid, uint32_t inside) {
        const IdMap *map = uid ? w->uid_map : w->gid_map;
        size_t n = uid ? w->n_uid_map : w->n_gid_map;

        if (!w->user_namespace)
                return inside;
        for (size_t i = 0; i < n; i++)
                if (inside >= map[i].inside && inside - map[i].inside < map[i].count)
                        return map[i].outside + (inside - map[i].inside);
        return IDS_UNMAPPED;
}

static int ids_write_one(const IdMap *map, size_t n, int proc, const char *name, Error *reterr) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = buf_printf(&b, "%u %u %u\n", map[i].inside, map[i].outside, map[i].count);
        /* The kernel takes the whole map in one write, of less than a page. */
        if (r >= 0)
                r = write_existing(proc, name, b.data);
        return r < 0 ? error_set_errno(reterr, r, "cannot write the user namespace's %s", name) : 0;
}

int ids_write(const World *w, int proc, Error *reterr) {
        int r;

        r = ids_write_one(w->gid_map, w->n_gid_map, proc, "gid_map", reterr);
        return r < 0 ? r : ids_write_one(w->uid_map, w->n_uid_map, proc, "uid_map", reterr);
}
