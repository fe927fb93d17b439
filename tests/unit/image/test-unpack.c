/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/digest.h"
#include "image/layer-tar.h"
#include "image/unpack.h"
#include "suite.h"
#include "tar-maker.h"
#include "temporary.h"
#include "util/fd.h"

/* A jail: `root` is where archives go, `outside` is what they must not touch. */
static char jail[] = "/tmp/berth-unpack-XXXXXX";
static char outside[64];
static int layer = -EBADF, root = -EBADF; /* layer is the jail itself */
static Buf tar;
static Error error;
static WriterCounts counts;

#define SENTINEL "untouched"

static void jail_set_up(void) {
        umask(0022);
        temporary_make(jail);
        layer = open(jail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(layer, 0);
        ck_assert_int_eq(mkdirat(layer, "root", 0755), 0);
        ck_assert_int_eq(mkdirat(layer, "outside", 0755), 0);
        ck_assert_int_eq(write_file(layer, "outside/sentinel", SENTINEL, STRLEN(SENTINEL), 0600, false), 0);
        root = openat(layer, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(root, 0);
        (void) snprintf(outside, sizeof(outside), "%s/outside", jail);
        error = (Error){ 0 };
        tar = BUF_INIT;
}

/* After every case: nothing outside has changed. */
static void jail_tear_down(void) {
        _cleanup_free_ char *text = NULL;
        char path[128];
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s/sentinel", outside);
        ck_assert_int_eq(read_file(AT_FDCWD, path, 100, &text, NULL), 0);
        ck_assert_str_eq(text, SENTINEL);
        ck_assert_int_eq(lstat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
        ck_assert_uint_eq(st.st_nlink, 1);
        ck_assert_int_eq(lstat(outside, &st), 0);
        ck_assert_uint_eq(st.st_mode, S_IFDIR | 0755);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rmdir(outside), 0); /* nothing else is in it */
        root = fd_close(root);
        layer = fd_close(layer);
        temporary_remove();
        buf_clear(&tar);
}

typedef struct Memory {
        const char *data;
        char *now;
        size_t size, position;
} Memory;

/* In pieces of a size that fits no block. */
static ssize_t memory_read(void *userdata, const void **ret, Error *reterr) {
        Memory *m = userdata;
        size_t n = MIN(m->size - m->position, (size_t) 1000);

        /* Nothing is left of the piece before this one. */
        free(m->now);
        m->now = malloc(n + 1);
        ck_assert_ptr_nonnull(m->now);
        memcpy(m->now, m->data + m->position, n);
        *ret = m->now;
        m->position += n;
        return (ssize_t) n;
}

static void memory_free(void *userdata) {
        Memory *m = userdata;

        free(m->now);
}

/* Whatever was unpacked, its archive comes back to the byte. */
static void comes_back(const char *diff_id, uint64_t size) {
        _cleanup_blob_ Blob *blob = NULL;
        const void *piece;
        uint64_t total = 0;
        ssize_t n;

        ck_assert_msg(layer_tar_open_at(layer, diff_id, &blob, &error) == 0, "%s", error.text);
        while ((n = blob_read(blob, &piece, &error)) > 0)
                total += (uint64_t) n;
        ck_assert_msg(n == 0, "%s", error.text);
        ck_assert_uint_eq(total, size);
}

static int unpack_bytes(const void *data, size_t size) {
        Memory memory = { .data = data, .size = size };
        _cleanup_blob_ Blob *blob = blob_new("test.tar", memory_read, memory_free, &memory);
        _cleanup_stream_ Stream *stream = NULL;
        StreamResult result;
        char digest[72];
        int r;

        ck_assert_ptr_nonnull(blob);
        ck_assert_int_eq(remove_tree(layer, "tar"), 0);
        ck_assert_int_eq(remove_tree(layer, "replaced"), 0);
        r = stream_new(blob, &stream, &error);
        if (r >= 0)
                r = unpack(stream, root, layer, &counts, &error);
        if (r >= 0)
                r = stream_finish(stream, &result, &error);
        if (r >= 0) {
                ck_assert_int_eq(digest_of(data, size, digest), 0);
                ck_assert_str_eq(result.digest, digest);
                comes_back(result.diff_id, result.unpacked_size);
        }
        return r;
}

static int run(void) {
        tar_end(&tar);
        return unpack_bytes(tar.data, tar.size);
}

static void unpacks(void) {
        int r = run();

        ck_assert_msg(r == 0, "%s", error.text);
}

static void refuses(int expected, const char *words) {
        int r = run();

        ck_assert_msg(r == expected, "%d: %s", r, error.text);
        ck_assert_msg(strstr(error.text, words), "'%s' is not in: %s", words, error.text);
}

static struct stat look(const char *path) {
        struct stat st;

        ck_assert_msg(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s: %s", path, strerror(errno));
        return st;
}

static void missing(const char *path) {
        struct stat st;

        ck_assert_int_eq(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW), -1);
}

static void holds(const char *path, const char *text) {
        _cleanup_free_ char *data = NULL;

        ck_assert_int_eq(read_file(root, path, 1 << 20, &data, NULL), 0);
        ck_assert_str_eq(data, text);
}

static bool whiteout(const char *path) {
        struct stat st = look(path);

        return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

static ssize_t attribute(const char *path, const char *name, char *value, size_t size) {
        _cleanup_close_ int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        ssize_t n = fgetxattr(fd, name, value, size);

        return n < 0 ? -errno : n;
}

static bool opaque(const char *path) {
        char value = 0;

        return attribute(path, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* What must come out as it went in. */

START_TEST(owners_modes_and_times_are_kept) {
        struct stat st;

        tar_pax(&tar, "mtime", "1000000000.123456789", -1);
        tar_add(&tar, (TarEntry){ .type = '0', .name = "a/su", .mode = 04755, .uid = 33, .gid = 65535, .data = "x", .size = 1 });
        tar_add(&tar, (TarEntry){ .type = '5', .name = "a", .mode = 01777, .uid = 1, .mtime = 86400 });
        tar_file(&tar, "a/later", "");
        unpacks();
        st = look("a/su");
        ck_assert_uint_eq(st.st_mode, S_IFREG | 04755);
        ck_assert_uint_eq(st.st_uid, 33);
        ck_assert_uint_eq(st.st_gid, 65535);
        ck_assert_int_eq(st.st_mtim.tv_sec, 1000000000);
        ck_assert_int_eq(st.st_mtim.tv_nsec, 123456789);
        st = look("a");
        ck_assert_uint_eq(st.st_mode, S_IFDIR | 01777);
        ck_assert_int_eq(st.st_mtim.tv_sec, 86400); /* a file came into it later */
        ck_assert_uint_eq(counts.entries, 3);
        ck_assert_uint_eq(counts.bytes, 1);
}
END_TEST

START_TEST(directories_that_the_archive_implies_are_roots) {
        struct stat st;

        umask(0077);
        tar_file(&tar, "a/b/c", "");
        unpacks();
        st = look("a/b");
        ck_assert_uint_eq(st.st_mode, S_IFDIR | 0755);
        ck_assert_uint_eq(st.st_uid, 0);
        ck_assert_uint_eq(look("a/b/c").st_mode, S_IFREG | 0644);
}
END_TEST

START_TEST(the_root_directory_takes_its_own_entry) {
        struct stat st;

        tar_add(&tar, (TarEntry){ .type = '5', .name = "./", .mode = 0700, .uid = 5, .mtime = 77 });
        tar_file(&tar, "./x", "");
        unpacks();
        ck_assert_int_eq(fstat(root, &st), 0);
        ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700);
        ck_assert_uint_eq(st.st_uid, 5);
        ck_assert_int_eq(st.st_mtim.tv_sec, 77);
}
END_TEST

START_TEST(file_capabilities_and_user_attributes_are_kept) {
        static const unsigned char capability[] = { 1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
        char value[64];

        tar_pax(&tar, "SCHILY.xattr.security.capability", capability, sizeof(capability));
        tar_add(&tar, (TarEntry){ .type = '0', .name = "ping", .mode = 0755, .uid = 7,
                .data = "writing takes capabilities away", .size = 31 });
        unpacks();
        ck_assert_int_eq(attribute("ping", "security.capability", value, sizeof(value)), (ssize_t) sizeof(capability));
        ck_assert_int_eq(memcmp(value, capability, sizeof(capability)), 0);
}
END_TEST

START_TEST(names_are_bytes) {
        char name[256];

        memset(name, 'n', 255);
        name[255] = 0;
        tar_file(&tar, "b\xff\xfe" "ad", "1");
        tar_pax(&tar, "path", "dec/e\xcc\x81", -1); /* decomposed: must not be composed */
        tar_file(&tar, "x", "2");
        tar_pax(&tar, "path", "pax\xff", -1);
        tar_file(&tar, "x", "3");
        tar_pax(&tar, "path", name, -1);
        tar_file(&tar, "x", "4");
        tar_add(&tar, (TarEntry){ .type = 'L', .name = "././@LongLink", .data = name, .size = 256 });
        tar_file(&tar, "short", "5");
        tar_file(&tar, "a\\b\nc", "6");
        unpacks();
        holds("b\xff\xfe" "ad", "1");
        holds("dec/e\xcc\x81", "2");
        holds("pax\xff", "3");
        holds(name, "5");
        holds("a\\b\nc", "6");
}
END_TEST

START_TEST(devices_and_pipes_are_made) {
        tar_add(&tar, (TarEntry){ .type = '3', .name = "null", .mode = 0666, .major = 1, .minor = 3 });
        tar_add(&tar, (TarEntry){ .type = '4', .name = "disk", .major = 8 });
        tar_add(&tar, (TarEntry){ .type = '6', .name = "pipe", .uid = 9 });
        unpacks();
        ck_assert_uint_eq(look("null").st_mode, S_IFCHR | 0666);
        ck_assert_uint_eq(look("null").st_rdev, makedev(1, 3));
        ck_assert_uint_eq(look("disk").st_mode, S_IFBLK | 0644);
        ck_assert_uint_eq(look("pipe").st_mode, S_IFIFO | 0644);
        ck_assert_uint_eq(look("pipe").st_uid, 9);
}
END_TEST

START_TEST(hard_links_share_their_file) {
        tar_file(&tar, "a/f", "text");
        tar_hard_link(&tar, "b/g", "a/f");
        tar_hard_link(&tar, "b/g", "./a/f"); /* twice: nothing to do */
        tar_hard_link(&tar, "a/f", "a/f");   /* with itself */
        tar_link(&tar, "s", "/nowhere");
        tar_hard_link(&tar, "s2", "s"); /* the link itself, not what it names */
        unpacks();
        ck_assert_uint_eq(look("a/f").st_ino, look("b/g").st_ino);
        ck_assert_uint_eq(look("s").st_ino, look("s2").st_ino);
        holds("b/g", "text");
}
END_TEST

START_TEST(sparse_files_have_their_holes) {
        /* GNU sparse 1.0: the map comes first in the data. */
        _cleanup_buf_ Buf data = BUF_INIT;
        static const char zeros[512];
        struct stat st;

        ck_assert_int_eq(buf_puts(&data, "2\n10485760\n3\n20971520\n0\n"), 0);
        ck_assert_int_eq(buf_append(&data, zeros, 512 - data.size), 0);
        ck_assert_int_eq(buf_puts(&data, "end"), 0);
        tar_add(&tar, (TarEntry){ .type = 'x', .name = "pax", .data =
                "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n24 GNU.sparse.name=hole\n32 GNU.sparse.realsize=20971520\n",
                .size = 22 + 22 + 24 + 32 });
        tar_add(&tar, (TarEntry){ .type = '0', .name = "GNUSparseFile.0/hole", .data = data.data, .size = data.size });
        unpacks();
        st = look("hole");
        ck_assert_int_eq(st.st_size, 20971520);
        ck_assert_int_lt(st.st_blocks, 64);
}
END_TEST

START_TEST(later_entries_replace_earlier_ones) {
        tar_file(&tar, "f", "old");
        tar_file(&tar, "f", "new");
        tar_directory(&tar, "d");
        tar_file(&tar, "d/x", "");
        tar_file(&tar, "d", "a file now");
        tar_file(&tar, "e", "");
        tar_directory(&tar, "e");
        tar_file(&tar, "e/y", "below");
        tar_directory(&tar, "m");
        tar_file(&tar, "m/kept", "");
        tar_add(&tar, (TarEntry){ .type = '5', .name = "m", .mode = 0700 });
        unpacks();
        holds("f", "new");
        holds("d", "a file now");
        holds("e/y", "below");
        ck_assert_uint_eq(look("m").st_mode, S_IFDIR | 0700);
        (void) look("m/kept");
}
END_TEST

START_TEST(replacing_a_file_leaves_its_other_names_alone) {
        tar_file(&tar, "a", "first");
        tar_hard_link(&tar, "b", "a");
        tar_file(&tar, "a", "second");
        unpacks();
        holds("a", "second");
        holds("b", "first");
}
END_TEST

START_TEST(the_parent_is_looked_up_again_after_it_was_replaced) {
        tar_directory(&tar, "a");
        tar_file(&tar, "a/1", "");
        tar_file(&tar, "a", "");
        tar_directory(&tar, "a");
        tar_file(&tar, "a/2", "");
        tar_directory(&tar, "p/q");
        tar_file(&tar, "p/q/1", "");
        tar_directory(&tar, "r");
        tar_link(&tar, "p", "r"); /* takes p/q away */
        tar_file(&tar, "p/q/2", "");
        unpacks();
        missing("a/1");
        (void) look("a/2");
        (void) look("r/q/2");
        ck_assert(S_ISLNK(look("p").st_mode));
}
END_TEST

/* Whiteouts. */

START_TEST(whiteouts_become_overlays_own) {
        tar_file(&tar, ".wh.gone", "");
        tar_file(&tar, "d/.wh.gone", "");
        tar_file(&tar, "o/.wh..wh..opq", "");
        tar_file(&tar, "o/new", "");
        tar_file(&tar, ".wh..wh.plnk/1", "aufs");
        unpacks();
        ck_assert(whiteout("gone"));
        ck_assert(whiteout("d/gone"));
        ck_assert(opaque("o"));
        ck_assert(!opaque("d"));
        missing(".wh..wh.plnk");
        missing("o/.wh..wh..opq");
}
END_TEST

START_TEST(a_whiteout_does_not_hide_what_its_own_layer_has) {
        tar_file(&tar, "f", "kept");
        tar_file(&tar, ".wh.f", "");
        tar_file(&tar, "d/x", "kept");
        tar_file(&tar, ".wh.d", "");
        tar_file(&tar, ".wh.later", "");
        tar_file(&tar, "later", "there");
        tar_file(&tar, ".wh.dir", "");
        tar_directory(&tar, "dir");
        tar_file(&tar, ".wh.implied", "");
        tar_file(&tar, "implied/x", "");
        unpacks();
        holds("f", "kept");
        holds("d/x", "kept");
        ck_assert(opaque("d")); /* what the layers below have in it is hidden all the same */
        holds("later", "there");
        ck_assert(opaque("dir"));
        ck_assert(opaque("implied"));
        (void) look("implied/x");
}
END_TEST

static const char *const bad_whiteouts[] = { ".wh.", ".wh..", ".wh...", "a/.wh.", "a/.wh..", "a/.wh...", ".wh.x/y", "../.wh.sentinel" };

START_TEST(whiteouts_of_nothing_are_refused) {
        tar_file(&tar, bad_whiteouts[_i], "");
        refuses(-EINVAL, bad_whiteouts[_i]);
}
END_TEST

START_TEST(overlays_signs_cannot_be_smuggled_in) {
        char value[64];

        tar_pax(&tar, "SCHILY.xattr.trusted.overlay.opaque", "y", -1);
        tar_directory(&tar, "a");
        tar_pax(&tar, "SCHILY.xattr.trusted.overlay.redirect", "/etc", -1);
        tar_directory(&tar, "b");
        tar_pax(&tar, "SCHILY.xattr.user.overlay.opaque", "y", -1);
        tar_directory(&tar, "c");
        tar_pax(&tar, "SCHILY.xattr.trusted.overlay.metacopy", "", -1);
        tar_file(&tar, "d", "");
        tar_pax(&tar, "LIBARCHIVE.xattr.trusted.overlay.opaque", "eQ==", -1);
        tar_directory(&tar, "e");
        tar_pax(&tar, "SCHILY.xattr.security.selinux", "x", -1);
        tar_file(&tar, "f", "");
        unpacks();
        ck_assert(!opaque("a"));
        ck_assert(!opaque("e"));
        ck_assert_int_eq(attribute("b", "trusted.overlay.redirect", value, sizeof(value)), -ENODATA);
        ck_assert_int_eq(attribute("d", "trusted.overlay.metacopy", value, sizeof(value)), -ENODATA);
}
END_TEST

START_TEST(a_device_0_0_is_refused) {
        tar_add(&tar, (TarEntry){ .type = '3', .name = "dev/zero" });
        refuses(-EINVAL, "0:0");
}
END_TEST

START_TEST(a_device_that_linux_does_not_have_is_refused) {
        tar_add(&tar, (TarEntry){ .type = '4', .name = "disk", .major = 4096, .minor = 1 });
        refuses(-ERANGE, "'disk' is device 4096:1, and numbers of devices end at 4095:1048575");
}
END_TEST

START_TEST(a_hard_link_to_a_whiteout_is_refused) {
        tar_file(&tar, ".wh.a", "");
        tar_hard_link(&tar, "b", "a");
        refuses(-ENOENT, "removes");
}
END_TEST

/* Attempts to get out. */

static const char *const climbing[] = { "../outside/new", "a/../../outside/new", "..", "a/..", "./../outside/sentinel", "/../outside/new" };

START_TEST(two_dots_are_refused) {
        tar_directory(&tar, "a");
        tar_file(&tar, climbing[_i], "evil");
        refuses(-EINVAL, "'..'");
}
END_TEST

START_TEST(an_absolute_path_lands_inside) {
        char path[128];

        (void) snprintf(path, sizeof(path), "%s/sentinel", outside);
        tar_file(&tar, path, "evil");
        unpacks();
        holds(path + 1, "evil");
}
END_TEST

START_TEST(a_link_as_parent_leads_nowhere_outside) {
        tar_link(&tar, "abs", outside);
        tar_file(&tar, "abs/sentinel", "evil");
        refuses(-ENOLINK, "link that leads to no directory");
}
END_TEST

START_TEST(a_relative_link_as_parent_leads_nowhere_outside) {
        tar_link(&tar, "rel", "../../../../../outside");
        tar_directory(&tar, "outside");
        tar_file(&tar, "rel/sentinel", "evil");
        unpacks(); /* as in a chroot: ".." of the root is the root */
        holds("outside/sentinel", "evil");
}
END_TEST

START_TEST(an_absolute_link_as_parent_is_of_the_layer) {
        tar_directory(&tar, "usr/lib");
        tar_link(&tar, "lib", "/usr/lib");
        tar_file(&tar, "lib/x", "in");
        unpacks();
        holds("usr/lib/x", "in");
}
END_TEST

START_TEST(a_chain_of_links_leads_nowhere_outside) {
        tar_directory(&tar, "d");
        tar_link(&tar, "d/up", "..");
        tar_link(&tar, "d/up2", "up/..");
        tar_link(&tar, "out", "d/up2/../../outside");
        tar_file(&tar, "out/sentinel", "evil");
        refuses(-ENOLINK, "link that leads to no directory");
}
END_TEST

START_TEST(a_link_to_itself_is_no_parent) {
        tar_link(&tar, "loop", "loop");
        tar_file(&tar, "loop/x", "evil");
        ck_assert_int_lt(run(), 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(a_file_replaces_a_link_and_is_not_written_through_it) {
        char path[128];

        (void) snprintf(path, sizeof(path), "%s/sentinel", outside);
        tar_link(&tar, "l", path);
        tar_file(&tar, "l", "evil");
        tar_link(&tar, "m", path);
        tar_add(&tar, (TarEntry){ .type = '3', .name = "m", .mode = 0777, .major = 1, .minor = 3 });
        tar_link(&tar, "n", outside);
        tar_directory(&tar, "n");
        tar_add(&tar, (TarEntry){ .type = '5', .name = "n", .mode = 0777, .uid = 1000 });
        tar_file(&tar, "n/sentinel", "evil");
        unpacks();
        holds("l", "evil");
        ck_assert(S_ISCHR(look("m").st_mode));
        ck_assert(S_ISDIR(look("n").st_mode));
}
END_TEST

START_TEST(a_hard_link_reaches_nothing_outside) {
        char path[128];

        (void) snprintf(path, sizeof(path), "%s/sentinel", outside);
        tar_hard_link(&tar, "h", path);
        refuses(-ENOENT, "hard link 'h'");
}
END_TEST

START_TEST(a_hard_link_does_not_climb) {
        tar_hard_link(&tar, "h", "../outside/sentinel");
        refuses(-EINVAL, "'..'");
}
END_TEST

START_TEST(a_hard_link_through_a_link_reaches_nothing_outside) {
        tar_link(&tar, "out", outside);
        tar_hard_link(&tar, "h", "out/sentinel");
        refuses(-ENOENT, "hard link 'h'");
}
END_TEST

START_TEST(a_hard_link_to_a_link_is_not_followed_when_written) {
        char path[128];

        (void) snprintf(path, sizeof(path), "%s/sentinel", outside);
        tar_link(&tar, "l", path);
        tar_hard_link(&tar, "h", "l");
        tar_file(&tar, "h", "evil");
        unpacks();
        holds("h", "evil");
        ck_assert(S_ISLNK(look("l").st_mode));
}
END_TEST

START_TEST(a_whiteout_through_a_link_reaches_nothing_outside) {
        tar_link(&tar, "out", outside);
        tar_file(&tar, "out/.wh.sentinel", "");
        refuses(-ENOLINK, "link that leads to no directory");
}
END_TEST

START_TEST(an_opaque_mark_through_a_link_reaches_nothing_outside) {
        tar_link(&tar, "out", "../outside");
        tar_file(&tar, "out/.wh..wh..opq", "");
        refuses(-ENOLINK, "link that leads to no directory");
}
END_TEST

START_TEST(the_root_directory_is_not_replaced) {
        tar_link(&tar, "./", outside);
        tar_file(&tar, "sentinel", "evil");
        refuses(-EINVAL, "root directory");
}
END_TEST

START_TEST(times_of_a_directory_that_became_a_link_are_not_set_through_it) {
        tar_add(&tar, (TarEntry){ .type = '5', .name = "d", .mtime = 5 });
        tar_link(&tar, "d", outside);
        unpacks();
        ck_assert(S_ISLNK(look("d").st_mode));
}
END_TEST

START_TEST(magic_links_are_not_followed) {
        tar_link(&tar, "p", "/proc/self/root");
        tar_file(&tar, "p/tmp/x", "evil");
        ck_assert_int_lt(run(), 0);
        ck_assert(error.text[0]);
}
END_TEST

/* Limits and broken archives. */

START_TEST(owners_outside_the_range_are_refused) {
        tar_add(&tar, (TarEntry){ .type = '0', .name = "f", .uid = _i ? 0 : 65536, .gid = _i ? 65536 : 0 });
        refuses(-ERANGE, "65535");
}
END_TEST

START_TEST(a_name_that_is_too_long_is_refused) {
        char name[300];

        memset(name, 'n', 256);
        name[256] = 0;
        tar_pax(&tar, "path", name, -1);
        tar_file(&tar, "x", "");
        refuses(-ENAMETOOLONG, "255");
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused) {
        _cleanup_buf_ Buf path = BUF_INIT;

        for (int i = 0; i < 60; i++)
                ck_assert_int_eq(buf_printf(&path, "%0100d/", i), 0);
        tar_pax(&tar, "path", path.data, -1);
        tar_file(&tar, "x", "");
        refuses(-ENAMETOOLONG, "4095");
}
END_TEST

START_TEST(a_path_that_is_too_deep_is_refused) {
        _cleanup_buf_ Buf path = BUF_INIT;

        for (int i = 0; i <= WRITER_DEPTH_MAX; i++)
                ck_assert_int_eq(buf_puts(&path, "d/"), 0);
        ck_assert_int_eq(buf_puts(&path, "x"), 0);
        tar_pax(&tar, "path", path.data, -1);
        tar_file(&tar, "x", "");
        refuses(-ENAMETOOLONG, "directories deep");
}
END_TEST

START_TEST(links_do_not_make_it_deeper) {
        _cleanup_buf_ Buf deep = BUF_INIT;

        for (int i = 0; i < 200; i++)
                ck_assert_int_eq(buf_puts(&deep, i ? "/d" : "d"), 0);
        tar_pax(&tar, "path", deep.data, -1);
        tar_directory(&tar, "x");
        tar_pax(&tar, "linkpath", deep.data, -1);
        tar_link(&tar, "l", "x");
        ck_assert_int_eq(buf_puts(&deep, "/x"), 0);
        deep.data[0] = 'l';
        deep.data[1] = '/';
        tar_pax(&tar, "path", deep.data, -1);
        tar_file(&tar, "x", "");
        refuses(-ENAMETOOLONG, "through links");
}
END_TEST

START_TEST(a_file_in_place_of_a_parent_is_refused) {
        tar_file(&tar, "f", "");
        tar_file(&tar, "f/x", "");
        refuses(-ENOTDIR, "'f'");
}
END_TEST

START_TEST(a_hard_link_to_a_directory_is_refused) {
        tar_directory(&tar, "d");
        tar_hard_link(&tar, "h", "d");
        refuses(-EPERM, "directory");
}
END_TEST

START_TEST(a_hard_link_to_what_it_replaces_is_refused) {
        tar_file(&tar, "a/b", "");
        tar_hard_link(&tar, "a", "a/b");
        ck_assert_int_lt(run(), 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(a_huge_claim_is_refused) {
        tar_add(&tar, (TarEntry){ .type = '0', .name = "huge", .claim = 077777777777, .data = "x", .size = 1 });
        ck_assert_int_lt(run(), 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(a_huge_hole_is_refused) {
        tar_add(&tar, (TarEntry){ .type = 'x', .name = "pax", .data =
                "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n24 GNU.sparse.name=hole\n42 GNU.sparse.realsize=9000000000000000000\n",
                .size = 22 + 22 + 24 + 42 });
        tar_add(&tar, (TarEntry){ .type = '0', .name = "GNUSparseFile.0/hole", .data = "0\n", .size = 2 });
        ck_assert_int_lt(run(), 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(a_truncated_archive_is_refused) {
        static char data[5000];

        tar_file(&tar, "before", "");
        tar_add(&tar, (TarEntry){ .type = '0', .name = "cut", .data = data, .size = sizeof(data) });
        ck_assert_int_lt(unpack_bytes(tar.data, 512 + 512 + 700), 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(padding_behind_the_last_file_may_be_missing) {
        tar_file(&tar, "f", "abc");
        ck_assert_int_eq(unpack_bytes(tar.data, 512 + 3), 0);
        holds("f", "abc");
}
END_TEST

START_TEST(what_is_no_archive_is_refused) {
        _cleanup_buf_ Buf b = BUF_INIT;

        for (int i = 0; i < 2000; i++)
                ck_assert_int_eq(buf_puts(&b, "no tar. "), 0);
        ck_assert_int_lt(unpack_bytes(b.data, b.size), 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(a_bad_checksum_is_refused) {
        tar_file(&tar, "a", "");
        tar_file(&tar, "b", "");
        tar.data[512] ^= 1;
        ck_assert_int_lt(run(), 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(a_broken_compression_is_refused) {
        static const unsigned char gzip[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0, 1, 2, 3 };

        ck_assert_int_lt(unpack_bytes(gzip, sizeof(gzip)), 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(an_empty_archive_is_an_empty_layer) {
        unpacks();
        ck_assert_uint_eq(counts.entries, 0);
        ck_assert_int_eq(unpack_bytes("", 0), 0);
}
END_TEST

START_TEST(too_many_attributes_are_refused) {
        _cleanup_buf_ Buf records = BUF_INIT;

        for (int i = 0; i <= WRITER_XATTRS_MAX; i++)
                ck_assert_int_eq(buf_printf(&records, "%d SCHILY.xattr.user.%03d=x\n", 27, i), 0);
        tar_add(&tar, (TarEntry){ .type = 'x', .name = "pax", .data = records.data, .size = records.size });
        tar_file(&tar, "f", "");
        refuses(-E2BIG, "attributes");
}
END_TEST

typedef struct Case {
        const TTest *test;
        size_t loops;
} Case;

int main(void) {
        /* Not static: libcheck's tests are pointers. */
        const Case cases[] = {
                { owners_modes_and_times_are_kept, 1 },
                { directories_that_the_archive_implies_are_roots, 1 },
                { the_root_directory_takes_its_own_entry, 1 },
                { file_capabilities_and_user_attributes_are_kept, 1 },
                { names_are_bytes, 1 },
                { devices_and_pipes_are_made, 1 },
                { hard_links_share_their_file, 1 },
                { sparse_files_have_their_holes, 1 },
                { later_entries_replace_earlier_ones, 1 },
                { replacing_a_file_leaves_its_other_names_alone, 1 },
                { the_parent_is_looked_up_again_after_it_was_replaced, 1 },
                { whiteouts_become_overlays_own, 1 },
                { a_whiteout_does_not_hide_what_its_own_layer_has, 1 },
                { whiteouts_of_nothing_are_refused, ELEMENTSOF(bad_whiteouts) },
                { overlays_signs_cannot_be_smuggled_in, 1 },
                { a_device_0_0_is_refused, 1 },
                { a_device_that_linux_does_not_have_is_refused, 1 },
                { a_hard_link_to_a_whiteout_is_refused, 1 },
                { two_dots_are_refused, ELEMENTSOF(climbing) },
                { an_absolute_path_lands_inside, 1 },
                { a_link_as_parent_leads_nowhere_outside, 1 },
                { a_relative_link_as_parent_leads_nowhere_outside, 1 },
                { an_absolute_link_as_parent_is_of_the_layer, 1 },
                { a_chain_of_links_leads_nowhere_outside, 1 },
                { a_link_to_itself_is_no_parent, 1 },
                { a_file_replaces_a_link_and_is_not_written_through_it, 1 },
                { a_hard_link_reaches_nothing_outside, 1 },
                { a_hard_link_does_not_climb, 1 },
                { a_hard_link_through_a_link_reaches_nothing_outside, 1 },
                { a_hard_link_to_a_link_is_not_followed_when_written, 1 },
                { a_whiteout_through_a_link_reaches_nothing_outside, 1 },
                { an_opaque_mark_through_a_link_reaches_nothing_outside, 1 },
                { the_root_directory_is_not_replaced, 1 },
                { times_of_a_directory_that_became_a_link_are_not_set_through_it, 1 },
                { magic_links_are_not_followed, 1 },
                { owners_outside_the_range_are_refused, 2 },
                { a_name_that_is_too_long_is_refused, 1 },
                { a_path_that_is_too_long_is_refused, 1 },
                { a_path_that_is_too_deep_is_refused, 1 },
                { links_do_not_make_it_deeper, 1 },
                { a_file_in_place_of_a_parent_is_refused, 1 },
                { a_hard_link_to_a_directory_is_refused, 1 },
                { a_hard_link_to_what_it_replaces_is_refused, 1 },
                { a_huge_claim_is_refused, 1 },
                { a_huge_hole_is_refused, 1 },
                { a_truncated_archive_is_refused, 1 },
                { padding_behind_the_last_file_may_be_missing, 1 },
                { what_is_no_archive_is_refused, 1 },
                { a_bad_checksum_is_refused, 1 },
                { a_broken_compression_is_refused, 1 },
                { an_empty_archive_is_an_empty_layer, 1 },
                { too_many_attributes_are_refused, 1 },
        };
        Suite *s = suite_create("image-unpack");
        TCase *t = tcase_create("unpack");

        if (geteuid() != 0) {
                fprintf(stderr, "owners and devices can be made by root alone: skipped\n");
                return 77;
        }
        if (open_in_root(AT_FDCWD, "/", O_PATH, 0) == -ENOSYS) {
                fprintf(stderr, "there is no openat2(2), which valgrind 3.19 does not know: skipped\n");
                return 77;
        }
        tcase_add_checked_fixture(t, jail_set_up, jail_tear_down);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                tcase_add_loop_test(t, cases[i].test, 0, (int) cases[i].loops);
        suite_add_tcase(s, t);
        return suite_run(s);
}
