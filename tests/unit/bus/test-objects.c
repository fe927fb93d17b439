/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/objects.h"
#include "bus/polkit.h"
#include "stage.h"
#include "util/strv.h"

#define NOBODY 65534

#define SHOP "/org/berth1/app/shop"

static void two_apps(void) {
        stage_write(stage.specs, "shop.container", "[Container]\nImage=localhost/shop\n");
        stage_write(stage.specs, "bad.container", "[Container]\nImgae=x\n");
        stage_write(stage.specs, "web@.container", "[Container]\nImage=localhost/web\n");
}

START_TEST(apps_are_listed_with_their_state) {
        const char *name, *image, *active, *sub, *status, *path;

        two_apps();
        stage_start(0);
        ck_assert_ptr_null(stage_manager("ListApps", ""));
        ck_assert_int_gt(sd_bus_message_enter_container(stage.reply, 'a', "(ssssso)"), 0);
        ck_assert_int_gt(sd_bus_message_read(stage.reply, "(ssssso)", &name, &image, &active, &sub, &status, &path), 0);
        ck_assert_str_eq(name, "bad");
        ck_assert_int_gt(sd_bus_message_read(stage.reply, "(ssssso)", &name, &image, &active, &sub, &status, &path), 0);
        ck_assert_str_eq(name, "shop");
        ck_assert_str_eq(image, "localhost/shop");
        ck_assert_str_eq(active, "active");
        ck_assert_str_eq(sub, "running");
        ck_assert_str_eq(path, SHOP);
        /* A template is no app until somebody asks for an instance. */
        ck_assert_int_eq(sd_bus_message_read(stage.reply, "(ssssso)", &name, &image, &active, &sub, &status, &path), 0);
}
END_TEST

START_TEST(an_app_is_found_by_its_name_alone) {
        const char *path;

        two_apps();
        stage_start(0);
        ck_assert_ptr_null(stage_manager("GetApp", "s", "shop"));
        ck_assert_int_gt(sd_bus_message_read(stage.reply, "o", &path), 0);
        ck_assert_str_eq(path, SHOP);
        ck_assert_ptr_null(stage_manager("GetApp", "s", "web@a"));
        ck_assert_str_eq(stage_manager("GetApp", "s", "nope"), BUS_ERROR_NO_SUCH_APP);
        ck_assert_str_eq(stage_message(), "There is no app 'nope'");
        ck_assert_str_eq(stage_manager("GetApp", "s", "web@"), BUS_ERROR_NO_SUCH_APP);
        ck_assert_str_eq(stage_manager("GetApp", "s", "../shop"), BUS_ERROR_NO_SUCH_APP);
        ck_assert_str_eq(stage_message(), "'../shop' is not the name of an app");
        ck_assert_str_eq(stage_manager("Verify", "s", "/etc/shadow"), BUS_ERROR_NO_SUCH_APP);
}
END_TEST

START_TEST(each_verb_is_a_job_of_the_service) {
        static const char *const verbs[][2] = {
                { "Start", "StartUnit shop.service" }, { "Stop", "StopUnit shop.service" },
                { "Restart", "RestartUnit shop.service" }, { "Reload", "ReloadUnit shop.service" },
        };

        two_apps();
        stage_start(0);
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                _cleanup_free_ char *method = str_format("%sApp", verbs[i][0]);
                const char *job;

                ck_assert_ptr_null(stage_manager(method, "s", "shop"));
                ck_assert_str_eq(stage.job, verbs[i][1]);
                ck_assert_int_gt(sd_bus_message_read(stage.reply, "o", &job), 0);
                ck_assert_str_eq(job, "/org/freedesktop/systemd1/job/7");
                free(TAKE_PTR(stage.job));
                ck_assert_ptr_null(stage_call(SHOP, BUS_APP_INTERFACE, verbs[i][0], ""));
                ck_assert_str_eq(stage.job, verbs[i][1]);
        }
        ck_assert_uint_eq(stage.questions, 0); /* root needs nobody's leave */
}
END_TEST

START_TEST(what_cannot_be_done_has_an_error_of_its_own) {
        two_apps();
        stage_start(0);
        ck_assert_str_eq(stage_manager("StartApp", "s", "nope"), BUS_ERROR_NO_SUCH_APP);
        ck_assert_str_eq(stage_manager("StartApp", "s", "bad"), BUS_ERROR_BAD_SPEC);
        ck_assert_ptr_nonnull(strstr(stage_message(), "bad.container:2:1"));
        ck_assert_ptr_null(stage_manager("StopApp", "s", "bad"));
        ck_assert_str_eq(stage_manager("KillApp", "ssi", "shop", "", 999), BUS_ERROR_BAD_SIGNAL);
        ck_assert_str_eq(stage_manager("KillApp", "ssi", "shop", "", 0), BUS_ERROR_BAD_SIGNAL);
        ck_assert_str_eq(stage_manager("KillApp", "ssi", "shop", "", SIGTERM), BUS_ERROR_NOT_RUNNING);
        ck_assert_str_eq(stage_manager("KillApp", "ssi", "shop", "7", SIGTERM), BUS_ERROR_NO_SUCH_INSTANCE);
        stage.no_such_unit = true;
        ck_assert_str_eq(stage_manager("StartApp", "s", "shop"), BUS_ERROR_NO_SUCH_UNIT);
        ck_assert_ptr_nonnull(strstr(stage_message(), "daemon-reload"));
}
END_TEST

/* The state file names a process that is no longer the instance's: its number was given to another. */
START_TEST(a_process_outside_of_its_scope_is_not_killed) {
        AppState s = { .name = (char *) "shop", .service = (char *) "shop.service", .source = (char *) "", .status = (char *) "",
                .image = (char *) "", .image_id = (char *) "", .release = 1, .n_instances = 1 };
        InstanceStatus i = { .name = (char *) "1", .process = (char *) "", .index = 1, .state = INSTANCE_READY,
                .scope = (char *) "shop.1.v1.scope", .container_name = (char *) "shop", .release = 1 };
        pid_t pid = fork();

        if (pid == 0) {
                pause();
                _exit(0);
        }
        i.pid = pid;
        s.instances = &i;
        two_apps();
        stage_write(stage.run, "shop/other", "");
        ck_assert_int_eq(app_state_write(stage.run, &s), 0);
        stage_start(0);
        ck_assert_str_eq(stage_manager("KillApp", "ssi", "shop", "1", SIGKILL), BUS_ERROR_NOT_RUNNING);
        ck_assert_str_eq(stage_message(), "Instance '1' is not running");
        ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_str_eq(stage_manager("KillApp", "ssi", "shop", "", SIGKILL), BUS_ERROR_NOT_RUNNING);
}
END_TEST

START_TEST(what_a_change_refuses_leaves_nothing) {
        _cleanup_free_ char *drop_ins = NULL;

        two_apps();
        stage_start(0);
        drop_ins = str_format("%s/shop.container.d", stage.specs);
        ck_assert_str_eq(stage_manager("ScaleApp", "sas", "shop", 1, "web=2"), BUS_ERROR_REFUSED);
        ck_assert_str_eq(stage_message(), "app 'shop' has no process 'web', but one without a name");
        ck_assert_str_eq(stage_manager("ScaleApp", "sas", "shop", 1, "many"), BUS_ERROR_REFUSED);
        ck_assert_str_eq(stage_manager("LimitApp", "ssas", "shop", "", 1, "Memroy=1g"), BUS_ERROR_REFUSED);
        ck_assert_str_eq(stage_message(), "no limit 'Memroy', did you mean 'Memory'?");
        ck_assert_str_eq(stage_manager("LimitApp", "ssas", "shop", "", 1, "Memory=lots"), BUS_ERROR_REFUSED);
        ck_assert_ptr_nonnull(strstr(stage_message(), "50-limits.conf:2:8: 'lots' is not a size"));
        ck_assert_str_eq(stage_manager("LimitApp", "ssas", "shop", "web", 1, "Memory=1g"), BUS_ERROR_REFUSED);
        ck_assert_str_eq(stage_manager("LimitSlice", "sas", "shop", 1, "CPUs=x"), BUS_ERROR_REFUSED);
        ck_assert_str_eq(stage_manager("RollbackApp", "ss", "shop", "pear"), BUS_ERROR_REFUSED);
        ck_assert_str_eq(stage_manager("RollbackApp", "ss", "shop", "v7"), BUS_ERROR_REFUSED);
        ck_assert_ptr_nonnull(strstr(stage_message(), "app 'shop' has no release v7"));
        ck_assert_str_eq(stage_manager("ScaleApp", "sas", "nope", 1, "2"), BUS_ERROR_NO_SUCH_APP);
        ck_assert_ptr_null(stage.job);
        ck_assert_int_lt(access(drop_ins, F_OK), 0);
}
END_TEST

START_TEST(changes_have_verbs_for_polkit) {
        if (geteuid() != 0)
                return;
        two_apps();
        stage_start(NOBODY);
        stage.answer = ANSWER_NO;
        ck_assert_str_eq(stage_manager("ScaleApp", "sas", "shop", 1, "2"), SD_BUS_ERROR_ACCESS_DENIED);
        ck_assert_str_eq(stage.question, POLKIT_ACTION " app=shop verb=scale");
        ck_assert_str_eq(stage_call(SHOP, BUS_APP_INTERFACE, "Limit", "sas", "", 1, "Memory=1g"), SD_BUS_ERROR_ACCESS_DENIED);
        ck_assert_str_eq(stage.question, POLKIT_ACTION " app=shop verb=limit");
        ck_assert_str_eq(stage_manager("LimitSlice", "sas", "shop", 1, "Memory=1g"), SD_BUS_ERROR_ACCESS_DENIED);
        ck_assert_str_eq(stage_manager("RollbackApp", "ss", "shop", ""), SD_BUS_ERROR_ACCESS_DENIED);
        ck_assert_str_eq(stage.question, POLKIT_ACTION " app=shop verb=rollback");
        ck_assert_ptr_null(stage_manager("ListReleases", "s", "shop")); /* who looks is not asked */
        ck_assert_uint_eq(stage.questions, 4);
}
END_TEST

START_TEST(others_do_what_polkit_allows) {
        if (geteuid() != 0)
                return; /* only root can connect as somebody else */
        two_apps();
        stage_start(NOBODY);
        ck_assert_ptr_null(stage_manager("StopApp", "s", "shop"));
        ck_assert_str_eq(stage.job, "StopUnit shop.service");
        ck_assert_str_eq(stage.question, POLKIT_ACTION " app=shop verb=stop");
        ck_assert(!stage.interactive);
        ck_assert_ptr_null(stage_manager("GetApp", "s", "shop")); /* who looks is not asked */
        ck_assert_uint_eq(stage.questions, 1);
}
END_TEST

START_TEST(others_do_not_what_polkit_does_not_allow) {
        if (geteuid() != 0)
                return;
        two_apps();
        stage_start(NOBODY);
        stage.answer = ANSWER_NO;
        ck_assert_str_eq(stage_manager("StartApp", "s", "shop"), SD_BUS_ERROR_ACCESS_DENIED);
        ck_assert_str_eq(stage_message(), "You may not start app 'shop'");
        stage.answer = ANSWER_CHALLENGE;
        ck_assert_str_eq(stage_manager("RestartApp", "s", "shop"), SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
        stage.answer = ANSWER_ERROR;
        ck_assert_str_eq(stage_call(SHOP, BUS_APP_INTERFACE, "Kill", "si", "", SIGTERM), SD_BUS_ERROR_ACCESS_DENIED);
        stage.answer = ANSWER_NONSENSE;
        ck_assert_ptr_nonnull(stage_manager("ReloadApp", "s", "shop"));
        ck_assert_ptr_null(stage.job);
        ck_assert_uint_eq(stage.questions, 4);
        /* What makes no sense is said without a question. */
        ck_assert_str_eq(stage_manager("StartApp", "s", "bad"), BUS_ERROR_BAD_SPEC);
        ck_assert_uint_eq(stage.questions, 4);
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, apps_are_listed_with_their_state);
        tcase_add_test(t, an_app_is_found_by_its_name_alone);
        tcase_add_test(t, each_verb_is_a_job_of_the_service);
        tcase_add_test(t, what_cannot_be_done_has_an_error_of_its_own);
        tcase_add_test(t, a_process_outside_of_its_scope_is_not_killed);
        tcase_add_test(t, what_a_change_refuses_leaves_nothing);
        tcase_add_test(t, changes_have_verbs_for_polkit);
        tcase_add_test(t, others_do_what_polkit_allows);
        tcase_add_test(t, others_do_not_what_polkit_does_not_allow);
}

int main(void) {
        return stage_main("objects", add);
}
