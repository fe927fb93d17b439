/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/cli.h"
#include "net/network-list.h"
#include "spec/spec.h"
#include "util/buf.h"
#include "util/strv.h"
#include "util/text.h"

static const char help[] =
        "berth network list [--json]\n"
        "berth network create NAME\n"
        "berth network remove NAME\n"
        "\n"
        "List shows the networks, and who has which address. The others are what the service of NAME.network does: create chooses\n"
        "the subnets of the network, unless the file says them, and keeps them; its bridge is there while an app is on it. Remove\n"
        "forgets subnets and addresses.\n"
        "\n"
        "      --json  the list as a JSON array\n"
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

/* ---- the list ---- */

/* "10.77.0.0/16, fd00::/64" */
static int subnets_join(const NetworkEntry *e, char **ret) {
        _cleanup_strv_ char **texts = NULL;
        int r = 0;

        for (int i = 0; r >= 0 && i < _NETWORK_FAMILY_MAX; i++)
                if (e->subnets[i].base.family != 0)
                        r = strv_append(&texts, subnet_text(&e->subnets[i]).text);
        *ret = r >= 0 && texts ? strv_join(texts, ", ") : NULL;
        return r < 0 || (texts && !*ret) ? -ENOMEM : 0;
}

/* The first line of a network has the first address. */
static int add_rows(Table *t, const NetworkEntry *e) {
        _cleanup_free_ char *subnets = NULL;
        int r = subnets_join(e, &subnets);

        for (size_t i = 0; r >= 0 && (i == 0 || i < strv_length(e->holders)); i++) {
                const char *holder = e->holders ? e->holders[i] : NULL, *space = holder ? strchr(holder, ' ') : NULL;

                r = table_add(t, STYLE_BOLD, i == 0 ? e->name : "");
                if (r >= 0)
                        r = table_add(t, STYLE_NORMAL, i == 0 ? e->bridge : "");
                if (r >= 0)
                        r = table_add(t, STYLE_NORMAL, i == 0 ? subnets : "");
                if (r >= 0)
                        r = space ? table_addf(t, STYLE_NORMAL, "%.*s", (int) (space - holder), holder) : table_add(t, STYLE_NORMAL, NULL);
                if (r >= 0)
                        r = table_add(t, STYLE_NORMAL, space ? space + 1 : NULL);
        }
        return r;
}

static int print_table(const NetworkEntry *items, size_t n) {
        static const char *const titles[] = { "NAME", "BRIDGE", "SUBNETS", "ADDRESS", "INSTANCE" };
        _cleanup_(table_freep) Table *t = table_headed(titles, ELEMENTSOF(titles));
        int r = t ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_rows(t, &items[i]);
        if (r >= 0)
                table_print(t, stdout);
        return r;
}

/* Addresses and instances have nothing that JSON would have to escape. */
static int json_network(Buf *b, const void *item) {
        const NetworkEntry *e = item;
        bool first = true;
        int r = buf_puts(b, "{\"name\":");

        if (r >= 0)
                r = json_quote(b, e->name);
        if (r >= 0)
                r = buf_puts(b, ",\"bridge\":");
        if (r >= 0)
                r = json_quote(b, e->bridge);
        if (r >= 0)
                r = buf_puts(b, ",\"subnets\":[");
        for (int i = 0; r >= 0 && i < _NETWORK_FAMILY_MAX; i++)
                if (e->subnets[i].base.family != 0) {
                        r = buf_printf(b, "%s\"%s\"", first ? "" : ",", subnet_text(&e->subnets[i]).text);
                        first = false;
                }
        if (r >= 0)
                r = buf_puts(b, "],\"addresses\":[");
        for (size_t i = 0; r >= 0 && i < strv_length(e->holders); i++) {
                const char *holder = e->holders[i], *space = strchr(holder, ' ');

                r = buf_printf(b, "%s{\"address\":\"%.*s\",\"instance\":\"%s\"}", i == 0 ? "" : ",", (int) (space - holder), holder, space + 1);
        }
        return r < 0 ? r : buf_puts(b, "]}");
}

static int list(bool json) {
        NetworkEntry *items = NULL;
        size_t n = 0;
        int r = network_list(&items, &n);

        if (r < 0)
                return cli_fail("cannot read the networks: %s", strerror(-r));
        r = json ? json_array_print(items, n, sizeof(*items), json_network) : print_table(items, n);
        network_list_free(items, n);
        return r < 0 ? cli_fail("out of memory") : 0;
}

int cmd_network(int argc, char *argv[]) {
        enum { OPTION_JSON = 256 };
        static const struct option options[] = {
                { "json", no_argument, NULL, OPTION_JSON },
                { "help", no_argument, NULL, 'h'         },
                {},
        };
        static const struct {
                const char *name;
                int (*run)(const Spec *s);
        } verbs[] = { { "create", create }, { "remove", forget } };
        _cleanup_(spec_freep) Spec *s = NULL;
        bool json = false;
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                if (c == 'h') {
                        fputs(help, stdout);
                        return 0;
                }
                if (c != OPTION_JSON)
                        return CLI_USAGE;
                json = true;
        }
        if (argc - optind == 1 && streq(argv[optind], "list"))
                return list(json);
        if (argc - optind != 2 || json)
                return cli_usage("network wants list [--json], or create or remove and the name of a file NAME.network");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(argv[optind], verbs[i].name)) {
                        s = load(argv[optind + 1]);
                        return s ? verbs[i].run(s) : CLI_FAILED;
                }
        return cli_usage("'%s' is not what network does: list, create, remove", argv[optind]);
}
