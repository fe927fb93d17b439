/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* helper-run LAYER SECCOMP CMD…: what the supervisor does for one instance, without systemd: an upper directory, berth-helper on a
 * world with all that berth takes for granted, GO as soon as the process is known, and its end. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drive.h"
#include "util/fd.h"

#define ID_BASE 600000
#define CAPABILITIES UINT64_C(0x800405fb) /* Podman's default set */

static int upper_make(char *directory) {
        char path[256];

        if (!mkdtemp(directory))
                return -errno;
        (void) snprintf(path, sizeof(path), "%s/upper", directory);
        if (mkdir(path, 0755) < 0)
                return -errno;
        (void) snprintf(path, sizeof(path), "%s/work", directory);
        return mkdir(path, 0700) < 0 ? -errno : 0;
}

int main(int argc, char *argv[]) {
        char directory[] = "/var/tmp/berth-bench.XXXXXX", *env[] = { (char *) "PATH=/usr/bin:/bin", NULL };
        IdMap map = { 0, ID_BASE, 65536 };
        Drive d = DRIVE_INIT;
        World w = {
                .app = (char *) "bench", .instance = (char *) "1", .hostname = (char *) "bench", .env = env,
                .user_namespace = true, .network_namespace = true, .capabilities = CAPABILITIES,
                .uid_map = &map, .gid_map = &map, .n_uid_map = 1, .n_gid_map = 1, .upper = directory,
        };
        int r;

        if (argc < 4) {
                fputs("usage: helper-run LAYER SECCOMP CMD…\n", stderr);
                return 2;
        }
        w.layers = (char *[]){ argv[1], NULL };
        w.argv = argv + 3;
        d.seccomp = open(argv[2], O_RDONLY | O_CLOEXEC);
        d.stdout_fd = STDOUT_FILENO;
        r = d.seccomp < 0 ? -errno : upper_make(directory);
        if (r >= 0)
                r = drive_run(&d, &w);
        (void) remove_tree(AT_FDCWD, directory);
        if (r < 0 || d.status != 0) {
                fprintf(stderr, "helper-run: %s\n", r < 0 && !*d.error.text ? strerror(-r) : d.error.text);
                return 1;
        }
        return 0;
}
