/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "run/cgroup.h"
#include "util/fd.h"
#include "util/strv.h"

#define CGROUP_FILE_MAX (1024U * 1024)
#define CGROUP_DEPTH_MAX 32

int cgroup_open_of_pid(pid_t pid, char **ret_path) {
        _cleanup_free_ char *text = NULL, *path = NULL;
        char file[64], *rest, *line;
        int fd, r;

        (void) snprintf(file, sizeof(file), "/proc/%d/cgroup", (int) pid);
        r = read_file(AT_FDCWD, file, CGROUP_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                const char *below = str_after(line, "0::");

                if (!below)
                        continue;
                path = str_format(CGROUP_ROOT "%s", below);
                if (!path)
                        return -ENOMEM;
                fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (fd < 0)
                        return -errno;
                if (ret_path) {
                        *ret_path = strdup(below);
                        if (!*ret_path) {
                                fd_close(fd);
                                return -ENOMEM;
                        }
                }
                return fd;
        }
        return -ENODATA;
}

typedef int (*pid_visitor)(pid_t pid, void *userdata);

/* Calls visit for each process in the group and in those below it until it returns nonzero, which is returned. */
static int cgroup_visit(int cgroup, unsigned depth, pid_visitor visit, void *userdata) {
        _cleanup_free_ char *text = NULL;
        _cleanup_closedir_ DIR *d = NULL;
        char *rest, *line;
        int r;

        r = read_file(cgroup, "cgroup.procs", CGROUP_FILE_MAX, &text, NULL);
        if (r < 0 && r != -EOPNOTSUPP) /* a threaded group has no list of its own */
                return r == -ENODEV || r == -ENOENT ? 0 : r;
        rest = text;
        while (rest && (line = strsep(&rest, "\n"))) {
                uint64_t pid;

                if (parse_u64(line, INT32_MAX, &pid) < 0 || pid == 0)
                        continue;
                r = visit((pid_t) pid, userdata);
                if (r != 0)
                        return r;
        }
        if (dir_open(cgroup, ".", &d) < 0)
                return 0;
        r = 0;
        for (struct dirent *entry; r == 0 && depth < CGROUP_DEPTH_MAX && (entry = readdir(d));) {
                _cleanup_close_ int child = -EBADF;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                child = openat(dirfd(d), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (child >= 0)
                        r = cgroup_visit(child, depth + 1, visit, userdata);
        }
        return r;
}

static bool process_handles(pid_t pid, int signal) {
        _cleanup_free_ char *text = NULL;
        uint64_t handled = 0;
        char file[64], *rest, *line;

        (void) snprintf(file, sizeof(file), "/proc/%d/status", (int) pid);
        if (read_file(AT_FDCWD, file, 65536, &text, NULL) < 0)
                return false;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                const char *mask = str_after(line, "SigCgt:");

                if (!mask)
                        mask = str_after(line, "SigBlk:");
                if (mask)
                        handled |= strtoull(mask, NULL, 16);
        }
        return handled & UINT64_C(1) << (signal - 1);
}

typedef struct Search {
        pid_t leader;
        int signal;
} Search;

static int visit_handles(pid_t pid, void *userdata) {
        const Search *s = userdata;

        return pid != s->leader && process_handles(pid, s->signal);
}

int cgroup_catcher(int cgroup, pid_t leader, int signal) {
        Search s = { .leader = leader, .signal = signal };
        int r;

        if (signal == SIGKILL)
                return CATCHER_NONE;
        if (process_handles(leader, signal))
                return CATCHER_LEADER;
        r = cgroup_visit(cgroup, 0, visit_handles, &s);
        return r < 0 ? r : r > 0 ? CATCHER_OTHERS : CATCHER_NONE;
}

static int visit_signal(pid_t pid, void *userdata) {
        (void) kill(pid, *(int *) userdata);
        return 0;
}

int cgroup_signal(int cgroup, int signal) {
        return cgroup_visit(cgroup, 0, visit_signal, &signal);
}

typedef struct SocketSearch {
        const uint64_t *inodes;
        size_t n;
} SocketSearch;

static bool is_searched(const SocketSearch *s, const char *link) {
        const char *number = str_after(link, "socket:[");
        uint64_t inode = number ? strtoull(number, NULL, 10) : 0;

        for (size_t k = 0; number && k < s->n; k++)
                if (s->inodes[k] == inode)
                        return true;
        return false;
}

static int visit_sockets(pid_t pid, void *userdata) {
        _cleanup_closedir_ DIR *d = NULL;
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/fd", (int) pid);
        if (dir_open(AT_FDCWD, path, &d) < 0)
                return 0;
        for (struct dirent *entry; (entry = readdir(d));) {
                char link[64];
                ssize_t n = readlinkat(dirfd(d), entry->d_name, link, sizeof(link) - 1);

                link[MAX(n, 0)] = 0;
                if (is_searched(userdata, link))
                        return 1;
        }
        return 0;
}

int cgroup_has_socket(int cgroup, const uint64_t *inodes, size_t n) {
        SocketSearch s = { .inodes = inodes, .n = n };

        return cgroup_visit(cgroup, 0, visit_sockets, &s);
}

int cgroup_kill(int cgroup) {
        int r = write_existing(cgroup, "cgroup.kill", "1");

        return r == -ENOENT || r == -ENODEV ? 0 : r; /* all are gone, and the group with them */
}

int cgroup_oom_kills(int cgroup, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r;

        r = read_file(cgroup, "memory.events", 65536, &text, NULL);
        if (r < 0)
                return r;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                const char *count = str_after(line, "oom_kill ");

                if (count)
                        return parse_u64(count, UINT64_MAX, ret);
        }
        return -ENODATA;
}
