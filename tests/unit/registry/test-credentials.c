/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "image/registry/credentials.h"
#include "image/registry/tls.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

#define AUTHS                                                                                            \
        "{\"auths\":{"                                                                                   \
        "\"quay.io\":{\"auth\":\"dTpx\"},"             /* u:q */                                         \
        "\"quay.io/team\":{\"auth\":\"dTp0\"},"        /* u:t */                                         \
        "\"quay.io/team/app\":{\"auth\":\"dTph\"},"    /* u:a */                                         \
        "\"https://index.docker.io/v1/\":{\"auth\":\"dTpkOng=\"}," /* u:d:x */                           \
        "\"http://old.example:5000/v2/\":{\"username\":\"n\",\"password\":\"p\"},"                       \
        "\"azure.example\":{\"auth\":\"MDAwOg==\",\"identitytoken\":\"tok\"},"                           \
        "\"empty.example\":{}"                                                                           \
        "},\"credHelpers\":{\"helped.example\":\"ecr-login\",\"quay.io\":\"never\"}}"

static const struct {
        const char *host, *repository, *user, *password, *token, *helper;
} found[] = {
        { "quay.io",          "a",           "u",   "q",   NULL,  NULL        },
        { "quay.io",          "team/other",  "u",   "t",   NULL,  NULL        },
        { "quay.io",          "team/app",    "u",   "a",   NULL,  NULL        },
        { "quay.io",          "team/app/x",  "u",   "a",   NULL,  NULL        },
        { "quay.io",          "teams",       "u",   "q",   NULL,  NULL        },
        { "docker.io",        "library/x",   "u",   "d:x", NULL,  NULL        },
        { "old.example:5000", "x",           "n",   "p",   NULL,  NULL        },
        { "old.example",      "x",           NULL,  NULL,  NULL,  NULL        },
        { "azure.example",    "x",           "000", "",    "tok", NULL        },
        { "empty.example",    "x",           NULL,  NULL,  NULL,  NULL        },
        { "helped.example",   "x",           NULL,  NULL,  NULL,  "ecr-login" },
        { "other.example",    "x",           NULL,  NULL,  NULL,  NULL        },
};

START_TEST(files_have_credentials_for_hosts_and_repositories) {
        _cleanup_free_ char *helper = NULL, *server = NULL;
        _cleanup_credentials_ Credentials c = { 0 };
        Error error = { 0 };
        int r = credentials_parse(AUTHS, strlen(AUTHS), found[_i].host, found[_i].repository, &c, &helper, &server, &error);

        ck_assert_msg(r == (found[_i].user || found[_i].token), "%s: %d %s", found[_i].host, r, error.text);
        ck_assert_pstr_eq(c.user, found[_i].user);
        ck_assert_pstr_eq(c.password, found[_i].password);
        ck_assert_pstr_eq(c.identity_token, found[_i].token);
        ck_assert_pstr_eq(helper, found[_i].helper);
}
END_TEST

START_TEST(a_store_has_the_credentials_of_all) {
        static const char text[] = "{\"auths\":{\"https://index.docker.io/v1/\":{}},\"credsStore\":\"pass\"}";
        _cleanup_free_ char *helper = NULL, *server = NULL;
        _cleanup_credentials_ Credentials c = { 0 };
        Error error = { 0 };

        ck_assert_int_eq(credentials_parse(text, strlen(text), "docker.io", "library/x", &c, &helper, &server, &error), 0);
        ck_assert_str_eq(helper, "pass");
        ck_assert_str_eq(server, "https://index.docker.io/v1/");
}
END_TEST

static const char *const bad[] = {
        "", "[]", "{", "{\"auths\":[]}", "{\"auths\":{\"h\":1}}", "{\"auths\":{\"h\":{\"auth\":5}}}", "{\"auths\":{\"h\":{\"auth\":\"!\"}}}",
        "{\"auths\":{\"h\":{\"auth\":\"dQ==\"}}}", "{\"credHelpers\":{\"h\":1}}", "{\"credHelpers\":{\"h\":\"../x\"}}", "{\"credsStore\":[]}",
        "{\"credHelpers\":{\"h\":\"\"}}",
};

START_TEST(a_malformed_file_is_refused) {
        _cleanup_free_ char *helper = NULL, *server = NULL;
        _cleanup_credentials_ Credentials c = { 0 };
        Error error = { 0 };

        ck_assert_msg(credentials_parse(bad[_i], strlen(bad[_i]), "h", "r", &c, &helper, &server, &error) < 0, "%s", bad[_i]);
        ck_assert(error.text[0]);
}
END_TEST

static char directory[] = "/tmp/berth-test-credentials.XXXXXX";

static void setup(void) {
        temporary_make(directory);
}

static void put(const char *name, const char *text, mode_t mode) {
        _cleanup_free_ char *path = str_format("%s/%s", directory, name);

        ck_assert_int_eq(write_file(AT_FDCWD, path, text, strlen(text), mode, false), 0);
}

static const struct {
        const char *script;
        int result;
        const char *user, *password, *token, *words;
} helpers[] = {
        { "read s; printf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"%s\"}' \"$s\" \"$1-$s\"", 1, "u", "get-h.example", NULL, NULL },
        { "echo '{\"Username\":\"<token>\",\"Secret\":\"t\"}'", 1, NULL, NULL, "t", NULL },
        { "echo credentials not found in native keychain; exit 1", 0, NULL, NULL, NULL, NULL },
        { "echo it is locked; exit 3", -1, NULL, NULL, NULL, "status 3: it is locked" },
        { "echo nonsense", -1, NULL, NULL, NULL, "docker-credential-test says" },
        { "kill -9 $$", -1, NULL, NULL, NULL, "status 137" },
        { "head -c 100000 /dev/zero | tr '\\0' x", -1, NULL, NULL, NULL, "too long" },
};

START_TEST(helpers_are_asked) {
        _cleanup_free_ char *script = str_format("#!/bin/sh\n%s\n", helpers[_i].script), *path = str_format("%s:%s", directory, getenv("PATH"));
        _cleanup_credentials_ Credentials c = { 0 };
        Error error = { 0 };
        int r;

        put("docker-credential-test", script, 0755);
        ck_assert_int_eq(setenv("PATH", path, 1), 0);
        r = credentials_ask("test", "h.example", &c, &error);
        ck_assert_msg(helpers[_i].result < 0 ? r < 0 : r == helpers[_i].result, "%d %s", r, error.text);
        ck_assert_pstr_eq(c.user, helpers[_i].user);
        ck_assert_pstr_eq(c.password, helpers[_i].password);
        ck_assert_pstr_eq(c.identity_token, helpers[_i].token);
        if (helpers[_i].words)
                ck_assert_msg(strstr(error.text, helpers[_i].words), "%s", error.text);
}
END_TEST

START_TEST(a_missing_helper_is_named) {
        _cleanup_credentials_ Credentials c = { 0 };
        Error error = { 0 };

        ck_assert_int_eq(credentials_ask("that-is-not-there", "h", &c, &error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error.text, "docker-credential-that-is-not-there"));
}
END_TEST

START_TEST(what_was_said_comes_before_a_named_file_before_all_others) {
        _cleanup_free_ char *path = str_format("%s/named.json", directory), *missing = str_format("%s/missing.json", directory);
        CredentialSources sources = { .said = "me:a:b", .file = path };
        _cleanup_credentials_ Credentials c = { 0 };
        _cleanup_free_ char *files = NULL;
        Error error = { 0 };

        ck_assert_int_eq(write_file(AT_FDCWD, path, AUTHS, strlen(AUTHS), 0600, false), 0);
        ck_assert_int_eq(credentials_find(&sources, "quay.io", "a", &c, &error), 1);
        ck_assert_str_eq(c.user, "me");
        ck_assert_str_eq(c.password, "a:b");
        credentials_clear(&c);
        sources.said = NULL;
        ck_assert_int_eq(credentials_find(&sources, "quay.io", "a", &c, &error), 1);
        ck_assert_str_eq(c.password, "q");
        files = credentials_files(&sources);
        ck_assert_str_eq(files, path);
        sources.file = missing;
        ck_assert_int_eq(credentials_find(&sources, "quay.io", "a", &c, &error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error.text, missing));
        sources.said = "nobody";
        ck_assert_int_eq(credentials_find(&sources, "quay.io", "a", &c, &error), -EINVAL);
}
END_TEST

START_TEST(certificates_and_keys_come_in_pairs) {
        HttpTls tls = { 0 };
        Error error = { 0 };

        put("b.crt", "B", 0600);
        put("a.crt", "A\n", 0600);
        put("c.cert", "C", 0600);
        put("readme", "", 0600);
        ck_assert_int_lt(tls_load_directory(directory, &tls, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.text, "c.cert lacks its c.key"));
        put("c.key", "K", 0600);
        ck_assert_int_eq(tls_load_directory(directory, &tls, &error), 0);
        ck_assert_str_eq(tls.ca, "A\n\nB\n");
        ck_assert(str_ends_with(tls.cert, "/c.cert") && str_ends_with(tls.key, "/c.key"));
        tls_clear(&tls);
        put("d.key", "K", 0600);
        ck_assert_int_lt(tls_load_directory(directory, &tls, &error), 0);
        put("d.cert", "K", 0600);
        ck_assert_int_lt(tls_load_directory(directory, &tls, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.text, "more than one client certificate"));
        ck_assert_int_eq(tls_load_directory("/nowhere/at/all", &tls, &error), -ENOENT);
}
END_TEST

int main(void) {
        Suite *s = suite_create("registry-credentials");
        TCase *t = tcase_create("credentials"), *files = tcase_create("files");

        tcase_add_loop_test(t, files_have_credentials_for_hosts_and_repositories, 0, (int) ELEMENTSOF(found));
        tcase_add_test(t, a_store_has_the_credentials_of_all);
        tcase_add_loop_test(t, a_malformed_file_is_refused, 0, (int) ELEMENTSOF(bad));
        suite_add_tcase(s, t);
        tcase_add_checked_fixture(files, setup, temporary_remove);
        tcase_add_loop_test(files, helpers_are_asked, 0, (int) ELEMENTSOF(helpers));
        tcase_add_test(files, a_missing_helper_is_named);
        tcase_add_test(files, certificates_and_keys_come_in_pairs);
        tcase_add_test(files, what_was_said_comes_before_a_named_file_before_all_others);
        suite_add_tcase(s, files);
        return suite_run(s);
}
