/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ways out: by link, by /proc/self/exe, by device, by cgroup, by setns; the last ones with every capability of the user
 * namespace, which a spec can give. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "box.h"
#include "util/capability.h"

START_TEST(links_of_the_image_end_in_the_image) {
        WorldMount m = { .type = WORLD_MOUNT_BIND, .target = (char *) "/out/data", .idmap = true };
        WorldFile file = { .target = (char *) "/out/written", .content = (char *) "x", .size = 1, .mode = 0644 };
        World w = box_world();
        char host[256], command[300];

        (void) snprintf(host, sizeof(host), "%s", box_path("host"));
        (void) snprintf(command, sizeof(command), "open %s/secret r", host);
        ck_assert_int_eq(symlink(host, box_path("layer/out")), 0);
        m.source = box_path("layer/srv");
        w.mounts = &m;
        w.n_mounts = 1;
        w.files = &file;
        w.n_files = 1;
        /* The link dangles inside, and nothing is made through it on either side. */
        box_fails_with(&w, "/out/data");
        w.n_mounts = w.n_files = 0;
        box_check(&w, { command, "ENOENT" }, { "open /out/secret r", "ENOENT" }, { "open /../../etc/hostname r", "ENOENT" });
        ck_assert_int_lt(access(box_path("host/data"), F_OK), 0);
        ck_assert_int_lt(access(box_path("host/written"), F_OK), 0);
}
END_TEST

START_TEST(proc_cannot_be_put_elsewhere) {
        World w = box_world();

        ck_assert_int_eq(rmdir(box_path("layer/proc")), 0);
        ck_assert_int_eq(symlink("/tmp", box_path("layer/proc")), 0);
        box_fails_with(&w, "'/proc'", "not a directory");
}
END_TEST

START_TEST(device_nodes_of_a_layer_do_not_open) {
        World w = box_world();
        struct stat st;

        ck_assert_int_eq(stat("/", &st), 0);
        ck_assert_int_eq(mknod(box_path("layer/srv/disk"), S_IFBLK | 0666, st.st_dev), 0);
        ck_assert_int_eq(mknod(box_path("layer/srv/null"), S_IFCHR | 0666, makedev(1, 3)), 0);
        for (size_t i = 0; i < 2; i++) {
                w.user_namespace = i == 0;
                /* The machine's own root may lack some that a user namespace has. */
                w.capabilities = w.user_namespace ? UINT64_MAX : CAPABILITIES_DEFAULT;
                box_check(&w, { "open /srv/disk r", "EACCES" }, { "open /srv/null r", "EACCES" });
        }
}
END_TEST

START_TEST(every_capability_inside_is_none_outside) {
        World w = box_world();
        char escape[300];

        (void) snprintf(escape, sizeof(escape), "breakout %s", box_path("host/secret"));
        w.capabilities = UINT64_MAX;
        box_upper(&w);
        box_check(&w, { "mknod /tmp/disk 254 0", "EPERM" }, { "mknod /dev/disk 254 0", "EPERM" },
                { "open /proc/sys/kernel/core_pattern w", "denied" }, { "setns /proc/1/ns/mnt", NULL },
                { "mkdir /tmp/cg", "ok" }, { "mount cgroup2 /tmp/cg", NULL }, { "open /tmp/cg/../../host/secret r", "ENOENT" },
                { "umount /proc/keys", NULL }, { "umount /", NULL }, { "list /", NULL }, { escape, "ENOENT" });
        box_upper(&w);
        box_check(&w, { "umount /proc/sys", NULL }, { "open /proc/sys/kernel/core_pattern w", "EACCES" },
                { "open /proc/sys/vm/drop_caches w", "EACCES" }, { "handle", NULL }, { "open /bin/probe w", "ETXTBSY" },
                { "open /proc/self/exe w", "ETXTBSY" });
}
END_TEST

START_TEST(an_init_does_not_give_the_helper_away) {
        World w = box_world();

        w.run_init = true;
        w.capabilities = UINT64_MAX;
        box_check(&w, { "open /proc/1/exe w", "denied" }, { "list /proc/1/fd", "denied" }, { "ptrace 1", "EPERM" },
                { "list /proc/1/root", "denied" });
}
END_TEST

static void add(TCase *c) {
        tcase_add_test(c, links_of_the_image_end_in_the_image);
        tcase_add_test(c, proc_cannot_be_put_elsewhere);
        tcase_add_test(c, device_nodes_of_a_layer_do_not_open);
        tcase_add_test(c, every_capability_inside_is_none_outside);
        tcase_add_test(c, an_init_does_not_give_the_helper_away);
}

int main(void) {
        return box_main("sandbox-escape", add);
}
