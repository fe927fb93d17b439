/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "image/acl-late.h"
#include "util/fd.h"

void late_acls_clear(LateAcls *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].path);
                acl_clear(&l->items[i].acl);
        }
        free(l->items);
        *l = (LateAcls){ 0 };
}

static size_t acl_size(const Acl *a) {
        size_t size = a->n * sizeof(*a->entries);

        for (size_t i = 0; i < a->n; i++)
                size += a->entries[i].name ? strlen(a->entries[i].name) + 1 : 0;
        return size;
}

int late_acls_add(LateAcls *l, const char *path, AclKind kind, Acl *acl, Error *reterr) {
        LateAcl *items = l->items;

        l->size += sizeof(LateAcl) + strlen(path) + 1 + acl_size(acl);
        if (l->size > LATE_ACLS_SIZE_MAX)
                return error_set(reterr, -E2BIG, "the access control lists of the archive that name users are more than %u MiB",
                        LATE_ACLS_SIZE_MAX >> 20);
        if (l->n == l->allocated) {
                items = reallocarray(items, l->allocated * 2 + 16, sizeof(*items));
                if (!items)
                        return -ENOMEM;
                l->items = items;
                l->allocated = l->allocated * 2 + 16;
        }
        items[l->n] = (LateAcl){ .path = strdup(path), .kind = kind };
        if (!items[l->n].path)
                return -ENOMEM;
        items[l->n++].acl = *acl;
        *acl = (Acl){ 0 };
        return 0;
}

static int apply(LateAcl *a, int root, const AclNames *users, const AclNames *groups, Error *reterr) {
        _cleanup_buf_ Buf value = BUF_INIT;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        r = acl_resolve(&a->acl, users, groups, a->path, reterr);
        if (r < 0)
                return r;
        fd = open_in_root(root, a->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
        /* Replaced by something that carries none. */
        if (fd < 0 || fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
                return fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE ? fd : 0;
        r = acl_encode(&a->acl, &value);
        if (r >= 0 && fsetxattr(fd, acl_attribute(a->kind), value.data, value.size, 0) < 0)
                r = -errno;
        return r < 0 ? error_set_errno(reterr, r, "cannot set attribute %s of '%.200s'", acl_attribute(a->kind), a->path) : 0;
}

int late_acls_apply(LateAcls *l, int root, Error *reterr) {
        _cleanup_acl_names_ AclNames users = { 0 }, groups = { 0 };
        int r;

        if (l->n == 0)
                return 0;
        r = acl_names_read(root, "etc/passwd", &users, reterr);
        if (r >= 0)
                r = acl_names_read(root, "etc/group", &groups, reterr);
        for (size_t i = 0; i < l->n && r >= 0; i++)
                r = apply(&l->items[i], root, &users, &groups, reterr);
        return r;
}
