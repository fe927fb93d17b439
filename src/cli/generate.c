/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <getopt.h>

#include "cli/cli.h"
#include "unit/generate.h"
#include "util/fd.h"

static const char help[] =
        "berth generate --dry-run\n"
        "berth generate DIR\n"
        "\n"
        "Makes units of all specs of the search path, as berth-generator does at boot: prints them, or writes them\n"
        "below DIR.\n"
        "\n"
        "  -n, --dry-run   print, and write nothing\n"
        "  -h, --help      show this\n";

static const struct option options[] = {
        { "dry-run", no_argument, NULL, 'n' },
        { "help",    no_argument, NULL, 'h' },
        {}
};

typedef struct Generate {
        int dir; /* -EBADF: print */
        bool failed, more;
} Generate;

static void print_unit(Generate *g, const UnitFile *f) {
        printf("%s%s# %s%s\n%s", g->more ? "\n" : "", cli_style(stdout, STYLE_BOLD), f->name,
                cli_style(stdout, STYLE_NORMAL), f->text.data);
        for (size_t i = 0; i < f->links.n; i++)
                printf("%s%s# %s -> %s%s\n", i == 0 ? "\n" : "", cli_style(stdout, STYLE_BOLD), f->links.items[i].path,
                        f->links.items[i].target, cli_style(stdout, STYLE_NORMAL));
        g->more = true;
}

static int emit(void *userdata, const UnitFile *f, const SpecDiags *diags) {
        Generate *g = userdata;
        Error error = { 0 };

        for (size_t i = 0; i < diags->n; i++) {
                _cleanup_free_ char *text = spec_diag_format(&diags->items[i], true);

                if (text)
                        (void) cli_fail("%s", text);
        }
        if (diags->n_errors > 0)
                g->failed = true;
        if (!f)
                return 0;
        if (g->dir < 0)
                print_unit(g, f);
        else if (unit_file_write(g->dir, f, &error) < 0) {
                (void) cli_fail("%s", error.text);
                g->failed = true;
        }
        return 0;
}

int cmd_generate(int argc, char *argv[]) {
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_close_ int dir = -EBADF;
        Generate g = { .dir = -EBADF };
        bool dry_run = false;
        int c, r;

        while ((c = getopt_long(argc, argv, "nh", options, NULL)) >= 0)
                switch (c) {
                case 'n':
                        dry_run = true;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (dry_run ? argc != optind : argc - optind != 1)
                return cli_usage("generate wants --dry-run, or one directory");
        if (!dry_run) {
                dir = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (dir < 0)
                        return cli_fail("cannot open directory %s: %s", argv[optind], strerror(errno));
                g.dir = dir;
        }
        r = spec_search_open(NULL, &search);
        if (r == 0)
                r = unit_generate(&search, emit, &g);
        if (r < 0)
                return cli_fail("cannot read the specs: %s", strerror(-r));
        return g.failed ? CLI_FAILED : 0;
}
