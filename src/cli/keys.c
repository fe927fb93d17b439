/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/cli.h"
#include "spec/table.h"
#include "util/strv.h"

static const char help[] =
        "berth keys [OPTION…] [SECTION…]\n"
        "\n"
        "Lists the keys that a spec may have, with their state:\n"
        "  supported  Quadlet's, with Podman's meaning        passed   systemd's, goes into the unit as it is\n"
        "  own        berth's own                             read     systemd's, done by berth for each instance\n"
        "  not-yet    Quadlet's, not supported yet            refused  systemd's, with what to use instead\n"
        "\n"
        "  -j, --json    as JSON\n"
        "  -h, --help    show this\n";

static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        {}
};

static bool wanted(char *const *sections, const SpecKey *k) {
        return !*sections || strv_contains(sections, spec_section_name(k->section));
}

static int add_field(Buf *b, const char *name, const char *value, const char *end) {
        int r = buf_printf(b, "\"%s\":", name);

        if (r == 0)
                r = json_quote(b, value);
        return r == 0 ? buf_puts(b, end) : r;
}

static int print_json(char *const *sections) {
        _cleanup_buf_ Buf b = BUF_INIT;
        bool first = true;
        int r = buf_putc(&b, '[');

        for (size_t i = 0; r == 0 && i < spec_n_keys; i++) {
                const SpecKey *k = &spec_keys[i];

                if (!wanted(sections, k))
                        continue;
                r = buf_puts(&b, first ? "\n{" : ",\n{");
                first = false;
                if (r == 0)
                        r = add_field(&b, "key", k->name, ",");
                if (r == 0)
                        r = add_field(&b, "section", spec_section_name(k->section), ",");
                if (r == 0)
                        r = add_field(&b, "state", spec_key_state_name(k->state), ",");
                if (r == 0)
                        r = add_field(&b, "kind", k->kind, ",");
                if (r == 0)
                        r = buf_printf(&b, "\"list\":%s,", spec_key_is_list(k) ? "true" : "false");
                if (r == 0)
                        r = add_field(&b, "help", k->help, "}");
        }
        if (r == 0)
                r = buf_puts(&b, "\n]");
        if (r < 0)
                return cli_fail("out of memory");
        puts(b.data);
        return 0;
}

static int print_table(char *const *sections) {
        static const char *const header[] = { "KEY", "SECTION", "STATE", "KIND", "HELP" };
        static const Style styles[_SPEC_KEY_STATE_MAX] = {
                [KEY_SUPPORTED] = STYLE_GREEN, [KEY_OWN] = STYLE_GREEN,   [KEY_QUADLET] = STYLE_YELLOW,
                [KEY_PASSED] = STYLE_NORMAL,   [KEY_READ] = STYLE_NORMAL, [KEY_REFUSED] = STYLE_RED,
        };
        _cleanup_(table_freep) Table *t = table_new(ELEMENTSOF(header));
        int r = t ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < ELEMENTSOF(header); i++)
                r = table_add(t, STYLE_BOLD, header[i]);
        for (size_t i = 0; r == 0 && i < spec_n_keys; i++) {
                const SpecKey *k = &spec_keys[i];

                if (!wanted(sections, k))
                        continue;
                r = table_add(t, STYLE_NORMAL, k->name);
                if (r == 0)
                        r = table_add(t, STYLE_NORMAL, spec_section_name(k->section));
                if (r == 0)
                        r = table_add(t, styles[k->state], spec_key_state_name(k->state));
                if (r == 0)
                        r = table_add(t, STYLE_NORMAL, *k->kind ? k->kind : NULL);
                if (r == 0)
                        r = table_add(t, STYLE_NORMAL, k->help);
        }
        if (r < 0)
                return cli_fail("out of memory");
        table_print(t, stdout);
        return 0;
}

static bool section_known(const char *name) {
        for (int i = 0; i < _SPEC_SECTION_MAX; i++)
                if (streq(spec_section_name((SpecSection) i), name))
                        return true;
        return false;
}

int cmd_keys(int argc, char *argv[]) {
        bool json = false;
        int c;

        while ((c = getopt_long(argc, argv, "jh", options, NULL)) >= 0)
                switch (c) {
                case 'j':
                        json = true;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        for (int i = optind; i < argc; i++)
                if (!section_known(argv[i]))
                        return cli_usage("no section '%s'; there are Unit, Service, Slice, Install, Container, Image, Network and Quadlet", argv[i]);
        return json ? print_json(argv + optind) : print_table(argv + optind);
}
