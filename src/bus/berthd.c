/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "bus/objects.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

#define IDLE_SEC_DEFAULT 30
#define IDLE_SEC_MAX (24 * 60 * 60)
#define USEC_PER_SEC 1000000ULL

typedef struct Daemon {
        Manager *m;
        sd_event_source *idle;
        uint64_t idle_usec;
        bool leaving;
} Daemon;

static int on_name_lost(sd_bus_message *signal, void *userdata, sd_bus_error *reterr) {
        Daemon *d = userdata;

        return sd_event_exit(d->m->event, 0);
}

/* Whatever was sent to the name before it was given up has still to be answered: leave only when the bus says that it
 * is gone; calls after that start another berthd. */
static int on_idle(sd_event_source *s, uint64_t usec, void *userdata) {
        Daemon *d = userdata;
        int r;

        if (manager_is_busy(d->m)) {
                r = sd_event_source_set_time_relative(s, d->idle_usec);
                return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        }
        d->leaving = true;
        sd_notify(false, "STOPPING=1");
        return sd_bus_release_name_async(d->m->bus, NULL, BUS_NAME, NULL, NULL);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *reterr) {
        Daemon *d = userdata;

        if (!d->leaving && sd_bus_message_is_method_call(message, NULL, NULL) > 0) {
                sd_event_source_set_time_relative(d->idle, d->idle_usec);
                sd_event_source_set_enabled(d->idle, SD_EVENT_ONESHOT);
        }
        return 0;
}

static int daemon_run(Daemon *d, sd_bus_error *reterr) {
        sd_bus *bus = d->m->bus;
        int r;

        r = manager_start(d->m, reterr);
        if (r >= 0)
                r = sd_bus_add_filter(bus, NULL, on_message, d);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                        "org.freedesktop.DBus", "NameLost", on_name_lost, d);
        if (r >= 0)
                r = sd_event_add_time_relative(
                        d->m->event, &d->idle, CLOCK_MONOTONIC, d->idle_usec, 0, on_idle, d);
        if (r >= 0)
                r = sd_bus_attach_event(bus, d->m->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_request_name(bus, BUS_NAME, 0);
        if (r < 0)
                return r;
        return sd_event_loop(d->m->event);
}

static int connect_bus(sd_event **ret_event, sd_bus **ret_bus) {
        static const int signals[] = { SIGTERM, SIGINT };
        sigset_t mask;
        int r;

        sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                sigaddset(&mask, signals[i]);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        r = sd_event_default(ret_event);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(signals); i++)
                r = sd_event_add_signal(*ret_event, NULL, signals[i], NULL, NULL); /* ends the loop */
        return r < 0 ? r : sd_bus_default_system(ret_bus);
}

static int usage(void) {
        printf("Usage: berthd [--idle=SECONDS]\n\nServes org.berth1 on the system bus; started by the bus when it is called.\n\n"
               "  --idle=SECONDS  leave after this long without a call (default %d)\n"
               "  --help --version\n",
                IDLE_SEC_DEFAULT);
        return 0;
}

int main(int argc, char *argv[]) {
        static const struct option options[] = {
                { "idle",    required_argument, NULL, 'i' },
                { "help",    no_argument,       NULL, 'h' },
                { "version", no_argument,       NULL, 'v' },
                { NULL,      0,                 NULL, 0   },
        };
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(manager_freep) Manager *m = NULL;
        uint64_t idle = IDLE_SEC_DEFAULT;
        int c, r;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'i':
                        if (parse_u64(optarg, IDLE_SEC_MAX, &idle) < 0) {
                                log_error("--idle= takes seconds, not '%s'", optarg);
                                return EXIT_FAILURE;
                        }
                        break;
                case 'h':
                        return usage();
                case 'v':
                        puts("berthd " BERTH_VERSION);
                        return 0;
                default:
                        return EXIT_FAILURE;
                }

        r = connect_bus(&event, &bus);
        if (r < 0) {
                log_error("Cannot connect to the system bus: %s", strerror(-r));
                return EXIT_FAILURE;
        }
        r = manager_new(bus, event, &m);
        if (r < 0) {
                log_error("Cannot begin: %s", strerror(-r));
                return EXIT_FAILURE;
        }
        const char *dirs = getenv("BERTH_SPEC_PATH");
        m->dirs = dirs && *dirs ? dirs : BERTH_SPEC_DIRS;

        Daemon d = { .m = m, .idle_usec = idle * USEC_PER_SEC };
        r = daemon_run(&d, &error);
        sd_event_source_disable_unref(d.idle);
        if (r < 0) {
                log_error("Cannot serve " BUS_NAME ": %s", error.message ? error.message : strerror(-r));
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
