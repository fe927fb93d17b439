/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A scope's control group, cgroups(7) version 2: who is in it, what it has met, and its end. */

#include <sys/types.h>

#include "util/error.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* The directory below CGROUP_ROOT that pid is in, as an O_PATH fd; *ret_path is its path below CGROUP_ROOT. */
int cgroup_open_of_pid(pid_t pid, char **ret_path);

/* What a stop signal sent to an instance would do. */
typedef enum CgroupCatcher {
        CATCHER_NONE,   /* nobody handles it: only SIGKILL ends process 1 */
        CATCHER_LEADER, /* the leader handles it */
        CATCHER_OTHERS, /* the leader does not, but another process does */
} CgroupCatcher;

/* A process handles signal when it has a handler (SigCgt of proc_pid_status(5)) or blocks it (SigBlk: it reads it by
 * sigwait(3) or signalfd(2), as init programs do). */
int cgroup_catcher(int cgroup, pid_t leader, int signal);

/* To every process in it, and in the groups below it. */
int cgroup_signal(int cgroup, int signal);
/* SIGKILL to all at once: cgroup.kill, Linux 5.14. 0 when the group is gone. */
int cgroup_kill(int cgroup);

/* 1: a process in it, or in the groups below it, has one of these sockets open; 0: none has. */
int cgroup_has_socket(int cgroup, const uint64_t *inodes, size_t n);

/* How often the OOM killer has struck in it (memory.events). -ENODEV when it is gone, -ENOENT without the controller. */
int cgroup_oom_kills(int cgroup, uint64_t *ret);
