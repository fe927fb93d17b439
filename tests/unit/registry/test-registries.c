/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image/registry/registries.h"
#include "suite.h"
#include "util/strv.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char config[] =
        "unqualified-search-registries = ['first.example', 'second.example:5000']\n"
        "[[registry]]\n"
        "location = 'plain.example'\n"
        "insecure = true\n"
        "[[registry]]\n"
        "prefix = 'docker.io'\n"
        "location = 'docker.io'\n"
        "[[registry.mirror]]\n"
        "location = 'mirror.example/hub/'\n"
        "[[registry.mirror]]\n"
        "location = '127.0.0.1:5000'\n"
        "insecure = true\n"
        "pull-from-mirror = 'digest-only'\n"
        "[[registry.mirror]]\n"
        "location = 'tags.example'\n"
        "pull-from-mirror = 'tag-only'\n"
        "[[registry]]\n"
        "prefix = 'docker.io/secret'\n"
        "location = 'docker.io/secret'\n"
        "blocked = true\n"
        "[[registry]]\n"
        "prefix = 'moved.example/old'\n"
        "location = 'new.example/team/new'\n"
        "[[registry]]\n"
        "prefix = '*.wild.example'\n"
        "insecure = true\n"
        "[[registry]]\n"
        "prefix = '*.all.example'\n"
        "location = 'one'\n"
        "[[registry]]\n"
        "prefix = 'digests.example'\n"
        "location = 'digests.example'\n"
        "mirror-by-digest-only = true\n"
        "mirror = [{ location = 'copy.example' }]\n"
        "[aliases]\n"
        "fedora = 'registry.fedoraproject.org/fedora'\n"
        "'team/tool' = 'quay.io/x/tool'\n"
        "gone = 'quay.io/gone'\n";

static void load(Registries *r) {
        Error error = { 0 };

        ck_assert_msg(registries_read(r, config, strlen(config), "test.conf", &error) == 0, "%s", error.text);
}

static const struct {
        const char *name, *places; /* each "host repository[ insecure]", with ", " between */
} places[] = {
        { "quay.io/a/b:c", "quay.io a/b" },
        { "plain.example/a", "plain.example a insecure" },
        { "plain.example:5000/a", "plain.example:5000 a insecure" },
        { "plain.examples/a", "plain.examples a" },
        { "docker.io/library/nginx:1", "mirror.example hub/library/nginx, tags.example library/nginx, docker.io library/nginx" },
        { "docker.io/library/nginx@sha256:" HEX, "mirror.example hub/library/nginx, 127.0.0.1:5000 library/nginx insecure, docker.io library/nginx" },
        { "docker.io/secrets/x", "mirror.example hub/secrets/x, tags.example secrets/x, docker.io secrets/x" },
        { "moved.example/old:1", "new.example team/new" },
        { "moved.example/old/deep:1", "new.example team/new/deep" },
        { "moved.example/older", "moved.example older" },
        { "a.wild.example/x", "a.wild.example x insecure" },
        { "a.b.wild.example:5/x", "a.b.wild.example:5 x insecure" },
        { "wild.example/x", "wild.example x" },
        { "a.wild.example.org/x", "a.wild.example.org x" },
        { "other.org/a.wild.example", "other.org a.wild.example" },
        { "a.all.example/x/y", "one x/y" },
        { "digests.example/x:1", "digests.example x" },
        { "digests.example/x@sha256:" HEX, "copy.example x, digests.example x" },
};

static char *places_text(const Registries *r, const char *text, bool push) {
        _cleanup_strv_ char **v = strv_copy(NULL);
        _cleanup_name_ Name name = { 0 };
        Error error = { 0 };
        Place *p = NULL;
        size_t n = 0;

        ck_assert_msg(name_parse(text, NAME_DOCKER, &name, &error) == 0, "%s", error.text);
        ck_assert_msg(registries_places(r, &name, push, &p, &n, &error) == 0, "%s: %s", text, error.text);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(strv_appendf(&v, "%s %s%s", p[i].host, p[i].repository, p[i].insecure ? " insecure" : ""), 0);
        places_free(p, n);
        return strv_join(v, ", ");
}

START_TEST(names_lead_to_their_places) {
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        _cleanup_free_ char *text = NULL;

        load(&r);
        text = places_text(&r, places[_i].name, false);
        ck_assert_str_eq(text, places[_i].places);
}
END_TEST

START_TEST(a_push_goes_to_no_mirror) {
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        _cleanup_free_ char *text = NULL;

        load(&r);
        text = places_text(&r, "docker.io/library/nginx:1", true);
        ck_assert_str_eq(text, "docker.io library/nginx");
}
END_TEST

START_TEST(what_is_blocked_is_refused_and_named) {
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        _cleanup_name_ Name name = { 0 };
        Error error = { 0 };
        Place *p = NULL;
        size_t n = 0;

        load(&r);
        ck_assert_int_eq(name_parse("docker.io/secret/x", NAME_DOCKER, &name, &error), 0);
        ck_assert_int_eq(registries_places(&r, &name, false, &p, &n, &error), -EPERM);
        ck_assert_ptr_nonnull(strstr(error.text, "test.conf"));
        ck_assert_ptr_nonnull(strstr(error.text, "docker.io/secret"));
}
END_TEST

static const struct {
        const char *text, *candidates;
} short_names[] = {
        { "quay.io/a/b", "quay.io/a/b" },
        { "localhost/a:1", "localhost/a:1" },
        { "nginx", "first.example/nginx, second.example:5000/nginx" },
        { "a/b:1", "first.example/a/b:1, second.example:5000/a/b:1" },
        { "fedora", "registry.fedoraproject.org/fedora" },
        { "fedora:40", "registry.fedoraproject.org/fedora:40" },
        { "fedora@sha256:" HEX, "registry.fedoraproject.org/fedora@sha256:" HEX },
        { "team/tool:2", "quay.io/x/tool:2" },
        { "fedora-minimal", "first.example/fedora-minimal, second.example:5000/fedora-minimal" },
};

static char *candidates_text(const Registries *r, const char *text) {
        _cleanup_strv_ char **v = NULL;
        Error error = { 0 };

        ck_assert_msg(registries_candidates(r, text, &v, &error) == 0, "%s", error.text);
        return strv_join(v, ", ");
}

START_TEST(short_names_have_candidates) {
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        _cleanup_free_ char *text = NULL;

        load(&r);
        text = candidates_text(&r, short_names[_i].text);
        ck_assert_str_eq(text, short_names[_i].candidates);
}
END_TEST

START_TEST(without_configuration_a_short_name_is_dockers) {
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        _cleanup_free_ char *a = candidates_text(&r, "nginx:1"), *b = candidates_text(&r, "team/app");

        ck_assert_str_eq(a, "docker.io/library/nginx:1");
        ck_assert_str_eq(b, "docker.io/team/app");
}
END_TEST

START_TEST(an_empty_search_list_refuses_short_names) {
        static const char text[] = "unqualified-search-registries = []";
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        _cleanup_strv_ char **v = NULL;
        Error error = { 0 };

        ck_assert_int_eq(registries_read(&r, text, strlen(text), "f", &error), 0);
        ck_assert_int_eq(registries_candidates(&r, "nginx", &v, &error), -ENOENT);
}
END_TEST

START_TEST(enforcing_refuses_what_may_be_several) {
        static const char text[] = "short-name-mode = 'enforcing'";
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        _cleanup_strv_ char **v = NULL;
        Error error = { 0 };

        load(&r);
        ck_assert_int_eq(registries_read(&r, text, strlen(text), "f", &error), 0);
        ck_assert_int_eq(registries_candidates(&r, "nginx", &v, &error), -ENOTUNIQ);
        ck_assert_ptr_nonnull(strstr(error.text, "first.example/nginx, second.example"));
        ck_assert_int_eq(registries_candidates(&r, "fedora", &v, &error), 0);
}
END_TEST

START_TEST(a_later_file_replaces_what_an_earlier_says) {
        static const char text[] =
                "unqualified-search-registries = ['third.example']\n"
                "[[registry]]\nprefix = 'docker.io'\nlocation = 'only.example'\n"
                "[aliases]\ngone = ''\nfedora = 'quay.io/fedora/fedora'\n";
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        _cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;
        Error error = { 0 };

        load(&r);
        ck_assert_int_eq(registries_read(&r, text, strlen(text), "later.conf", &error), 0);
        a = places_text(&r, "docker.io/library/nginx:1", false);
        b = candidates_text(&r, "gone");
        c = candidates_text(&r, "fedora");
        ck_assert_str_eq(a, "only.example library/nginx");
        ck_assert_str_eq(b, "third.example/gone");
        ck_assert_str_eq(c, "quay.io/fedora/fedora");
}
END_TEST

static const struct {
        const char *text, *words;
} bad[] = {
        { "[registries.search]\nregistries = ['docker.io']", "version 1" },
        { "unqualified-search-registry = ['a']", "did you mean 'unqualified-search-registries'" },
        { "unqualified-search-registries = 'a'", "not an array" },
        { "unqualified-search-registries = ['a/b']", "which is no host" },
        { "short-name-mode = 'strict'", "neither enforcing" },
        { "additional-layer-store-auth-helper = 'x'", "additional layer stores" },
        { "[[registry]]\nlocation = 'a.b'\ninsecur = true", "did you mean 'insecure'" },
        { "[[registry]]\ninsecure = true", "neither a prefix nor a location" },
        { "[[registry]]\nprefix = 'a.b'", "has no location" },
        { "[[registry]]\nlocation = 'https://a.b'", "has a scheme" },
        { "[[registry]]\nlocation = '*.b'", "only a prefix can" },
        { "[[registry]]\nlocation = 'a.b'\ninsecure = 'yes'", "neither true nor false" },
        { "[[registry]]\nlocation = 'a.b'\n[[registry]]\nlocation = 'a.b'", "there twice" },
        { "[registry]\nlocation = 'a.b'", "'registry' is not an array" },
        { "[[registry]]\nlocation = 'a.b'\n[[registry.mirror]]\ninsecure = true", "has no location" },
        { "[[registry]]\nlocation = 'a.b'\n[[registry.mirror]]\nlocation = 'c.d'\npull-from-mirror = 'never'", "neither all" },
        { "[[registry]]\nlocation = 'a.b'\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = 'c.d'\npull-from-mirror = 'all'",
                "exclude each other" },
        { "[aliases]\nx = 'nginx'", "no name with a registry" },
        { "[aliases]\n'x:1' = 'docker.io/x'", "no short name" },
        { "[aliases]\nx = 1", "no name with a registry" },
};

START_TEST(what_is_not_understood_is_refused_by_name) {
        _cleanup_registries_ Registries r = REGISTRIES_INIT;
        Error error = { 0 };

        ck_assert_msg(registries_read(&r, bad[_i].text, strlen(bad[_i].text), "bad.conf", &error) < 0, "'%s' is taken", bad[_i].text);
        ck_assert_msg(strstr(error.text, bad[_i].words), "'%s' gives '%s'", bad[_i].text, error.text);
        ck_assert_msg(strstr(error.text, "bad.conf: "), "%s", error.text);
}
END_TEST

int main(void) {
        Suite *s = suite_create("registry-registries");
        TCase *t = tcase_create("registries");

        tcase_add_loop_test(t, names_lead_to_their_places, 0, (int) ELEMENTSOF(places));
        tcase_add_test(t, a_push_goes_to_no_mirror);
        tcase_add_test(t, what_is_blocked_is_refused_and_named);
        tcase_add_loop_test(t, short_names_have_candidates, 0, (int) ELEMENTSOF(short_names));
        tcase_add_test(t, without_configuration_a_short_name_is_dockers);
        tcase_add_test(t, an_empty_search_list_refuses_short_names);
        tcase_add_test(t, enforcing_refuses_what_may_be_several);
        tcase_add_test(t, a_later_file_replaces_what_an_earlier_says);
        tcase_add_loop_test(t, what_is_not_understood_is_refused_by_name, 0, (int) ELEMENTSOF(bad));
        suite_add_tcase(s, t);
        return suite_run(s);
}
