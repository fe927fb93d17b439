/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <isa-l/crc.h>

#include "image/digest.h"
#include "image/pack.h"
#include "image/stream.h"
#include "memory-blob.h"
#include "suite.h"
#include "util/buf.h"

static void put(Buf *b, const void *data, size_t size) {
        ck_assert_int_eq(buf_append(b, data, size), 0);
}

static void put_number(Buf *b, uint32_t n, unsigned bytes) {
        for (; bytes > 0; bytes--, n >>= 8)
                ck_assert_int_eq(buf_putc(b, (char) n), 0);
}

#define FLAG_HEADER_CRC 2
#define FLAG_EXTRA 4
#define FLAG_NAME 8
#define FLAG_COMMENT 16

/* A member of one block that is not compressed. */
static void put_member(Buf *b, unsigned flags, const char *text) {
        size_t size = strlen(text), start = b->size;

        put(b, "\x1f\x8b\x08", 3);
        put_number(b, flags, 1);
        put(b, "\1\2\3\4\0\xff", 6);
        if (flags & FLAG_EXTRA)
                put(b, "\4\0abcd", 6);
        if (flags & FLAG_NAME)
                put(b, "a name", 7);
        if (flags & FLAG_COMMENT)
                put(b, "a comment", 10);
        if (flags & FLAG_HEADER_CRC)
                put_number(b, crc32_gzip_refl(0, (const unsigned char *) b->data + start, b->size - start), 2);
        put(b, "\1", 1);
        put_number(b, (uint32_t) size, 2);
        put_number(b, ~(uint32_t) size, 2);
        put(b, text, size);
        put_number(b, crc32_gzip_refl(0, (const unsigned char *) text, size), 4);
        put_number(b, (uint32_t) size, 4);
}

/* What is in it, or the error. */
static int unpack(const Buf *in, size_t piece, Buf *out, StreamResult *ret, Error *reterr) {
        Memory memory = { .data = in->data, .size = in->size, .piece = piece };
        _cleanup_blob_ Blob *blob = memory_blob(&memory);
        _cleanup_stream_ Stream *stream = NULL;
        const void *bytes;
        ssize_t n;
        int r = stream_new(blob, &stream, reterr);

        if (r < 0)
                return r;
        while ((n = stream_read(stream, &bytes, reterr)) > 0)
                put(out, bytes, (size_t) n);
        if (n < 0)
                return (int) n;
        ck_assert_int_eq(stream_read(stream, &bytes, reterr), 0); /* the end stays the end */
        return stream_finish(stream, ret, reterr);
}

static void is(const Buf *in, size_t piece, const char *text, size_t size) {
        _cleanup_buf_ Buf out = BUF_INIT;
        char digest[72];
        StreamResult result;
        Error error = { 0 };

        ck_assert_msg(unpack(in, piece, &out, &result, &error) == 0, "%s", error.text);
        ck_assert_uint_eq(out.size, size);
        ck_assert(size == 0 || memcmp(out.data, text, size) == 0);
        ck_assert_uint_eq(result.unpacked_size, size);
        ck_assert_uint_eq(result.size, in->size);
        ck_assert_int_eq(digest_of(in->data, in->size, digest), 0);
        ck_assert_str_eq(result.digest, digest);
        ck_assert_int_eq(digest_of(text, size, digest), 0);
        ck_assert_str_eq(result.diff_id, digest);
}

static void is_refused(const Buf *in, size_t piece, const char *why) {
        _cleanup_buf_ Buf out = BUF_INIT;
        StreamResult result;
        Error error = { 0 };

        ck_assert_int_eq(unpack(in, piece, &out, &result, &error), -EBADMSG);
        ck_assert_msg(strstr(error.text, "memory") && strstr(error.text, why), "%s", error.text);
}

static const size_t pieces[] = { 1, 2, 3, 7, 1000000 };

START_TEST(gzip_headers_may_have_everything) {
        for (unsigned flags = 0; flags < 32; flags += 2) {
                _cleanup_buf_ Buf in = BUF_INIT;

                put_member(&in, flags, "a text");
                is(&in, pieces[_i], "a text", 6);
        }
}
END_TEST

START_TEST(gzip_members_are_one_stream) {
        _cleanup_buf_ Buf in = BUF_INIT;

        put_member(&in, 0, "");
        put_member(&in, FLAG_NAME, "one ");
        put_member(&in, 0, "");
        put_member(&in, 0, "two");
        put_member(&in, FLAG_EXTRA, "");
        is(&in, pieces[_i], "one two", 7);
}
END_TEST

START_TEST(what_stands_behind_gzip_is_of_the_blob_alone) {
        static const char *const behind[] = { "\0\0\0\0", "garbage", "\x1f\x8b", "\x1f", "\x1f\x8b\7" };

        for (size_t i = 0; i < ELEMENTSOF(behind); i++) {
                _cleanup_buf_ Buf in = BUF_INIT;

                put_member(&in, 0, "a text");
                put(&in, behind[i], i == 0 ? 4 : strlen(behind[i]));
                is(&in, pieces[_i], "a text", 6);
        }
}
END_TEST

START_TEST(gzip_that_is_cut_off_is_refused) {
        _cleanup_buf_ Buf in = BUF_INIT;

        put_member(&in, FLAG_NAME | FLAG_HEADER_CRC, "a text");
        for (in.size--; in.size >= 3; in.size--)
                is_refused(&in, pieces[_i], "cut off");
}
END_TEST

START_TEST(a_second_member_that_is_cut_off_is_refused) {
        _cleanup_buf_ Buf in = BUF_INIT;

        put_member(&in, 0, "a text");
        put(&in, "\x1f\x8b\x08", 3);
        is_refused(&in, pieces[_i], "cut off");
}
END_TEST

START_TEST(gzip_with_a_wrong_sum_is_refused) {
        for (size_t i = 1; i <= 8; i++) {
                _cleanup_buf_ Buf in = BUF_INIT;

                put_member(&in, 0, "a text");
                in.data[in.size - i] ^= 1;
                is_refused(&in, pieces[_i], "checksum");
        }
}
END_TEST

START_TEST(broken_gzip_is_refused) {
        _cleanup_buf_ Buf in = BUF_INIT;

        put_member(&in, 0, "a text");
        in.data[10] = 7; /* a block of a kind that there is not */
        is_refused(&in, pieces[_i], "broken");
        in.data[10] = 1;
        is(&in, pieces[_i], "a text", 6);
        in.data[3] = 32; /* a flag that means nothing */
        is_refused(&in, pieces[_i], "broken");
}
END_TEST

START_TEST(a_gzip_header_with_a_wrong_sum_is_refused) {
        _cleanup_buf_ Buf in = BUF_INIT;

        put_member(&in, FLAG_HEADER_CRC, "a text");
        in.data[5] ^= 1;
        is_refused(&in, pieces[_i], "checksum of its header");
}
END_TEST

START_TEST(few_bytes_are_no_gzip) {
        static const char *const texts[] = { "", "\x1f", "\x1f\x8b", "\x1f\x8b\7", "abc", "\x1f\x8b\1 and more of it" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                Buf in = { .data = (char *) texts[i], .size = strlen(texts[i]) };

                is(&in, pieces[_i], texts[i], in.size);
        }
}
END_TEST

/* Longer than the window of gzip, in large pieces also than a piece of what comes out, and with long and short distances. */
START_TEST(much_comes_out_as_it_went_in) {
        PackFormat format = _i / (int) ELEMENTSOF(pieces);
        size_t piece = pieces[_i % (int) ELEMENTSOF(pieces)], words = piece < 100 ? 1500 : 8000;
        _cleanup_buf_ Buf text = BUF_INIT, in = BUF_INIT;
        uint64_t x = 88172645463325252;
        _cleanup_blob_ Blob *blob = NULL;
        Error error = { 0 };
        const void *bytes;
        Memory memory;
        ssize_t n;

        for (size_t n = 0; n < words; n++) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                ck_assert_int_eq(buf_printf(&text, "word %u%*s\n", (unsigned) (x % 5000), (int) (x % 7 == 0 ? x % 300 : 0), ""), 0);
        }
        memory = (Memory){ .data = text.data, .size = text.size, .piece = 100000 };
        ck_assert_int_eq(pack_blob(memory_blob(&memory), format, &blob, &error), 0);
        while ((n = blob_read(blob, &bytes, &error)) > 0)
                put(&in, bytes, (size_t) n);
        is(&in, piece, text.data, text.size);
}
END_TEST

static ssize_t broken_read(void *userdata, const void **ret, Error *reterr) {
        Memory *m = userdata;

        return m->position < m->size ? memory_read(m, ret, reterr) : error_set(reterr, -ECONNRESET, "the line is dead");
}

START_TEST(why_the_blob_ended_is_told) {
        _cleanup_buf_ Buf in = BUF_INIT;
        _cleanup_stream_ Stream *stream = NULL;
        _cleanup_blob_ Blob *blob = NULL;
        Memory memory;
        const void *bytes;
        Error error = { 0 };
        ssize_t n;
        int r;

        put_member(&in, 0, "a text");
        memory = (Memory){ .data = in.data, .size = (size_t) _i, .piece = 2 };
        blob = blob_new("memory", broken_read, NULL, &memory);
        r = stream_new(blob, &stream, &error);
        while (r >= 0 && (n = stream_read(stream, &bytes, &error)) != 0)
                r = (int) MIN(n, 0);
        if (r >= 0) {
                StreamResult result;

                r = stream_finish(stream, &result, &error);
        }
        ck_assert_int_eq(r, -ECONNRESET);
        ck_assert_str_eq(error.text, "cannot read memory: the line is dead");
}
END_TEST

START_TEST(a_stream_may_be_left_anywhere) {
        _cleanup_buf_ Buf in = BUF_INIT, member = BUF_INIT;
        _cleanup_stream_ Stream *stream = NULL;
        _cleanup_blob_ Blob *blob = NULL;
        Memory memory;
        const void *bytes;
        Error error = { 0 };

        /* More than fits between blob and reader. */
        put_member(&member, 0, "some thirty bytes in each member");
        for (int i = 0; i < 60000; i++)
                put(&in, member.data, member.size);
        memory = (Memory){ .data = in.data, .size = in.size, .piece = 300000 };
        blob = memory_blob(&memory);
        ck_assert_int_eq(stream_new(blob, &stream, &error), 0);
        for (int i = 0; i < _i; i++)
                ck_assert_int_gt(stream_read(stream, &bytes, &error), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("image-stream");
        TCase *t = tcase_create("stream");

        tcase_set_timeout(t, 300);
        tcase_add_loop_test(t, gzip_headers_may_have_everything, 0, ELEMENTSOF(pieces));
        tcase_add_loop_test(t, gzip_members_are_one_stream, 0, ELEMENTSOF(pieces));
        tcase_add_loop_test(t, what_stands_behind_gzip_is_of_the_blob_alone, 0, ELEMENTSOF(pieces));
        tcase_add_loop_test(t, gzip_that_is_cut_off_is_refused, 0, ELEMENTSOF(pieces));
        tcase_add_loop_test(t, a_second_member_that_is_cut_off_is_refused, 0, ELEMENTSOF(pieces));
        tcase_add_loop_test(t, gzip_with_a_wrong_sum_is_refused, 0, ELEMENTSOF(pieces));
        tcase_add_loop_test(t, broken_gzip_is_refused, 0, ELEMENTSOF(pieces));
        tcase_add_loop_test(t, a_gzip_header_with_a_wrong_sum_is_refused, 0, ELEMENTSOF(pieces));
        tcase_add_loop_test(t, few_bytes_are_no_gzip, 0, ELEMENTSOF(pieces));
        tcase_add_loop_test(t, much_comes_out_as_it_went_in, 0, (int) (_PACK_FORMAT_MAX * ELEMENTSOF(pieces)));
        tcase_add_loop_test(t, why_the_blob_ended_is_told, 0, 34);
        tcase_add_loop_test(t, a_stream_may_be_left_anywhere, 0, 9);
        suite_add_tcase(s, t);
        return suite_run(s);
}
