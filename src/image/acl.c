/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include "image/acl.h"
#include "image/path.h"
#include "image/writer.h"
#include "util/passwd.h"
#include "util/strv.h"

void acl_clear(Acl *a) {
        for (size_t i = 0; i < a->n; i++)
                free(a->entries[i].name);
        free(a->entries);
        *a = (Acl){ 0 };
}

static const struct {
        const char *word, *letter;
        uint16_t own, named; /* the tag without a name, and with one; 0: there is none */
} tags[] = {
        { "user",  "u", ACL_USER_OBJ,  ACL_USER  },
        { "group", "g", ACL_GROUP_OBJ, ACL_GROUP },
        { "mask",  "m", ACL_MASK,      0         },
        { "other", "o", ACL_OTHER,     0         },
};

static uint16_t parse_tag(const char *word, const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(tags); i++)
                if (streq(word, tags[i].word) || streq(word, tags[i].letter))
                        return *name ? tags[i].named : tags[i].own;
        return 0;
}

/* "rwx", each of them or "-". */
static int parse_permissions(const char *text, uint16_t *ret) {
        static const uint16_t bits[] = { ACL_READ, ACL_WRITE, ACL_EXECUTE };
        uint16_t permissions = 0;

        if (strlen(text) != ELEMENTSOF(bits))
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTSOF(bits); i++) {
                if (text[i] == "rwx"[i])
                        permissions |= bits[i];
                else if (text[i] != '-')
                        return -EINVAL;
        }
        *ret = permissions;
        return 0;
}

/* "user:web:r-x", and with the id at the end, as star and bsdtar have it. Changes the text. */
static int parse_entry(char *text, const char *path, AclEntry *ret, Error *reterr) {
        char *rest = text, *fields[4] = { 0 }, *number;
        size_t n = 0;
        uint64_t id;

        while (rest && n < ELEMENTSOF(fields))
                fields[n++] = strsep(&rest, ":");
        *ret = (AclEntry){ .id = (uint32_t) ACL_UNDEFINED_ID };
        if (!rest && n >= 3)
                ret->tag = parse_tag(fields[0], fields[1]);
        if (ret->tag == 0 || parse_permissions(fields[2], &ret->permissions) < 0)
                return error_set(reterr, -EBADMSG, "the access control list of '%.200s' is broken: '%.100s' is no entry", path, text);
        if (ret->tag != ACL_USER && ret->tag != ACL_GROUP)
                return 0;
        number = fields[3] ? fields[3] : fields[1];
        if (!fields[3] && number[strspn(number, "0123456789")]) {
                ret->name = strdup(number);
                return ret->name ? 0 : -ENOMEM;
        }
        if (parse_u64(number, WRITER_ID_MAX, &id) < 0)
                return error_set(reterr, -ERANGE, "the access control list of '%.200s' names id %.60s, and the ids of a container end at %d",
                        path, number, WRITER_ID_MAX);
        ret->id = (uint32_t) id;
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

/* Without the remark and the spaces around it. */
static char *strip_entry(char *entry) {
        char *end;

        entry += strspn(entry, " \t");
        end = entry + strcspn(entry, "#");
        while (end > entry && (end[-1] == ' ' || end[-1] == '\t'))
                end--;
        *end = 0;
        return entry;
}

static int add_entry(Acl *a, size_t *allocated, char *text, const char *path, Error *reterr) {
        if (a->n == ACL_ENTRIES_MAX)
                return error_set(reterr, -E2BIG, "the access control list of '%.200s' has more than %d entries", path, ACL_ENTRIES_MAX);
        if (a->n == *allocated) {
                AclEntry *p = reallocarray(a->entries, *allocated * 2 + 8, sizeof(*p));

                if (!p)
                        return -ENOMEM;
                a->entries = p;
                *allocated = *allocated * 2 + 8;
        }
        return parse_entry(text, path, &a->entries[a->n++], reterr);
}

int acl_parse(const char *text, const char *path, Acl *ret, Error *reterr) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy, *entry;
        _cleanup_acl_ Acl a = { 0 };
        size_t allocated = 0;

        if (!copy)
                return -ENOMEM;
        while ((entry = strsep(&rest, ",\n"))) {
                int r;

                entry = strip_entry(entry);
                r = *entry ? add_entry(&a, &allocated, entry, path, reterr) : 0;
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
