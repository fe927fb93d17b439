/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>

#include "image/packed.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

static char path[] = "/tmp/test-packed-XXXXXX";
static int directory;

static void set_up(void) {
        temporary_make(path);
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(directory, 0);
}

static void tear_down(void) {
        directory = fd_close(directory);
        temporary_remove();
}

static void digest_number(unsigned n, char ret[static 72]) {
        (void) snprintf(ret, 72, "sha256:%064x", n);
}

static void add(unsigned number, PackFormat format, const char *place) {
        OciLayer blob = { .size = number * 10, .format = format };

        digest_number(number, blob.digest);
        ck_assert_int_eq(packed_add(directory, &blob, place), 0);
}

static void expect(const Packed *p, unsigned number, PackFormat format, const char *place) {
        char digest[72];

        digest_number(number, digest);
        ck_assert_str_eq(p->blob.digest, digest);
        ck_assert_uint_eq(p->blob.size, number * 10);
        ck_assert_int_eq(p->blob.format, format);
        ck_assert_pstr_eq(p->place, place);
}

START_TEST(the_latest_comes_first_and_each_is_there_once) {
        Packed *packed = NULL;
        size_t n = 0;

        ck_assert_int_eq(packed_read(directory, &packed, &n), 0);
        ck_assert_uint_eq(n, 0);
        packed_free(packed, n);

        add(1, PACK_GZIP, NULL);
        add(2, PACK_ZSTD, "a.example/x");
        add(1, PACK_GZIP, "b.example:5000/y/z");
        add(1, PACK_GZIP, "a.example/x");
        add(1, PACK_GZIP, "b.example:5000/y/z");
        add(2, PACK_ZSTD, NULL);
        ck_assert_int_eq(packed_read(directory, &packed, &n), 0);
        ck_assert_uint_eq(n, 3);
        expect(packed, 1, PACK_GZIP, "b.example:5000/y/z");
        expect(packed + 1, 1, PACK_GZIP, "a.example/x");
        expect(packed + 2, 2, PACK_ZSTD, "a.example/x");
        packed_free(packed, n);
}
END_TEST

START_TEST(there_are_not_too_many) {
        Packed *packed = NULL;
        size_t n = 0;

        for (unsigned i = 1; i <= PACKED_MAX + 5; i++)
                add(i, PACK_NONE, NULL);
        ck_assert_int_eq(packed_read(directory, &packed, &n), 0);
        ck_assert_uint_eq(n, PACKED_MAX);
        expect(packed, PACKED_MAX + 5, PACK_NONE, NULL);
        expect(packed + n - 1, 6, PACK_NONE, NULL);
        packed_free(packed, n);
}
END_TEST

#define DIGEST "sha256:00000000000000000000000000000000000000000000000000000000000000ab"

START_TEST(what_is_not_understood_is_not_known) {
        static const char text[] = "\n \nsha256:12 5 gzip -\n" DIGEST " 5 gzip\n" DIGEST " -5 gzip -\n" DIGEST " 5 lzma -\n" DIGEST
                                   " 5 gzip -\n" DIGEST "  gzip -\n" DIGEST " 7 zstd a/b";
        Packed *packed = NULL;
        size_t n = 0;

        ck_assert_int_eq(write_file(directory, "packed", text, strlen(text), 0600, false), 0);
        ck_assert_int_eq(packed_read(directory, &packed, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_eq(packed[0].blob.size, 5);
        ck_assert_pstr_eq(packed[1].place, "a/b");
        packed_free(packed, n);
}
END_TEST

int main(void) {
        Suite *s = suite_create("image-packed");
        TCase *t = tcase_create("packed");

        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_add_test(t, the_latest_comes_first_and_each_is_there_once);
        tcase_add_test(t, there_are_not_too_many);
        tcase_add_test(t, what_is_not_understood_is_not_known);
        suite_add_tcase(s, t);
        return suite_run(s);
}
