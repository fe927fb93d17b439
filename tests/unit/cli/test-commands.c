/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "said.h"
#include "suite.h"
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
        says(2, "'scale' needs an app", "scale");
        says(2, "'limits' needs an app", "limits");
        says(2, "'maintenance' needs an app", "maintenance");
        says(2, "--delay takes seconds, 0.1 or more, not '0'", "top", "-d0");
        says(2, "'releases' needs one app", "releases");
        says(2, "'rollback' needs one app", "rollback");
        says(2, "maintenance is on or off, not 'maybe'", "maintenance", "shop", "maybe");
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
        says(0, "--output=cat --unit=store.service\n", "logs", "-ocat", "shop");
        says(0, "--output=cat --unit=gone.service BERTH_INSTANCE=web.1\n", "logs", "-ocat", "gone/web.1");
        says(0, "--output=json --unit=store.service\n", "logs", "--json", "shop");
        says(0, "--follow --lines=5 --output=json --unit=store.service BERTH_PROCESS=web BERTH_RELEASE=v3\n", "logs", "-f", "-n5",
                "--output=json", "--process=web", "--release=3", "shop");
        says(0, "--priority=err --grep=x --reverse --boot --since=today --until=now --no-pager", "logs", "-perr", "-gx", "-r", "-b",
                "--since=today", "--until=now", "--no-pager", "-oshort", "--release=v3", "shop");
        put("journalctl", "#!/bin/sh\necho \"MESSAGE=$*\"\necho BERTH_INSTANCE=web.1\nexit 7\n", 0755);
        says(7, "", "logs", "-n5", "shop");
        ck_assert_str_eq(said("logs", "-n5", "shop", NULL)->out, "web.1  | --lines=5 --unit=store.service --output=export "
                "--output-fields=MESSAGE,PRIORITY,BERTH_INSTANCE,SYSLOG_IDENTIFIER\n");
        put("journalctl", "#!/bin/sh\necho MESSAGE\n", 0755);
        says(1, "cannot read what journalctl says: Bad message", "logs", "shop");
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

static void drop_in_is(const char *name, const char *wanted) {
        _cleanup_free_ char *text = NULL;
        int r = read_file(AT_FDCWD, below(name), 1 << 16, &text, NULL);

        ck_assert_msg(wanted ? r == 0 && streq(text, wanted) : r == -ENOENT, "%s: %s", name, text ? text : strerror(-r));
}

START_TEST(an_app_is_scaled_by_a_drop_in) {
        put("shop.container", "[Container]\nImage=x\n[Process web]\nInstances=2\n[Process worker]\n[Process release]\n", 0644);
        put("one.container", "[Container]\nImage=x\n", 0644);
        says(0, "web: 2 -> 3, when the app starts\nworker: 1 -> 0, when the app starts\n", "scale", "shop", "web=3", "worker=-1");
        drop_in_is("shop.container.d/50-scale.conf", "[Process web]\nInstances=3\n\n[Process worker]\nInstances=0\n");
        says(0, "web: 3 -> 5", "scale", "shop", "web=+2");
        says(0, "web: 5, as before\n", "scale", "shop", "web=5");
        says(0, "PROCESS  WANTED  RUNNING  READY\nweb      5       0        0\nworker   0       0        0\n", "scale", "shop");
        says(0, "[{\"process\":\"web\",\"wanted\":5,\"cpus\":false,\"running\":0,\"ready\":0},", "scale", "--json", "shop");
        says(0, "{\"app\":\"shop\",\"running\":false,\"processes\":[{\"process\":\"worker\",\"from\":0,\"to\":4}]}", "scale", "--json", "shop",
                "worker=4");
        says(0, "one: 1 -> 3", "scale", "one", "3");
        says(0, "one: 3 -> 2", "scale", "one", "-1");
        says(0, "one: ", "scale", "one", "%cpus");
        drop_in_is("one.container.d/50-scale.conf", "[Container]\nInstances=%cpus\n");
        put("many@.container", "[Container]\nImage=x\n", 0644);
        says(0, "many@a: 1 -> 2", "scale", "many@a", "2");
        drop_in_is("many@a.container.d/50-scale.conf", "[Container]\nInstances=2\n");
        says(1, "is a template: it needs an instance", "scale", "many@", "2");
        says(1, "there can be 0 to 1000 instances of a process; 'web' has 5", "scale", "shop", "web=-6");
        says(1, "app 'shop' has several processes: say which, as in web=3", "scale", "shop", "3");
        says(1, "app 'shop' has no process 'wev', did you mean 'web'?", "scale", "shop", "wev=3");
        says(1, "app 'one' has no process 'web', but one without a name", "scale", "one", "web=3");
        says(1, "the process 'release' runs once for each release", "scale", "shop", "release=3");
        says(2, "'many' is not a number, +NUMBER, -NUMBER or %cpus", "scale", "shop", "web=many");
        says(2, "'web=2' says a second time", "scale", "shop", "web=1", "web=2");
        put("one.container.d/60-mine.conf", "[Container]\nInstances=7\n", 0644);
        says(1, "app 'one' is not scaled: 60-mine.conf:2:11 says otherwise, and comes later than 50-scale.conf", "scale", "one", "3");
        drop_in_is("one.container.d/50-scale.conf", "[Container]\nInstances=%cpus\n");
        says(1, "no spec", "scale", "nope", "3");
        ck_assert_int_lt(access(below("nope.container.d"), F_OK), 0);
}
END_TEST

START_TEST(limits_are_changed_by_a_drop_in) {
        put("shop.container", "[Container]\nImage=x\nMemory=512m\nCPUWeight=idle\n[Process web]\n[Process worker]\nMemory=2000\n", 0644);
        says(0, "PROCESS  MEMORY  SWAP  CPUS  CPUWEIGHT  IOWEIGHT  PIDS\n"
                "(app)    -       -     -     -          -         -\nweb      512m    -     -     idle       -         -\n"
                "worker   2000    -     -     idle       -         -\n", "limits", "shop");
        says(0, "web: Memory 512m -> 1g, when the app starts\nweb: CPUs - -> 1.5, when the app starts\n", "limits", "shop", "web", "Memory=1g",
                "CPUs=1.5");
        drop_in_is("shop.container.d/50-limits.conf", "[Process web]\nMemory=1g\nCPUs=1.5\n");
        says(0, "[{\"app\":false,\"process\":\"web\",\"memory\":\"1g\",\"swap\":null,\"cpus\":\"1.5\",\"cpu_weight\":\"idle\",", "limits", "--json", "shop", "web");
        says(0, "web: PidsLimit - -> infinity", "limits", "shop", "PidsLimit=-1");
        says(0, "web: Memory 1g -> 512m", "limits", "shop", "web", "Memory=");
        says(0, "nothing has changed\n", "limits", "shop", "web", "CPUs=1.5");
        says(1, "50-limits.conf:3:8: '12q' is not a size such as 64m or 2g", "limits", "shop", "web", "Memory=12q");
        says(1, "MemorySwap= needs Memory=", "limits", "shop", "web", "Memory=infinity", "MemorySwap=1g");
        drop_in_is("shop.container.d/50-limits.conf", "[Process web]\nCPUs=1.5\n\n[Container]\nPidsLimit=-1\n");
        says(2, "no limit 'memory', did you mean 'Memory'?", "limits", "shop", "memory=1g");
        says(2, "'web' is not KEY=VALUE", "limits", "shop", "Memory=1g", "web");
        says(1, "app 'shop' has no process 'pear'", "limits", "shop", "pear", "Memory=1g");
        says(0, "(app): Memory - -> 2g", "limits", "--app", "shop", "Memory=2g");
        drop_in_is("shop.container.d/50-limits.conf", "[Process web]\nCPUs=1.5\n\n[Container]\nPidsLimit=-1\n\n[Slice]\nMemoryMax=2147483648\n");
        says(0, "(app)    2g      -     -     -          -         -\n", "limits", "--app", "shop");
        says(2, "no limit 'memory', did you mean 'Memory'?", "limits", "--app", "shop", "memory=1g");
        says(2, "--app is for the app as a whole, not for its process 'web'", "limits", "--app", "shop", "web", "Memory=1g");
        says(0, "(app): Memory 2g -> -", "limits", "--app", "shop", "Memory=");
        says(0, "web: PidsLimit infinity -> -", "limits", "shop", "PidsLimit=");
        says(0, "web: CPUs 1.5 -> -", "limits", "shop", "web", "CPUs=");
        ck_assert_int_lt(access(below("shop.container.d"), F_OK), 0);
}
END_TEST

START_TEST(maintenance_is_a_drop_in) {
        put("shop.container", "[Container]\nImage=x\n", 0644);
        put("closed.container", "[Container]\nImage=x\nMaintenance=yes\n", 0644);
        says(0, "", "maintenance", "shop", "on");
        drop_in_is("shop.container.d/50-maintenance.conf", "[Container]\nMaintenance=yes\n");
        says(0, "on\n", "maintenance", "shop");
        says(0, "", "maintenance", "shop", "off");
        drop_in_is("shop.container.d/50-maintenance.conf", NULL);
        says(0, "off\n", "maintenance", "shop");
        says(0, "", "maintenance", "closed", "off");
        drop_in_is("closed.container.d/50-maintenance.conf", "[Container]\nMaintenance=no\n");
        says(0, "", "maintenance", "closed", "on");
        says(1, "nope", "maintenance", "nope", "on");
}
END_TEST

START_TEST(an_app_that_is_not_there_is_status_4) {
        says(4, "there is no app 'nope'", "status", "nope");
        says(4, "there is no app '..'", "status", "..");
        says(4, "there is no app 'web@'", "status", "web@");
        says(1, "there is no app 'nope'", "top", "nope");
        says(1, "there is no app 'nope'", "releases", "nope");
        says(1, "there is no app 'nope'", "rollback", "nope");
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

        suite_add_tcase(s, t);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, help_is_there_for_every_command);
        tcase_add_test(t, what_makes_no_sense_says_so_and_ends_with_2);
        tcase_add_test(t, logs_are_what_journalctl_is_asked_for);
        tcase_add_test(t, specs_are_checked_and_shown);
        tcase_add_test(t, an_app_is_scaled_by_a_drop_in);
        tcase_add_test(t, limits_are_changed_by_a_drop_in);
        tcase_add_test(t, maintenance_is_a_drop_in);
        tcase_add_test(t, an_app_that_is_not_there_is_status_4);
        tcase_add_test(t, verbs_say_what_is_no_app_to_start);
        tcase_add_test(t, a_full_disk_is_no_success);
        return suite_run(s);
}
