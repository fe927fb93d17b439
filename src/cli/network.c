/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/cli.h"
#include "net/network.h"
#include "spec/spec.h"
#include "util/strv.h"

static const char help[] =
        "berth network create NAME\n"
        "berth network remove NAME\n"
        "\n"
        "What the service of NAME.network does. Create chooses the subnets of the network, unless the file says them, and keeps\n"
        "them; its bridge is there while an app is on it. Remove forgets subnets and addresses.\n"
        "\n"
        "  -h, --help  show this\n";

static Spec *load(const char *name) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        Spec *s = NULL;
        int r = spec_network_load(name, NULL, &diags, &s);

        for (size_t i = 0; i < diags.n; i++) {
                _cleanup_free_ char *text = spec_diag_format(&diags.items[i], false);

                if (diags.items[i].severity == SPEC_ERROR)
                        (void) cli_fail("%s", text ? text : diags.items[i].text);
        }
        if (r < 0 && diags.n_errors == 0)
                (void) cli_fail("cannot read %s.network: %s", name, strerror(-r));
        return s;
}

static int create(const Spec *s) {
        _cleanup_network_ Network n = { 0 };
        Error error = { 0 };
        int r = network_of_spec(s, &n);

        if (r >= 0)
                r = network_settle(&n, &network_env, &error);
        if (r < 0)
                return cli_fail("%s", *error.text ? error.text : strerror(-r));
        for (int i = 0; i < _NETWORK_FAMILY_MAX; i++)
                if (n.sides[i].subnet.base.family != 0)
                        printf("%s %s\n", n.name, subnet_text(&n.sides[i].subnet).text);
        return 0;
}

static int forget(const Spec *s) {
        Error error = { 0 };

        return network_forget(spec_network_name(s), &error) < 0 ? cli_fail("%s", error.text) : 0;
}

int cmd_network(int argc, char *argv[]) {
        static const struct option options[] = { { "help", no_argument, NULL, 'h' }, {} };
        static const struct {
                const char *name;
                int (*run)(const Spec *s);
        } verbs[] = { { "create", create }, { "remove", forget } };
        _cleanup_(spec_freep) Spec *s = NULL;
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                if (c != 'h')
                        return CLI_USAGE;
                fputs(help, stdout);
                return 0;
        }
        if (argc - optind != 2)
                return cli_usage("network wants create or remove, and the name of a file NAME.network");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(argv[optind], verbs[i].name)) {
                        s = load(argv[optind + 1]);
                        return s ? verbs[i].run(s) : CLI_FAILED;
                }
        return cli_usage("'%s' is not what network does: create, remove", argv[optind]);
}
