/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes of every type with each of their options. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box.h"
#include "util/fd.h"

static char source[256];

/* A World with one idmapped bind of host/data on /data. */
static World volume_world(WorldMount *m) {
        World w = box_world();

        box_mkdir("host/data", 0755);
        (void) snprintf(source, sizeof(source), "%s", box_path("host/data"));
        *m = (WorldMount){ .type = WORLD_MOUNT_BIND, .source = source, .target = (char *) "/data", .idmap = true,
                .attributes = MOUNT_ATTR_NODEV };
        w.mounts = m;
        w.n_mounts = 1;
        return w;
}

START_TEST(container_root_owns_what_host_root_owns) {
        WorldMount m;
        World w = volume_world(&m);

        box_write("host/data/old", "text", 0644);
        box_check(&w, { "cat /data/old", "text" }, { "stat /data/old", "100644 0:0 0:0" }, { "write /data/new x", "ok" });
        ck_assert_uint_eq(box_stat("host/data/new").st_uid, 0);
        m.idmap = false;
        box_check(&w, { "stat /data/old", "100644 65534:65534 0:0" }, { "write /data/other x", "EACCES" });
}
END_TEST

START_TEST(a_file_system_that_cannot_map_ids_is_refused_or_left_as_it_is) {
        WorldMount m;
        World w = volume_world(&m);

        strcpy(source, "/proc/version");
        m.target = (char *) "/srv/version";
        box_fails_with(&w, "cannot mount '/proc/version' on '/srv/version'", "cannot map its ids");
        m.idmap_optional = true;
        box_check(&w, { "stat /srv/version", "100444 65534:65534 0:0" }, { "write /srv/version x", NULL });
}
END_TEST

START_TEST(options_hold) {
        WorldMount m;
        World w = volume_world(&m);

        box_write("host/data/file", "text", 0755);
        m.attributes = MOUNT_ATTR_RDONLY;
        box_check(&w, { "write /data/new x", "EROFS" }, { "cat /data/file", "text" });
        m.attributes = MOUNT_ATTR_NOEXEC;
        box_check(&w, { "exec /data/file", "EACCES" }, { "write /data/new x", "ok" });
}
END_TEST

START_TEST(subpaths_cannot_leave_the_volume) {
        WorldMount m;
        World w = volume_world(&m);

        box_mkdir("host/data/sub", 0755);
        box_write("host/data/sub/file", "in", 0644);
        m.subpath = (char *) "sub";
        box_check(&w, { "cat /data/file", "in" });
        ck_assert_int_eq(symlink("../..", box_path("host/data/up")), 0);
        m.subpath = (char *) "up";
        box_check(&w, { "cat /data/sub/file", "in" }, { "open /data/secret r", "ENOENT" });
        m.subpath = (char *) "nowhere";
        box_fails_with(&w, "on '/data'", "'nowhere'", "No such file");
}
END_TEST

START_TEST(a_single_file_and_a_missing_source) {
        WorldMount m;
        World w = volume_world(&m);

        box_write("host/data/file", "one", 0644);
        strcat(source, "/file");
        m.target = (char *) "/srv/file";
        box_check(&w, { "cat /srv/file", "one" });
        strcat(source, "-not");
        box_fails_with(&w, "cannot mount '", "file-not' on '/srv/file'", "No such file");
}
END_TEST

START_TEST(the_tree_is_given_to_the_user) {
        WorldMount m;
        World w = volume_world(&m);

        box_write("host/data/file", "x", 0644);
        w.user = (char *) "web";
        m.own = true;
        box_check(&w, { "stat /data/file", "100644 33:34 0:0" }, { "write /data/new x", "ok" });
        ck_assert_uint_eq(box_stat("host/data/file").st_uid, 33);
}
END_TEST

START_TEST(a_new_volume_starts_with_the_images_content) {
        WorldMount m;
        World w = volume_world(&m);

        box_write("layer/srv/page", "html", 0640);
        ck_assert_int_eq(chown(box_path("layer/srv/page"), 33, 34), 0);
        box_write("host/data/leftover", "x", 0644);
        m.target = (char *) "/srv";
        m.copy_up = true;
        m.attributes = MOUNT_ATTR_RDONLY;
        box_check(&w, { "list /srv", "page " }, { "stat /srv/page", "100640 33:34 0:0" }, { "write /srv/x y", "EROFS" });
        ck_assert_uint_eq(box_stat("host/data/page").st_uid, 33);
}
END_TEST

START_TEST(what_the_image_has_nothing_for_is_the_users) {
        WorldMount m;
        World w = volume_world(&m);

        m.target = (char *) "/var/new/data";
        m.copy_up = true;
        w.user = (char *) "web";
        box_upper(&w);
        w.volumes = (char *[]){ (char *) "/var/made/here", (char *) "/srv", (char *) "/var/new/data", (char *) "", (char *) "/", NULL };
        box_check(&w, { "stat /var/new/data", "040755 33:34 0:0" }, { "write /var/new/data/x y", "ok" },
                { "stat /var/made/here", "040755 33:34 0:0" }, { "stat /var/made", "040755 0:0 0:0" }, { "stat /srv", "040755 0:0 0:0" });
        ck_assert_uint_eq(box_stat("host/data/x").st_uid, 33);
}
END_TEST

START_TEST(what_contains_another_mount_comes_first) {
        WorldMount m[2];
        World w = volume_world(&m[1]);

        m[0] = (WorldMount){ .type = WORLD_MOUNT_TMPFS, .target = (char *) "/data/tmp", .options = (char *) "mode=711,size=64k",
                .attributes = MOUNT_ATTR_NOEXEC };
        w.mounts = m;
        w.n_mounts = 2;
        box_check(&w, { "stat /data/tmp", "040711 0:0 0:0" }, { "write /data/tmp/x y", "ok" }, { "write /data/x y", "ok" });
        m[0].options = (char *) "size=lots";
        box_fails_with(&w, "on '/data/tmp'", "size");
}
END_TEST

START_TEST(a_tmpfs_can_start_as_a_copy) {
        WorldMount m = { .type = WORLD_MOUNT_TMPFS, .target = (char *) "/srv", .tmpcopyup = true };
        World w = box_world();

        box_write("layer/srv/page", "html", 0644);
        w.mounts = &m;
        w.n_mounts = 1;
        box_check(&w, { "cat /srv/page", "html" }, { "write /srv/x y", "ok" });
        ck_assert_int_lt(access(box_path("layer/srv/x"), F_OK), 0);
}
END_TEST

START_TEST(layers_of_another_image_are_read_only) {
        static const char *const fallbacks[] = { "", "overlay-name", "overlay-mount" };
        char *layers[] = { strdup(box_path("other")), strdup(box_path("layer")), NULL };
        WorldMount m = { .type = WORLD_MOUNT_IMAGE, .target = (char *) "/image", .layers = layers };
        World w = box_world();

        box_mkdir("other", 0755);
        box_mkdir("other/etc", 0755);
        box_write("other/etc/new", "n", 0644);
        w.mounts = &m;
        w.n_mounts = 1;
        for (size_t i = 0; i < ELEMENTSOF(fallbacks); i++) {
                ck_assert_int_eq(setenv("BERTH_SYSCALL_FALLBACK", fallbacks[i], 1), 0);
                m.subpath = NULL;
                box_check(&w, { "cat /image/etc/new", "n" }, { "stat /image/etc/group", "100644 0:0 0:0" },
                        { "write /image/x y", "EROFS" });
                m.subpath = (char *) "etc";
                box_check(&w, { "list /image", "group new passwd " }, { "write /image/x y", "EROFS" });
        }
        free(layers[0]);
        free(layers[1]);
}
END_TEST

static void add(TCase *c) {
        tcase_add_test(c, container_root_owns_what_host_root_owns);
        tcase_add_test(c, a_file_system_that_cannot_map_ids_is_refused_or_left_as_it_is);
        tcase_add_test(c, options_hold);
        tcase_add_test(c, subpaths_cannot_leave_the_volume);
        tcase_add_test(c, a_single_file_and_a_missing_source);
        tcase_add_test(c, the_tree_is_given_to_the_user);
        tcase_add_test(c, a_new_volume_starts_with_the_images_content);
        tcase_add_test(c, what_the_image_has_nothing_for_is_the_users);
        tcase_add_test(c, what_contains_another_mount_comes_first);
        tcase_add_test(c, a_tmpfs_can_start_as_a_copy);
        tcase_add_test(c, layers_of_another_image_are_read_only);
}

int main(void) {
        return box_main("sandbox-volume", add);
}
