/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "image/tar-record.h"
#include "image/writer-internal.h"
#include "util/fd.h"

void writer_keep_replaced(Writer *w, int layer, WriterReplaced replaced, void *userdata) {
        w->layer = layer;
        w->replaced = replaced;
        w->replaced_userdata = userdata;
}

int writer_real_path(const Writer *w, const char *name, Buf *path) {
        if (w->in_root || !w->parent_real[0])
                return buf_puts(path, name);
        return buf_printf(path, "%s/%s", w->parent_real, name);
}

static int move_away(Writer *w, int parent, const char *name, const char *path) {
        char to[sizeof(TAR_RECORD_REPLACED "/4294967295")];

        if (mkdirat(w->layer, TAR_RECORD_REPLACED, 0700) < 0 && errno != EEXIST)
                return -errno;
        (void) snprintf(to, sizeof(to), TAR_RECORD_REPLACED "/%u", w->n_replaced);
        if (renameat(parent, name, w->layer, to) < 0)
                return -errno;
        return w->replaced(w->replaced_userdata, path, w->n_replaced++);
}

int writer_make_room(Writer *w, int parent, const char *name) {
        _cleanup_buf_ Buf path = BUF_INIT;
        struct stat st;
        int r;

        /* The parent that is remembered may be below it. */
        writer_forget_parent(w);
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISREG(st.st_mode) ? st.st_size == 0 : !S_ISDIR(st.st_mode))
                return unlinkat(parent, name, 0) < 0 ? -errno : 0;
        r = writer_real_path(w, name, &path);
        if (r < 0)
                return r;
        /* No record names what a path that long leads to. */
        if (!w->replaced || path.size > TAR_RECORD_PATH_MAX)
                return remove_tree(parent, name);
        return move_away(w, parent, name, path.data);
}
