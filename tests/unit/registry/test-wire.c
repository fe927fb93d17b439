/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The small pieces that talk: challenges, refusals, back-off, addresses, base64 and the ring. */

#include "image/registry/answer.h"
#include "image/registry/base64.h"
#include "image/registry/challenge.h"
#include "image/registry/retry.h"
#include "image/registry/ring.h"
#include "image/registry/url.h"
#include "suite.h"

static const struct {
        const char *text;
        ChallengeScheme scheme;
        const char *realm, *service, *scope;
} challenges[] = {
        { "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull,push\"", CHALLENGE_BEARER, "https://a/t", "s",
                "repository:x:pull,push" },
        { "bearer REALM=\"r\" , service=s", CHALLENGE_BEARER, "r", "s", NULL },
        { "Basic realm=\"a \\\"b\\\"\"", CHALLENGE_BASIC, "a \"b\"", NULL, NULL },
        { "Basic", CHALLENGE_BASIC, NULL, NULL, NULL },
        { "Basic realm=x, Bearer realm=y", CHALLENGE_BEARER, "y", NULL, NULL },
        { "Bearer realm=y, Basic realm=x", CHALLENGE_BEARER, "y", NULL, NULL },
        { "Negotiate", CHALLENGE_NONE, NULL, NULL, NULL },
        { "Negotiate abc==, Basic realm=x", CHALLENGE_BASIC, "x", NULL, NULL },
        { "Digest qop=\"auth,auth-int\", nonce=x, Basic realm = \"z\"", CHALLENGE_BASIC, "z", NULL, NULL },
        { ", ,Basic realm=x,,", CHALLENGE_BASIC, "x", NULL, NULL },
        { "", CHALLENGE_NONE, NULL, NULL, NULL },
};

START_TEST(challenges_are_read) {
        _cleanup_challenge_ Challenge c = { 0 };
        Error error = { 0 };

        ck_assert_msg(challenge_parse(challenges[_i].text, &c, &error) == 0, "%s: %s", challenges[_i].text, error.text);
        ck_assert_int_eq(c.scheme, challenges[_i].scheme);
        if (c.scheme == CHALLENGE_NONE)
                return;
        ck_assert_pstr_eq(c.realm, challenges[_i].realm);
        ck_assert_pstr_eq(c.service, challenges[_i].service);
        ck_assert_pstr_eq(c.scope, challenges[_i].scope);
}
END_TEST

static const char *const bad_challenges[] = {
        "Bearer realm=\"x", "Bearer", "Bearer service=x", "Bearer realm=x,realm=y", "\"x\"", "Basic realm=\"x\" \"y\"",
        "Bearer realm=\"x\\",
};

START_TEST(a_malformed_challenge_is_refused) {
        _cleanup_challenge_ Challenge c = { 0 };
        Error error = { 0 };

        ck_assert_msg(challenge_parse(bad_challenges[_i], &c, &error) < 0, "%s", bad_challenges[_i]);
        ck_assert(error.text[0]);
}
END_TEST

static const struct {
        const char *type, *body, *words;
} answers[] = {
        { "application/json", "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\",\"detail\":{}}]}",
                "MANIFEST_UNKNOWN: manifest unknown" },
        { NULL, "{\"errors\":[{\"code\":\"A\"},{\"message\":\"b\"}]}", "A; b" },
        { NULL, "{\"errors\":[{\"code\":\"A\",\"message\":\"\"}]}", "A" },
        { NULL, "{\"errors\":[1,null,{\"code\":5}]}", "" },
        { NULL, "{\"error\":\"invalid\",\"error_description\":\"bad token\"}", "bad token" },
        { NULL, "{\"details\":\"incorrect username or password\"}", "incorrect username or password" },
        { "text/html", "<h1>404</h1>", "" },
        { "text/plain; charset=utf-8", "  not\n here\033[31m\xc2\x9b!\n", "not here [31m!" },
        { "text/plain", "", "" },
};

START_TEST(refusals_are_said_in_clean_words) {
        _cleanup_buf_ Buf words = BUF_INIT;

        ck_assert_int_eq(answer_words(answers[_i].type, answers[_i].body, &words), 0);
        ck_assert_str_eq(words.data ? words.data : "", answers[_i].words);
}
END_TEST

START_TEST(long_refusals_are_cut) {
        _cleanup_buf_ Buf words = BUF_INIT;
        char body[5000];

        memset(body, 'x', sizeof(body));
        body[sizeof(body) - 1] = 0;
        ck_assert_int_eq(answer_words("text/plain", body, &words), 0);
        ck_assert_uint_lt(words.size, 400);
}
END_TEST

START_TEST(the_wait_doubles_up_to_a_limit) {
        ck_assert_uint_eq(retry_delay(1000, 0, 0), 500);
        ck_assert_uint_eq(retry_delay(1000, 0, 500), 1000);
        ck_assert_uint_eq(retry_delay(1000, 0, 501), 500);
        ck_assert_uint_eq(retry_delay(1000, 3, 4000), 8000);
        ck_assert_uint_eq(retry_delay(1000, 60, 0), RETRY_DELAY_MAX_MS / 2);
        for (uint32_t random = 0; random < 10000; random++) {
                uint64_t delay = retry_delay(500, 2, random * 7919);

                ck_assert_uint_ge(delay, 1000);
                ck_assert_uint_le(delay, 2000);
        }
}
END_TEST

START_TEST(a_server_says_when_to_come_back) {
        uint64_t seconds;

        ck_assert_int_eq(retry_after_parse("120", 0, &seconds), 0);
        ck_assert_uint_eq(seconds, 120);
        ck_assert_int_eq(retry_after_parse("Wed, 21 Oct 2015 07:28:00 GMT", 1445412470, &seconds), 0);
        ck_assert_uint_eq(seconds, 10);
        ck_assert_int_eq(retry_after_parse("Wed, 21 Oct 2015 07:28:00 GMT", 1445412490, &seconds), 0);
        ck_assert_uint_eq(seconds, 0);
        ck_assert_int_lt(retry_after_parse("soon", 0, &seconds), 0);
        ck_assert_int_lt(retry_after_parse("-1", 0, &seconds), 0);
}
END_TEST

static const struct {
        const char *base, *location, *whole; /* NULL: refused */
} locations[] = {
        { "https://a.b/v2/", "/x?y=z", "https://a.b/x?y=z" },
        { "https://a.b:5000/v2/x", "y", "https://a.b:5000/v2/y" },
        { "http://a.b", "/v2/x", "http://a.b/v2/x" },
        { "https://a.b/v2/", "https://c.d/e", "https://c.d/e" },
        { "https://a.b/v2/", "//c.d/e", "https://c.d/e" },
        { "https://a.b/v2/", "file:///etc/passwd", NULL },
        { "https://a.b/v2/", "ftp://a.b/", NULL },
        { "https://a.b/v2/", "https://user:password@c.d/e", NULL },
        { "https://a.b/v2/", "https://", NULL },
};

START_TEST(locations_become_addresses) {
        _cleanup_free_ char *whole = NULL;
        Error error = { 0 };
        int r = url_resolve(locations[_i].base, locations[_i].location, &whole, &error);

        ck_assert_msg((r == 0) == (locations[_i].whole != NULL), "%s: %s", locations[_i].location, whole ? whole : error.text);
        if (r == 0)
                ck_assert_str_eq(whole, locations[_i].whole);
        else
                ck_assert(error.text[0]);
}
END_TEST

START_TEST(servers_are_told_apart) {
        ck_assert(url_same_server("https://a.b/x", "https://A.B:443/y"));
        ck_assert(url_same_server("http://a.b:80/x", "http://a.b/"));
        ck_assert(!url_same_server("https://a.b/", "http://a.b/"));
        ck_assert(!url_same_server("https://a.b/", "https://a.b:444/"));
        ck_assert(!url_same_server("https://a.b/", "https://c.a.b/"));
        ck_assert(!url_same_server("https://a.b/", "https://a.b.c/"));
        ck_assert(!url_same_server("nonsense", "nonsense"));
}
END_TEST

START_TEST(questions_are_escaped) {
        _cleanup_free_ char *url = strdup("https://a/t");

        ck_assert_int_eq(url_add_query(&url, "service", "a b&c"), 0);
        ck_assert_int_eq(url_add_query(&url, "scope", "repository:x/y:pull"), 0);
        ck_assert_str_eq(url, "https://a/t?service=a%20b%26c&scope=repository%3Ax%2Fy%3Apull");
}
END_TEST

static const struct {
        const char *text, *plain; /* NULL: refused */
} base64[] = {
        { "", "" }, { "YQ==", "a" }, { "YWI=", "ab" }, { "YWJj", "abc" }, { "YWJj\n", "abc" }, { "YWJjZA==\r\n", "abcd" },
        { "YQ=", NULL }, { "YQ", NULL }, { "YQ==YQ==", NULL }, { "Y!==", NULL }, { "====", NULL }, { " YQ==", NULL }, { "Y Q=", NULL },
};

START_TEST(base64_goes_both_ways) {
        _cleanup_free_ char *plain = NULL, *text = NULL;
        size_t size;
        int r = base64_decode(base64[_i].text, &plain, &size);

        if (!base64[_i].plain) {
                ck_assert_msg(r == -EINVAL, "'%s' is taken", base64[_i].text);
                return;
        }
        ck_assert_int_eq(r, 0);
        ck_assert_str_eq(plain, base64[_i].plain);
        ck_assert_uint_eq(size, strlen(plain));
        text = base64_encode(plain, size);
        ck_assert_int_eq(strncmp(text, base64[_i].text, strlen(text)), 0);
}
END_TEST

START_TEST(a_ring_keeps_the_order_of_bytes) {
        unsigned char in = 0, out = 0;
        Ring r;

        ck_assert_int_eq(ring_init(&r, 97), 0);
        for (unsigned round = 0; round < 10000; round++) {
                unsigned char data[97];
                size_t n = round * 31 % (ring_room(&r) + 1);
                const void *piece;

                for (size_t i = 0; i < n; i++)
                        data[i] = in++;
                ring_put(&r, data, n);
                n = ring_peek(&r, &piece);
                n = MIN(n, round * 17 % 97);
                for (size_t i = 0; i < n; i++)
                        ck_assert_uint_eq(((const unsigned char *) piece)[i], out++);
                ring_drop(&r, n);
        }
        ring_clear(&r);
}
END_TEST

int main(void) {
        Suite *s = suite_create("registry-wire");
        TCase *t = tcase_create("wire");

        tcase_add_loop_test(t, challenges_are_read, 0, (int) ELEMENTSOF(challenges));
        tcase_add_loop_test(t, a_malformed_challenge_is_refused, 0, (int) ELEMENTSOF(bad_challenges));
        tcase_add_loop_test(t, refusals_are_said_in_clean_words, 0, (int) ELEMENTSOF(answers));
        tcase_add_test(t, long_refusals_are_cut);
        tcase_add_test(t, the_wait_doubles_up_to_a_limit);
        tcase_add_test(t, a_server_says_when_to_come_back);
        tcase_add_loop_test(t, locations_become_addresses, 0, (int) ELEMENTSOF(locations));
        tcase_add_test(t, servers_are_told_apart);
        tcase_add_test(t, questions_are_escaped);
        tcase_add_loop_test(t, base64_goes_both_ways, 0, (int) ELEMENTSOF(base64));
        tcase_add_test(t, a_ring_keeps_the_order_of_bytes);
        suite_add_tcase(s, t);
        return suite_run(s);
}
