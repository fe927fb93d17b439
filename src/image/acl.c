/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include "image/acl.h"
#include "image/path.h"
#include "image/writer.h"
#include "util/passwd.h"

void acl_clear(Acl *a) {
        for (size_t i = 0; i < a->n; i++)
                free(a->entries[i].name);
        free(a->entries);
        *a = (Acl){ 0 };
}

static int archive_type(AclKind kind) {
        return kind == ACL_ACCESS ? ARCHIVE_ENTRY_ACL_TYPE_ACCESS : ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;
}

static uint16_t tag_from_archive(int tag) {
        switch (tag) {
        case ARCHIVE_ENTRY_ACL_USER_OBJ:
                return ACL_USER_OBJ;
        case ARCHIVE_ENTRY_ACL_USER:
                return ACL_USER;
        case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
                return ACL_GROUP_OBJ;
        case ARCHIVE_ENTRY_ACL_GROUP:
                return ACL_GROUP;
        case ARCHIVE_ENTRY_ACL_MASK:
                return ACL_MASK;
        case ARCHIVE_ENTRY_ACL_OTHER:
                return ACL_OTHER;
        }
        return 0;
}

/* libarchive's bits are those of the kernel. */
_Static_assert(ARCHIVE_ENTRY_ACL_READ == ACL_READ && ARCHIVE_ENTRY_ACL_WRITE == ACL_WRITE &&
                       ARCHIVE_ENTRY_ACL_EXECUTE == ACL_EXECUTE,
        "rwx");

static int take_one(int tag, int permissions, int id, const char *name, const char *path, AclEntry *ret, Error *reterr) {
        *ret = (AclEntry){
                .tag = tag_from_archive(tag),
                .permissions = (uint16_t) (permissions & (ACL_READ | ACL_WRITE | ACL_EXECUTE)),
                .id = (uint32_t) ACL_UNDEFINED_ID,
        };
        if (ret->tag != ACL_USER && ret->tag != ACL_GROUP)
                return 0;
        if (id > WRITER_ID_MAX)
                return error_set(reterr, -ERANGE, "the access control list of '%.200s' names id %d, and the ids of a container end at %d",
                        path, id, WRITER_ID_MAX);
        if (id >= 0)
                ret->id = (uint32_t) id;
        else if (!name || !*name)
                return error_set(reterr, -EBADMSG, "the access control list of '%.200s' has an entry for nobody", path);
        else if (!(ret->name = strdup(name)))
                return -ENOMEM;
        return 0;
}

static int compare_entries(const void *a, const void *b) {
        const AclEntry *x = a, *y = b;

        return x->tag != y->tag ? (x->tag > y->tag) - (x->tag < y->tag) : (x->id > y->id) - (x->id < y->id);
}

static void acl_sort(Acl *a) {
        if (a->n > 1)
                qsort(a->entries, a->n, sizeof(*a->entries), compare_entries);
}

int acl_take(struct archive_entry *entry, AclKind kind, const char *path, Acl *ret, Error *reterr) {
        int n = archive_entry_acl_reset(entry, archive_type(kind)), type, permissions, tag, id;
        _cleanup_acl_ Acl a = { 0 };
        const char *name;

        if (n <= 0)
                return 0;
        if (n > ACL_ENTRIES_MAX)
                return error_set(reterr, -E2BIG, "the access control list of '%.200s' has more than %d entries", path, ACL_ENTRIES_MAX);
        a.entries = calloc((size_t) n, sizeof(*a.entries));
        if (!a.entries)
                return -ENOMEM;
        while (a.n < (size_t) n &&
                archive_entry_acl_next(entry, archive_type(kind), &type, &permissions, &tag, &id, &name) == ARCHIVE_OK) {
                int r = take_one(tag, permissions, id, name, path, &a.entries[a.n++], reterr);

                if (r < 0)
                        return r;
        }
        acl_sort(&a);
        *ret = a;
        a = (Acl){ 0 };
        return 0;
}

bool acl_has_names(const Acl *a) {
        for (size_t i = 0; i < a->n; i++)
                if (a->entries[i].name)
                        return true;
        return false;
}

static int compare_names(const void *a, const void *b) {
        const AclName *x = a, *y = b;
        int r = strcmp(x->name, y->name);

        return r != 0 ? r : (x->line > y->line) - (x->line < y->line);
}

int acl_names_read(int root, const char *path, AclNames *ret, Error *reterr) {
        _cleanup_acl_names_ AclNames names = { 0 };
        size_t allocated = 0, lines = 0, n = 0;
        char *rest, *f[3];
        int r;

        r = passwd_read(root, path, &names.text, reterr);
        if (r < 0)
                return r;
        for (rest = names.text; rest; lines++) {
                AclName name = { .line = lines };

                if (passwd_line(&rest, f, ELEMENTSOF(f)) < 3 || !passwd_id(f[2], &name.id) || name.id > WRITER_ID_MAX)
                        continue;
                if (names.n == allocated) {
                        AclName *p = reallocarray(names.items, allocated = allocated * 2 + 64, sizeof(*p));

                        if (!p)
                                return -ENOMEM;
                        names.items = p;
                }
                name.name = f[0];
                names.items[names.n++] = name;
        }
        if (names.n > 1)
                qsort(names.items, names.n, sizeof(*names.items), compare_names);
        /* The first of several lines is the one that counts. */
        for (size_t i = 0; i < names.n; i++)
                if (n == 0 || !streq(names.items[n - 1].name, names.items[i].name))
                        names.items[n++] = names.items[i];
        names.n = n;
        *ret = names;
        names = (AclNames){ 0 };
        return 0;
}

void acl_names_clear(AclNames *names) {
        free(names->items);
        free(names->text);
        *names = (AclNames){ 0 };
}

static const AclName *name_find(const AclNames *names, const char *name) {
        size_t low = 0, high = names->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(names->items[middle].name, name);

                if (order == 0)
                        return &names->items[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

int acl_resolve(Acl *a, const AclNames *users, const AclNames *groups, const char *path, Error *reterr) {
        for (size_t i = 0; i < a->n; i++) {
                AclEntry *e = &a->entries[i];
                bool user = e->tag == ACL_USER;
                const AclName *found;

                if (!e->name)
                        continue;
                found = name_find(user ? users : groups, e->name);
                if (!found)
                        return error_set(reterr, -ENOENT, "the access control list of '%.200s' names %s '%.60s', whom the archive's own /etc/%s does not have",
                                path, user ? "user" : "group", e->name, user ? "passwd" : "group");
                e->id = found->id;
                free(TAKE_PTR(e->name));
        }
        acl_sort(a);
        return 0;
}

const char *acl_attribute(AclKind kind) {
        return kind == ACL_ACCESS ? XATTR_ACL_ACCESS : XATTR_ACL_DEFAULT;
}

int acl_encode(const Acl *a, Buf *ret) {
        struct posix_acl_xattr_header header = { .a_version = htole32(POSIX_ACL_XATTR_VERSION) };
        int r = buf_append(ret, &header, sizeof(header));

        for (size_t i = 0; i < a->n && r >= 0; i++) {
                struct posix_acl_xattr_entry e = {
                        .e_tag = htole16(a->entries[i].tag),
                        .e_perm = htole16(a->entries[i].permissions),
                        .e_id = htole32(a->entries[i].id),
                };

                assert(!a->entries[i].name);
                r = buf_append(ret, &e, sizeof(e));
        }
        return r;
}
