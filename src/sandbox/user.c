/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "sandbox/user.h"
#include "util/passwd.h"

/* The line of passwd whose name is `name`, or whose id is that number. A name wins over a number. */
static int passwd_find(char *text, const char *name, User *u, char *ret_name, size_t size) {
        char *f[7];
        uint32_t id = 0, uid, gid;
        bool number = passwd_id(name, &id), found = false;

        while (text) {
                bool by_name;

                if (passwd_line(&text, f, ELEMENTSOF(f)) < 6 || !passwd_id(f[2], &uid) || !passwd_id(f[3], &gid))
                        continue;
                by_name = streq(f[0], name);
                if (!by_name && (!number || found || uid != id))
                        continue;
                u->uid = uid;
                u->gid = gid;
                (void) snprintf(u->home, sizeof(u->home), "%s", f[5][0] == '/' ? f[5] : "/");
                (void) snprintf(ret_name, size, "%s", f[0]);
                found = true;
                if (by_name)
                        break;
        }
        if (found)
                return 0;
        if (!number)
                return -ENOENT;
        u->uid = id;
        u->gid = 0;
        ret_name[0] = 0;
        return 0;
}

static int user_add_group(User *u, gid_t gid) {
        for (size_t i = 0; i < u->n_groups; i++)
                if (u->groups[i] == gid)
                        return 0;
        if (u->n_groups >= USER_GROUPS_MAX)
                return -E2BIG;
        u->groups[u->n_groups++] = gid;
        return 0;
}

static int group_find(const char *file, const char *name, gid_t *ret) {
        _cleanup_free_ char *copy = strdup(file);
        char *text = copy, *f[4];
        uint32_t gid;

        if (!copy)
                return -ENOMEM;
        while (text)
                if (passwd_line(&text, f, ELEMENTSOF(f)) >= 3 && streq(f[0], name) && passwd_id(f[2], &gid)) {
                        *ret = gid;
                        return 0;
                }
        if (passwd_id(name, &gid)) {
                *ret = gid;
                return 0;
        }
        return -ENOENT;
}

/* The groups that list the user as a member. */
static int group_members(const char *file, const char *name, User *u) {
        _cleanup_free_ char *copy = strdup(file);
        char *text = copy, *f[4];
        uint32_t gid;

        if (!copy)
                return -ENOMEM;
        while (text) {
                char *members;

                if (passwd_line(&text, f, ELEMENTSOF(f)) < 4 || !passwd_id(f[2], &gid))
                        continue;
                members = f[3];
                for (char *m; (m = strsep(&members, ","));)
                        if (streq(m, name) && user_add_group(u, gid) < 0)
                                return -E2BIG;
        }
        return 0;
}

static int user_groups(const char *file, const char *group, char *const *more, const char *name, User *u,
        Error *reterr) {
        gid_t gid;

        if (group && group_find(file, group, &u->gid) < 0)
                return error_set(reterr, -ENOENT, "cannot find group '%s': the image's /etc/group has no such name",
                        group);
        if (!group && *name && group_members(file, name, u) < 0)
                return error_set(reterr, -E2BIG, "user '%s' is in more than %d groups of the image", name,
                        USER_GROUPS_MAX);
        for (size_t i = 0; more && more[i]; i++) {
                if (group_find(file, more[i], &gid) < 0)
                        return error_set(reterr, -ENOENT,
                                "cannot find group '%s': the image's /etc/group has no such name", more[i]);
                if (user_add_group(u, gid) < 0)
                        return error_set(reterr, -E2BIG, "more than %d supplementary groups", USER_GROUPS_MAX);
        }
        return 0;
}

int user_lookup(int root, const char *user, char *const *groups, User *ret, Error *reterr) {
        _cleanup_free_ char *passwd = NULL, *group_file = NULL, *spec = strdup(user && *user ? user : "0");
        char *group, name[256];
        User u = USER_INIT;
        int r;

        if (!spec)
                return error_set_errno(reterr, -ENOMEM, "cannot look up user '%s'", user);
        group = strchr(spec, ':');
        if (group)
                *group++ = 0;
        if (group && !*group)
                group = NULL;
        r = passwd_read(root, "etc/passwd", &passwd, reterr);
        if (r < 0)
                return r;
        r = passwd_find(passwd, *spec ? spec : "0", &u, name, sizeof(name));
        if (r < 0)
                return error_set(reterr, r, "cannot find user '%s': the image's /etc/passwd has no such name", spec);
        r = passwd_read(root, "etc/group", &group_file, reterr);
        if (r < 0)
                return r;
        r = user_groups(group_file, group, groups, name, &u, reterr);
        if (r < 0)
                return r;
        /* As Podman does since CVE-2022-2989: who gives the group up, by a set-group-id program, is still what files keep it out for. */
        if (user && *user && user_add_group(&u, u.gid) < 0)
                return error_set(reterr, -E2BIG, "more than %d supplementary groups", USER_GROUPS_MAX);
        *ret = u;
        return 0;
}
