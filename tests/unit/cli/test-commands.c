/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "said.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

static char directory[] = "/tmp/test-commands.XXXXXX";

static char *below(const char *name) {
        static char path[4][128];
        static unsigned next;
        char *p = path[next++ % ELEMENTSOF(path)];

        (void) snprintf(p, sizeof(path[0]), "%s/%s", directory, name);
        return p;
}

static void put(const char *name, const char *text, mode_t mode) {
        ck_assert_int_eq(write_file(AT_FDCWD, below(name), text, strlen(text), mode, false), 0);
}

static void setup(void) {
        temporary_make(directory);
        ck_assert_int_eq(setenv("BERTH_SPEC_PATH", directory, 1), 0);
        ck_assert_int_eq(setenv("NO_COLOR", "1", 1), 0);
}

static void teardown(void) {
        temporary_remove();
}

/* The commands that `berth help` lists. */
static char **commands(void) {
        _cleanup_free_ char *text = strdup(said("help", NULL)->out);
        char **names = NULL, *line, *rest = text;

        while ((line = strsep(&rest, "\n"))) {
                char *end = line + 2;

                if (strncmp(line, "  ", 2) != 0 || !islower((unsigned char) *end))
                        continue;
                end += strspn(end, "abcdefghijklmnopqrstuvwxyz-");
                ck_assert_int_eq(*end, ' ');
                *end = 0;
                ck_assert_int_eq(strv_append(&names, line + 2), 0);
        }
        ck_assert_uint_gt(strv_length(names), 15);
        return names;
}

START_TEST(help_is_there_for_every_command) {
        _cleanup_strv_ char **names = commands();

        for (char **name = names; *name; name++) {
                _cleanup_free_ char *usage = str_format("berth %s", *name);

                if (streq(*name, "help") || streq(*name, "version"))
                        continue;
                says(0, usage, *name, "--help");
                says(0, usage, *name, "-h");
                says(0, usage, "help", *name);
                says(2, "--nonsense", *name, "--nonsense");
        }
        says(0, "Usage: berth COMMAND", "--help");
        says(0, "Usage: berth COMMAND", "-h");
        says(0, "berth " BERTH_VERSION, "--version");
        says(0, "berth " BERTH_VERSION, "version");
}
END_TEST

START_TEST(what_makes_no_sense_says_so_and_ends_with_2) {
        says(2, "unknown command 'lits', did you mean 'list'?", "lits");
        says(2, "unknown command 'pineapple'\n", "pineapple");
        says(2, "unknown option '--frobnicate'", "--frobnicate");
        says(2, "unknown command 'nothing'", "help", "nothing");
        says(2, "'logs' needs one app", "logs");
        says(2, "'logs' needs one app", "logs", "a", "b");
        says(2, "'pear' is not a release", "logs", "--release=pear", "a");
        says(2, "'v-1' is not a release", "logs", "--release=v-1", "a");
        says(2, "needs an app", "status");
        says(2, "'start' needs an app", "start");
        says(2, "'reload' needs an app", "reload");
        says(2, "which app, and which command?", "exec");
        says(2, "which command shall run in 'shop'?", "exec", "shop", "--");
        says(2, "--workdir takes an absolute path, not 'x'", "exec", "-w", "x", "shop", "true");
        says(2, "--env takes NAME=VALUE, not 'A'", "exec", "-e", "A", "shop", "true");
        says(2, "--env takes NAME=VALUE, not '=A'", "exec", "-e", "=A", "shop", "true");
        says(2, "no section 'Nope'", "keys", "Nope");
        says(2, "load wants one file", "load");
        says(2, "import wants a tar archive", "import");
        says(2, "import wants a tar archive", "import", "a", "b", "c");
        says(2, "unknown capability in 'pear'", "seccomp", "--cap=pear");
        says(2, "one profile at a time", "seccomp", "a", "b");
        says(2, "", "");
}
END_TEST

/* What an app's journal is asked for. */
START_TEST(logs_are_what_journalctl_is_asked_for) {
        _cleanup_free_ char *path = str_format("%s:%s", directory, getenv("PATH"));

        put("journalctl", "#!/bin/sh\necho \"$*\"\n", 0755);
        put("shop.container", "[Container]\nImage=x\nServiceName=store\n", 0644);
        ck_assert_int_eq(setenv("PATH", path, 1), 0);
        says(0, "--unit=store.service\n", "logs", "shop");
        says(0, "--unit=gone.service BERTH_INSTANCE=web.1\n", "logs", "gone/web.1");
        says(0, "--follow --lines=5 --output=json --unit=store.service BERTH_PROCESS=web BERTH_RELEASE=v3\n", "logs", "-f", "-n5",
                "--output=json", "--process=web", "--release=3", "shop");
        says(0, "--priority=err --grep=x --reverse --boot --since=today --until=now --no-pager", "logs", "-perr", "-gx", "-r", "-b",
                "--since=today", "--until=now", "--no-pager", "--release=v3", "shop");
        says(1, "'..' is not the name of an app", "logs", "../x");
}
END_TEST

START_TEST(specs_are_checked_and_shown) {
        put("shop.container", "[Container]\nImage=localhost/shop\n", 0644);
        says(0, "", "verify");
        says(0, "Image=localhost/shop", "cat", "shop");
        says(0, "[Service]", "generate", "--dry-run");
        put("bad.container", "[Container]\nImage=x\nExce=y\n", 0644);
        ck_assert_int_eq(said("verify", NULL)->code, 1);
        ck_assert_ptr_nonnull(strstr(said("verify", "bad", NULL)->out, "bad.container:3:1: unknown key 'Exce', did you mean 'Exec'?"));
        ck_assert_int_eq(said("verify", "shop", NULL)->code, 0);
        ck_assert_int_eq(said("verify", below("bad.container"), NULL)->code, 1);
        says(0, "\"key\":\"Image\"", "keys", "--json", "Container");
}
END_TEST

START_TEST(an_app_that_is_not_there_is_status_4) {
        says(4, "there is no app 'nope'", "status", "nope");
        says(4, "there is no app '..'", "status", "..");
        says(4, "there is no app 'web@'", "status", "web@");
}
END_TEST

START_TEST(verbs_say_what_is_no_app_to_start) {
        put("bad.container", "[Container]\nImage=x\nExce=y\n", 0644);
        says(1, "there is no app 'nope'", "start", "nope");
        says(1, "there is no app 'nope'", "stop", "nope");
        says(1, "'shop/1' is one instance; an app is restarted as a whole", "restart", "shop/1");
        says(1, "app 'bad' is not started: bad.container:3:1: unknown key 'Exce'", "start", "bad");
        says(1, "app 'bad' is not restarted: bad.container:3:1: unknown key 'Exce'", "restart", "nope", "bad");
}
END_TEST

START_TEST(a_full_disk_is_no_success) {
        said_to("/dev/full");
        says(1, "cannot write the output: No space left on device", "keys");
        said_to(NULL);
}
END_TEST

int main(void) {
        Suite *s = suite_create("commands");
        TCase *t = tcase_create("commands");
        SRunner *r;
        int failed;

        suite_add_tcase(s, t);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, help_is_there_for_every_command);
        tcase_add_test(t, what_makes_no_sense_says_so_and_ends_with_2);
        tcase_add_test(t, logs_are_what_journalctl_is_asked_for);
        tcase_add_test(t, specs_are_checked_and_shown);
        tcase_add_test(t, an_app_that_is_not_there_is_status_4);
        tcase_add_test(t, verbs_say_what_is_no_app_to_start);
        tcase_add_test(t, a_full_disk_is_no_success);
        r = srunner_create(s);
        srunner_run_all(r, CK_ENV);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed > 0;
}
