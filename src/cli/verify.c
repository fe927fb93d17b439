/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/cli.h"
#include "cli/spec-name.h"
#include "spec/spec.h"
#include "unit/generate.h"
#include "util/strv.h"

static const char help[] =
        "berth verify [OPTION…] [FILE|NAME…]\n"
        "\n"
        "Reads specs of apps and images and says what is wrong with them, without starting anything; without\n"
        "arguments, all specs of the search path, and which processes those with [Process NAME] sections run. Fails\n"
        "where there are errors.\n"
        "\n"
        "  -q, --quiet    only the exit code\n"
        "  -s, --strict   warnings are errors\n"
        "  -h, --help     show this\n";

static const struct option options[] = {
        { "quiet",  no_argument, NULL, 'q' },
        { "strict", no_argument, NULL, 's' },
        { "help",   no_argument, NULL, 'h' },
        {}
};

typedef struct Verify {
        bool quiet;
        size_t n_errors, n_warnings;
} Verify;

static void take(Verify *v, const SpecDiags *diags) {
        v->n_errors += diags->n_errors;
        v->n_warnings += diags->n_warnings;
        for (size_t i = 0; !v->quiet && i < diags->n; i++) {
                _cleanup_free_ char *text = spec_diag_format(&diags->items[i], true);

                if (text)
                        printf("%s\n", text);
        }
        if (!v->quiet && diags->n < diags->n_errors + diags->n_warnings)
                printf("… and %zu more\n", diags->n_errors + diags->n_warnings - diags->n);
}

/* What a spec with [Process NAME] sections runs is not seen at one glance. */
static void show_processes(const Verify *v, const Spec *s) {
        if (v->quiet || !s || s->n_processes == 0 || !s->processes[0].name)
                return;
        printf("%s: processes", s->name);
        for (size_t i = 0; i < s->n_processes; i++)
                printf("%s %s", i > 0 ? "," : "", s->processes[i].name);
        printf("\n");
}

static int take_unit(void *userdata, const UnitFile *f, const SpecDiags *diags) {
        take(userdata, diags);
        return 0;
}

static int verify_all(Verify *v) {
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_strv_ char **names = NULL;
        int r;

        r = spec_search_open(NULL, &search);
        if (r >= 0)
                r = unit_generate(&search, take_unit, v);
        if (r >= 0)
                r = spec_search_list(&search, &names);
        for (char **name = names; r >= 0 && !v->quiet && name && *name; name++) {
                _cleanup_(spec_freep) Spec *s = NULL;

                /* What is wrong with it has been said. */
                if (spec_read_from(&search, *name, SPEC_STATIC, NULL, &s) >= 0)
                        show_processes(v, s);
        }
        return r;
}

static int verify_one(Verify *v, const char *what) {
        _cleanup_(spec_freep) Spec *s = NULL;
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_free_ char *name = NULL;
        SpecKind kind;
        int r;

        r = spec_name_argument(what, &kind, &name);
        if (r == 0)
                r = spec_read_file(what, SPEC_STATIC, &diags, &s);
        else if (r > 0) {
                r = spec_search_open(NULL, &search);
                if (r == 0)
                        r = spec_read_kind_from(&search, kind, name, SPEC_STATIC, &diags, &s);
        }
        take(v, &diags);
        show_processes(v, s);
        return r < 0 && diags.n_errors == 0 ? r : 0;
}

int cmd_verify(int argc, char *argv[]) {
        bool strict = false;
        Verify v = { 0 };
        int c, r;

        while ((c = getopt_long(argc, argv, "qsh", options, NULL)) >= 0)
                switch (c) {
                case 'q':
                        v.quiet = true;
                        break;
                case 's':
                        strict = true;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (optind == argc) {
                r = verify_all(&v);
                if (r < 0)
                        return cli_fail("cannot read the specs: %s", strerror(-r));
        }
        for (int i = optind; i < argc; i++) {
                r = verify_one(&v, argv[i]);
                if (r < 0)
                        return cli_fail("cannot read %s: %s", argv[i], strerror(-r));
        }
        return v.n_errors > 0 || (strict && v.n_warnings > 0) ? CLI_FAILED : 0;
}
