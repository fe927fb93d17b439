/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "image/digest.h"
#include "image/pack.h"
#include "image/stream.h"
#include "memory-blob.h"
#include "suite.h"
#include "util/buf.h"

/* Words that repeat, not all at the same distance. */
static void make_text(Buf *text, size_t size) {
        uint64_t x = 88172645463325252;

        while (text->size < size) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                ck_assert_int_eq(buf_printf(text, "word %u\n", (unsigned) (x % 500)), 0);
        }
        text->size = size;
}

static void pack(const Buf *in, PackFormat format, size_t piece, Buf *out) {
        Memory memory = { .data = in->data, .size = in->size, .piece = piece };
        _cleanup_blob_ Blob *blob = NULL;
        const void *bytes;
        Error error = { 0 };
        ssize_t n;

        ck_assert_msg(pack_blob(memory_blob(&memory), format, &blob, &error) == 0, "%s", error.text);
        while ((n = blob_read(blob, &bytes, &error)) > 0)
                ck_assert_int_eq(buf_append(out, bytes, (size_t) n), 0);
        ck_assert_msg(n == 0, "%s", error.text);
        ck_assert_int_eq(blob_read(blob, &bytes, &error), 0); /* the end stays the end */
}

static const size_t sizes[] = { 0, 1, 1000, 262144, 900000 };
static const size_t pieces[] = { 1013, 65536, 10000000 };

START_TEST(what_was_packed_unpacks_to_the_same) {
        PackFormat format = _i % _PACK_FORMAT_MAX;
        _cleanup_buf_ Buf text = BUF_INIT, packed = BUF_INIT;
        _cleanup_stream_ Stream *stream = NULL;
        _cleanup_blob_ Blob *blob = NULL;
        char digest[72];
        Memory memory;
        StreamResult result;
        Error error = { 0 };

        _i /= _PACK_FORMAT_MAX;
        make_text(&text, sizes[_i % (int) ELEMENTSOF(sizes)]);
        pack(&text, format, pieces[_i / (int) ELEMENTSOF(sizes)], &packed);
        memory = (Memory){ .data = packed.data, .size = packed.size, .piece = 1000 };
        blob = memory_blob(&memory);
        ck_assert_int_eq(stream_new(blob, &stream, &error), 0);
        ck_assert_msg(stream_finish(stream, &result, &error) == 0, "%s", error.text);
        ck_assert_int_eq(digest_of(text.data, text.size, digest), 0);
        ck_assert_str_eq(result.diff_id, digest);
        ck_assert_uint_eq(result.unpacked_size, text.size);
        if (text.size > 100000 && format != PACK_NONE)
                ck_assert_uint_lt(packed.size, text.size / 3);
}
END_TEST

START_TEST(the_same_input_gives_the_same_bytes) {
        _cleanup_buf_ Buf text = BUF_INIT, a = BUF_INIT, b = BUF_INIT;

        make_text(&text, 500000);
        pack(&text, _i, 1000, &a);
        pack(&text, _i, 1000, &b);
        ck_assert_uint_eq(a.size, b.size);
        ck_assert_int_eq(memcmp(a.data, b.data, a.size), 0);
}
END_TEST

static ssize_t broken_read(void *userdata, const void **ret, Error *reterr) {
        return error_set(reterr, -EBADMSG, "broken half-way");
}

START_TEST(an_error_comes_through) {
        _cleanup_blob_ Blob *blob = NULL;
        Error error = { 0 };
        const void *bytes;

        ck_assert_int_eq(pack_blob(blob_new("x", broken_read, NULL, NULL), _i, &blob, &error), 0);
        ck_assert_int_eq(blob_read(blob, &bytes, &error), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(error.text, "broken half-way"));
}
END_TEST

START_TEST(formats_have_names) {
        ck_assert_int_eq(pack_format_from_string("gzip"), PACK_GZIP);
        ck_assert_int_eq(pack_format_from_string("zstd"), PACK_ZSTD);
        ck_assert_int_eq(pack_format_from_string("none"), PACK_NONE);
        ck_assert_int_eq(pack_format_from_string("bzip2"), _PACK_FORMAT_INVALID);
        for (PackFormat f = 0; f < _PACK_FORMAT_MAX; f++)
                ck_assert_int_eq(pack_format_from_string(pack_format_to_string(f)), f);
}
END_TEST

int main(void) {
        Suite *s = suite_create("image-pack");
        TCase *t = tcase_create("pack");

        tcase_set_timeout(t, 60);
        tcase_add_loop_test(t, what_was_packed_unpacks_to_the_same, 0,
                (int) (_PACK_FORMAT_MAX * ELEMENTSOF(sizes) * ELEMENTSOF(pieces)));
        tcase_add_loop_test(t, the_same_input_gives_the_same_bytes, 0, _PACK_FORMAT_MAX);
        tcase_add_loop_test(t, an_error_comes_through, 0, _PACK_FORMAT_MAX);
        tcase_add_test(t, formats_have_names);
        suite_add_tcase(s, t);
        return suite_run(s);
}
