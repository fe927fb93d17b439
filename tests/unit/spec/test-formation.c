/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "scratch.h"
#include "util/strv.h"

#define SECOND UINT64_C(1000000)
#define HEAD "[Container]\nImage=x\n"

START_TEST(an_app_has_so_many_instances) {
        ck_assert_uint_eq(spec_instances(scratch_process(""), 4), 1);
        ck_assert_uint_eq(spec_instances(scratch_process("Instances=0"), 4), 0);
        ck_assert_uint_eq(spec_instances(scratch_process("Instances=1000"), 4), 1000);
        ck_assert_uint_eq(spec_instances(scratch_process("Instances=%cpus"), 4), 4);
        ck_assert_uint_eq(spec_instances(scratch_process("Instances=%cpus"), 0), 1);
        ck_assert_uint_eq(spec_instances(scratch_process("Instances=%cpus\nInstances=2"), 4), 2);
        ck_assert_uint_eq(spec_instances(scratch_process("Instances=%cpus\nInstances="), 4), 1);
        scratch_process_wrong("Instances=1001", 11, "'1001' is not a number from 0 to 1000");
        scratch_process_wrong("Instances=-1", 11, "'-1' is not a number from 0 to 1000");
}
END_TEST

START_TEST(what_there_can_be_only_once_is_recreated) {
        ck_assert(!spec_recreates(scratch_process("")));
        ck_assert(spec_recreates(scratch_process("Update=recreate")));
        ck_assert(spec_recreates(scratch_process("Volume=data:/data")));
        ck_assert(!spec_recreates(scratch_process("Volume=data:/data\nUpdate=rolling")));
        ck_assert(!spec_recreates(scratch_process("Volume=data:/data:ro")));
        ck_assert(!spec_recreates(scratch_process("Volume=/srv:/data\nVolume=/anonymous")));
        ck_assert(spec_recreates(scratch_process("IP=10.88.0.5")));
        ck_assert(!spec_recreates(scratch_process("Update=recreate\nUpdate=")));
        scratch_process_wrong("Update=both", 8, "'both' is not a way to replace instances; there are rolling and recreate");
        scratch_process_wrong("IP=10.88.0.5\nUpdate=rolling", 4,
                "one address cannot be of two instances at once, as Update=rolling has them; without Update= the old one ends first");
        scratch_process_wrong("Instances=2\nIP6=fd00::5", 11, "IP6= is the address of one instance, and there shall be more");
}
END_TEST

static void shares(const char *lines, unsigned of, unsigned surge, unsigned unavailable) {
        unsigned s, u;

        spec_update_shares(scratch_process(lines), of, &s, &u);
        ck_assert_msg(s == surge && u == unavailable, "%s of %u: %u and %u", lines, of, s, u);
}

START_TEST(shares_are_rounded_so_that_more_runs) {
        shares("", 5, 1, 0);
        shares("MaxSurge=3\nMaxUnavailable=2", 5, 3, 2);
        shares("MaxSurge=25%\nMaxUnavailable=25%", 5, 2, 1);
        shares("MaxSurge=25%%\nMaxUnavailable=100%", 4, 1, 4);
        shares("MaxSurge=0\nMaxUnavailable=10%", 3, 0, 1);
        shares("MaxSurge=10%", 0, 0, 1);
        scratch_process_wrong("MaxSurge=0", 10, "with MaxSurge= and MaxUnavailable= both 0 no instance could be replaced");
        scratch_process_wrong("MaxUnavailable=101%", 16, "'101%' is neither a number from 0 to 1000 nor a share from 0% to 100%");
        scratch_process_wrong("MaxSurge=%", 10, "'%' is neither a number from 0 to 1000 nor a share from 0% to 1000%");
}
END_TEST

static uint64_t timeout_of(const char *process, const char *text) {
        const Spec *s = scratch_spec("t", text);

        return spec_start_timeout(s, process ? spec_process(s, process) : &s->processes[0]);
}

START_TEST(a_start_has_its_time) {
        ck_assert_uint_eq(timeout_of(NULL, HEAD), 81 * SECOND);
        ck_assert_uint_eq(timeout_of(NULL, HEAD "[Service]\nTimeoutStartSec=20"), 18 * SECOND);
        ck_assert_uint_eq(timeout_of(NULL, HEAD "[Service]\nTimeoutStartSec=infinity"), SPEC_INFINITY);
        ck_assert_uint_eq(timeout_of(NULL, HEAD "[Service]\nTimeoutStartSec=0"), SPEC_INFINITY);
        ck_assert_uint_eq(timeout_of(NULL, HEAD "PublishPort=80"), 60 * SECOND);
        ck_assert_uint_eq(timeout_of(NULL, HEAD "PublishPort=80\n[Service]\nTimeoutStartSec=5min"), 60 * SECOND);
        ck_assert_uint_eq(timeout_of(NULL, HEAD "PublishPort=80\n[Service]\nTimeoutStartSec=10"), 9 * SECOND);
        ck_assert_uint_eq(timeout_of(NULL, HEAD "PublishPort=80\nStartTimeout=3min"), 180 * SECOND);
        ck_assert_uint_eq(timeout_of(NULL, HEAD "StartTimeout=infinity"), SPEC_INFINITY);
        ck_assert_uint_eq(timeout_of("release", HEAD "[Process web]\n[Process release]\nExec=migrate"), 600 * SECOND);
        ck_assert_uint_eq(timeout_of("release", HEAD "[Process web]\n[Process release]\nStartTimeout=1h"), 3600 * SECOND);
}
END_TEST

static void health_is(const char *value, const char *words) {
        _cleanup_free_ char *line = str_format("HealthCmd=%s", value), *joined = NULL;
        const SpecProcess *p = scratch_process(line);

        ck_assert(p->health.cmd.set);
        joined = strv_join(p->health.cmd.words, "|");
        ck_assert_str_eq(p->health.cmd.words ? joined : "", words);
}

START_TEST(health_commands_have_podmans_forms) {
        health_is("curl -f http://localhost/ || exit 1", "/bin/sh|-c|curl -f http://localhost/ || exit 1");
        health_is("[ -e /ready ]", "/bin/sh|-c|[ -e /ready ]");
        health_is("$(which true) \"$A\" ${B}", "/bin/sh|-c|$(which true) \"$A\" ${B}");
        health_is("test $$A = 1", "/bin/sh|-c|test $A = 1");
        health_is("test %p = 100%%", "/bin/sh|-c|test x = 100%");
        health_is("CMD-SHELL a  && b", "/bin/sh|-c|a  && b");
        health_is("CMD /bin/check  -x", "/bin/check|-x");
        health_is("CMDR x", "/bin/sh|-c|CMDR x");
        health_is("[\"CMD\", \"/bin/check\", \"a b\"]", "/bin/check|a b");
        health_is("[\"/bin/check\", \"a b\"]", "/bin/check|a b");
        health_is("[\"CMD-SHELL\", \"a && b\"]", "/bin/sh|-c|a && b");
        health_is("[\"a && b\"]", "/bin/sh|-c|a && b");
        health_is("none", "");
        health_is("[\"NONE\"]", "");
        ck_assert(!scratch_process("HealthCmd=a\nHealthCmd=")->health.cmd.set);
        scratch_process_wrong("HealthCmd=[]", 11, "HealthCmd= has no command; none means that there shall be no check");
        scratch_process_wrong("HealthCmd=CMD", 11, "HealthCmd= has no command; none means that there shall be no check");
        scratch_process_wrong("HealthCmd=CMD-SHELL ", 11, "HealthCmd= has no command; none means that there shall be no check");
        scratch_process_wrong("HealthCmd=date +%s", 11, "unknown specifier '%s'; a percent sign is written as '%%'");
}
END_TEST

START_TEST(health_keys_are_typed) {
        const SpecProcess *p = scratch_process("HealthCmd=a\nHealthInterval=1m30s\nHealthTimeout=5s\nHealthRetries=2\nHealthStartPeriod=2m\n"
                                               "HealthOnFailure=restart\nHealthStartupCmd=[\"b\", \"c\"]\nHealthStartupInterval=disable\n"
                                               "HealthStartupTimeout=500ms\nHealthStartupRetries=7\nHealthStartupSuccess=2\n"
                                               "HealthLogDestination=/var/log/health/\nHealthMaxLogCount=0\nHealthMaxLogSize=1000");

        ck_assert_uint_eq(p->health.interval.value, 90 * SECOND);
        ck_assert_uint_eq(p->health.timeout.value, 5 * SECOND);
        ck_assert_uint_eq(p->health.retries.value, 2);
        ck_assert_uint_eq(p->health.start_period.value, 120 * SECOND);
        ck_assert_int_eq(p->health_on_failure, SPEC_HEALTH_RESTART);
        ck_assert_str_eq(p->health_startup.cmd.words[1], "c");
        ck_assert_uint_eq(p->health_startup.interval.value, SPEC_INFINITY);
        ck_assert_uint_eq(p->health_startup.timeout.value, SECOND / 2);
        ck_assert_uint_eq(p->health_startup.retries.value, 7);
        ck_assert_uint_eq(p->health_startup.success.value, 2);
        ck_assert_str_eq(p->health_log.value, "/var/log/health");
        ck_assert(p->health_log_count.set && p->health_log_count.value == 0);
        ck_assert_uint_eq(p->health_log_size.value, 1000);
        ck_assert_str_eq(scratch_process("HealthLogDestination=events_logger")->health_log.value, SPEC_HEALTH_LOG_EVENTS);
        scratch_process_wrong("HealthRetries=0", 15, "'0' is not a number from 1 to 4294967295");
        scratch_process_wrong("HealthTimeout=0", 15, "a check needs more time than none");
        scratch_process_wrong("HealthOnFailure=pause", 17, "'pause' is not an action; there are none, kill, restart and stop");
        scratch_process_wrong("HealthLogDestination=here", 22,
                "'here' is neither local nor events_logger nor the absolute path of a directory");
}
END_TEST

START_TEST(health_by_http_has_a_port) {
        _cleanup_(spec_freep) Spec *template = NULL;
        const SpecProcess *p = scratch_process("HealthHttp=8080/healthz?deep=1");

        ck_assert_str_eq(p->health_http.value, "/healthz?deep=1");
        ck_assert_uint_eq(spec_health_http_port(p), 8080);
        ck_assert_uint_eq(spec_health_http_port(scratch_process("PublishPort=53:53/udp\nPublishPort=80:5000\nHealthHttp=/")), 5000);
        scratch_process_wrong("HealthHttp=/", 12, "HealthHttp= needs a port, PORT/, or PublishPort=");
        scratch_process_wrong("HealthHttp=healthz", 12, "'healthz' is not [PORT]/PATH, such as /healthz or 8080/healthz");
        scratch_process_wrong("HealthHttp=http://localhost/", 12, "'http://localhost/' is not [PORT]/PATH, such as /healthz or 8080/healthz");
        scratch_process_wrong("HealthHttp=70000/", 12, "'70000' is not a port: 1 to 65535");
        scratch_process_wrong("HealthHttp=80/a b", 12,
                "'/a b' has characters that a request cannot have; they are written as '%%' and two hex digits");
        scratch_process_wrong("HealthHttp=80/\nHealthCmd=true", 12, "HealthHttp= and HealthCmd= exclude one another");
        ck_assert_ptr_nonnull(scratch_process("HealthHttp=80/\nHealthCmd=none")->health_http.value);
        /* The port of a template is known when its instance is. */
        scratch_write("web@.container", "[Container]\nImage=x\nPublishPort=%i:%i\nHealthHttp=/\n");
        ck_assert_uint_eq(spec_health_http_port(&scratch_spec("web@8080", NULL)->processes[0]), 8080);
        ck_assert_int_eq(spec_read("web@", scratch, SPEC_STATIC, NULL, &template), 0);
}
END_TEST

START_TEST(healthy_needs_a_check) {
        ck_assert_int_eq(scratch_process("Notify=healthy")->notify, SPEC_NOTIFY_HEALTHY); /* the image may have one */
        scratch_process_wrong("HealthInterval=disable\nNotify=healthy\nHealthCmd=true", 16, "HealthInterval=disable, and readiness waits for the check (Notify=healthy, HealthHttp=)");
        scratch_process_wrong("HealthInterval=0\nPublishPort=80\nHealthHttp=/", 16, "HealthInterval=disable, and readiness waits for the check (Notify=healthy, HealthHttp=)");
        scratch_process_wrong("Notify=healthy\nHealthCmd=none", 1, "Notify=healthy needs HealthCmd= or HealthHttp=");
        scratch_wrong("[Container]\nRootfs=/x\nNotify=healthy\n", 3, 1, "Notify=healthy needs HealthCmd= or HealthHttp=");
        scratch_wrong("[Container]\nRootfs=/x\nHealthStartupCmd=a\n", 3, 18,
                "HealthStartupCmd= comes before HealthCmd= or HealthHttp=, and there is none");
}
END_TEST

START_TEST(what_the_app_has_as_a_whole_is_said_once) {
        const Spec *s = scratch_spec("t", HEAD "KeepReleases=3\nRollbackWindow=1min\nRelease=7\nMaintenance=yes\n"
                                                               "MaintenancePage=/srv/page.html\nActivation=socket\nIdleTimeout=5min\n"
                                                               "[Process web]\nPublishPort=80:80\n[Process worker]\n");

        ck_assert_uint_eq(spec_keep_releases(s), 3);
        ck_assert_uint_eq(s->rollback_window.value, 60 * SECOND);
        ck_assert_uint_eq(s->release.value, 7);
        ck_assert(s->maintenance.value);
        ck_assert_str_eq(s->maintenance_page.value, "/srv/page.html");
        ck_assert_int_eq(s->activation, SPEC_ACTIVATION_SOCKET);
        ck_assert_uint_eq(s->idle_timeout.value, 300 * SECOND);
        scratch_wrong(HEAD "[Process web]\nKeepReleases=3\n", 4, 1, "KeepReleases= is for the whole app: it belongs into [Container]");
        scratch_wrong(HEAD "[Process web]\nRelease=3\n", 4, 1, "Release= is for the whole app: it belongs into [Container]");
        scratch_process_wrong("KeepReleases=0", 14, "'0' is not a number from 1 to 1000");
}
END_TEST

START_TEST(a_connection_can_start_only_what_listens) {
        scratch_process_wrong("IdleTimeout=5min", 13, "IdleTimeout= needs Activation=socket: nothing would start the app again");
        scratch_process_wrong("Activation=socket", 1, "Activation=socket needs PublishPort=");
        scratch_process_wrong("PublishPort=5000\nActivation=socket", 13,
                "Activation=socket needs a port of the host that is known, HOST:CONTAINER");
        scratch_process_wrong("Activation=timer", 12, "Activation= is socket, or is left out");
        scratch_wrong(HEAD "PublishPort=80:80\nActivation=socket\n[Service]\nType=oneshot\n", 4, 1,
                "Type=oneshot ends by itself, and no connection can wait for it");
}
END_TEST

START_TEST(a_release_process_has_no_traffic) {
        const Spec *s = scratch_spec("t", HEAD "PublishPort=80:80\nInstances=3\nHealthCmd=a\nNotify=healthy\nMemory=1g\n"
                                                               "[Process web]\n[Process release]\nExec=migrate\n");
        const SpecProcess *p = spec_process(s, SPEC_RELEASE_PROCESS);

        ck_assert_uint_eq(p->ports.n, 0);
        ck_assert(!p->health.cmd.set);
        ck_assert_int_eq(p->notify, SPEC_NOTIFY_NO);
        ck_assert_uint_eq(spec_instances(p, 4), 0);
        ck_assert_uint_eq(p->memory.value, 1 << 30);
        ck_assert_uint_eq(spec_instances(spec_process(s, "web"), 4), 3);
        scratch_wrong(HEAD "[Process web]\n[Process release]\nInstances=2\n", 5, 1,
                "Instances= means nothing to the process 'release', which runs once for each new release");
        scratch_wrong(HEAD "[Process release]\n", 3, 1, "the process 'release' runs before the others, and there are none");
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, an_app_has_so_many_instances);
        tcase_add_test(t, what_there_can_be_only_once_is_recreated);
        tcase_add_test(t, shares_are_rounded_so_that_more_runs);
        tcase_add_test(t, a_start_has_its_time);
        tcase_add_test(t, health_commands_have_podmans_forms);
        tcase_add_test(t, health_keys_are_typed);
        tcase_add_test(t, health_by_http_has_a_port);
        tcase_add_test(t, healthy_needs_a_check);
        tcase_add_test(t, what_the_app_has_as_a_whole_is_said_once);
        tcase_add_test(t, a_connection_can_start_only_what_listens);
        tcase_add_test(t, a_release_process_has_no_traffic);
}

int main(void) {
        return scratch_run("formation", add);
}
