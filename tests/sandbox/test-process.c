/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the payload is: its ids, capabilities, filter, descriptors, limits; and how it starts, ends and is joined. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "sandbox/seccomp.h"
#include "util/fd.h"

START_TEST(the_payload_is_process_1_with_three_descriptors) {
        World w = box_world();

        box_check(&w, { "process", "1 1 18" /* umask 0022 */ }, { "fds", "0 1 2 " }, { "ids", "0:0" }, { "hostname", "box" },
                { "env HOME", "/root" }, { "env PATH", "/bin" }, { "env BERTH_SYSCALL_FALLBACK", "unset" }, { "cwd", "/" },
                { "loopback", "up" }, { "link /proc/self/exe", "/bin/probe" }, { "field /proc/self/status NSpid", "1" },
                { "field /proc/self/status TracerPid", "0" });
}
END_TEST

START_TEST(signals_are_as_a_fresh_process_has_them) {
        World w = box_world();
        sigset_t set;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGHUP, SIG_IGN);
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        box_check(&w, { "field /proc/self/status SigIgn", "0000000000000000" },
                { "field /proc/self/status SigBlk", "0000000000000000" },
                { "field /proc/self/status SigCgt", "0000000000000000" });
}
END_TEST

START_TEST(descriptors_of_the_parent_stay_out) {
        World w = box_world();
        int low = open("/etc/passwd", O_RDONLY), high = fcntl(low, F_DUPFD, 200);

        ck_assert_int_ge(high, 200);
        box_check(&w, { "fds", "0 1 2 " });
}
END_TEST

START_TEST(root_has_the_given_capabilities_and_no_more) {
        World w = box_world();

        w.ambient = UINT64_C(1) << 12; /* for others only */
        box_check(&w, { "field /proc/self/status CapPrm", "00000000800405fb" },
                { "field /proc/self/status CapEff", "00000000800405fb" },
                { "field /proc/self/status CapBnd", "00000000800405fb" },
                { "field /proc/self/status CapInh", "0000000000000000" },
                { "field /proc/self/status CapAmb", "0000000000000000" },
                { "field /proc/self/status NoNewPrivs", "0" }, { "field /proc/self/status Seccomp", "0" });
        w.no_new_privileges = true;
        w.capabilities = 0;
        box_check(&w, { "field /proc/self/status CapEff", "0000000000000000" },
                { "field /proc/self/status CapBnd", "0000000000000000" },
                { "field /proc/self/status NoNewPrivs", "1" });
        w.capabilities = UINT64_MAX;
        box_check(&w, { "field /proc/self/status CapEff", "000001ffffffffff" });
        w.user_namespace = false;
        w.capabilities = BOX_CAPS;
        box_check(&w, { "field /proc/self/status CapEff", "00000000800405fb" },
                { "cat /proc/self/uid_map", "         0          0 4294967295" }, { "mknod /dev/x 1 3", "EPERM" });
}
END_TEST

START_TEST(others_have_only_what_was_added) {
        World w = box_world();

        w.user = (char *) "web";
        box_check(&w, { "ids", "33:34+34+50" }, { "env HOME", "/srv" },
                { "field /proc/self/status CapEff", "0000000000000000" },
                { "field /proc/self/status CapPrm", "0000000000000000" },
                { "field /proc/self/status CapBnd", "00000000800405fb" },
                { "field /proc/self/status CapInh", "0000000000000000" }, { "open /dev/stdout w", "ok" },
                { "open /dev/stderr w", "ok" }, { "open /etc/passwd w", "EACCES" });
        w.user = (char *) "1234:7";
        w.groups = (char *[]){ (char *) "tls", (char *) "99", NULL };
        w.ambient = UINT64_C(1) << 10;
        box_check(&w, { "ids", "1234:7+7+50+99" }, { "env HOME", "/" },
                { "field /proc/self/status CapEff", "0000000000000400" },
                { "field /proc/self/status CapPrm", "0000000000000400" },
                { "field /proc/self/status CapInh", "0000000000000400" },
                { "field /proc/self/status CapAmb", "0000000000000400" });
        w.no_new_privileges = w.run_init = true;
        box_check(&w, { "field /proc/self/status CapEff", "0000000000000400" },
                { "field /proc/1/status CapEff", "0000000000000400" }, { "field /proc/1/status Uid", "1234\t1234\t1234\t1234" });
}
END_TEST

static int filter(const char *profile) {
        int fd = memfd_create("filter", MFD_CLOEXEC);
        Error error = { 0 };

        ck_assert_msg(seccomp_compile(profile, BOX_CAPS, fd, &error) == 0, "%s", error.text);
        return fd;
}

static void check_filter(const char *user, bool nnp, bool init) {
        World w = box_world();
        Drive d = DRIVE_INIT;

        w.user = (char *) user;
        w.no_new_privileges = nnp;
        w.run_init = init;
        w.seccomp = true;
        d.seccomp = filter(NULL);
        /* swapoff (known, refused), a number nobody has, userfaultfd, sethostname, add_key is allowed and fails itself. */
        box_start(&d, &w, (const char *const[]){ "field /proc/self/status Seccomp", "syscall 168", "syscall 2000",
                                  "syscall 323", "syscall 170", "field /proc/self/status CapEff", NULL });
        ck_assert_int_eq(drive_wait(&d), 0);
        ck_assert_str_eq(d.output.data, user ?
                "field /proc/self/status Seccomp = 2\nsyscall 168 = EPERM\nsyscall 2000 = ENOSYS\nsyscall 323 = EPERM\n"
                "syscall 170 = EPERM\nfield /proc/self/status CapEff = 0000000000000000\n" :
                "field /proc/self/status Seccomp = 2\nsyscall 168 = EPERM\nsyscall 2000 = ENOSYS\nsyscall 323 = EPERM\n"
                "syscall 170 = EPERM\nfield /proc/self/status CapEff = 00000000800405fb\n");
        drive_clear(&d);
}

START_TEST(the_filter_is_there_with_and_without_privileges) {
        check_filter(NULL, false, false);
        check_filter(NULL, true, false);
        check_filter("web", false, false);
        check_filter("web", true, false);
        check_filter("web", false, true);
}
END_TEST

START_TEST(a_filter_that_forbids_the_setup_itself_still_works) {
        static const char profile[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"setresuid\","
                                      "\"setgroups\",\"capset\",\"prctl\",\"mount\",\"pivot_root\",\"unshare\",\"chdir\","
                                      "\"close_range\",\"keyctl\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}]}";
        World w = box_world();
        Drive d = DRIVE_INIT;

        w.seccomp = true;
        w.user = (char *) "web";
        d.seccomp = filter(profile);
        box_start(&d, &w, (const char *const[]){ "ids", NULL });
        ck_assert_int_eq(drive_wait(&d), 0);
        ck_assert_str_eq(d.output.data, "ids = 33:34+34+50\n");
        drive_clear(&d);
}
END_TEST

START_TEST(limits_and_the_oom_score_are_the_worlds) {
        WorldLimit limits[] = {
                { RLIMIT_NOFILE, 10, 20 }, /* fewer than the helper itself needs */
                { RLIMIT_CORE, 0, 0 },
                { RLIMIT_FSIZE, 1000, 2000 },
        };
        World w = box_world();

        w.limits = limits;
        w.n_limits = ELEMENTSOF(limits);
        w.oom_score_adj_set = true;
        w.oom_score_adj = 321;
        box_check(&w, { "limit 7", "10:20" }, { "limit 4", "0:0" }, { "limit 1", "1000:2000" },
                { "cat /proc/self/oom_score_adj", "321" });
}
END_TEST

START_TEST(each_failure_names_step_object_and_reason) {
        World w = box_world();

        w.argv = (char *[]){ (char *) "nginx", NULL };
        box_fails_with(&w, "cannot start 'nginx'", "No such file or directory", "PATH /bin");
        w.argv = (char *[]){ (char *) "/etc/passwd", NULL };
        box_fails_with(&w, "cannot start '/etc/passwd'", "Permission denied");
        box_write("layer/bin/script", "#! /opt/no/sh -e\n", 0755);
        w.argv = (char *[]){ (char *) "/bin/script", NULL };
        box_fails_with(&w, "cannot start '/bin/script': its interpreter '/opt/no/sh' does not exist there");
        w.argv = (char *[]){ (char *) "script", NULL };
        box_fails_with(&w, "cannot start '/bin/script': its interpreter '/opt/no/sh' does not exist there");
        w.argv = (char *[]){ (char *) "", NULL };
        box_fails_with(&w, "command is empty");
        w.argv = NULL;
        w.user = (char *) "nobody";
        box_fails_with(&w, "user 'nobody'", "/etc/passwd");
        w.user = (char *) "70000";
        box_fails_with(&w, "cannot become user 70000: it is not mapped in the instance's user namespace");
        w.user = (char *) "0:70000";
        box_fails_with(&w, "cannot become group 70000: it is not mapped");
        w.user = NULL;
        w.groups = (char *[]){ (char *) "70000", NULL };
        box_fails_with(&w, "supplementary groups", "not mapped");
        w.groups = NULL;
        w.limits = (WorldLimit[]){ { .resource = RLIMIT_NOFILE, .soft = 5, .hard = UINT64_C(1) << 40 } };
        w.n_limits = 1;
        box_fails_with(&w, "cannot set resource limit nofile to 5:1099511627776, the host's is");
        w.n_limits = 0;
        w.sysctls = (char *[]){ (char *) "kernel.panic=1", NULL };
        box_fails_with(&w, "sysctl 'kernel.panic'", "own namespaces");
        w.sysctls = (char *[]){ (char *) "net.ipv4.tcp_fin_timeout=many", NULL };
        box_fails_with(&w, "sysctl 'net.ipv4.tcp_fin_timeout'", "'many'", "Invalid argument");
        w.sysctls = NULL;
        w.cwd = (char *) "/etc/passwd/x";
        box_fails_with(&w, "working directory '/etc/passwd/x'", "Not a directory");
        w.cwd = NULL;
        w.layers = (char *[]){ box_path("nowhere"), NULL };
        box_fails_with(&w, "cannot mount a layer", "nowhere", "No such file or directory");
        w.seccomp = true;
        w.layers = box_world().layers;
        box_fails_with(&w, "seccomp filter");
}
END_TEST

START_TEST(sysctls_of_its_own_are_set) {
        World w = box_world();

        w.sysctls = (char *[]){ (char *) "net.ipv4.tcp_fin_timeout=321", (char *) "kernel.msgmax=4096",
                (char *) "net/ipv4/ip_forward=1", NULL };
        box_check(&w, { "cat /proc/sys/net/ipv4/tcp_fin_timeout", "321" }, { "cat /proc/sys/kernel/msgmax", "4096" },
                { "cat /proc/sys/net/ipv4/ip_forward", "1" });
        w.network_namespace = false;
        box_fails_with(&w, "net.ipv4.tcp_fin_timeout", "own namespaces");
}
END_TEST

START_TEST(the_working_directory_is_made) {
        World w = box_world();

        w.cwd = (char *) "/srv/new/app";
        w.user = (char *) "web";
        box_check(&w, { "cwd", "/srv/new/app" }, { "stat /srv/new", "040755 0:0 0:0" }, { "stat /srv/new/app", "040755 33:34 0:0" });
        w.user = NULL;
        box_upper(&w);
        box_check(&w, { "cwd", "/srv/new/app" });
        ck_assert_uint_eq(box_stat("instance/upper/srv/new").st_uid, BOX_ID);
}
END_TEST

static void wait_ready(Drive *d) {
        char buffer[256];
        size_t n = 0;

        while (n < sizeof(buffer) - 1) {
                ssize_t got = read(d->read_end, buffer + n, 1);

                ck_assert_int_eq(got, 1);
                buffer[++n] = 0;
                if (strstr(buffer, "ready"))
                        return;
        }
}

START_TEST(an_init_forwards_signals_reaps_and_passes_the_status_on) {
        World w = box_world();
        Drive d = DRIVE_INIT;
        Line lines[] = { { "process", "2 1 18" }, { "fds", "0 1 2 " }, { "orphan", "ok" }, { "list /proc", NULL },
                { "open /proc/1/exe w", "EACCES" }, { "ptrace 1", "EPERM" }, { "list /proc/1/fd", "EACCES" } };

        w.run_init = true;
        box_check_lines(&w, lines, ELEMENTSOF(lines));

        box_start(&d, &w, (const char *const[]){ "signal 15", "exit 42", NULL });
        wait_ready(&d);
        ck_assert_int_eq(kill(d.pid, SIGTERM), 0);
        ck_assert_int_eq(drive_wait(&d), 0);
        ck_assert_ptr_nonnull(strstr(d.output.data, "15"));
        ck_assert_int_eq(WEXITSTATUS(d.status), 42);
        drive_clear(&d);

        /* Uncaught, it ends the payload, as it would without being process 1. */
        box_start(&d, &w, (const char *const[]){ "sleep", NULL });
        wait_ready(&d);
        ck_assert_int_eq(kill(d.pid, SIGTERM), 0);
        ck_assert_int_eq(drive_wait(&d), 0);
        ck_assert_int_eq(WEXITSTATUS(d.status), 128 + SIGTERM);
        drive_clear(&d);
}
END_TEST

START_TEST(a_join_is_in_the_same_world) {
        static const char *const kinds[] = { "user", "pid", "mnt", "ipc", "uts", "net", "cgroup" };
        World w = box_world();
        Drive d = DRIVE_INIT;
        Line lines[ELEMENTSOF(kinds) + 7];
        char commands[ELEMENTSOF(kinds)][64], links[ELEMENTSOF(kinds)][64];
        size_t n = 0;

        w.user = (char *) "web";
        w.seccomp = true;
        d.seccomp = filter(NULL);
        box_start(&d, &w, (const char *const[]){ "sleep", NULL });
        wait_ready(&d);
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                char path[64];
                ssize_t size;

                (void) snprintf(path, sizeof(path), "/proc/%d/ns/%s", d.pid, kinds[i]);
                size = readlink(path, links[i], sizeof(links[i]) - 1);
                ck_assert_int_gt(size, 0);
                links[i][size] = 0;
                (void) snprintf(commands[i], sizeof(commands[i]), "link /proc/self/ns/%s", kinds[i]);
                lines[n++] = (Line){ commands[i], links[i] };
        }
        lines[n++] = (Line){ "ids", "33:34+34+50" };
        lines[n++] = (Line){ "fds", "0 1 2 " };
        lines[n++] = (Line){ "field /proc/self/status CapEff", "0000000000000000" };
        lines[n++] = (Line){ "field /proc/self/status CapBnd", "00000000800405fb" };
        lines[n++] = (Line){ "field /proc/self/status SigBlk", "0000000000000000" };
        lines[n++] = (Line){ "open /dev/stdout w", "ok" };
        lines[n++] = (Line){ "cwd", "/srv" };
        w.seccomp = false;
        w.cwd = (char *) "/srv";
        box_check_join(&w, &d, lines, n);
        w.argv = (char *[]){ (char *) "nothing", NULL };
        w.run_init = false;
        drive_clear(&d);
}
END_TEST

START_TEST(a_join_can_have_a_terminal) {
        World w = box_world();
        Drive d = DRIVE_INIT, j = DRIVE_INIT;
        char buffer[512];
        size_t n = 0;

        w.user = (char *) "web";
        box_start(&d, &w, (const char *const[]){ "sleep", NULL });
        wait_ready(&d);
        w.terminal = true;
        w.argv = (char *[]){ (char *) "probe", (char *) "tty", (char *) "stat /dev/pts/0", (char *) "fds", NULL };
        ck_assert_msg(drive_start(&j, &w, &d) == 0, "%s", j.error.text);
        ck_assert_int_ge(j.master, 0);
        for (ssize_t got; n < sizeof(buffer) - 1 && (got = read(j.master, buffer + n, sizeof(buffer) - 1 - n)) > 0;)
                n += (size_t) got;
        buffer[n] = 0;
        ck_assert_msg(strstr(buffer, "tty = /dev/pts/0 1\r\n") != NULL, "%s", buffer);
        ck_assert_msg(strstr(buffer, "stat /dev/pts/0 = 020620 33:5 136:0\r\n") != NULL, "%s", buffer);
        ck_assert_msg(strstr(buffer, "fds = 0 1 2 \r\n") != NULL, "%s", buffer);
        drive_clear(&j);
        drive_clear(&d);
}
END_TEST

START_TEST(a_join_of_what_has_ended_says_so) {
        World w = box_world();
        Drive d = DRIVE_INIT, j = DRIVE_INIT;

        box_start(&d, &w, (const char *const[]){ "ids", NULL });
        ck_assert_int_eq(drive_wait(&d), 0);
        ck_assert_int_lt(drive_start(&j, &w, &d), 0);
        ck_assert_msg(strstr(j.error.text, "cannot join") && strstr(j.error.text, "No such process"), "%s", j.error.text);
        drive_clear(&j);
        drive_clear(&d);
}
END_TEST

/* The supervisor was killed between the two: no half-made instance may stay behind. */
START_TEST(without_a_parent_nothing_starts) {
        World w = box_world();
        int pair[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), world = memfd_create("world", MFD_CLOEXEC), helper;
        struct pollfd p;
        HelperMessage m;
        Error error = { 0 };
        pid_t outer;

        w.argv = (char *[]){ (char *) "probe", (char *) "sleep", NULL };
        helper = helper_open(&error);
        ck_assert_msg(helper >= 0, "%s", error.text);
        ck_assert_int_eq(world_write(&w, world), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        ck_assert_int_eq(helper_spawn(helper, "start", world, pair[1], -EBADF, -EBADF, (int[]){ null, null, null }, &outer,
                NULL, &error), 0);
        ck_assert_int_eq(recv(pair[0], &m, sizeof(m), 0), sizeof(m));
        ck_assert_int_eq(m.type, HELPER_PID);
        fd_close(pair[0]);
        fd_close(pair[1]);
        p.fd = (int) syscall(434 /* pidfd_open */, m.pid, 0);
        p.events = POLLIN;
        ck_assert_int_eq(poll(&p, 1, 10000), 1);
        ck_assert_int_eq(waitpid(m.pid, NULL, 0), m.pid);
        ck_assert_int_eq(waitpid(outer, NULL, 0), outer);
}
END_TEST

START_TEST(a_damaged_world_is_refused) {
        int pair[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), world = memfd_create("world", MFD_CLOEXEC), helper;
        HelperMessage m;
        Error error = { 0 };
        pid_t outer;

        helper = helper_open(&error);
        ck_assert_int_eq(write_all(world, "beworld1 and no more", 20), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        ck_assert_int_eq(helper_spawn(helper, "start", world, pair[1], -EBADF, -EBADF, (int[]){ null, null, null }, &outer,
                NULL, &error), 0);
        ck_assert_int_eq(recv(pair[0], &m, sizeof(m), 0), sizeof(m));
        ck_assert_int_eq(m.type, HELPER_ERROR);
        ck_assert_ptr_nonnull(strstr(m.error.text, "cannot read the world"));
        ck_assert_int_eq(waitpid(outer, NULL, 0), outer);
}
END_TEST

static void add(TCase *c) {
        tcase_add_test(c, the_payload_is_process_1_with_three_descriptors);
        tcase_add_test(c, signals_are_as_a_fresh_process_has_them);
        tcase_add_test(c, descriptors_of_the_parent_stay_out);
        tcase_add_test(c, root_has_the_given_capabilities_and_no_more);
        tcase_add_test(c, others_have_only_what_was_added);
        tcase_add_test(c, the_filter_is_there_with_and_without_privileges);
        tcase_add_test(c, a_filter_that_forbids_the_setup_itself_still_works);
        tcase_add_test(c, limits_and_the_oom_score_are_the_worlds);
        tcase_add_test(c, each_failure_names_step_object_and_reason);
        tcase_add_test(c, sysctls_of_its_own_are_set);
        tcase_add_test(c, the_working_directory_is_made);
        tcase_add_test(c, an_init_forwards_signals_reaps_and_passes_the_status_on);
        tcase_add_test(c, a_join_is_in_the_same_world);
        tcase_add_test(c, a_join_can_have_a_terminal);
        tcase_add_test(c, a_join_of_what_has_ended_says_so);
        tcase_add_test(c, without_a_parent_nothing_starts);
        tcase_add_test(c, a_damaged_world_is_refused);
}

int main(void) {
        return box_main("sandbox-process", add);
}
