/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/world.h"
#include "suite.h"
#include "util/fd.h"
#include "util/strv.h"

static World world_full(void) {
        World w = { 0 };

        w.app = strdup("shop");
        w.instance = strdup("web.1");
        ck_assert_int_eq(strv_append(&w.layers, "/layers/top"), 0);
        ck_assert_int_eq(strv_append(&w.layers, "/layers/bottom"), 0);
        w.upper = strdup("/upper");
        w.read_only = w.user_namespace = true;
        w.uid_map = calloc(1, sizeof(IdMap));
        w.gid_map = calloc(2, sizeof(IdMap));
        w.uid_map[0] = (IdMap){ 0, 600000, 65536 };
        w.gid_map[0] = (IdMap){ 0, 600000, 1 };
        w.gid_map[1] = (IdMap){ 1, 700000, 65535 };
        w.n_uid_map = 1;
        w.n_gid_map = 2;
        w.mounts = calloc(2, sizeof(WorldMount));
        w.n_mounts = 2;
        w.mounts[0] = (WorldMount){ .type = WORLD_MOUNT_BIND, .source = strdup("/srv"), .target = strdup("/data"),
                .attributes = MOUNT_ATTR_NODEV, .idmap = true, .copy_up = true };
        w.mounts[1] = (WorldMount){ .type = WORLD_MOUNT_TMPFS, .target = strdup("/run"), .options = strdup("") };
        w.files = calloc(1, sizeof(WorldFile));
        w.n_files = 1;
        w.files[0] = (WorldFile){ .target = strdup("/etc/hosts"), .content = malloc(3), .size = 3, .mode = 0644 };
        memcpy(w.files[0].content, "a\0b", 3);
        w.devices = calloc(1, sizeof(WorldDevice));
        w.n_devices = 1;
        w.devices[0] = (WorldDevice){ .source = strdup("/dev/fuse"), .target = strdup("/dev/fuse"), .read = true };
        w.limits = calloc(1, sizeof(WorldLimit));
        w.n_limits = 1;
        w.limits[0] = (WorldLimit){ 7, 1024, UINT64_MAX };
        ck_assert_int_eq(strv_append(&w.argv, "nginx"), 0);
        ck_assert_int_eq(strv_append(&w.argv, ""), 0);
        w.capabilities = UINT64_C(1) << 40;
        w.oom_score_adj_set = true;
        w.oom_score_adj = -500;
        return w;
}

static int memory_file(const void *data, size_t size) {
        int fd = memfd_create("world", MFD_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        if (data)
                ck_assert_int_eq(write_all(fd, data, size), 0);
        return fd;
}

START_TEST(what_is_written_is_read_back) {
        World w = world_full(), back = { 0 };
        _cleanup_close_ int fd = memory_file(NULL, 0);
        Error error = { 0 };

        ck_assert_int_eq(world_write(&w, fd), 0);
        ck_assert_msg(world_read(fd, &back, &error) == 0, "%s", error.text);
        ck_assert_str_eq(back.app, "shop");
        ck_assert_str_eq(back.layers[1], "/layers/bottom");
        ck_assert_ptr_null(back.layers[2]);
        ck_assert_ptr_null(back.rootfs);
        ck_assert(back.read_only && back.user_namespace && !back.network_namespace);
        ck_assert_uint_eq(back.gid_map[1].outside, 700000);
        ck_assert_str_eq(back.mounts[0].source, "/srv");
        ck_assert(back.mounts[0].copy_up && back.mounts[0].idmap && !back.mounts[0].own);
        ck_assert_uint_eq(back.mounts[0].attributes, MOUNT_ATTR_NODEV);
        ck_assert_str_eq(back.mounts[1].options, "");
        ck_assert_ptr_null(back.mounts[1].subpath);
        ck_assert_uint_eq(back.files[0].size, 3);
        ck_assert_mem_eq(back.files[0].content, "a\0b", 3);
        ck_assert(back.devices[0].read && !back.devices[0].write);
        ck_assert_uint_eq(back.limits[0].hard, UINT64_MAX);
        ck_assert_str_eq(back.argv[1], "");
        ck_assert_ptr_null(back.argv[2]);
        ck_assert_uint_eq(back.capabilities, UINT64_C(1) << 40);
        ck_assert_int_eq(back.oom_score_adj, -500);
        world_clear(&w);
        world_clear(&back);
}
END_TEST

START_TEST(every_cut_is_refused) {
        World w = world_full(), back = { 0 };
        _cleanup_close_ int fd = memory_file(NULL, 0);
        _cleanup_free_ char *data = NULL;
        size_t size;

        ck_assert_int_eq(world_write(&w, fd), 0);
        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
        ck_assert_int_eq(read_fd(fd, 1 << 20, &data, &size), 0);
        for (size_t cut = 0; cut < size; cut++) {
                _cleanup_close_ int part = memory_file(data, cut);
                Error error = { 0 };

                ck_assert_int_lt(world_read(part, &back, &error), 0);
                ck_assert_int_lt(error.code, 0);
        }
        world_clear(&w);
}
END_TEST

/* With AddressSanitizer this finds what a changed length would read or write. */
START_TEST(no_changed_byte_breaks_the_reader) {
        static const unsigned char changes[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
        World w = world_full();
        _cleanup_close_ int fd = memory_file(NULL, 0);
        _cleanup_free_ char *data = NULL;
        size_t size;

        ck_assert_int_eq(world_write(&w, fd), 0);
        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
        ck_assert_int_eq(read_fd(fd, 1 << 20, &data, &size), 0);
        for (size_t i = 0; i < size; i++)
                for (size_t j = 0; j < ELEMENTSOF(changes); j++) {
                        _cleanup_close_ int copy = -EBADF;
                        World back = { 0 };
                        char kept = data[i];

                        data[i] = (char) changes[j];
                        copy = memory_file(data, size);
                        if (world_read(copy, &back, NULL) >= 0) {
                                ck_assert_ptr_nonnull(back.argv[0]);
                                world_clear(&back);
                        }
                        data[i] = kept;
                }
        world_clear(&w);
}
END_TEST

START_TEST(what_is_incomplete_is_refused) {
        World w = world_full(), back = { 0 };
        _cleanup_close_ int fd = memory_file(NULL, 0), pipe_like = -EBADF;
        Error error = { 0 };

        free(w.mounts[0].target);
        w.mounts[0].target = strdup("data");
        ck_assert_int_eq(world_write(&w, fd), 0);
        ck_assert_int_eq(world_read(fd, &back, &error), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(error.text, "mount 0"));
        pipe_like = open("/dev/zero", 0);
        ck_assert_int_eq(world_read(pipe_like, &back, &error), -EBADF);
        world_clear(&w);
}
END_TEST

int main(void) {
        Suite *s = suite_create("sandbox-world");
        TCase *c = tcase_create("world");

        tcase_set_timeout(c, 60);
        tcase_add_test(c, what_is_written_is_read_back);
        tcase_add_test(c, every_cut_is_refused);
        tcase_add_test(c, no_changed_byte_breaks_the_reader);
        tcase_add_test(c, what_is_incomplete_is_refused);
        suite_add_tcase(s, c);
        return suite_run(s);
}
