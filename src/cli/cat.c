/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/cli.h"
#include "cli/spec-name.h"
#include "spec/document.h"
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

static void print_section(const SpecDocument *d, const char *section, bool all) {
        printf("[%s]\n", section);
        for (size_t f = 0; f < d->n_sources; f++)
                for (size_t i = 0; i < d->sources[f].n_lines; i++) {
                        const SpecSource *s = &d->sources[f];
                        const SpecLine *l = &s->lines[i];

                        if (!l->key || !streq(spec_line_section(s, l), section) || (!all && !spec_document_counts(d, f, i)))
                                continue;
                        /* A backslash at the end would join the next line; white space behind it keeps that off. */
                        printf("%s# %s:%u%s\n%s=%s%s\n", cli_style(stdout, STYLE_DIM), s->path, l->line,
                                cli_style(stdout, STYLE_NORMAL), l->key, l->value, str_ends_with(l->value, "\\") ? " " : "");
                }
}

static int print_document(const SpecDocument *d, bool all) {
        _cleanup_strv_ char **sections = NULL;
        int r = spec_document_sections(d, &sections);

        for (char **section = sections; r >= 0 && section && *section; section++) {
                if (section > sections)
                        putchar('\n');
                print_section(d, *section, all);
        }
        return r;
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
