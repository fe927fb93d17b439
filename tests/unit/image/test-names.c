/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image/name.h"
#include "image/path.h"
#include "image/plain.h"
#include "suite.h"
#include "util/strv.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
        const char *text;
        NameDefault fallback;
        const char *full, *digest;
} good[] = {
        { "nginx",                             NAME_DOCKER, "docker.io/library/nginx:latest",      NULL },
        { "nginx:1.25",                        NAME_DOCKER, "docker.io/library/nginx:1.25",        NULL },
        { "nginx",                             NAME_LOCAL,  "localhost/nginx:latest",              NULL },
        { "bitnami/nginx",                     NAME_DOCKER, "docker.io/bitnami/nginx:latest",      NULL },
        { "bitnami/nginx",                     NAME_LOCAL,  "localhost/bitnami/nginx:latest",      NULL },
        { "docker.io/nginx",                   NAME_LOCAL,  "docker.io/library/nginx:latest",      NULL },
        { "index.docker.io/nginx:x",           NAME_LOCAL,  "docker.io/library/nginx:x",           NULL },
        { "localhost/a",                       NAME_DOCKER, "localhost/a:latest",                  NULL },
        { "localhost:5000/a/b:c",              NAME_DOCKER, "localhost:5000/a/b:c",                NULL },
        { "Registry/a",                        NAME_DOCKER, "Registry/a:latest",                   NULL },
        { "quay.io/a/b/c/d:T_a.g-1",           NAME_DOCKER, "quay.io/a/b/c/d:T_a.g-1",             NULL },
        { "[::1]:5000/a",                      NAME_DOCKER, "[::1]:5000/a:latest",                 NULL },
        { "a.b__c-d--e/f",                     NAME_LOCAL,  "a.b__c-d--e/f:latest",                NULL },
        { "x/a_b/c__d/e---f/g.h",              NAME_LOCAL,  "localhost/x/a_b/c__d/e---f/g.h:latest", NULL },
        { "nginx@sha256:" HEX,                 NAME_DOCKER, NULL,                                  "sha256:" HEX },
        { "nginx:1@sha256:" HEX,               NAME_DOCKER, "docker.io/library/nginx:1",           "sha256:" HEX },
};

START_TEST(names_are_completed_as_docker_does) {
        _cleanup_name_ Name name = { 0 };
        Error error = { 0 };

        if (streq(good[_i].text, "a.b__c-d--e/f")) { /* '_' is no letter of a host's name */
                ck_assert_int_eq(name_parse(good[_i].text, good[_i].fallback, &name, &error), -EINVAL);
                return;
        }
        ck_assert_msg(name_parse(good[_i].text, good[_i].fallback, &name, &error) == 0, "%s: %s", good[_i].text, error.text);
        ck_assert_msg(streq_ptr(name.full, good[_i].full), "%s gives %s", good[_i].text, name.full);
        ck_assert(streq_ptr(name.digest, good[_i].digest));
}
END_TEST

static const char *const bad[] = {
        "", "/", "a/", "/a", "a//b", "Nginx", "a/B", "nginx:", "nginx:-x", "nginx:.x", "nginx:a b", "a b", ".a", "a.", "a..b",
        "a___b", "-a", "a-", "_a", "nginx@", "nginx@sha256:12", "nginx@md5:" HEX, "a@sha256:" HEX "0", "../a", "a/../b", "./a",
        "-.io/a", "a.io:/b", "a.io:x/b", "[::1/a", "[]/a", "a\nb", "a=b", "a%b", "\xff",
        "a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789"
        "a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789",
};

START_TEST(what_is_no_name_is_refused) {
        _cleanup_name_ Name name = { 0 };
        Error error = { 0 };

        ck_assert_msg(name_parse(bad[_i], NAME_DOCKER, &name, &error) == -EINVAL, "'%s' is taken", bad[_i]);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(a_name_survives_being_a_file_name) {
        _cleanup_free_ char *file = name_to_file("localhost:5000/a/b:c"), *full = name_from_file(file);

        ck_assert_ptr_null(strchr(file, '/'));
        ck_assert_str_eq(full, "localhost:5000/a/b:c");
}
END_TEST

START_TEST(a_digest_is_sha256_in_lower_case) {
        ck_assert(digest_valid("sha256:" HEX));
        ck_assert(!digest_valid("sha256:" HEX "0"));
        ck_assert(!digest_valid("sha256:"));
        ck_assert(!digest_valid("SHA256:" HEX));
        ck_assert(!digest_valid("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
        ck_assert(!digest_valid("sha256:../../../../0123456789abcdef0123456789abcdef0123456789abcdef0123"));
}
END_TEST

static Image *example(void) {
        Image *i = calloc(1, sizeof(*i));

        i->id = strdup("sha256:" HEX);
        i->manifest_digest = strdup("sha256:" HEX);
        i->created = 1700000000;
        i->size = UINT64_MAX;
        i->user = strdup("a:b");
        i->workdir = strdup("/ with space\\and\nnewline ");
        ck_assert_int_eq(strv_append(&i->layer_ids, "sha256:" HEX), 0);
        ck_assert_int_eq(strv_append(&i->cmd, ""), 0);
        ck_assert_int_eq(strv_append(&i->cmd, "\\n\n\\"), 0);
        ck_assert_int_eq(strv_append(&i->env, "A=\xff\x01"), 0);
        ck_assert_int_eq(strv_append(&i->labels, "k=v=w"), 0);
        ck_assert_int_eq(strv_append(&i->health, "NONE"), 0);
        i->health_interval = 30000000;
        return i;
}

START_TEST(the_plain_file_gives_back_what_was_written) {
        _cleanup_image_ Image *a = example(), *b = calloc(1, sizeof(*b));
        _cleanup_buf_ Buf text = BUF_INIT, again = BUF_INIT;
        Error error = { 0 };

        ck_assert_int_eq(plain_write(a, &text), 0);
        ck_assert_msg(plain_read(text.data, text.size, b, &error) == 0, "%s", error.text);
        ck_assert_str_eq(b->workdir, a->workdir);
        ck_assert_str_eq(b->cmd[0], "");
        ck_assert_str_eq(b->cmd[1], a->cmd[1]);
        ck_assert_str_eq(b->env[0], a->env[0]);
        ck_assert_uint_eq(b->size, UINT64_MAX);
        ck_assert_ptr_null(b->stop_signal);
        ck_assert_str_eq(b->health[0], "NONE");
        ck_assert_uint_eq(b->health_interval, 30000000);
        ck_assert_uint_eq(b->health_retries, 0);
        ck_assert_ptr_nonnull(b->entrypoint);
        ck_assert_ptr_null(b->entrypoint[0]);
        ck_assert_int_eq(plain_write(b, &again), 0);
        ck_assert_str_eq(text.data, again.data);
}
END_TEST

static const char *const bad_plain[] = {
        "", "berth-image 2\nid sha256:" HEX "\n", "berth-image 1", "berth-image 1\n", "berth-image 1\nid sha256:" HEX,
        "berth-image 1\nid sha256:" HEX "\nid x\n", "berth-image 1\nid sha256:" HEX "\nwhat x\n",
        "berth-image 1\nid sha256:" HEX "\nsize -1\n", "berth-image 1\nid sha256:" HEX "\nsize\n",
};

START_TEST(a_broken_plain_file_is_refused) {
        _cleanup_image_ Image *image = calloc(1, sizeof(*image));
        Error error = { 0 };

        ck_assert_int_lt(plain_read(bad_plain[_i], strlen(bad_plain[_i]), image, &error), 0);
        ck_assert(error.text[0]);
}
END_TEST

static const struct {
        const char *path, *parent, *name;
} paths[] = {
        { "a",            "",     "a" },
        { "./a",          "",     "a" },
        { "/a/b/c",       "a/b",  "c" },
        { "a//b/./c/",    "a/b",  "c" },
        { "./",           "",     ""  },
        { "/",            "",     ""  },
        { ".",            "",     ""  },
        { "...",          "",     "..." },
        { "a/..b/c..",    "a/..b", "c.." },
        { "a/../b",       NULL,   NULL },
        { "..",           NULL,   NULL },
        { "a/..",         NULL,   NULL },
        { "../../etc",    NULL,   NULL },
        { "",             NULL,   NULL },
};

START_TEST(paths_of_entries_are_taken_apart) {
        _cleanup_entry_path_ EntryPath p = { 0 };
        Error error = { 0 };
        int r = entry_path_parse(paths[_i].path, &p, &error);

        if (!paths[_i].parent) {
                ck_assert_int_eq(r, -EINVAL);
                ck_assert(error.text[0]);
                return;
        }
        ck_assert_int_eq(r, 0);
        ck_assert_str_eq(p.parent, paths[_i].parent);
        ck_assert_str_eq(p.name, paths[_i].name);
}
END_TEST

static const struct {
        const char *path;
        WhiteoutKind kind;
        const char *name;
} whiteouts[] = {
        { "a/.wh.b",            WHITEOUT_FILE,     "b" },
        { ".wh.x",              WHITEOUT_FILE,     "x" },
        { "a/.wh..b",           WHITEOUT_FILE,     ".b" },
        { "a/.wh..wh..opq",     WHITEOUT_OPAQUE,   NULL },
        { ".wh..wh.plnk",       WHITEOUT_IGNORE,   NULL },
        { ".wh..wh.plnk/1.2",   WHITEOUT_IGNORE,   NULL },
        { "a/.wh.",             _WHITEOUT_INVALID, NULL },
        { "a/.wh..",            _WHITEOUT_INVALID, NULL },
        { "a/.wh...",           _WHITEOUT_INVALID, NULL },
        { ".wh.a/b",            _WHITEOUT_INVALID, NULL },
        { "a/wh.b",             WHITEOUT_NONE,     NULL },
        { "a/b.wh.c",           WHITEOUT_NONE,     NULL },
};

START_TEST(whiteouts_are_known_by_their_names) {
        _cleanup_entry_path_ EntryPath p = { 0 };
        const char *name = NULL;

        ck_assert_int_eq(entry_path_parse(whiteouts[_i].path, &p, NULL), 0);
        ck_assert_int_eq(entry_path_whiteout(&p, &name), whiteouts[_i].kind);
        if (whiteouts[_i].name)
                ck_assert_str_eq(name, whiteouts[_i].name);
}
END_TEST

START_TEST(only_harmless_attributes_are_kept) {
        ck_assert(xattr_wanted("user.mime"));
        ck_assert(xattr_wanted("security.capability"));
        ck_assert(xattr_wanted("system.posix_acl_access"));
        ck_assert(!xattr_wanted("trusted.overlay.opaque"));
        ck_assert(!xattr_wanted("user.overlay.redirect"));
        ck_assert(!xattr_wanted("trusted.x"));
        ck_assert(!xattr_wanted("security.selinux"));
        ck_assert(!xattr_wanted("user."));
        ck_assert(!xattr_wanted(""));
}
END_TEST

int main(void) {
        Suite *s = suite_create("image-names");
        TCase *t = tcase_create("names");

        tcase_add_loop_test(t, names_are_completed_as_docker_does, 0, (int) ELEMENTSOF(good));
        tcase_add_loop_test(t, what_is_no_name_is_refused, 0, (int) ELEMENTSOF(bad));
        tcase_add_test(t, a_name_survives_being_a_file_name);
        tcase_add_test(t, a_digest_is_sha256_in_lower_case);
        tcase_add_test(t, the_plain_file_gives_back_what_was_written);
        tcase_add_loop_test(t, a_broken_plain_file_is_refused, 0, (int) ELEMENTSOF(bad_plain));
        tcase_add_loop_test(t, paths_of_entries_are_taken_apart, 0, (int) ELEMENTSOF(paths));
        tcase_add_loop_test(t, whiteouts_are_known_by_their_names, 0, (int) ELEMENTSOF(whiteouts));
        tcase_add_test(t, only_harmless_attributes_are_kept);
        suite_add_tcase(s, t);
        return suite_run(s);
}
