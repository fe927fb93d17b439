/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "deploy/drop-in.h"
#include "cli/cli.h"

#define DROP_IN "50-maintenance.conf"

static const char help[] =
        "Usage: berth maintenance APP [on|off]\n\n"
        "While it is on, requests by HTTP to the app's published ports are answered with status 503 and the page of\n"
        "MaintenancePage=, and nothing is stopped. Without on or off it says which it is.\n\n"
        "  -h, --help  show this";

static int show(const char *app) {
        _cleanup_(spec_freep) Spec *s = NULL;
        int r = spec_load(app, NULL, NULL, &s);

        if (r < 0)
                return r == -ENOENT ? cli_fail("there is no app '%s'", app) : cli_fail("cannot read app '%s': %s", app, strerror(-r));
        puts(s->maintenance.value ? "on" : "off");
        return 0;
}

/* The drop-in goes with "off", unless the spec itself says that it is on. */
static int write_change(DropIn *c, bool on, Error *reterr) {
        int r = drop_in_set(c, NULL, "Maintenance", on ? "yes" : NULL);

        if (r >= 0)
                r = drop_in_write(c, reterr);
        if (r < 0 || (c->spec ? c->spec : c->old)->maintenance.value == on)
                return r;
        if (on)
                return error_set(reterr, -EEXIST, "another drop-in, which is read later, says that it is off");
        r = drop_in_set(c, NULL, "Maintenance", "no");
        return r < 0 ? r : drop_in_write(c, reterr);
}

static int change(const char *app, bool on) {
        _cleanup_drop_in_ DropIn c = DROP_IN_INIT;
        Error error = { 0 };
        int r = drop_in_begin(app, DROP_IN, &c, &error);

        if (r >= 0)
                r = write_change(&c, on, &error);
        if (r == -EEXIST)
                drop_in_undo(&c);
        if (r >= 0)
                r = drop_in_apply(&c, "berth maintenance", on ? "on" : "off", true, &error);
        if (r < 0)
                return cli_fail("maintenance of app '%s' is not %s: %s", app, on ? "on" : "off", *error.text ? error.text : strerror(-r));
        return 0;
}

int cmd_maintenance(int argc, char *argv[]) {
        const char *word;
        int code;

        code = cli_options(argc, argv, help, NULL);
        if (code >= 0)
                return code;
        if (argc - optind < 1 || argc - optind > 2)
                return cli_usage("'maintenance' needs an app, and on or off");
        if (argc - optind == 1)
                return show(argv[optind]);
        word = argv[optind + 1];
        if (!streq(word, "on") && !streq(word, "off"))
                return cli_usage("maintenance is on or off, not '%s'", word);
        return change(argv[optind], streq(word, "on"));
}
