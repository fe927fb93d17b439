/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root, its layers, and the kernel's own file systems in it; each way of older kernels forced. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "box.h"
#include "util/fd.h"
#include "util/strv.h"

/* NULL: whatever is best on this kernel. */
static const char *const fallbacks[] = { NULL, "overlay-name", "overlay-mount" };

static void force(const char *fallback) {
        if (fallback)
                ck_assert_int_eq(setenv("BERTH_SYSCALL_FALLBACK", fallback, 1), 0);
        else
                ck_assert_int_eq(unsetenv("BERTH_SYSCALL_FALLBACK"), 0);
}

START_TEST(nothing_but_its_own_mounts_is_there) {
        static const char *const allowed[] = { "/", "/proc", "/proc/acpi", "/proc/asound", "/proc/bus", "/proc/fs",
                "/proc/interrupts", "/proc/irq", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
                "/proc/scsi", "/proc/sys", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/timer_stats", "/sys",
                "/sys/dev/block", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/cgroup", "/sys/fs/selinux",
                "/dev", "/dev/pts", "/dev/mqueue", "/dev/shm" };
        World w = box_world();
        _cleanup_free_ char *info = box_ask(&w, "cat /proc/self/mountinfo");
        char *rest = info;
        size_t n = 0;

        for (char *line; (line = strsep(&rest, "\n")) && *line;) {
                char where[256], options[256];
                bool found = false;

                ck_assert_int_eq(sscanf(line, "%*u %*u %*s %*s %255s %255s", where, options), 2);
                for (size_t i = 0; i < ELEMENTSOF(allowed); i++)
                        found = found || streq(allowed[i], where);
                ck_assert_msg(found, "a mount of the host: %s", line);
                ck_assert_msg(!strstr(line, "shared:") && !strstr(line, "master:"), "not private: %s", line);
                /* But for a root that is a bind mount of its one layer. */
                ck_assert_msg(streq(where, "/") || !strstr(line, box_directory), "it shows where the host keeps things: %s", line);
                n++;
        }
        ck_assert_uint_ge(n, 7);
}
END_TEST

START_TEST(proc_sys_and_cgroup_are_its_own_and_cannot_change_the_host) {
        World w = box_world();

        box_check(&w, { "open /proc/sys/kernel/core_pattern w", "denied" }, { "open /proc/sys/vm/drop_caches w", "denied" },
                { "open /sys/power/state w", "denied" },
                { "mkdir /sys/fs/cgroup/x", "denied" },
                { "open /sys/fs/cgroup/cgroup.procs w", "denied" }, { "cat /proc/self/cgroup", NULL },
                { "list /sys/firmware", "" }, { "list /proc/acpi", NULL }, { "cat /proc/keys", "" },
                { "cat /proc/timer_list", "" }, { "cat /proc/interrupts", "" }, { "list /sys/dev/block", "" },
                { "mkdir /sys/firmware/x", "denied" }, { "chmod /sys/firmware 777", "denied" },
                { "stat /proc/1/exe", NULL });
        w.user_namespace = false;
        box_check(&w, { "open /proc/sys/kernel/core_pattern w", "denied" },
                { "open /sys/power/state w", "denied" }, { "mkdir /sys/fs/cgroup/x", "denied" }, { "list /sys/firmware", "" },
                { "cat /proc/keys", "" }, { "chmod /sys/firmware 777", "denied" });
}
END_TEST

START_TEST(the_cgroup_namespace_begins_at_its_cgroup) {
        World w = box_world();
        _cleanup_free_ char *groups = box_ask(&w, "cat /proc/self/cgroup");

        ck_assert_msg(strstr(groups, "0::/\n") != NULL, "%s", groups);
}
END_TEST

START_TEST(masks_are_added_and_left_out) {
        World w = box_world();

        w.mask = (char *[]){ (char *) "/srv", (char *) "/etc/passwd", (char *) "/not/there", NULL };
        w.unmask = (char *[]){ (char *) "/proc/k*", (char *) "/sys/firmware", NULL };
        box_write("layer/srv/file", "x", 0644);
        box_check(&w, { "list /srv", "" }, { "cat /etc/passwd", "" }, { "open /etc/passwd w", "ok" },
                { "cat /proc/keys", NULL }, { "cat /proc/timer_list", "" });
        w.mask = NULL;
        w.unmask = (char *[]){ (char *) "ALL", NULL };
        box_check(&w, { "open /proc/sys/kernel/msgmax w", "ok" }, { "open /proc/timer_list r", NULL });
}
END_TEST

START_TEST(dev_has_the_usual_nodes_and_they_work) {
        World w = box_world();

        box_check(&w, { "list /dev", "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero " },
                { "stat /dev/null", "020666 0:0 1:3" }, { "stat /dev/zero", "020666 0:0 1:5" },
                { "stat /dev/full", "020666 0:0 1:7" }, { "stat /dev/random", "020666 0:0 1:8" },
                { "stat /dev/urandom", "020666 0:0 1:9" }, { "stat /dev/tty", "020666 0:0 5:0" },
                { "stat /dev/shm", "041777 0:0 0:0" }, { "stat /dev/mqueue", "041777 0:0 0:0" },
                { "stat /dev", "040755 0:0 0:0" }, { "write /dev/null x", "ok" }, { "write /dev/full x", "ENOSPC" },
                { "open /dev/random r", "ok" }, { "open /dev/tty r", "ENXIO" }, { "open /dev/ptmx w", "ok" },
                { "write /dev/shm/x y", "ok" }, { "link /dev/ptmx", "pts/ptmx" }, { "link /dev/fd", "/proc/self/fd" },
                { "stat /dev/pts", NULL }, { "write /dev/x y", "ok" });
}
END_TEST

START_TEST(devices_are_added_with_their_rights) {
        WorldDevice devices[] = {
                { .source = (char *) "/dev/zero", .target = (char *) "/dev/deep/zero", .read = true },
                { .source = (char *) "/dev/null", .target = (char *) "/dev/nil", .read = true, .write = true },
        };
        World w = box_world();

        w.devices = devices;
        w.n_devices = ELEMENTSOF(devices);
        box_check(&w, { "stat /dev/deep/zero", "020444 0:0 1:5" }, { "stat /dev/deep", "040755 0:0 0:0" },
                { "stat /dev/nil", "020666 0:0 1:3" }, { "write /dev/nil x", "ok" });
        devices[0].source = (char *) "/etc/passwd";
        box_fails_with(&w, "device '/etc/passwd'", "not a device node");
        devices[0].source = (char *) "/dev/not-there";
        box_fails_with(&w, "device '/dev/not-there'", "No such file");
        devices[0] = devices[1];
        devices[0].target = (char *) "/dev/../etc/x";
        box_fails_with(&w, "'/dev/../etc/x'", "below /dev");
}
END_TEST

START_TEST(a_root_without_an_upper_cannot_be_written) {
        World w = box_world();

        box_check(&w, { "write /x y", "EROFS" }, { "mkdir /srv/x", "EROFS" }, { "open /etc/passwd w", "EROFS" },
                { "cat /etc/group", NULL }, { "stat /", "040755 0:0 0:0" }, { "stat /tmp", "041777 0:0 0:0" });
        /* With everything in place there is no overlay at all. */
        {
                _cleanup_free_ char *info = box_ask(&w, "cat /proc/self/mountinfo");

                ck_assert_ptr_null(strstr(info, "overlay"));
        }
}
END_TEST

START_TEST(missing_mount_points_leave_their_parents_as_they_are) {
        World w = box_world();
        WorldFile file = { .target = (char *) "/srv/private/secret", .content = (char *) "s", .size = 1, .mode = 0400 };

        box_mkdir("layer/srv/private", 0750);
        ck_assert_int_eq(chown(box_path("layer/srv/private"), 33, 34), 0);
        ck_assert_int_eq(rmdir(box_path("layer/proc")), 0);
        w.files = &file;
        w.n_files = 1;
        for (size_t i = 0; i < ELEMENTSOF(fallbacks); i++) {
                force(fallbacks[i]);
                box_check(&w, { "stat /srv/private", "040750 33:34 0:0" }, { "stat /srv/private/secret", "100400 0:0 0:0" },
                        { "cat /srv/private/secret", "s" }, { "write /srv/x y", "EROFS" }, { "open /etc/passwd w", "EROFS" },
                        { "write /srv/private/secret x", "EROFS" }, { "stat /", "040755 0:0 0:0" });
        }
        ck_assert_int_lt(access(box_path("layer/srv/private/secret"), F_OK), 0);
        ck_assert_int_lt(access(box_path("layer/proc"), F_OK), 0);
}
END_TEST

START_TEST(a_root_with_an_upper_takes_writes_and_deletions) {
        World w = box_world();

        for (size_t i = 0; i < ELEMENTSOF(fallbacks); i++) {
                force(fallbacks[i]);
                box_upper(&w);
                box_check(&w, { "write /x y", "ok" }, { "cat /x", "y" }, { "stat /x", "100644 0:0 0:0" },
                        { "open /etc/passwd w", "ok" }, { "chown /etc/group 33 34", "ok" }, { "mkdir /srv/d", "ok" },
                        { "stat /etc/group", "100644 33:34 0:0" }, { "stat /", "040755 0:0 0:0" },
                        { "open /bin/probe w", "ETXTBSY" });
                ck_assert_uint_eq(box_stat("instance/upper/x").st_uid, BOX_ID);
                ck_assert_uint_eq(box_stat("instance/upper/etc/group").st_uid, BOX_ID + 33);
                ck_assert_uint_eq(box_stat("layer/etc/group").st_uid, 0);
                box_upper(&w);
                w.read_only = true;
                box_check(&w, { "write /x y", "EROFS" });
                w.read_only = false;
        }
}
END_TEST

START_TEST(read_only_with_temporary_directories) {
        World w = box_world();
        WorldMount tmp = { .type = WORLD_MOUNT_TMPFS, .target = (char *) "/tmp", .options = (char *) "mode=700" };

        w.read_only = w.read_only_tmpfs = true;
        box_mkdir("layer/run/lock", 01777);
        box_check(&w, { "write /x y", "EROFS" }, { "write /tmp/x y", "ok" }, { "write /run/x y", "ok" },
                { "write /var/tmp/x y", "ok" }, { "stat /run", "040755 0:0 0:0" }, { "stat /tmp", "041777 0:0 0:0" },
                { "stat /run/lock", "041777 0:0 0:0" });
        w.mounts = &tmp;
        w.n_mounts = 1;
        box_check(&w, { "write /tmp/x y", "ok" }, { "stat /tmp", "040700 0:0 0:0" });
}
END_TEST

static void check_layers(size_t count) {
        char *layers[130] = { NULL };
        World w = box_world();

        ck_assert_uint_lt(count, ELEMENTSOF(layers));
        for (size_t i = 0; i < count; i++) {
                char name[64], file[96], text[32];

                (void) snprintf(name, sizeof(name), "layer-%zu", i);
                if (access(box_path(name), F_OK) < 0)
                        box_mkdir(name, 0755);
                (void) snprintf(file, sizeof(file), "%s/only-%zu", name, i);
                (void) snprintf(text, sizeof(text), "%zu", i);
                box_write(file, text, 0644);
                (void) snprintf(file, sizeof(file), "%s/all", name);
                box_write(file, text, 0644);
                ck_assert_int_ge(asprintf(&layers[i], "%s/%s", box_directory, name), 0);
        }
        free(layers[count - 1]);
        layers[count - 1] = strdup(box_path("layer")); /* the lowest has the probe */
        w.layers = layers;
        for (size_t i = 0; i < ELEMENTSOF(fallbacks); i++) {
                char middle[64], result[32];

                (void) snprintf(middle, sizeof(middle), "cat /only-%zu", count / 2);
                (void) snprintf(result, sizeof(result), "%zu", count / 2);
                force(fallbacks[i]);
                box_check(&w, { "cat /all", "0" }, { "cat /only-0", "0" }, { middle, result },
                        { "cat /etc/group", "root:x:0:" }, { "write /x y", "EROFS" });
                box_upper(&w);
                box_check(&w, { "cat /all", "0" }, { middle, result }, { "write /all new", "ok" }, { "cat /all", "new" });
                w.upper = NULL;
        }
        for (size_t i = 0; i < count; i++)
                free(layers[i]);
}

START_TEST(a_few_layers_in_every_way) {
        check_layers(3);
}
END_TEST

START_TEST(a_hundred_and_twenty_eight_layers_in_every_way) {
        check_layers(128);
}
END_TEST

START_TEST(whiteouts_and_opaque_directories_of_layers_count) {
        World w = box_world();
        char *layers[] = { box_path("over"), w.layers[0], NULL };

        box_write("layer/srv/below", "x", 0644);
        box_mkdir("over", 0755);
        box_mkdir("over/etc", 0755);
        ck_assert_int_eq(mknod(box_path("over/etc/group"), S_IFCHR, makedev(0, 0)), 0);
        box_mkdir("over/srv", 0711);
        ck_assert_int_eq(setxattr(box_path("over/srv"), "trusted.overlay.opaque", "y", 1, 0), 0);
        w.layers = layers;
        for (size_t i = 0; i < ELEMENTSOF(fallbacks); i++) {
                force(fallbacks[i]);
                box_check(&w, { "stat /etc/group", "ENOENT" }, { "stat /etc/passwd", "100644 0:0 0:0" }, { "list /srv", "" },
                        { "stat /srv", "040711 0:0 0:0" });
        }
}
END_TEST

START_TEST(a_directory_as_root) {
        World w = box_world();

        w.rootfs = box_path("layer");
        w.layers = NULL;
        box_check(&w, { "write /srv/x y", "ok" }, { "stat /srv/x", "100644 0:0 0:0" }, { "mkdir /new", "ok" });
        ck_assert_uint_eq(box_stat("layer/srv/x").st_uid, 0);
        w.read_only = true;
        box_check(&w, { "write /srv/y y", "EROFS" }, { "cat /srv/x", "y" });
        w.read_only = false;
        w.rootfs_overlay = true;
        box_upper(&w);
        box_check(&w, { "write /srv/z y", "ok" });
        ck_assert_int_lt(access(box_path("layer/srv/z"), F_OK), 0);
        w.rootfs_overlay = false;
        w.upper = NULL;
        w.user_namespace = false;
        box_check(&w, { "write /srv/host y", "ok" });
}
END_TEST

START_TEST(without_a_user_namespace_ids_are_the_hosts) {
        World w = box_world();

        w.user_namespace = false;
        for (size_t i = 0; i < 2; i++) {
                w.network_namespace = i > 0;
                box_upper(&w);
                box_check(&w, { "write /x y", "ok" }, { "stat /x", "100644 0:0 0:0" }, { "stat /dev/null", "020666 0:0 1:3" });
        }
        ck_assert_uint_eq(box_stat("instance/upper/x").st_uid, 0);
}
END_TEST

START_TEST(the_hosts_network_with_ids_of_its_own) {
        World w = box_world();

        w.network_namespace = false;
        box_check(&w, { "list /sys/class/net", NULL }, { "open /sys/power/state w", "denied" },
                { "open /sys/fs/cgroup/cgroup.procs w", "denied" }, { "list /sys/firmware", "" },
                { "loopback", "up" });
}
END_TEST

START_TEST(several_id_ranges_and_small_ones) {
        IdMap map[] = { { 0, 700000, 1 }, { 1, 800000, 40 } };
        World w = box_world();

        w.uid_map = w.gid_map = map;
        w.n_uid_map = w.n_gid_map = 2;
        ck_assert_int_eq(chown(box_path("layer/etc/group"), 33, 34), 0);
        ck_assert_int_eq(chown(box_path("layer/etc/passwd"), 1000, 1000), 0);
        box_upper(&w);
        box_check(&w, { "stat /etc/group", "100644 33:34 0:0" }, { "stat /etc/passwd", "100644 65534:65534 0:0" },
                { "write /x y", "ok" }, { "open /etc/passwd w", NULL }, { "chown /x 33 34", "ok" });
        ck_assert_uint_eq(box_stat("instance/upper/x").st_uid, 800032);
        box_upper(&w);
        w.user = (char *) "5000";
        box_fails_with(&w, "cannot become", "5000");
}
END_TEST

START_TEST(files_of_the_instance_do_not_touch_the_image) {
        WorldFile files[] = {
                { .target = (char *) "/etc/hosts", .content = (char *) "127.0.0.1 box", .size = 13, .mode = 0644 },
                { .target = (char *) "/etc/hostname", .content = (char *) "box", .size = 3, .mode = 0644, .writable = true },
                { .target = (char *) "/run/secrets/key", .content = (char *) "k", .size = 1, .mode = 0440, .uid = 33, .gid = 34 },
        };
        World w = box_world();

        w.files = files;
        w.n_files = ELEMENTSOF(files);
        box_upper(&w);
        box_check(&w, { "cat /etc/hosts", "127.0.0.1 box" }, { "open /etc/hosts w", "EROFS" },
                { "write /etc/hostname new", "ok" }, { "stat /run/secrets/key", "100440 33:34 0:0" },
                { "stat /etc/hosts", "100644 0:0 0:0" });
        ck_assert_int_eq(box_stat("instance/upper/etc/hosts").st_size, 0); /* the mount point */
        w.upper = NULL;
        box_check(&w, { "cat /etc/hosts", "127.0.0.1 box" }, { "cat /run/secrets/key", "k" });
        /* Through a link of the image, as systemd images have it for resolv.conf. */
        files[0].target = (char *) "/etc/resolv.conf";
        ck_assert_int_eq(symlink("../run/resolve/stub", box_path("layer/etc/resolv.conf")), 0);
        box_mkdir("layer/run/resolve", 0755);
        box_check(&w, { "cat /run/resolve/stub", "127.0.0.1 box" }, { "link /etc/resolv.conf", "../run/resolve/stub" });
}
END_TEST

static void add(TCase *c) {
        tcase_add_test(c, nothing_but_its_own_mounts_is_there);
        tcase_add_test(c, proc_sys_and_cgroup_are_its_own_and_cannot_change_the_host);
        tcase_add_test(c, the_cgroup_namespace_begins_at_its_cgroup);
        tcase_add_test(c, masks_are_added_and_left_out);
        tcase_add_test(c, dev_has_the_usual_nodes_and_they_work);
        tcase_add_test(c, devices_are_added_with_their_rights);
        tcase_add_test(c, a_root_without_an_upper_cannot_be_written);
        tcase_add_test(c, missing_mount_points_leave_their_parents_as_they_are);
        tcase_add_test(c, a_root_with_an_upper_takes_writes_and_deletions);
        tcase_add_test(c, read_only_with_temporary_directories);
        tcase_add_test(c, a_few_layers_in_every_way);
        tcase_add_test(c, a_hundred_and_twenty_eight_layers_in_every_way);
        tcase_add_test(c, whiteouts_and_opaque_directories_of_layers_count);
        tcase_add_test(c, a_directory_as_root);
        tcase_add_test(c, without_a_user_namespace_ids_are_the_hosts);
        tcase_add_test(c, the_hosts_network_with_ids_of_its_own);
        tcase_add_test(c, several_id_ranges_and_small_ones);
        tcase_add_test(c, files_of_the_instance_do_not_touch_the_image);
}

int main(void) {
        return box_main("sandbox-root", add);
}
