/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/layer-tar.h"
#include "image/tar-record.h"
#include "image/unpack.h"
#include "suite.h"
#include "tar-maker.h"
#include "temporary.h"
#include "util/fd.h"

static char directory[] = "/tmp/berth-layer-tar-XXXXXX";
static int layer = -EBADF;
static Buf tar, back;
static char diff_id[72];
static Error error;

static void set_up(void) {
        temporary_make(directory);
        layer = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(layer, 0);
        ck_assert_int_eq(mkdirat(layer, "root", 0755), 0);
        tar = back = BUF_INIT;
        error = (Error){ 0 };
}

static void tear_down(void) {
        layer = fd_close(layer);
        temporary_remove();
        buf_clear(&tar);
        buf_clear(&back);
}

typedef struct Memory {
        const char *data;
        char *now;
        size_t size, position, piece;
} Memory;

static ssize_t memory_read(void *userdata, const void **ret, Error *reterr) {
        Memory *m = userdata;
        size_t n = MIN(m->size - m->position, m->piece);

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

static void unpack_tar(size_t piece) {
        Memory memory = { .data = tar.data, .size = tar.size, .piece = piece };
        _cleanup_blob_ Blob *blob = blob_new("test.tar", memory_read, memory_free, &memory);
        _cleanup_close_ int root = openat(layer, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_stream_ Stream *stream = NULL;
        StreamResult result;
        WriterCounts counts;

        ck_assert_ptr_nonnull(blob);
        ck_assert_int_eq(stream_new(blob, &stream, &error), 0);
        ck_assert_msg(unpack(stream, root, layer, &counts, &error) == 0, "%s", error.text);
        ck_assert_int_eq(stream_finish(stream, &result, &error), 0);
        memcpy(diff_id, result.diff_id, sizeof(diff_id));
}

static int make_again(void) {
        _cleanup_blob_ Blob *blob = NULL;
        const void *piece;
        ssize_t n;
        int r = layer_tar_open_at(layer, diff_id, &blob, &error);

        if (r < 0)
                return r;
        back.size = 0;
        while ((n = blob_read(blob, &piece, &error)) > 0)
                ck_assert_int_eq(buf_append(&back, piece, (size_t) n), 0);
        return (int) n;
}

static void comes_back(void) {
        ck_assert_msg(make_again() == 0, "%s", error.text);
        ck_assert_uint_eq(back.size, tar.size);
        ck_assert_int_eq(memcmp(back.data, tar.data, tar.size), 0);
}

static void is_refused(const char *words) {
        ck_assert_int_eq(make_again(), -EBADMSG);
        ck_assert_msg(strstr(error.text, words), "'%s' is not in: %s", words, error.text);
}

static size_t record_size(void) {
        struct stat st;

        ck_assert_int_eq(fstatat(layer, TAR_RECORD_FILE, &st, 0), 0);
        return (size_t) st.st_size;
}

/* Bytes that nothing compresses. */
static char *noise(size_t size) {
        char *data = malloc(size);
        uint64_t x = 88172645463325252;

        ck_assert_ptr_nonnull(data);
        for (size_t i = 0; i < size; i++) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                data[i] = (char) x;
        }
        return data;
}

#define NOISE_SIZE 700001

static void add_noise(const char *name, size_t skip) {
        _cleanup_free_ char *data = noise(NOISE_SIZE + skip);

        tar_add(&tar, (TarEntry){ .type = '0', .name = name, .data = data + skip, .size = NOISE_SIZE });
}

static const size_t pieces[] = { 7, 511, 512, 1000, 65536, 10000000 };

START_TEST(content_is_not_stored_twice) {
        tar_directory(&tar, "d");
        add_noise("d/noise", 0);
        tar_file(&tar, "d/text", "text");
        tar_end(&tar);
        unpack_tar(pieces[_i]);
        comes_back();
        ck_assert_uint_lt(record_size(), 1000);
}
END_TEST

START_TEST(what_stands_behind_the_end_comes_back) {
        tar_file(&tar, "a", "text");
        tar_end(&tar);
        ck_assert_int_eq(buf_append(&tar, "not an entry", 12), 0);
        unpack_tar(pieces[_i]);
        comes_back();
}
END_TEST

START_TEST(long_headers_come_back) {
        _cleanup_free_ char *value = noise(300000);

        for (size_t i = 0; i < 300000; i++)
                value[i] = (char) ('a' + (value[i] & 15));
        tar_pax(&tar, "comment", value, 300000);
        tar_file(&tar, "a", "text");
        tar_pax(&tar, "path", "long-name", -1);
        add_noise("short", 1);
        tar_end(&tar);
        unpack_tar(pieces[_i]);
        comes_back();
        ck_assert_uint_lt(record_size(), 300000);
}
END_TEST

START_TEST(replaced_files_come_back) {
        add_noise("a", 0);
        add_noise("a", 1);
        tar_file(&tar, "a", "third");
        tar_file(&tar, "d/e/f", "below");
        tar_file(&tar, "d/g", "beside");
        tar_file(&tar, "d/g", "again");
        tar_file(&tar, "d", "in place of the directory");
        tar_file(&tar, "d", "");
        tar_directory(&tar, "d");
        tar_file(&tar, "d/g", "new");
        tar_end(&tar);
        unpack_tar(1000);
        comes_back();
        ck_assert_uint_lt(record_size(), 2000);
}
END_TEST

START_TEST(files_behind_links_come_back) {
        tar_directory(&tar, "real");
        tar_link(&tar, "link", "real");
        tar_file(&tar, "link/f", "through the link");
        tar_directory(&tar, "other");
        tar_link(&tar, "link", "other");
        tar_file(&tar, "link/f", "through another link");
        tar_directory(&tar, "link");
        tar_file(&tar, "link/f", "through no link");
        tar_hard_link(&tar, "hard", "real/f");
        tar_file(&tar, "real/f", "the other name stays");
        tar_end(&tar);
        unpack_tar(512);
        comes_back();
}
END_TEST

START_TEST(whiteouts_come_back) {
        tar_file(&tar, ".wh.gone", "with content");
        tar_file(&tar, "d/.wh..wh..opq", "");
        tar_file(&tar, ".wh..wh.aufs", "notes of another file system");
        tar_file(&tar, "here", "text");
        tar_file(&tar, ".wh.here", "");
        tar_end(&tar);
        unpack_tar(512);
        comes_back();
}
END_TEST

START_TEST(a_changed_layer_is_an_error) {
        static const struct {
                const char *path, *text, *words;
        } changes[] = {
                { "root/d/f", "text that changed", "its archive is sha256:" },
                { "root/d/f", "longer text of before", "'d/f' has not 17 bytes" },
                { "root/d/f", "short", "'d/f' has not 17 bytes" },
                { "root/d/f", NULL, "cannot open 'd/f': No such file" },
                { "replaced/0", "fIrst", "its archive is sha256:" },
                { "replaced", NULL, "'old' has not 5 bytes" },
        };

        tar_file(&tar, "d/f", "text that changes");
        tar_file(&tar, "old", "first");
        tar_file(&tar, "old", "second");
        tar_end(&tar);
        unpack_tar(512);
        comes_back();
        if (changes[_i].text)
                ck_assert_int_eq(write_file(layer, changes[_i].path, changes[_i].text, strlen(changes[_i].text), 0600, false), 0);
        else
                ck_assert_int_eq(remove_tree(layer, changes[_i].path), 0);
        is_refused(changes[_i].words);
}
END_TEST

START_TEST(a_broken_record_is_an_error) {
        struct stat st;

        add_noise("noise", 0);
        for (unsigned i = 0; i < 500; i++) {
                char name[32];

                (void) snprintf(name, sizeof(name), "%08x", i * 2654435761U);
                tar_file(&tar, name, "text");
        }
        tar_end(&tar);
        unpack_tar(100000);
        ck_assert_int_eq(fstatat(layer, TAR_RECORD_FILE, &st, 0), 0);
        if (_i < 10) {
                _cleanup_close_ int fd = openat(layer, TAR_RECORD_FILE, O_RDWR | O_CLOEXEC);

                ck_assert_int_eq(ftruncate(fd, st.st_size * _i / 10), 0);
        } else {
                _cleanup_close_ int fd = openat(layer, TAR_RECORD_FILE, O_RDWR | O_CLOEXEC);

                ck_assert_int_eq(pwrite(fd, "Berth", 5, st.st_size * (_i - 9) / 11), 5);
        }
        is_refused("layer sha256:");
}
END_TEST

START_TEST(without_a_record_the_error_says_what_to_do) {
        tar_file(&tar, "a", "text");
        tar_end(&tar);
        unpack_tar(512);
        ck_assert_int_eq(unlinkat(layer, TAR_RECORD_FILE, 0), 0);
        ck_assert_int_eq(make_again(), -ENODATA);
        ck_assert_ptr_nonnull(strstr(error.text, "load or pull them again"));
}
END_TEST

typedef struct Case {
        const TTest *test;
        size_t loops;
} Case;

int main(void) {
        /* Not static: libcheck's tests are pointers. */
        const Case cases[] = {
                { content_is_not_stored_twice, ELEMENTSOF(pieces) },
                { what_stands_behind_the_end_comes_back, ELEMENTSOF(pieces) },
                { long_headers_come_back, ELEMENTSOF(pieces) },
                { replaced_files_come_back, 1 },
                { files_behind_links_come_back, 1 },
                { whiteouts_come_back, 1 },
                { a_changed_layer_is_an_error, 6 },
                { a_broken_record_is_an_error, 20 },
                { without_a_record_the_error_says_what_to_do, 1 },
        };
        Suite *s = suite_create("image-layer-tar");
        TCase *t = tcase_create("layer-tar");

        if (geteuid() != 0) {
                fprintf(stderr, "owners and devices can be made by root alone: skipped\n");
                return 77;
        }
        if (open_in_root(AT_FDCWD, "/", O_PATH, 0) == -ENOSYS) {
                fprintf(stderr, "there is no openat2(2), which valgrind 3.19 does not know: skipped\n");
                return 77;
        }
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_set_timeout(t, 60);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                tcase_add_loop_test(t, cases[i].test, 0, (int) cases[i].loops);
        suite_add_tcase(s, t);
        return suite_run(s);
}
