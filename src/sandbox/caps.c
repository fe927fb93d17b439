/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/caps.h"
#include "util/capability.h"

static int caps_set(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = {
                { (uint32_t) effective, (uint32_t) permitted, (uint32_t) inheritable },
                { (uint32_t) (effective >> 32), (uint32_t) (permitted >> 32), (uint32_t) (inheritable >> 32) },
        };

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int caps_bound(uint64_t keep) {
        /* EINVAL: the kernel has no capability of this number, nor a higher one. */
        for (unsigned n = 0; n < 64; n++)
                if (!(keep & CAPABILITY(n)) && prctl(PR_CAPBSET_DROP, n, 0, 0, 0) < 0)
                        return errno == EINVAL ? 0 : -errno;
        return 0;
}

static int caps_ambient(uint64_t set) {
        for (unsigned n = 0; n < 64; n++)
                if ((set & CAPABILITY(n)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0) < 0)
                        return -errno;
        return 0;
}

/* EINVAL of those calls means one thing. */
static int become_error(const char *what, uint32_t id, Error *reterr) {
        if (errno == EINVAL)
                return error_set(reterr, -EINVAL, "cannot become %s %u: it is not mapped in the instance's user namespace", what, id);
        return error_set_errno(reterr, -errno, "cannot become %s %u", what, id);
}

static int user_become(const User *u, Error *reterr) {
        if (setresgid(u->gid, u->gid, u->gid) < 0)
                return become_error("group", u->gid, reterr);
        if (setgroups(u->n_groups, u->groups) < 0)
                return errno == EINVAL ? error_set(reterr, -EINVAL, "cannot set the supplementary groups: one of them is not mapped in the "
                                                                    "instance's user namespace") :
                                         error_set_errno(reterr, -errno, "cannot set the supplementary groups");
        if (setresuid(u->uid, u->uid, u->uid) < 0)
                return become_error("user", u->uid, reterr);
        return 0;
}

int caps_become(const World *w, const User *u, Error *reterr) {
        uint64_t ambient = u->uid == 0 ? 0 : w->ambient & w->capabilities, admin;
        int r;

        r = caps_bound(w->capabilities);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot drop capabilities from the bounding set");
        if (u->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot keep capabilities over the change of user");
        r = user_become(u, reterr);
        if (r < 0)
                return r;
        /* Without no_new_privs a filter needs CAP_SYS_ADMIN; execve(2) computes the sets anew from the bounding and
         * ambient sets, and takes it away. The rest goes now, so that the file is looked up with the payload's rights. */
        admin = (w->seccomp || w->takeover) && !w->no_new_privileges ? CAPABILITY(CAP_SYS_ADMIN) : 0;
        if (u->uid == 0)
                r = caps_set(w->capabilities | admin, w->capabilities | admin, 0);
        else
                r = caps_set(ambient | admin, ambient | admin, ambient);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set capabilities");
        r = caps_ambient(ambient);
        return r < 0 ? error_set_errno(reterr, r, "cannot raise ambient capabilities") : 0;
}
