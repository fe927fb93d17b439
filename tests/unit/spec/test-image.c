/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "scratch.h"
#include "util/strv.h"

#define GOOD "[Image]\nImage=registry.example.com/shop:1\n"

static Spec *load(const char *name) {
        return scratch_load(spec_image_load, name);
}

static void wrong(const char *text, unsigned line, unsigned column, const char *what) {
        scratch_wrong_file(spec_image_load, "wrong.image", text, line, column, what);
}

START_TEST(what_a_file_says_is_typed) {
        char path[128];
        Spec *s;

        scratch_write("full.image", "[Image]\nImage=docker://x.example/a@sha256:1\nImageTag=localhost/a:b\nArch=arm64\nOS=linux\nVariant=v8\n"
                                    "AuthFile=auth.json\nCertDir=/etc/certs\nCreds=me:a:b\nTLSVerify=no\nPolicy=missing\nRetry=0\nRetryDelay=250ms\n");
        s = load("full");
        ck_assert_int_eq(s->kind, SPEC_IMAGE);
        ck_assert_uint_eq(s->n_processes, 0);
        ck_assert_str_eq(s->service, "full-image");
        ck_assert_str_eq(s->image.name.value, "x.example/a@sha256:1");
        ck_assert_str_eq(spec_image_name(&s->image), "localhost/a:b");
        ck_assert_str_eq(s->image.arch.value, "arm64");
        ck_assert_str_eq(s->image.os.value, "linux");
        ck_assert_str_eq(s->image.variant.value, "v8");
        (void) snprintf(path, sizeof(path), "%s/auth.json", scratch);
        ck_assert_str_eq(s->image.auth_file.value, path);
        ck_assert_str_eq(s->image.cert_dir.value, "/etc/certs");
        ck_assert_str_eq(s->image.creds.value, "me:a:b");
        ck_assert(s->image.tls_verify.set && !s->image.tls_verify.value);
        ck_assert_int_eq(spec_image_policy(&s->image), SPEC_PULL_MISSING);
        ck_assert(s->image.retry.set);
        ck_assert_uint_eq(s->image.retry.value, 0);
        ck_assert_uint_eq(s->image.retry_delay.value, 250000);
}
END_TEST

START_TEST(silence_is_podmans_default) {
        Spec *s;

        scratch_write("x.image", GOOD "ImageTag=localhost/y\nImageTag=\n");
        s = load("x");
        ck_assert_str_eq(spec_image_name(&s->image), "registry.example.com/shop:1");
        ck_assert_int_eq(spec_image_policy(&s->image), SPEC_PULL_ALWAYS);
        ck_assert(!s->image.tls_verify.set && !s->image.retry.set && !s->image.creds.value);
}
END_TEST

START_TEST(what_is_wrong_has_a_place) {
        wrong("[Image]\nIamge=x\n", 2, 1, "unknown key 'Iamge', did you mean 'Image'?");
        wrong(GOOD "PodmanArgs=-q\n", 3, 1, "key 'PodmanArgs' is known from Quadlet, not supported yet");
        wrong(GOOD "Creds=me\n", 3, 7, "Creds= is USER:PASSWORD, nobody is there to be asked for the rest");
        wrong(GOOD "Policy=often\n", 3, 8, "'often' is not a pull policy; there are missing, always, newer and never");
        wrong(GOOD "AuthFile=../x\n", 3, 10, "path '../x' leads upwards by '..'");
        wrong("[Image]\nImage=oci:/srv/x\n", 2, 7, "'oci:/srv/x' is not in a registry; berth load takes images from archives and directories");
        wrong("[Image]\nImage=y.image\n", 2, 7, "'y.image' is not a name of an image");
        wrong("[Image]\nArch=arm64\n", 0, 0, "[Image] has no Image=");
        wrong("[Unit]\nDescription=x\n", 0, 0, "has no [Image] section");
        wrong(GOOD "[Service]\nExecStart=/bin/true\n", 4, 1, "ExecStart= cannot be set in [Service]: berth sets it");
        wrong(GOOD "[Service]\nRestart=always\n", 4, 1, "a pull ends with success, Restart= would begin it again for ever");
        wrong(GOOD "[Container]\n", 3, 1, "section [Container] belongs into a file NAME.container");
        scratch_wrong("[Container]\nImage=localhost/x\n[Image]\n", 3, 1, "section [Image] belongs into a file NAME.image");
}
END_TEST

START_TEST(drop_ins_and_templates_are_those_of_apps) {
        Spec *s;

        scratch_write("t@.image", "[Image]\nImage=localhost/x:%i\n");
        scratch_write("t@a.image.d/10.conf", "[Image]\nVariant=v7\n");
        scratch_write("image.d/20.conf", "[Image]\nRetry=3\n");
        scratch_write("container.d/20.conf", "[Nonsense]\n");
        s = load("t@a");
        ck_assert_str_eq(s->service, "t-image@a");
        ck_assert_str_eq(s->image.name.value, "localhost/x:a");
        ck_assert_str_eq(s->image.variant.value, "v7");
        ck_assert_uint_eq(s->image.retry.value, 3);
        ck_assert_uint_eq(strv_length(s->fragments), 3);
}
END_TEST

START_TEST(an_app_runs_what_the_file_names) {
        Spec *s;

        scratch_write("x.image", GOOD "ServiceName=fetch\n");
        scratch_write("t@.image", "[Image]\nImage=localhost/t\nImageTag=localhost/t:%i\n");
        s = scratch_spec("app", "[Container]\nImage=x.image\n[Process a]\n[Process b]\nImage=t@1.image\n[Process c]\nImage=\nRootfs=/\n");
        ck_assert_str_eq(s->processes[0].image.value, "registry.example.com/shop:1");
        ck_assert_str_eq(s->processes[0].image_file, "x");
        ck_assert_str_eq(s->processes[0].image_unit, "fetch.service");
        ck_assert_uint_eq(s->processes[0].image.origin.line, 2);
        ck_assert_str_eq(s->processes[1].image.value, "localhost/t:1");
        ck_assert_str_eq(s->processes[1].image_unit, "t-image@1.service");
        ck_assert_ptr_null(s->processes[2].image.value);
        ck_assert_ptr_null(s->processes[2].image_file);
        ck_assert_ptr_null(s->processes[2].image_unit);
}
END_TEST

START_TEST(an_app_whose_file_cannot_be_used_says_why) {
        char text[256];

        (void) snprintf(text, sizeof(text), "'x.image' cannot be used: no spec x.image in %s", scratch);
        scratch_wrong("[Container]\nImage=x.image\n[Process a]\n[Process b]\n", 2, 7, text);
        scratch_write("x.image", "[Image]\nIamge=x\n");
        scratch_wrong("[Container]\nImage=x.image\n", 2, 7, "'x.image' is wrong: x.image:2:1: unknown key 'Iamge', did you mean 'Image'?");
        scratch_write("x.image", "");
        scratch_wrong("[Container]\nImage=x.image\n", 2, 7, "'x.image' cannot be used: x.image: image 'x' is masked by this file");
        scratch_wrong("[Container]\nImage=x@.image\n", 2, 7, "'x@.image' is not a name of a file NAME.image");
}
END_TEST

START_TEST(a_template_leaves_the_instance_to_systemd) {
        _cleanup_(spec_freep) Spec *s = NULL;

        scratch_write("web@.container", "[Container]\nImage=t@%i.image\n");
        ck_assert_int_eq(spec_read("web@", scratch, SPEC_STATIC, NULL, &s), 0);
        ck_assert_str_eq(s->processes[0].image_unit, "t-image@%i.service");
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, what_a_file_says_is_typed);
        tcase_add_test(t, silence_is_podmans_default);
        tcase_add_test(t, what_is_wrong_has_a_place);
        tcase_add_test(t, drop_ins_and_templates_are_those_of_apps);
        tcase_add_test(t, an_app_runs_what_the_file_names);
        tcase_add_test(t, an_app_whose_file_cannot_be_used_says_why);
        tcase_add_test(t, a_template_leaves_the_instance_to_systemd);
}

int main(void) {
        return scratch_run("image", add);
}
