/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "sandbox/ids.h"
#include "util/fd.h"
#include "util/rlimit.h"

int root_user_become(Error *reterr) {
        if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot become root of the user namespace");
        return 0;
}

int oom_write(const World *w, pid_t pid, Error *reterr) {
        char path[64], text[16];
        int r;

        if (!w->oom_score_adj_set)
                return 0;
        if (pid > 0)
                (void) snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
        else
                (void) snprintf(path, sizeof(path), "/proc/self/oom_score_adj");
        (void) snprintf(text, sizeof(text), "%d", w->oom_score_adj);
        r = write_existing(AT_FDCWD, path, text);
        return r < 0 ? error_set_errno(reterr, r, "cannot set the OOM score to %d", w->oom_score_adj) : 0;
}

/* A pipe of the host's root behind /dev/stdout must open for the payload's user: images link log files there. */
int stdio_give(const World *w, const User *u, Error *reterr) {
        uid_t uid = ids_outside(w, true, u->uid);
        gid_t gid = ids_outside(w, false, u->gid);

        for (int i = 0; i < 3; i++) {
                struct stat st;

                if (fstat(i, &st) < 0 || !S_ISFIFO(st.st_mode) || (st.st_uid == uid && st.st_gid == gid))
                        continue;
                if (fchown(i, uid, gid) < 0)
                        return error_set_errno(reterr, -errno, "cannot give standard stream %d to the user", i);
        }
        return 0;
}

typedef struct LimitText {
        char text[sizeof("18446744073709551615:18446744073709551615")];
} LimitText;

static LimitText limit_text(const WorldLimit *l) {
        LimitText t = { 0 };

        for (int i = 0; i < 2; i++) {
                uint64_t value = i == 0 ? l->soft : l->hard;
                size_t n = strlen(t.text);

                if (value == RLIM_INFINITY)
                        (void) snprintf(t.text + n, sizeof(t.text) - n, "%sunlimited", i == 0 ? "" : ":");
                else
                        (void) snprintf(t.text + n, sizeof(t.text) - n, "%s%llu", i == 0 ? "" : ":", (unsigned long long) value);
        }
        return t;
}

static struct rlimit limit_value(const WorldLimit *l) {
        return (struct rlimit){ .rlim_cur = (rlim_t) l->soft, .rlim_max = (rlim_t) l->hard };
}

/* Only the hard limit, and only upwards: what is low would be in the way of the set-up. */
int limits_raise(const World *w, pid_t pid, Error *reterr) {
        for (size_t i = 0; i < w->n_limits; i++) {
                struct rlimit want = limit_value(w->limits + i), now;
                rlim_t host;

                if (prlimit(pid, w->limits[i].resource, NULL, &now) < 0)
                        return error_set_errno(reterr, -errno, "cannot read resource limit %s", rlimit_name(w->limits[i].resource));
                if (now.rlim_max >= want.rlim_max)
                        continue;
                host = now.rlim_max;
                now.rlim_max = want.rlim_max;
                if (prlimit(pid, w->limits[i].resource, &now, NULL) < 0)
                        return error_set_errno(reterr, -errno, "cannot set resource limit %s to %s, the host's is %llu",
                                rlimit_name(w->limits[i].resource), limit_text(w->limits + i).text, (unsigned long long) host);
        }
        return 0;
}

int limits_apply(const World *w, Error *reterr) {
        for (size_t i = 0; i < w->n_limits; i++) {
                struct rlimit want = limit_value(w->limits + i);

                if (setrlimit(w->limits[i].resource, &want) < 0)
                        return error_set_errno(reterr, -errno, "cannot set resource limit %s to %s", rlimit_name(w->limits[i].resource),
                                limit_text(w->limits + i).text);
        }
        return 0;
}

int keyring_join(const World *w, Error *reterr) {
        char name[256];

        (void) snprintf(name, sizeof(name), "berth.%s.%s", w->app, w->instance);
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0) < 0 && errno != ENOSYS)
                return error_set_errno(reterr, -errno, "cannot make a session keyring");
        return 0;
}
