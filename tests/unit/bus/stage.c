/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "bus/manager.h"
#include "bus/objects.h"
#include "stage.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

#define CALL_USEC (20U * 1000 * 1000)
#define ADDRESS_MAX 256

Stage stage;
static char directory[] = "/tmp/test-bus.XXXXXX", address[ADDRESS_MAX];
static sd_event *event;
static sd_bus *actors;
static pid_t dbus_daemon, berthd;
static int ready = -EBADF; /* the daemon's: it writes, or ends */

static const char config[] =
        "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN' "
        "'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>\n"
        "<busconfig>\n"
        "<listen>unix:path=%s/socket</listen>\n"
        "<auth>EXTERNAL</auth>\n"
        "<policy context='default'>\n"
        "<allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/><allow user='*'/>\n"
        "</policy>\n"
        "</busconfig>\n";

/* ---- the actors ---- */

static int on_job(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        const char *unit, *mode;

        ck_assert_int_ge(sd_bus_message_read(call, "ss", &unit, &mode), 0);
        free(stage.job);
        stage.job = str_format("%s %s", sd_bus_message_get_member(call), unit);
        if (stage.no_such_unit)
                return sd_bus_error_setf(reterr, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not found.", unit);
        return sd_bus_reply_method_return(call, "o", "/org/freedesktop/systemd1/job/7");
}

static int on_list_units(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *unit;

        ck_assert_int_ge(sd_bus_message_new_method_return(call, &reply), 0);
        ck_assert_int_ge(sd_bus_message_open_container(reply, 'a', "(ssssssouso)"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(call, 'a', "s"), 0);
        while (sd_bus_message_read(call, "s", &unit) > 0)
                ck_assert_int_ge(sd_bus_message_append(reply, "(ssssssouso)", unit, "", "loaded", "active", "running", "",
                                         "/", 0, "", "/"), 0);
        ck_assert_int_ge(sd_bus_message_close_container(reply), 0);
        return sd_bus_message_send(reply);
}

static int on_subscribe(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        return sd_bus_reply_method_return(call, NULL);
}

static const sd_bus_vtable systemd_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("StartUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("StopUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RestartUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ReloadUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListUnitsByNames", "as", "a(ssssssouso)", on_list_units, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Subscribe", "", "", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* No vtable's: that would see to it that no nonsense is answered. */
static int on_question(sd_bus_message *call, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *kind, *key, *sender, *action, *keys[2], *values[2];
        uint32_t flags;

        ck_assert_int_gt(sd_bus_message_read(call, "(sa{sv})sa{ss}us", &kind, 1, &key, "s", &sender, &action, 2, &keys[0],
                                 &values[0], &keys[1], &values[1], &flags, NULL), 0);
        ck_assert_str_eq(kind, "system-bus-name");
        ck_assert_int_eq(sender[0], ':');
        free(stage.question);
        stage.question = str_format("%s %s=%s %s=%s", action, keys[0], values[0], keys[1], values[1]);
        stage.interactive = flags & 1;
        stage.questions++;
        if (stage.answer == ANSWER_ERROR)
                return sd_bus_error_set(reterr, SD_BUS_ERROR_SERVICE_UNKNOWN, "polkit is not there");
        ck_assert_int_ge(sd_bus_message_new_method_return(call, &reply), 0);
        if (stage.answer == ANSWER_NONSENSE)
                ck_assert_int_ge(sd_bus_message_append(reply, "s", "yes"), 0);
        else
                ck_assert_int_ge(sd_bus_message_append(reply, "(bba{ss})", stage.answer == ANSWER_YES,
                                         stage.answer == ANSWER_CHALLENGE, 0), 0);
        return sd_bus_message_send(reply);
}

/* ---- the stage ---- */

static sd_bus *connect_bus(void) {
        sd_bus *bus;

        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_address(bus, address), 0);
        ck_assert_int_ge(sd_bus_set_bus_client(bus, true), 0);
        ck_assert_int_ge(sd_bus_start(bus), 0);
        return bus;
}

/* The whole handshake as another user: the bus asks the kernel who has connected. */
static sd_bus *connect_as(uid_t uid) {
        uid_t own = geteuid();
        const char *name;
        sd_bus *bus;

        ck_assert_int_eq(seteuid(uid), 0);
        bus = connect_bus();
        ck_assert_int_ge(sd_bus_get_unique_name(bus, &name), 0);
        ck_assert_int_eq(seteuid(own), 0);
        return bus;
}

static void dbus_daemon_start(void) {
        char path[128], *argv[] = { (char *) "dbus-daemon", NULL, (char *) "--nofork", (char *) "--print-address=3", NULL };
        _cleanup_free_ char *text = str_format(config, directory), *option = NULL;
        int pair[2];
        ssize_t n;

        (void) snprintf(path, sizeof(path), "%s/bus.conf", directory);
        ck_assert_int_eq(write_file(AT_FDCWD, path, text, strlen(text), 0644, false), 0);
        option = str_format("--config-file=%s", path);
        argv[1] = option;
        ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
        dbus_daemon = fork();
        if (dbus_daemon == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) freopen("/dev/null", "w", stderr); /* it complains where it may not raise its limit of descriptors */
                if (pair[1] == 3 ? fcntl(3, F_SETFD, 0) >= 0 : dup2(pair[1], 3) >= 0)
                        execvp(argv[0], argv);
                _exit(127);
        }
        fd_close(pair[1]);
        n = read(pair[0], address, sizeof(address) - 1);
        ck_assert_msg(n > 1, "dbus-daemon does not start");
        address[n - 1] = 0;
        fd_close(pair[0]);
}

void stage_open(void) {
        stage = (Stage){ 0 };
        temporary_make(directory);
        ck_assert_int_eq(chmod(directory, 0755), 0);
        (void) snprintf(stage.specs, sizeof(stage.specs), "%s/specs", directory);
        (void) snprintf(stage.run, sizeof(stage.run), "%s/run", directory);
        ck_assert_int_eq(mkdir(stage.specs, 0755), 0);
        ck_assert_int_eq(mkdir(stage.run, 0755), 0);
        dbus_daemon_start();
        ck_assert_int_ge(sd_event_new(&event), 0);
        actors = connect_bus();
        ck_assert_int_ge(sd_bus_add_object_vtable(actors, NULL, "/org/freedesktop/systemd1",
                                 "org.freedesktop.systemd1.Manager", systemd_vtable, NULL), 0);
        ck_assert_int_ge(sd_bus_add_object(actors, NULL, "/org/freedesktop/PolicyKit1/Authority", on_question, NULL), 0);
        ck_assert_int_ge(sd_bus_request_name(actors, "org.freedesktop.systemd1", 0), 0);
        ck_assert_int_ge(sd_bus_request_name(actors, "org.freedesktop.PolicyKit1", 0), 0);
        ck_assert_int_ge(sd_bus_attach_event(actors, event, 0), 0);
}

static void child_end(pid_t *pid) {
        if (*pid > 0) {
                (void) kill(*pid, SIGKILL); /* check's handler of SIGTERM, inherited, would end us all */
                (void) waitpid(*pid, NULL, 0);
        }
        *pid = 0;
}

void stage_close(void) {
        child_end(&berthd);
        stage.reply = sd_bus_message_unref(stage.reply);
        stage.caller = sd_bus_flush_close_unref(stage.caller);
        actors = sd_bus_flush_close_unref(actors);
        event = sd_event_unref(event);
        child_end(&dbus_daemon);
        ready = fd_close(ready);
        free(TAKE_PTR(stage.job));
        free(TAKE_PTR(stage.question));
        temporary_remove();
}

void stage_write(const char *where, const char *path, const char *text) {
        _cleanup_free_ char *full = str_format("%s/%s", where, path), *parent = strdup(full);

        *strrchr(parent, '/') = 0;
        ck_assert_int_ge(mkdir_parents(AT_FDCWD, parent, 0755), 0);
        ck_assert_int_eq(write_file(AT_FDCWD, full, text, strlen(text), 0644, false), 0);
}

static int berthd_run(int ready_fd) {
        _cleanup_(manager_freep) Manager *m = NULL;
        sd_event *loop;
        sd_bus *bus;
        int r;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        r = sd_event_new(&loop);
        if (r >= 0) {
                bus = connect_bus();
                r = sd_bus_attach_event(bus, loop, 0);
        }
        if (r >= 0)
                r = manager_new(bus, loop, &m);
        if (r < 0)
                return r;
        m->dirs = stage.specs;
        if (setenv("BERTH_SPEC_PATH", stage.specs, 1) < 0)
                return -errno;
        m->run_dir = stage.run;
        r = manager_start(m, NULL);
        if (r >= 0)
                r = sd_bus_request_name(bus, BUS_NAME, 0);
        if (r >= 0)
                r = write_all(ready_fd, "", 1);
        return r < 0 ? r : sd_event_loop(loop);
}

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        char c;

        ck_assert_msg(read(fd, &c, 1) == 1, "berthd does not start");
        *(bool *) userdata = true;
        return sd_event_source_set_enabled(s, SD_EVENT_OFF);
}

void stage_start(uid_t caller) {
        _cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;
        bool done = false;
        int pair[2];

        ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
        berthd = fork();
        if (berthd == 0) {
                fd_close(pair[0]);
                _exit(berthd_run(pair[1]) < 0);
        }
        fd_close(pair[1]);
        ready = pair[0];
        ck_assert_int_ge(sd_event_add_io(event, &source, ready, EPOLLIN, on_ready, &done), 0);
        while (!done)
                ck_assert_int_gt(sd_event_run(event, CALL_USEC), 0);
        stage.caller = connect_as(caller);
        ck_assert_int_ge(sd_bus_attach_event(stage.caller, event, 0), 0);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        stage.reply = sd_bus_message_ref(reply);
        return 0;
}

const char *stage_call(const char *path, const char *interface, const char *method, const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        va_list ap;

        stage.reply = sd_bus_message_unref(stage.reply);
        ck_assert_int_ge(sd_bus_message_new_method_call(stage.caller, &call, BUS_NAME, path, interface, method), 0);
        va_start(ap, types);
        ck_assert_int_ge(sd_bus_message_appendv(call, types, ap), 0);
        va_end(ap);
        ck_assert_int_ge(sd_bus_call_async(stage.caller, NULL, call, on_reply, NULL, CALL_USEC), 0);
        while (!stage.reply)
                ck_assert_int_gt(sd_event_run(event, CALL_USEC), 0);
        return sd_bus_message_is_method_error(stage.reply, NULL) ? sd_bus_message_get_error(stage.reply)->name : NULL;
}

const char *stage_message(void) {
        return sd_bus_message_get_error(stage.reply)->message;
}

int stage_main(const char *name, void (*add)(TCase *t)) {
        Suite *s = suite_create(name);
        TCase *t = tcase_create(name);

        if (system("command -v dbus-daemon >/dev/null") != 0) {
                puts("skipped: there is no dbus-daemon");
                return 77;
        }
        suite_add_tcase(s, t);
        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, stage_open, stage_close);
        add(t);
        return suite_run(s);
}
