/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

#define COMMANDS_MAX 64

char box_directory[] = "/var/tmp/berth-test-sandbox.XXXXXX";
static char *mounts_before;

char *box_path(const char *name) {
        static char paths[32][256];
        static unsigned next;
        char *p = paths[next++ % ELEMENTSOF(paths)];

        (void) snprintf(p, sizeof(paths[0]), "%s/%s", box_directory, name);
        return p;
}

void box_mkdir(const char *name, mode_t mode) {
        ck_assert_msg(mkdir(box_path(name), mode) == 0, "mkdir %s: %s", name, strerror(errno));
        ck_assert_int_eq(chmod(box_path(name), mode), 0);
}

void box_write(const char *name, const char *text, mode_t mode) {
        ck_assert_int_eq(write_file(AT_FDCWD, box_path(name), text, strlen(text), mode, false), 0);
}

struct stat box_stat(const char *name) {
        struct stat st;

        ck_assert_msg(lstat(box_path(name), &st) == 0, "%s: %s", name, strerror(errno));
        return st;
}

static void copy_probe(void) {
        _cleanup_free_ char *data = NULL;
        size_t size;

        ck_assert_int_eq(read_file(AT_FDCWD, getenv("BERTH_PROBE"), 16 << 20, &data, &size), 0);
        ck_assert_int_eq(write_file(AT_FDCWD, box_path("layer/bin/probe"), data, size, 0755, false), 0);
}

static void set_up(void) {
        static const char *const directories[] = { "layer/bin", "layer/etc", "layer/proc", "layer/sys", "layer/dev",
                "layer/run", "layer/srv", "layer/root" };

        temporary_make(box_directory);
        ck_assert_int_eq(chmod(box_directory, 0755), 0);
        box_mkdir("layer", 0755);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                box_mkdir(directories[i], 0755);
        box_mkdir("layer/tmp", 01777);
        box_mkdir("layer/var", 0755);
        box_mkdir("layer/var/tmp", 01777);
        box_mkdir("host", 0755);
        box_write("host/secret", "of the host", 0644);
        box_write("layer/etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/false\n", 0644);
        box_write("layer/etc/group", "root:x:0:\nweb:x:34:\ntls:x:50:web\n", 0644);
        copy_probe();
        ck_assert_int_eq(read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &mounts_before, NULL), 0);
}

static void tear_down(void) {
        _cleanup_free_ char *after = NULL;

        ck_assert_int_eq(read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &after, NULL), 0);
        ck_assert_str_eq(mounts_before, after);
        free(mounts_before);
        temporary_remove();
}

World box_world(void) {
        static char layer[256], *layers[] = { layer, NULL }, *env[] = { (char *) "PATH=/bin", NULL };
        static IdMap map = { 0, BOX_ID, 65536 };

        strcpy(layer, box_path("layer"));
        return (World){
                .app = (char *) "shop",
                .instance = (char *) "web.1",
                .layers = layers,
                .user_namespace = true,
                .network_namespace = true,
                .uid_map = &map,
                .gid_map = &map,
                .n_uid_map = 1,
                .n_gid_map = 1,
                .hostname = (char *) "box",
                .env = env,
                .capabilities = BOX_CAPS,
        };
}

void box_upper(World *w) {
        static char path[256];

        ck_assert_int_eq(remove_tree(AT_FDCWD, box_path("instance")), 0);
        box_mkdir("instance", 0700);
        box_mkdir("instance/upper", 0755);
        box_mkdir("instance/work", 0700);
        strcpy(path, box_path("instance"));
        w->upper = path;
}

static void world_commands(World *w, char **argv, const Line *lines, size_t n) {
        ck_assert_uint_lt(n, COMMANDS_MAX);
        argv[0] = (char *) "probe";
        for (size_t i = 0; i < n; i++)
                argv[i + 1] = (char *) lines[i].command;
        argv[n + 1] = NULL;
        w->argv = argv;
}

static void compare(const Drive *d, const Line *lines, size_t n) {
        const char *p = d->output.data ?: "";

        for (size_t i = 0; i < n; i++) {
                char start[512];
                const char *at, *end;

                (void) snprintf(start, sizeof(start), "%s = ", lines[i].command);
                at = strstr(p, start);
                ck_assert_msg(at != NULL, "no answer to '%s' in: %s", lines[i].command, d->output.data);
                at += strlen(start);
                p = at;
                if (!lines[i].result)
                        continue;
                end = at + strcspn(at, "\n");
                /* Which of these it is depends on whether the id map or the mount says no first. */
                if (streq(lines[i].result, "denied") &&
                        (str_after(at, "EROFS\n") || str_after(at, "EACCES\n") || str_after(at, "EPERM\n")))
                        continue;
                ck_assert_msg((size_t) (end - at) == strlen(lines[i].result) &&
                                strncmp(at, lines[i].result, (size_t) (end - at)) == 0,
                        "%s = %.*s, not %s", lines[i].command, (int) (end - at), at, lines[i].result);
        }
}

void box_check_lines(World *w, const Line *lines, size_t n) {
        char *argv[COMMANDS_MAX + 2];
        Drive d = DRIVE_INIT;

        world_commands(w, argv, lines, n);
        ck_assert_msg(drive_run(&d, w) == 0, "%s", d.error.text);
        compare(&d, lines, n);
        drive_clear(&d);
        w->argv = NULL;
}

void box_check_join(World *w, const Drive *into, const Line *lines, size_t n) {
        char *argv[COMMANDS_MAX + 2];
        Drive d = DRIVE_INIT;

        world_commands(w, argv, lines, n);
        ck_assert_msg(drive_start(&d, w, into) == 0, "%s", d.error.text);
        ck_assert_int_eq(drive_wait(&d), 0);
        compare(&d, lines, n);
        drive_clear(&d);
        w->argv = NULL;
}

char *box_ask(World *w, const char *command) {
        const Line line = { command, NULL };
        char *argv[COMMANDS_MAX + 2], *text;
        Drive d = DRIVE_INIT;

        world_commands(w, argv, &line, 1);
        ck_assert_msg(drive_run(&d, w) == 0, "%s", d.error.text);
        ck_assert_uint_gt(d.output.size, strlen(command) + 3);
        text = strdup(d.output.data + strlen(command) + 3);
        drive_clear(&d);
        w->argv = NULL;
        return text;
}

void box_start(Drive *d, World *w, const char *const *commands) {
        static char *argv[COMMANDS_MAX + 2];
        size_t n = 0;

        argv[n++] = (char *) "probe";
        for (; *commands; commands++)
                argv[n++] = (char *) *commands;
        argv[n] = NULL;
        w->argv = argv;
        ck_assert_msg(drive_start(d, w, NULL) == 0, "%s", d->error.text);
}

void box_fails(World *w, const char *const *words) {
        char *argv[] = { (char *) "probe", NULL };
        Drive d = DRIVE_INIT;

        if (!w->argv)
                w->argv = argv;
        ck_assert_msg(drive_run(&d, w) < 0, "it starts");
        for (; *words; words++)
                ck_assert_msg(strstr(d.error.text, *words) != NULL, "no '%s' in: %s", *words, d.error.text);
        if (w->argv == argv)
                w->argv = NULL;
        drive_clear(&d);
}

/* Of our own, and with the unified hierarchy where systemd has it, whatever the machine's layout is. */
static int host_prepare(void) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        if (access("/sys/fs/cgroup/cgroup.procs", F_OK) < 0 &&
                mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
                return -errno;
        return 0;
}

int box_main(const char *name, void (*add)(TCase *c)) {
        Suite *s = suite_create(name);
        TCase *c = tcase_create(name);
        int r;

        if (geteuid() != 0) {
                puts("skipped: only root can start the helper");
                return 77;
        }
        if (!getenv("BERTH_HELPER") || !getenv("BERTH_PROBE")) {
                puts("skipped: BERTH_HELPER and BERTH_PROBE do not say where the programs are; run it by meson test");
                return 77;
        }
        r = host_prepare();
        if (r < 0) {
                printf("skipped: cannot make a mount namespace with cgroup2: %s\n", strerror(-r));
                return 77;
        }
        tcase_set_timeout(c, 60);
        tcase_add_checked_fixture(c, set_up, tear_down);
        add(c);
        suite_add_tcase(s, c);
        return suite_run(s);
}
