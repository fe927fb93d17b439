/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdio.h>

#include "scratch.h"

START_TEST(a_spec_without_processes_has_one_without_a_name) {
        Spec *s = scratch_spec("shop", "[Container]\nImage=localhost/x\n");

        ck_assert_str_eq(s->name, "shop");
        ck_assert_str_eq(s->service, "shop");
        ck_assert_uint_eq(s->n_processes, 1);
        ck_assert_ptr_null(s->processes[0].name);
        ck_assert_ptr_eq(spec_process(s, NULL), &s->processes[0]);
        ck_assert_int_eq(s->restart, SPEC_RESTART_ALWAYS);
        ck_assert(!s->restart_sec.set);
        ck_assert(!s->start_limit_interval.set);
        ck_assert_uint_eq(spec_stop_timeout(&s->processes[0]), 10000000);
}
END_TEST

START_TEST(processes_are_laid_over_the_container) {
        Spec *s = scratch_spec("shop",
                "[Process web]\nExec=web\nEnvironment=B=2\nMemory=2g\n[Container]\nImage=localhost/x\nExec=base\nEnvironment=A=1\nMemory=1g\n"
                "[Process worker]\nImage=localhost/y\nEnvironment=\n[Process idle]\n[Process web]\nHostName=w\n");
        const SpecProcess *web = spec_process(s, "web"), *worker = spec_process(s, "worker");

        ck_assert_uint_eq(s->n_processes, 3);
        ck_assert_ptr_null(spec_process(s, NULL));
        ck_assert_str_eq(web->exec.words[0], "web");
        ck_assert_uint_eq(web->environment.n, 2);
        ck_assert_str_eq(web->environment.items[0].name, "A");
        ck_assert_uint_eq(web->memory.value, 2ull << 30);
        ck_assert_str_eq(web->hostname.value, "w");
        ck_assert_str_eq(worker->image.value, "localhost/y");
        ck_assert_str_eq(worker->exec.words[0], "base");
        ck_assert_uint_eq(worker->environment.n, 0);
        ck_assert_uint_eq(spec_process(s, "idle")->memory.value, 1ull << 30);
}
END_TEST

START_TEST(what_is_wrong_in_the_container_is_said_once) {
        scratch_wrong("[Container]\nImage=x\nMemory=a\n[Process a]\n[Process b]\n", 3, 8, "'a' is not a size such as 64m or 2g");
        scratch_wrong("[Container]\nImage=x\nGroup=a\n[Process a]\n[Process b]\n", 3, 7, "Group= needs User=");
}
END_TEST

START_TEST(keys_and_sections_that_nobody_knows_get_a_suggestion) {
        scratch_wrong("[Container]\nImgae=x\n", 2, 1, "unknown key 'Imgae', did you mean 'Image'?");
        scratch_wrong("[Container]\nImage=x\nFrobnicate=x\n", 3, 1, "unknown key 'Frobnicate'");
        scratch_wrong("[Container]\nImage=x\nRestart=no\n", 3, 1, "unknown key 'Restart', it belongs into [Service]");
        scratch_wrong("[Container]\nImage=x\nAppArmor=web\n", 3, 1, "key 'AppArmor' is known from Quadlet, not supported yet");
        scratch_wrong("[Container]\nImage=x\n[Sevrice]\n", 3, 1, "unknown section [Sevrice], did you mean [Service]?");
        scratch_wrong("[Container]\nImage=x\n[Pod]\n", 3, 1, "section [Pod] is known from Quadlet, not supported yet");
        scratch_wrong("[Container]\nImage=x\n[Process]\n", 3, 1, "[Process NAME] needs a name");
        scratch_wrong("[Container]\nImage=x\n[Service]\nUser=a\n", 4, 1, "User= cannot be set in [Service]: use User= in [Container]");
        (void) scratch_spec("x", "[Container]\nImage=x\nX-Mine=1\n[X-Other]\nAny=thing\n[Unit]\nX-Mine=2\n");
}
END_TEST

START_TEST(all_is_said_in_the_order_of_the_file) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        Spec *s = NULL;
        unsigned line = 0;

        scratch_write("x.container", "[Container]\nA=1\nImage=x y\n[Foo]\n[Service]\nType=forking\n[Container]\nMemory=x\nGroup=g\n");
        ck_assert_int_eq(spec_load("x", scratch, &diags, &s), -EBADMSG);
        ck_assert_uint_eq(diags.n, 6);
        for (size_t i = 0; i < diags.n; i++) {
                ck_assert_uint_ge(diags.items[i].line, line);
                line = diags.items[i].line;
        }
}
END_TEST

START_TEST(a_wrong_spec_can_still_be_looked_at) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        Spec *s = NULL;

        scratch_write("x.container", "[Container]\nImgae=x\n[Install]\nWantedBy=multi-user.target\n");
        ck_assert_int_eq(spec_read("x", scratch, SPEC_STATIC, &diags, &s), -EBADMSG);
        ck_assert_ptr_nonnull(s);
        ck_assert_str_eq(s->wanted_by.items[0].value, "multi-user.target");
        spec_free(s);
        s = NULL;
        /* Without anybody to tell, it is wrong all the same. */
        ck_assert_int_eq(spec_load("x", scratch, NULL, &s), -EBADMSG);
        ck_assert_ptr_null(s);
}
END_TEST

START_TEST(keys_that_exclude_one_another) {
        scratch_process_wrong("Rootfs=/x", 8, "Rootfs= and Image= exclude one another");
        scratch_process_wrong("ReloadSignal=HUP\nReloadCmd=a", 14, "ReloadSignal= and ReloadCmd= exclude one another");
        scratch_process_wrong("UIDMap=0:1:1\nUserNS=host", 8, "UIDMap= and GIDMap= need a user namespace, UserNS=host has none");
        scratch_process_wrong("Sysctl=net.a=1\nNetwork=host", 8, "kernel parameter 'net.a' is the host's with Network=host");
        scratch_process_wrong("DropCapability=CHOWN\nAddCapability=CHOWN", 1, "capability 'CAP_CHOWN' is in AddCapability= and in DropCapability=");
        scratch_wrong("[Container]\nExec=a\n", 0, 0, "[Container] has neither Image= nor Rootfs=");
        scratch_wrong("[Unit]\nDescription=a\n", 0, 0, "has no [Container] section");
        scratch_wrong("[Container]\nExec=a\n[Process p]\n", 3, 1, "process 'p' has neither Image= nor Rootfs=");
}
END_TEST

START_TEST(the_service_section_tells_the_supervisor) {
        Spec *s = scratch_spec("x",
                "[Unit]\nStartLimitIntervalSec=1min\nStartLimitBurst=4\n[Container]\nImage=x\n[Service]\nRestart=on-failure\nRestartSec=5\n"
                "SuccessExitStatus=3 SIGUSR1\nSuccessExitStatus=DATAERR\nRestartPreventExitStatus=1\nTimeoutSec=30\n");

        ck_assert_int_eq(s->restart, SPEC_RESTART_ON_FAILURE);
        ck_assert_uint_eq(s->restart_sec.value, 5000000);
        ck_assert_uint_eq(s->start_limit_interval.value, 60000000);
        ck_assert_uint_eq(s->start_limit_burst.value, 4);
        ck_assert(spec_exit_set_has(&s->success, false, 3));
        ck_assert(spec_exit_set_has(&s->success, false, 65));
        ck_assert(spec_exit_set_has(&s->success, true, SIGUSR1));
        ck_assert(!spec_exit_set_has(&s->success, false, 1));
        ck_assert(spec_exit_set_has(&s->restart_prevent, false, 1));
        ck_assert_uint_eq(s->timeout_start.value, 30000000);
        ck_assert_uint_eq(s->timeout_stop.value, 30000000);
        s = scratch_spec("x", "[Container]\nImage=x\n[Service]\nType=oneshot\nRemainAfterExit=yes\n");
        ck_assert(s->oneshot && s->remain_after_exit);
        ck_assert_int_eq(s->restart, SPEC_RESTART_NO);
}
END_TEST

START_TEST(a_service_name_is_what_specifiers_mean) {
        Spec *s = scratch_spec("x", "[Container]\nImage=x\nServiceName=other\nHostName=%N\nLabel=n=%n p=%p\n");

        ck_assert_str_eq(s->name, "x");
        ck_assert_str_eq(s->service, "other");
        ck_assert_str_eq(s->processes[0].hostname.value, "other");
        ck_assert_str_eq(s->processes[0].labels.items[0].value, "other.service");
        ck_assert_str_eq(s->processes[0].labels.items[1].value, "other");
        scratch_process_wrong("ServiceName=a.service", 13, "'a.service' is not a name of a service, without '.service'");
}
END_TEST

START_TEST(a_root_file_system_has_options) {
        Spec *s = scratch_spec("x", "[Container]\nRootfs=/srv/root/:O\n");

        ck_assert_str_eq(s->processes[0].rootfs.value, "/srv/root");
        ck_assert(s->processes[0].rootfs_overlay && !s->processes[0].rootfs_idmap);
        scratch_wrong("[Container]\nRootfs=/x:rw\n", 2, 11, "'rw' is not an option of Rootfs=; there are O and idmap");
}
END_TEST

START_TEST(places_are_named) {
        Spec *s = scratch_spec("x", "[Container]\nImage=localhost/x\n");
        char text[256];

        ck_assert_str_eq(spec_origin_text(s, s->processes[0].image.origin, text, sizeof(text)), "x.container:2:7");
        ck_assert_str_eq(spec_origin_text(s, s->processes[0].hostname.origin, text, sizeof(text)), "");
}
END_TEST

START_TEST(a_spec_has_a_greatest_number_of_processes_and_files) {
        static char text[SPEC_PROCESSES_MAX * 32 + 64] = "[Container]\nImage=x\n";

        for (int i = 0; i <= SPEC_PROCESSES_MAX; i++)
                sprintf(text + strlen(text), "[Process p%d]\n", i);
        scratch_wrong(text, SPEC_PROCESSES_MAX + 3, 1, "more than 64 processes");
        for (int i = 0; i < SPEC_FRAGMENTS_MAX; i++) {
                char name[64];

                (void) snprintf(name, sizeof(name), "wrong.container.d/%03d.conf", i);
                scratch_write(name, "[Unit]\n");
        }
        scratch_wrong("[Container]\nImage=x\n", 0, 0, "one spec has at most 256 files");
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, a_spec_without_processes_has_one_without_a_name);
        tcase_add_test(t, processes_are_laid_over_the_container);
        tcase_add_test(t, what_is_wrong_in_the_container_is_said_once);
        tcase_add_test(t, keys_and_sections_that_nobody_knows_get_a_suggestion);
        tcase_add_test(t, all_is_said_in_the_order_of_the_file);
        tcase_add_test(t, a_wrong_spec_can_still_be_looked_at);
        tcase_add_test(t, keys_that_exclude_one_another);
        tcase_add_test(t, the_service_section_tells_the_supervisor);
        tcase_add_test(t, a_service_name_is_what_specifiers_mean);
        tcase_add_test(t, a_root_file_system_has_options);
        tcase_add_test(t, places_are_named);
        tcase_add_test(t, a_spec_has_a_greatest_number_of_processes_and_files);
}

int main(void) {
        return scratch_run("spec", add);
}
