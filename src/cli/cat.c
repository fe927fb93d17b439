/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/cli.h"
#include "cli/spec-name.h"
#include "spec/document.h"
#include "spec/table.h"
#include "util/strv.h"

static const char help[] =
        "berth cat [OPTION…] NAME|NAME.image|FILE\n"
        "\n"
        "Prints the spec of an app or an image with its drop-ins laid over it: the lines that count, each with its place.\n"
        "What a later line replaces or takes back is left out. The output is a spec again.\n"
        "\n"
        "  -a, --all     all lines, also those that do not count\n"
        "  -h, --help    show this\n";

static const struct option options[] = {
        { "all",  no_argument, NULL, 'a' },
        { "help", no_argument, NULL, 'h' },
        {}
};

static const char *section_of(const SpecSource *s, const SpecLine *l) {
        return s->lines[l->section].value;
}

static const SpecKey *key_of(const char *section, const char *name) {
        for (int i = 0; i < _SPEC_SECTION_MAX; i++)
                if (streq(spec_section_name((SpecSection) i), section))
                        return spec_key_find((SpecSection) i, name);
        return str_after(section, "Process ") ? spec_key_find(SECTION_CONTAINER, name) : NULL;
}

/* Does a line further on take back or replace line i of source f? */
static bool counts(const SpecDocument *d, size_t f, size_t i) {
        const SpecLine *line = &d->sources[f].lines[i];
        const char *section = section_of(&d->sources[f], line);
        const SpecKey *k = key_of(section, line->key);

        /* systemd's own keys are not known that well: whatever is written goes into the unit. */
        if (!k || k->state == KEY_PASSED)
                return true;
        if (!*line->value)
                return false;
        for (size_t g = f; g < d->n_sources; g++)
                for (size_t j = g == f ? i + 1 : 0; j < d->sources[g].n_lines; j++) {
                        const SpecLine *l = &d->sources[g].lines[j];

                        if (l->key && streq(l->key, line->key) && streq(section_of(&d->sources[g], l), section) &&
                                (!*l->value || !spec_key_is_list(k)))
                                return false;
                }
        return true;
}

static void print_section(const SpecDocument *d, const char *section, bool all) {
        printf("[%s]\n", section);
        for (size_t f = 0; f < d->n_sources; f++)
                for (size_t i = 0; i < d->sources[f].n_lines; i++) {
                        const SpecSource *s = &d->sources[f];
                        const SpecLine *l = &s->lines[i];

                        if (!l->key || !streq(section_of(s, l), section) || (!all && !counts(d, f, i)))
                                continue;
                        /* A backslash at the end would join the next line; white space behind it keeps that off. */
                        printf("%s# %s:%u%s\n%s=%s%s\n", cli_style(stdout, STYLE_DIM), s->path, l->line,
                                cli_style(stdout, STYLE_NORMAL), l->key, l->value, str_ends_with(l->value, "\\") ? " " : "");
                }
}

static int print_document(const SpecDocument *d, bool all) {
        _cleanup_strv_ char **sections = NULL;

        for (size_t f = 0; f < d->n_sources; f++)
                for (size_t i = 0; i < d->sources[f].n_lines; i++) {
                        const SpecLine *l = &d->sources[f].lines[i];

                        if (l->key || strv_contains(sections, l->value))
                                continue;
                        if (strv_append(&sections, l->value) < 0)
                                return -ENOMEM;
                }
        for (char **section = sections; section && *section; section++) {
                if (section > sections)
                        putchar('\n');
                print_section(d, *section, all);
        }
        return 0;
}

static int cat(const char *what, bool all) {
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_document_ SpecDocument d = { 0 };
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_free_ char *name = NULL;
        SpecKind kind;
        int r;

        r = spec_name_argument(what, &kind, &name);
        if (r == 0)
                r = spec_document_read_file(what, &diags, &d);
        else if (r > 0) {
                r = spec_search_open(NULL, &search);
                if (r == 0)
                        r = spec_document_read(&search, kind, name, &diags, &d);
        }
        if (r == 0)
                r = print_document(&d, all);
        for (size_t i = 0; i < diags.n; i++) {
                _cleanup_free_ char *text = spec_diag_format(&diags.items[i], true);

                if (text)
                        (void) cli_fail("%s", text);
        }
        if (r < 0 && diags.n == 0)
                return cli_fail("cannot read %s: %s", what, strerror(-r));
        return r < 0 || diags.n_errors > 0 ? CLI_FAILED : 0;
}

int cmd_cat(int argc, char *argv[]) {
        bool all = false;
        int c;

        while ((c = getopt_long(argc, argv, "ah", options, NULL)) >= 0)
                switch (c) {
                case 'a':
                        all = true;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (argc - optind != 1)
                return cli_usage("cat wants the name of one app, or a file");
        return cat(argv[optind], all);
}
