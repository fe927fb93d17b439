/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image/change.h"
#include "image/digest.h"
#include "image/oci-make.h"
#include "suite.h"
#include "util/buf.h"
#include "util/strv.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DESCRIPTOR "{\"mediaType\":\"x\",\"size\":1,\"digest\":\"" DIGEST "\"}"

static int parse_config(const char *json, Image **ret, char ***ret_ids, Error *error) {
        Image *image = calloc(1, sizeof(*image));
        int r = oci_config_parse(json, strlen(json), image, ret_ids, error);

        if (r < 0)
                image_free(image);
        else
                *ret = image;
        return r;
}

START_TEST(a_configuration_gives_its_defaults) {
        _cleanup_image_ Image *i = NULL;
        _cleanup_strv_ char **ids = NULL;
        Error error = { 0 };
        int r = parse_config("{\"created\":\"2023-11-14T22:13:20.123Z\",\"architecture\":\"arm\",\"variant\":\"v7\",\"os\":\"linux\","
                             "\"config\":{\"User\":\"nginx\",\"Env\":[\"A=b\",\"C=\"],\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a\",\"b\"],"
                             "\"WorkingDir\":\"/w\",\"StopSignal\":\"SIGQUIT\",\"Labels\":{\"x\":\"y\"},\"Volumes\":{\"/v\":{}},"
                             "\"ExposedPorts\":{\"80/tcp\":{}},\"Unknown\":[1],\"Healthcheck\":{\"Test\":[\"CMD\",\"/ok\"],"
                             "\"Interval\":5000000000,\"Timeout\":1500000,\"StartPeriod\":60000000000,\"Retries\":2}},"
                             "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST "\"]}}", &i, &ids, &error);

        ck_assert_msg(r == 0, "%s", error.text);
        ck_assert_uint_eq(i->created, 1700000000);
        ck_assert_str_eq(i->variant, "v7");
        ck_assert_str_eq(i->user, "nginx");
        ck_assert_str_eq(i->env[1], "C=");
        ck_assert_str_eq(i->entrypoint[0], "/e");
        ck_assert_str_eq(i->cmd[1], "b");
        ck_assert_str_eq(i->workdir, "/w");
        ck_assert_str_eq(i->stop_signal, "SIGQUIT");
        ck_assert_str_eq(i->labels[0], "x=y");
        ck_assert_str_eq(i->volumes[0], "/v");
        ck_assert_str_eq(i->exposed[0], "80/tcp");
        ck_assert_str_eq(i->health[1], "/ok");
        ck_assert_uint_eq(i->health_interval, 5000000);
        ck_assert_uint_eq(i->health_timeout, 1500);
        ck_assert_uint_eq(i->health_start_period, 60000000);
        ck_assert_uint_eq(i->health_retries, 2);
        ck_assert_str_eq(ids[0], DIGEST);
}
END_TEST

START_TEST(nulls_and_empty_texts_say_nothing) {
        _cleanup_image_ Image *i = NULL;
        _cleanup_strv_ char **ids = NULL;
        Error error = { 0 };
        int r = parse_config("{\"created\":null,\"config\":{\"User\":\"\",\"Env\":null,\"Cmd\":null,\"Volumes\":null,\"Labels\":null,"
                             "\"Entrypoint\":\"/one\"}}", &i, &ids, &error);

        ck_assert_msg(r == 0, "%s", error.text);
        ck_assert_ptr_null(i->user);
        ck_assert_ptr_null(i->cmd[0]);
        ck_assert_ptr_null(i->health[0]);
        ck_assert_str_eq(i->entrypoint[0], "/one");
        ck_assert_ptr_null(ids[0]);
}
END_TEST

static const char *const bad_configs[] = {
        "", "[]", "nonsense", "{\"config\":[]}", "{\"config\":{\"Env\":{}}}", "{\"config\":{\"Env\":[1]}}", "{\"config\":{\"Env\":[\"=x\"]}}",
        "{\"config\":{\"User\":1}}", "{\"config\":{\"Labels\":{\"a\":1}}}", "{\"created\":\"yesterday\"}",
        "{\"rootfs\":{\"diff_ids\":[\"sha256:12\"]}}", "{\"rootfs\":{\"diff_ids\":[\"sha512:" DIGEST "\"]}}", "{\"rootfs\":[]}",
        "{\"a\":1,\"a\":2}", "{\"config\":{\"User\":\"a\\u0000b\"}}", "{\"config\":{\"User\":\"\xff\"}}",
        "{\"config\":{\"Healthcheck\":[]}}", "{\"config\":{\"Healthcheck\":{\"Test\":[\"/ok\"]}}}", "{\"config\":{\"Healthcheck\":{\"Retries\":-1}}}",
};

START_TEST(a_malformed_configuration_is_refused) {
        Image *i = NULL;
        char **ids = NULL;
        Error error = { 0 };

        ck_assert_int_lt(parse_config(bad_configs[_i], &i, &ids, &error), 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(lists_have_limits) {
        _cleanup_buf_ Buf b = BUF_INIT;
        Image *i = NULL;
        char **ids = NULL;
        Error error = { 0 };

        ck_assert_int_eq(buf_puts(&b, "{\"rootfs\":{\"diff_ids\":["), 0);
        for (int n = 0; n <= OCI_LAYERS_MAX; n++)
                ck_assert_int_eq(buf_printf(&b, "%s\"" DIGEST "\"", n ? "," : ""), 0);
        ck_assert_int_eq(buf_puts(&b, "]}}"), 0);
        ck_assert_int_eq(parse_config(b.data, &i, &ids, &error), -E2BIG);
}
END_TEST

START_TEST(a_manifest_names_its_configuration_and_layers) {
        static const char json[] = "{\"schemaVersion\":2,\"config\":" DESCRIPTOR ",\"layers\":[" DESCRIPTOR "," DESCRIPTOR "]}";
        _cleanup_oci_manifest_ OciManifest m = { 0 };
        Error error = { 0 };

        ck_assert_int_eq(oci_kind(json, strlen(json), &error), OCI_MANIFEST);
        ck_assert_int_eq(oci_manifest_parse(json, strlen(json), &m, &error), 0);
        ck_assert_uint_eq(m.n_layers, 2);
        ck_assert_str_eq(m.config.digest, DIGEST);
}
END_TEST

/* What is made is what is read, in either form; Docker's has no annotations. */
START_TEST(a_manifest_is_made_in_the_form_that_was_asked_for) {
        static const char original[] = "{\"schemaVersion\":2,\"annotations\":{\"a\":\"b\"}}";
        OciForm form = (OciForm) _i;
        OciLayer layers[] = { { .digest = DIGEST, .size = 5, .format = PACK_GZIP }, { .digest = DIGEST, .size = 7, .format = PACK_NONE } };
        OciParts parts = {
                .form = form,
                .config = "{}",
                .config_size = 2,
                .layers = layers,
                .n_layers = 2,
                .original = original,
                .original_size = strlen(original),
        };
        _cleanup_oci_manifest_ OciManifest m = { 0 };
        _cleanup_free_ char *json = NULL;
        Error error = { 0 };
        char digest[72], id[72];
        size_t size;

        ck_assert_msg(oci_manifest_make(&parts, &json, &size, digest, &error) == 0, "%s", error.text);
        ck_assert_int_eq(oci_manifest_parse(json, size, &m, &error), 0);
        ck_assert_int_eq(oci_form_of(&m), form);
        ck_assert_ptr_nonnull(strstr(json, oci_form_manifest_type(form)));
        ck_assert_int_eq(digest_of("{}", 2, id), 0);
        ck_assert_str_eq(m.config.digest, id);
        ck_assert_uint_eq(m.n_layers, 2);
        for (size_t i = 0; i < 2; i++) {
                ck_assert_str_eq(m.layers[i].media_type, oci_form_layer_type(form, layers[i].format));
                ck_assert_uint_eq(m.layers[i].size, layers[i].size);
        }
        ck_assert_int_eq(strstr(json, "annotations") != NULL, form == OCI_FORM_OCI);
}
END_TEST

START_TEST(forms_have_names) {
        ck_assert_int_eq(oci_form_from_string("oci"), OCI_FORM_OCI);
        ck_assert_int_eq(oci_form_from_string("docker"), OCI_FORM_DOCKER);
        ck_assert_int_eq(oci_form_from_string("v2s1"), _OCI_FORM_INVALID);
        ck_assert_ptr_null(oci_form_layer_type(OCI_FORM_DOCKER, PACK_ZSTD));
}
END_TEST

static const char *const bad_manifests[] = {
        "{}", "{\"schemaVersion\":1,\"config\":" DESCRIPTOR ",\"layers\":[]}", "{\"schemaVersion\":2}",
        "{\"schemaVersion\":2,\"config\":" DESCRIPTOR ",\"manifests\":[]}",
        "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}", "{\"schemaVersion\":2,\"config\":" DESCRIPTOR ",\"layers\":[1]}",
        "{\"schemaVersion\":2,\"config\":" DESCRIPTOR ",\"layers\":[{\"digest\":\"sha256:../../x\"}]}",
        "{\"schemaVersion\":2,\"config\":" DESCRIPTOR ",\"layers\":[{\"digest\":\"" DIGEST "\",\"size\":-1}]}",
        "{\"schemaVersion\":2,\"config\":" DESCRIPTOR ",\"layers\":[{\"digest\":\"" DIGEST "\",\"size\":1e3}]}",
};

START_TEST(a_malformed_manifest_is_refused) {
        _cleanup_oci_manifest_ OciManifest m = { 0 };
        Error error = { 0 };
        const char *json = bad_manifests[_i];
        int r = oci_kind(json, strlen(json), &error);

        if (r == OCI_MANIFEST)
                r = oci_manifest_parse(json, strlen(json), &m, &error);
        ck_assert_int_lt(r, 0);
        ck_assert(error.text[0]);
}
END_TEST

START_TEST(the_image_for_this_machine_is_picked) {
        _cleanup_buf_ Buf b = BUF_INIT;
        _cleanup_oci_index_ OciIndex index = { 0 };
        const OciDescriptor *list[8], *best;
        Error error = { 0 };

        ck_assert_int_eq(buf_printf(&b,
                "{\"schemaVersion\":2,\"manifests\":["
                "{\"digest\":\"" DIGEST "\",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}},"
                "{\"digest\":\"" DIGEST "\"},"
                "{\"digest\":\"" DIGEST "\",\"platform\":{\"os\":\"linux\",\"architecture\":\"pdp11\"}},"
                "{\"digest\":\"" DIGEST "\",\"platform\":{\"os\":\"windows\",\"architecture\":\"%1$s\"}},"
                "{\"digest\":\"" DIGEST "\",\"platform\":{\"os\":\"linux\",\"architecture\":\"%1$s\",\"variant\":\"v99\"}},"
                "{\"digest\":\"" DIGEST "\",\"platform\":{\"os\":\"linux\",\"architecture\":\"%1$s\"},"
                "\"annotations\":{\"org.opencontainers.image.ref.name\":\"mine\"}}]}", oci_architecture()), 0);
        ck_assert_int_eq(oci_kind(b.data, b.size, &error), OCI_INDEX);
        ck_assert_msg(oci_index_parse(b.data, b.size, &index, &error) == 0, "%s", error.text);
        for (size_t i = 0; i < index.n_manifests; i++)
                list[i] = index.manifests + i;
        best = oci_pick(list, index.n_manifests);
        ck_assert_ptr_nonnull(best);
        ck_assert_str_eq(best->name, "mine");
        /* Without it, the one that says nothing; an attestation never. */
        ck_assert_ptr_eq(oci_pick(list, index.n_manifests - 1), index.manifests + 1);
        ck_assert_ptr_null(oci_pick(list, 1));
        /* Another machine's, by name; the variants of this one count for this one only. */
        ck_assert_ptr_eq(oci_pick_for(&(OciPlatform){ .architecture = "pdp11" }, list, index.n_manifests), index.manifests + 2);
        ck_assert_ptr_eq(oci_pick_for(&(OciPlatform){ .os = "windows" }, list, index.n_manifests), index.manifests + 3);
        ck_assert_ptr_eq(oci_pick_for(&(OciPlatform){ .variant = "v99" }, list, index.n_manifests), index.manifests + 4);
        ck_assert_ptr_null(oci_pick_for(&(OciPlatform){ .architecture = "vax" }, list + 2, 1));
        ck_assert_str_eq(oci_architecture_name("aarch64"), "arm64");
        ck_assert_str_eq(oci_architecture_name("s390x"), "s390x");
}
END_TEST

START_TEST(times_are_read_with_their_zone) {
        uint64_t t = 0;

        ck_assert_int_eq(oci_time_parse("2023-11-14T22:13:20Z", &t), 0);
        ck_assert_uint_eq(t, 1700000000);
        ck_assert_int_eq(oci_time_parse("2023-11-15T00:13:20.999999999+02:00", &t), 0);
        ck_assert_uint_eq(t, 1700000000);
        ck_assert_int_eq(oci_time_parse("0001-01-01T00:00:00Z", &t), 0);
        ck_assert_uint_eq(t, 0);
        ck_assert_int_lt(oci_time_parse("2023-11-14", &t), 0);
        ck_assert_int_lt(oci_time_parse("2023-11-14T22:13:20", &t), 0);
        ck_assert_int_lt(oci_time_parse("2023-11-14T22:13:20.Z", &t), 0);
        ck_assert_int_lt(oci_time_parse("2023-11-14T22:13:20+2:000", &t), 0);
}
END_TEST

START_TEST(a_docker_archive_lists_its_images) {
        static const char json[] = "[{\"Config\":\"a.json\",\"RepoTags\":null,\"Layers\":[\"x/layer.tar\"]},"
                                   "{\"Config\":\"b.json\",\"RepoTags\":[\"n:1\"],\"Layers\":[]}]";
        _cleanup_docker_archive_ DockerArchive a = { 0 };
        Error error = { 0 };

        ck_assert_int_eq(docker_archive_parse(json, strlen(json), &a, &error), 0);
        ck_assert_uint_eq(a.n_images, 2);
        ck_assert_str_eq(a.images[0].layers[0], "x/layer.tar");
        ck_assert_str_eq(a.images[1].names[0], "n:1");
        ck_assert_int_lt(docker_archive_parse("[{}]", 4, &a, &error), 0);
        ck_assert_int_lt(docker_archive_parse("{}", 2, &a, &error), 0);
        ck_assert_int_lt(docker_archive_parse("[1]", 3, &a, &error), 0);
}
END_TEST

static const struct {
        const char *changes[3], *result; /* NULL: refused */
} changes[] = {
        { { "CMD [\"a\", \"b\"]" },          "{\"Cmd\":[\"a\",\"b\"]}" },
        { { "cmd a b" },                     "{\"Cmd\":[\"/bin/sh\",\"-c\",\"a b\"]}" },
        { { "ENTRYPOINT=[\"/e\"]" },         "{\"Entrypoint\":[\"/e\"]}" },
        { { "ENV A=1 B=\"x y\" C=a\\ b" },   "{\"Env\":[\"A=1\",\"B=x y\",\"C=a b\"]}" },
        { { "ENV A=1", "ENV A x  y" },       "{\"Env\":[\"A=x  y\"]}" },
        { { "LABEL a=b", "LABEL 'c d'=e" },  "{\"Labels\":{\"a\":\"b\",\"c d\":\"e\"}}" },
        { { "EXPOSE 80 53/udp" },            "{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}}}" },
        { { "VOLUME [\"/a\"]", "VOLUME /b" }, "{\"Volumes\":{\"/a\":{},\"/b\":{}}}" },
        { { "USER www", "WORKDIR /w" },      "{\"User\":\"www\",\"WorkingDir\":\"/w\"}" },
        { { "RUN x" },                       NULL },
        { { "CMD" },                         NULL },
        { { "" },                            NULL },
        { { "ENV A" },                       NULL },
        { { "ENV =b" },                      NULL },
        { { "USER \xff" },                   NULL },
        { { "LABEL a=\xff" },                NULL },
};

START_TEST(changes_are_lines_of_a_dockerfile) {
        _cleanup_json_ json_t *config = json_object();
        Error error = { 0 };
        int r = 0;

        for (const char *const *c = changes[_i].changes; r == 0 && *c; c++)
                r = change_apply(config, *c, &error);
        if (!changes[_i].result) {
                ck_assert_int_lt(r, 0);
                ck_assert(error.text[0]);
        } else {
                _cleanup_free_ char *text = json_dumps(config, JSON_COMPACT);

                ck_assert_msg(r == 0, "%s", error.text);
                ck_assert_str_eq(text, changes[_i].result);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("image-oci");
        TCase *t = tcase_create("oci");

        tcase_add_test(t, a_configuration_gives_its_defaults);
        tcase_add_test(t, nulls_and_empty_texts_say_nothing);
        tcase_add_loop_test(t, a_malformed_configuration_is_refused, 0, (int) ELEMENTSOF(bad_configs));
        tcase_add_test(t, lists_have_limits);
        tcase_add_test(t, a_manifest_names_its_configuration_and_layers);
        tcase_add_loop_test(t, a_manifest_is_made_in_the_form_that_was_asked_for, 0, _OCI_FORM_MAX);
        tcase_add_test(t, forms_have_names);
        tcase_add_loop_test(t, a_malformed_manifest_is_refused, 0, (int) ELEMENTSOF(bad_manifests));
        tcase_add_test(t, the_image_for_this_machine_is_picked);
        tcase_add_test(t, times_are_read_with_their_zone);
        tcase_add_test(t, a_docker_archive_lists_its_images);
        tcase_add_loop_test(t, changes_are_lines_of_a_dockerfile, 0, (int) ELEMENTSOF(changes));
        suite_add_tcase(s, t);
        return suite_run(s);
}
