/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "net/port.h"
#include "net/socket.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

#define TABLE_SIZE_MAX (64U << 20) /* of /proc/net/tcp */
#define CGROUP_SIZE_MAX 8192U
#define COMM_SIZE_MAX 64U

/* The next line of a table of /proc/net: proc(5). TCP lists connections, too; only what listens (0A) counts. */
static ino_t table_line_inode(const char *line, uint16_t port, bool tcp) {
        unsigned local, state;
        uint64_t inode;

        if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*d %*d %" SCNu64, &local, &state, &inode) != 3)
                return 0;
        return local == port && (!tcp || state == 0x0a) ? (ino_t) inode : 0;
}

static ino_t table_inode(const char *path, uint16_t port, bool tcp) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        ino_t inode;

        if (read_file(AT_FDCWD, path, TABLE_SIZE_MAX, &text, NULL) < 0)
                return 0;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                inode = table_line_inode(line, port, tcp);
                if (inode != 0)
                        return inode;
        }
        return 0;
}

/* The last part of the cgroup's path that is a unit's name, of what /proc/PID/cgroup says; cgroups(7). */
static const char *unit_of(char *cgroups) {
        char *line = strstr(cgroups, "0::"), *part;
        const char *unit = NULL;

        if (!line || (line != cgroups && line[-1] != '\n'))
                return NULL;
        line[strcspn(line, "\n")] = 0;
        while ((part = strsep(&line, "/")))
                if (str_ends_with(part, ".service") || str_ends_with(part, ".scope"))
                        unit = part;
        return unit;
}

static int process_describe(const char *pid, char **ret) {
        _cleanup_free_ char *path = str_format("/proc/%s/cgroup", pid), *comm_path = str_format("/proc/%s/comm", pid),
                            *cgroups = NULL, *text = NULL;
        const char *unit = NULL;

        if (!path || !comm_path)
                return -ENOMEM;
        if (read_file(AT_FDCWD, path, CGROUP_SIZE_MAX, &cgroups, NULL) >= 0)
                unit = unit_of(cgroups);
        if (unit) {
                *ret = strdup(unit);
                return *ret ? 0 : -ENOMEM;
        }
        if (read_file(AT_FDCWD, comm_path, COMM_SIZE_MAX, &text, NULL) < 0)
                return -ESRCH;
        text[strcspn(text, "\n")] = 0;
        *ret = str_format("'%s' (PID %s)", text, pid);
        return *ret ? 0 : -ENOMEM;
}

int port_find_owner(const Port *p, char **ret) {
        static const char *const tables[_SPEC_PROTOCOL_MAX][2] = {
                [SPEC_PROTOCOL_TCP] = { "/proc/net/tcp", "/proc/net/tcp6" },
                [SPEC_PROTOCOL_UDP] = { "/proc/net/udp", "/proc/net/udp6" },
        };
        _cleanup_closedir_ DIR *proc = NULL;
        ino_t inode = 0;

        for (int i = 0; i < 2 && inode == 0; i++)
                inode = table_inode(tables[p->spec.protocol][i], p->host, p->spec.protocol == SPEC_PROTOCOL_TCP);
        if (inode == 0 || dir_open(AT_FDCWD, "/proc", &proc) < 0)
                return -ESRCH;
        /* Process 1 keeps copies for its services. */
        for (struct dirent *entry; (entry = readdir(proc));)
                if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) && !streq(entry->d_name, "1") &&
                        process_has_socket(entry->d_name, inode))
                        return process_describe(entry->d_name, ret);
        return -ESRCH;
}
