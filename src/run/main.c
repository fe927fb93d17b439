/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "run/adopt.h"
#include "run/supervisor.h"
#include "run/ids.h"
#include "run/reload.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

static void still_removing(void) {
        (void) sd_notify(0, "EXTEND_TIMEOUT_USEC=15000000");
}

/* All instances are over; nothing of the app stays but its volumes and releases. */
static void clean_up(Supervisor *sv) {
        static const char *const passing[] = { "/instance", "/removed", "" };
        int r;

        r = remove_tree(AT_FDCWD, sv->run_directory);
        if (r < 0)
                log_warning("Supervisor '%s': cannot remove '%s': %s", sv->name, sv->run_directory, strerror(-r));
        r = ids_release(BERTH_IDS_DIR, sv->name);
        if (r < 0)
                log_warning("Supervisor '%s': cannot give its user ids back: %s", sv->name, strerror(-r));
        if (sv->remover)
                remover_wait(sv->remover, still_removing);
        for (size_t i = 0; i < ELEMENTSOF(passing); i++) {
                _cleanup_free_ char *path = str_format(BERTH_APP_DIR "/%s%s", sv->name, passing[i]);

                if (path && *passing[i])
                        (void) remove_tree(AT_FDCWD, path);
                else if (path)
                        (void) rmdir(path); /* where there are no releases */
        }
}

static int supervise(const char *name) {
        Supervisor sv;
        int r, status = EXIT_FAILURE;

        r = supervisor_start(&sv, name);
        if (r >= 0)
                status = supervisor_run(&sv);
        else if (r != -EBUSY && sv.slice_cgroup >= 0)
                adopt_kill_all(sv.slice_cgroup); /* there will be nobody to watch over them */
        if (r != -EBUSY && sv.run_directory)
                clean_up(&sv);
        supervisor_clear(&sv);
        return status;
}

static void help(void) {
        printf("berth-supervisor [--reload] APP\n\n"
               "Keeps the instances of an app running. systemd starts it as ExecStart= of APP.service;\n"
               "use systemctl start APP.\n\n"
               "     --reload   Do what ReloadCmd= or ReloadSignal= of the app says\n"
               "  -h --help     Show this help\n"
               "     --version  Show the version\n\n"
               "See berth-supervisor(8).\n");
}

int main(int argc, char *argv[]) {
        enum { OPTION_RELOAD = 256, OPTION_VERSION };
        static const struct option options[] = {
                { "reload",  no_argument, NULL, OPTION_RELOAD  },
                { "help",    no_argument, NULL, 'h'            },
                { "version", no_argument, NULL, OPTION_VERSION },
                { 0 },
        };
        bool reload = false;
        int c;

        (void) mallopt(M_ARENA_MAX, 1); /* one heap is enough for a thread that comes and goes */
        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case OPTION_RELOAD:
                        reload = true;
                        break;
                case 'h':
                        help();
                        return EXIT_SUCCESS;
                case OPTION_VERSION:
                        printf("berth %s\n", BERTH_VERSION);
                        return EXIT_SUCCESS;
                default:
                        return EXIT_FAILURE;
                }
        if (optind + 1 != argc) {
                log_error("berth-supervisor takes the name of one app; see --help");
                return EXIT_FAILURE;
        }
        return reload ? reload_app(argv[optind]) : supervise(argv[optind]);
}
