/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* helper-run ROOT SECCOMP CMD…: what the supervisor does for one instance, without systemd: berth-helper on a world with all that
 * berth takes for granted over a root directory, GO as soon as the process is known, and its end. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "drive.h"

#define ID_BASE 600000
#define CAPABILITIES UINT64_C(0x800405fb) /* Podman's default set */

int main(int argc, char *argv[]) {
        char *env[] = { (char *) "PATH=/usr/bin:/bin", NULL };
        IdMap map = { 0, ID_BASE, 65536 };
        Drive d = DRIVE_INIT;
        World w = {
                .app = (char *) "bench", .instance = (char *) "1", .hostname = (char *) "bench", .env = env,
                .user_namespace = true, .network_namespace = true, .capabilities = CAPABILITIES,
                .uid_map = &map, .gid_map = &map, .n_uid_map = 1, .n_gid_map = 1,
        };
        int r;

        if (argc < 4) {
                fputs("usage: helper-run ROOT SECCOMP CMD…\n", stderr);
                return 2;
        }
        w.rootfs = argv[1];
        w.argv = argv + 3;
        d.seccomp = open(argv[2], O_RDONLY | O_CLOEXEC);
        d.stdout_fd = STDOUT_FILENO;
        r = d.seccomp < 0 ? -errno : drive_run(&d, &w);
        if (r < 0 || d.status != 0) {
                fprintf(stderr, "helper-run: %s\n", r < 0 && !*d.error.text ? strerror(-r) : d.error.text);
                return 1;
        }
        return 0;
}
