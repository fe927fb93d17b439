/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/acl.h"
#include "image/unpack.h"
#include "suite.h"
#include "tar-maker.h"
#include "temporary.h"
#include "util/fd.h"

static char directory[] = "/tmp/test-acl.XXXXXX";
static int layer = -EBADF, root = -EBADF;
static Buf tar;
static Error error;

static void setup(void) {
        temporary_make(directory);
        layer = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(layer, 0);
        ck_assert_int_eq(mkdirat(layer, "root", 0755), 0);
        root = openat(layer, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(root, 0);
        tar = BUF_INIT;
        error = (Error){ 0 };
}

static void teardown(void) {
        root = fd_close(root);
        layer = fd_close(layer);
        buf_clear(&tar);
        temporary_remove();
}

static ssize_t whole(void *userdata, const void **ret, Error *reterr) {
        Buf *b = userdata;
        size_t n = b->size;

        *ret = b->data;
        b->size = 0;
        return (ssize_t) n;
}

static int unpack_tar(void) {
        Buf rest = tar;
        _cleanup_blob_ Blob *blob = blob_new("test.tar", whole, NULL, &rest);
        _cleanup_stream_ Stream *stream = NULL;
        WriterCounts counts;

        tar_end(&tar);
        rest = tar;
        ck_assert_int_eq(stream_new(blob, &stream, &error), 0);
        return unpack(stream, root, layer, &counts, &error);
}

static void unpacks(void) {
        ck_assert_msg(unpack_tar() == 0, "%s", error.text);
}

static void fails(const char *why) {
        ck_assert_int_lt(unpack_tar(), 0);
        ck_assert_msg(strstr(error.text, why) != NULL, "no '%s' in: %s", why, error.text);
}

/* "u::6 u:33:4 g::4 m::6 o::0", as the kernel has it. */
static void has(const char *path, AclKind kind, const char *wanted) {
        static const char *const tags[] = { [1] = "u", [2] = "u", [4] = "g", [8] = "g", [16] = "m", [32] = "o" };
        _cleanup_close_ int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
        _cleanup_buf_ Buf text = BUF_INIT;
        unsigned char value[1024];
        ssize_t n = fgetxattr(fd, acl_attribute(kind), value, sizeof(value));

        ck_assert_int_eq(buf_puts(&text, ""), 0);
        for (ssize_t at = 4; at < n; at += 8) {
                uint32_t id;
                char number[16] = "";

                memcpy(&id, value + at + 4, sizeof(id));
                if (id != UINT32_MAX)
                        (void) snprintf(number, sizeof(number), "%u", id);
                ck_assert_int_eq(buf_printf(&text, "%s%s:%s:%u", at > 4 ? " " : "", tags[value[at]], number, value[at + 2]), 0);
        }
        ck_assert_str_eq(text.data, wanted);
}

static mode_t mode_of(const char *path) {
        struct stat st;

        ck_assert_int_eq(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW), 0);
        return st.st_mode & 07777;
}

/* bsdtar and star write the id behind the name. */
START_TEST(lists_with_ids_are_kept) {
        tar_pax(&tar, "SCHILY.acl.access", "user::rw-,group::r--,mask::rw-,other::---,user:web:r--:33,user:42:rw-,group:adm:-w-:4", -1);
        tar_add(&tar, (TarEntry){ .type = '0', .name = "file", .mode = 0660, .data = "x", .size = 1 });
        tar_pax(&tar, "SCHILY.acl.default", "user::rwx,group::r-x,other::---,mask::rwx,user:web:rwx:33", -1);
        tar_add(&tar, (TarEntry){ .type = '5', .name = "dir", .mode = 0750 });
        tar_file(&tar, "plain", "x");
        unpacks();
        has("file", ACL_ACCESS, "u::6 u:33:4 u:42:6 g::4 g:4:2 m::6 o::0");
        ck_assert_uint_eq(mode_of("file"), 0660);
        has("dir", ACL_DEFAULT, "u::7 u:33:7 g::5 m::7 o::0");
        has("dir", ACL_ACCESS, "");
        ck_assert_uint_eq(mode_of("dir"), 0750);
        has("plain", ACL_ACCESS, "");
        ck_assert_uint_eq(mode_of("plain"), 0644);
}
END_TEST

START_TEST(what_the_archive_has_in_a_directory_does_not_inherit_its_list) {
        static const unsigned char list[] = { 2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 4, 0, 5, 0, 255, 255, 255, 255,
                32, 0, 0, 0, 255, 255, 255, 255 };

        tar_pax(&tar, "SCHILY.acl.default", "user::rwx,group::r-x,other::---,mask::rwx,user:web:rwx:33", -1);
        tar_directory(&tar, "dir");
        tar_file(&tar, "dir/file", "x");
        tar_directory(&tar, "dir/below");
        tar_file(&tar, "dir/implied/file", "x");
        tar_pax(&tar, "SCHILY.xattr.system.posix_acl_default", list, sizeof(list));
        tar_directory(&tar, "attribute");
        tar_file(&tar, "attribute/file", "x");
        tar_pax(&tar, "SCHILY.acl.default", "user::rwx,group::r-x,other::---,mask::rwx,user:web:rwx:33", -1);
        tar_directory(&tar, "gone");
        tar_link(&tar, "gone", "elsewhere");
        tar_directory(&tar, "gone");
        unpacks();
        has("dir", ACL_DEFAULT, "u::7 u:33:7 g::5 m::7 o::0");
        has("attribute", ACL_DEFAULT, "u::7 g::5 o::0");
        has("gone", ACL_DEFAULT, "");
        has("dir/file", ACL_ACCESS, "");
        ck_assert_uint_eq(mode_of("dir/file"), 0644);
        has("dir/below", ACL_ACCESS, "");
        has("dir/below", ACL_DEFAULT, "");
        ck_assert_uint_eq(mode_of("dir/below"), 0755);
        has("dir/implied", ACL_DEFAULT, "");
        has("attribute/file", ACL_ACCESS, "");
}
END_TEST

/* GNU tar writes names alone, and lines. */
START_TEST(names_are_those_of_the_archive) {
        tar_pax(&tar, "SCHILY.acl.access", "user::rw-\nuser:web:r--\ngroup::---\ngroup:adm:rw-\nmask::rw-\nother::---\n", -1);
        tar_add(&tar, (TarEntry){ .type = '0', .name = "a/file", .mode = 0660, .data = "x", .size = 1 });
        tar_pax(&tar, "SCHILY.acl.default", "user::rwx\nuser:web:rwx\ngroup::r-x\nmask::rwx\nother::r-x\n", -1);
        tar_add(&tar, (TarEntry){ .type = '5', .name = "dir", .mode = 0755 });
        tar_pax(&tar, "SCHILY.acl.access", "user::rw-\nuser:web:r--\ngroup::---\nmask::rw-\nother::---\n", -1);
        tar_add(&tar, (TarEntry){ .type = '0', .name = "gone", .mode = 0660, .data = "x", .size = 1 });
        tar_link(&tar, "gone", "etc/passwd");
        tar_file(&tar, "etc/passwd", "root:x:0:0::/:\nno-line\nwww:x:80:80::/:\nweb:x:34:33::/:\nweb:x:99:99::/:\n");
        tar_file(&tar, "etc/group", "adm:x:4:\n");
        unpacks();
        has("a/file", ACL_ACCESS, "u::6 u:34:4 g::0 g:4:6 m::6 o::0");
        ck_assert_uint_eq(mode_of("a/file"), 0660);
        has("dir", ACL_DEFAULT, "u::7 u:34:7 g::5 m::7 o::5");
        has("etc/passwd", ACL_ACCESS, "");
        ck_assert_uint_eq(mode_of("etc/passwd"), 0644);
}
END_TEST

/* Without its list a file would be open to its group as far as the mask goes. */
START_TEST(a_name_that_nobody_has_is_refused) {
        tar_file(&tar, "etc/passwd", "root:x:0:0::/:\n");
        tar_pax(&tar, "SCHILY.acl.access", "user::rw-\nuser:web:r--\ngroup::---\nmask::rw-\nother::---\n", -1);
        tar_add(&tar, (TarEntry){ .type = '0', .name = "file", .mode = 0660, .data = "x", .size = 1 });
        fails("'file' names user 'web'");
}
END_TEST

START_TEST(ids_beyond_the_container_are_refused) {
        tar_pax(&tar, "SCHILY.acl.access", "user::rw-,user:70000:r--,group::---,mask::rw-,other::---", -1);
        tar_file(&tar, "file", "x");
        fails("names id 70000");
}
END_TEST

START_TEST(a_list_without_a_mask_is_refused) {
        tar_pax(&tar, "SCHILY.acl.access", "user::rw-,user:42:r--,group::---,other::---", -1);
        tar_file(&tar, "file", "x");
        fails("system.posix_acl_access of 'file': Invalid argument");
}
END_TEST

START_TEST(too_long_a_list_is_refused) {
        _cleanup_buf_ Buf text = BUF_INIT;

        ck_assert_int_eq(buf_puts(&text, "user::rw-,group::r--,mask::rwx,other::---"), 0);
        for (unsigned i = 0; i < ACL_ENTRIES_MAX; i++)
                ck_assert_int_eq(buf_printf(&text, ",user:%u:rwx", i + 1), 0);
        tar_pax(&tar, "SCHILY.acl.access", text.data, -1);
        tar_file(&tar, "file", "x");
        fails("more than 1024 entries");
}
END_TEST

START_TEST(what_is_no_list_is_refused) {
        tar_pax(&tar, "SCHILY.acl.access", "user::rw-,nonsense", -1);
        tar_file(&tar, "file", "x");
        fails("list of 'file' is broken: 'nonsense' is no entry");
}
END_TEST

int main(void) {
        Suite *s = suite_create("acl");
        TCase *t = tcase_create("acl");

        suite_add_tcase(s, t);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, lists_with_ids_are_kept);
        tcase_add_test(t, what_the_archive_has_in_a_directory_does_not_inherit_its_list);
        tcase_add_test(t, names_are_those_of_the_archive);
        tcase_add_test(t, a_name_that_nobody_has_is_refused);
        tcase_add_test(t, ids_beyond_the_container_are_refused);
        tcase_add_test(t, a_list_without_a_mask_is_refused);
        tcase_add_test(t, too_long_a_list_is_refused);
        tcase_add_test(t, what_is_no_list_is_refused);
        return suite_run(s);
}
