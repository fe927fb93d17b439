/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/path.h"
#include "image/writer.h"
#include "util/strv.h"

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE_NAME ".wh..wh..opq"

void entry_path_clear(EntryPath *p) {
        free(p->parent);
        free(p->name);
        *p = (EntryPath){ 0 };
}

int entry_path_parse(const char *path, EntryPath *ret, Error *reterr) {
        _cleanup_entry_path_ EntryPath p = { 0 };
        size_t length = strlen(path), end = 0;

        if (length == 0)
                return error_set(reterr, -EINVAL, "an entry of the archive has no name");
        if (length > WRITER_PATH_MAX)
                return error_set(reterr, -ENAMETOOLONG, "'%.60s…' is longer than %d bytes", path, WRITER_PATH_MAX);
        p.parent = malloc(length + 1);
        p.name = strdup("");
        if (!p.parent || !p.name)
                return -ENOMEM;
        p.parent[0] = 0;
        for (const char *s = path; *s;) {
                size_t n = strcspn(s, "/");

                if (n == 2 && s[0] == '.' && s[1] == '.')
                        return error_set(reterr, -EINVAL, "'%.200s' has '..' in it", path);
                if (n > WRITER_NAME_MAX)
                        return error_set(reterr, -ENAMETOOLONG, "'%.200s' has a component longer than %d bytes", path,
                                WRITER_NAME_MAX);
                if (n > 0 && !(n == 1 && s[0] == '.')) {
                        /* The component before this one turns out to be a directory on the way. */
                        if (p.name[0]) {
                                size_t m = strlen(p.name);

                                if (end > 0)
                                        p.parent[end++] = '/';
                                memcpy(p.parent + end, p.name, m + 1);
                                end += m;
                                p.depth++;
                        }
                        free(p.name);
                        p.name = strndup(s, n);
                        if (!p.name)
                                return -ENOMEM;
                }
                s += n;
                s += strspn(s, "/");
        }
        if (p.depth > WRITER_DEPTH_MAX)
                return error_set(reterr, -ENAMETOOLONG, "'%.60s…' is more than %d directories deep", path, WRITER_DEPTH_MAX);
        *ret = p;
        p = (EntryPath){ 0 };
        return 0;
}

WhiteoutKind entry_path_whiteout(const EntryPath *p, const char **ret_name) {
        const char *name = str_after(p->name, WHITEOUT_PREFIX);

        for (const char *s = p->parent; *s; s += strcspn(s, "/"), s += strspn(s, "/")) {
                if (str_after(s, WHITEOUT_META))
                        return WHITEOUT_IGNORE;
                if (str_after(s, WHITEOUT_PREFIX))
                        return _WHITEOUT_INVALID;
        }
        if (!name)
                return WHITEOUT_NONE;
        if (streq(p->name, WHITEOUT_OPAQUE_NAME))
                return WHITEOUT_OPAQUE;
        if (str_after(p->name, WHITEOUT_META))
                return WHITEOUT_IGNORE;
        if (!*name || streq(name, ".") || streq(name, ".."))
                return _WHITEOUT_INVALID;
        *ret_name = name;
        return WHITEOUT_FILE;
}

bool xattr_wanted(const char *name) {
        const char *user = str_after(name, "user.");

        if (user)
                return *user && !str_after(user, "overlay.");
        return streq(name, "security.capability") || streq(name, XATTR_ACL_ACCESS) || streq(name, XATTR_ACL_DEFAULT);
}
