/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/apps.h"
#include "deploy/job.h"
#include "cli/pull-app.h"
#include "image/registry/pull.h"
#include "run/request.h"
#include "spec/spec.h"
#include "util/fd.h"
#include "util/strv.h"

static const char help[] =
        "berth auto-update [OPTION…] [APP…]\n"
        "\n"
        "Looks for newer images of the running apps that have AutoUpdate=, or of those named, and makes a new release of those\n"
        "that have one. An app that does not come to run with its new image goes on with the old one.\n"
        "\n"
        "      --dry-run        only say what would be updated\n"
        "      --rollback=BOOL  no: the app is stopped and started with its new image, for better or worse (yes)\n"
        "      --json           for programs: an array\n"
        "  -h, --help           show this\n";

enum {
        OPTION_DRY_RUN = 256,
        OPTION_ROLLBACK,
        OPTION_JSON,
};

static const struct option options[] = {
        { "dry-run",  no_argument,       NULL, OPTION_DRY_RUN  },
        { "rollback", required_argument, NULL, OPTION_ROLLBACK },
        { "json",     no_argument,       NULL, OPTION_JSON     },
        { "help",     no_argument,       NULL, 'h'             },
        {}
};

typedef enum Result {
        RESULT_CURRENT,
        RESULT_PENDING, /* there is a newer one */
        RESULT_UPDATED,
        RESULT_ROLLED_BACK,
        RESULT_FAILED,
        _RESULT_MAX,
} Result;

static const struct {
        const char *name;
        Style style;
} results[_RESULT_MAX] = {
        [RESULT_CURRENT] = { "current", STYLE_NORMAL },
        [RESULT_PENDING] = { "pending", STYLE_YELLOW },
        [RESULT_UPDATED] = { "updated", STYLE_GREEN },
        [RESULT_ROLLED_BACK] = { "rolled back", STYLE_RED },
        [RESULT_FAILED] = { "failed", STYLE_RED },
};

/* One process with AutoUpdate=. */
typedef struct Row {
        char *app, *process, *image, *source;
        Image *old;  /* what runs; NULL: not known any more */
        Result result;
        Error error;
} Row;

typedef struct Update {
        bool dry_run, rollback;
        Row *rows;
        size_t n;
} Update;

static void update_clear(Update *u) {
        for (size_t i = 0; i < u->n; i++) {
                Row *row = u->rows + i;

                free(row->app);
                free(row->process);
                free(row->image);
                free(row->source);
                image_free(row->old);
        }
        free(u->rows);
}

static Row *row_new(Update *u, const App *app, const SpecProcess *p) {
        Row *row = reallocarray(u->rows, u->n + 1, sizeof(*row));

        if (!row)
                return NULL;
        u->rows = row;
        row += u->n++;
        *row = (Row){
                .app = strdup(app->name), .process = strdup(p->name ? p->name : ""), .image = strdup(p->image.value),
                .source = strdup(p->auto_update == SPEC_AUTO_UPDATE_LOCAL ? "local" : "registry"),
        };
        return row->app && row->process && row->image && row->source ? row : NULL;
}

static int old_image(Row *row, const char *running) {
        int r = image_open(NULL, *running ? running : row->image, &row->old, &row->error);

        return r == -ENOENT ? 0 : r;
}

static int new_image(Row *row, const SpecProcess *p, bool look, char ret_id[static 72]) {
        PullOptions o = {
                .look = look,
                .client = {
                        .tls_verify = -1,
                        .retries = p->retry.set ? (unsigned) p->retry.value : RETRY_TIMES,
                        .retry_delay_ms = p->retry_delay.set ? MAX(p->retry_delay.value / 1000, UINT64_C(1)) : 0,
                },
        };
        _cleanup_image_ Image *image = NULL;
        _cleanup_pulled_ Pulled pulled = { 0 };
        int r;

        if (p->auto_update == SPEC_AUTO_UPDATE_REGISTRY) {
                r = p->image_file ? pull_by_file(p->image_file, &o, &pulled, &row->error) :
                                    pull_image(p->image.value, &o, &pulled, &row->error);
                if (r < 0)
                        return r;
                (void) snprintf(ret_id, 72, "%s", pulled.id);
                return 0;
        }
        r = image_open(NULL, p->image.value, &image, &row->error);
        if (r < 0)
                return r;
        (void) snprintf(ret_id, 72, "%s", image->id);
        return 0;
}

static void check(const Update *u, Row *row, const SpecProcess *p, const char *running) {
        char id[72];
        int r = old_image(row, running);

        if (r >= 0)
                r = new_image(row, p, true, id);
        if (r >= 0 && row->old && streq(row->old->id, id)) {
                row->result = RESULT_CURRENT;
                return;
        }
        row->result = RESULT_PENDING;
        if (r >= 0 && !u->dry_run && p->auto_update == SPEC_AUTO_UPDATE_REGISTRY)
                r = new_image(row, p, false, id);
        if (r < 0) {
                row->result = RESULT_FAILED;
                if (!*row->error.text)
                        (void) error_set_errno(&row->error, r, "cannot look for an image");
        }
}

/* The rows from first on are one app's. A reload goes back by itself to what ran, where the new image does not come to run. */
static void update(Update *u, size_t first, const char *unit) {
        Result result = RESULT_UPDATED;
        Error error = { 0 };

        (void) request_write(u->rows[first].app, NULL, "berth auto-update", "newer image", false);
        if (job_run(u->rollback ? "ReloadUnit" : "RestartUnit", unit, &error) < 0)
                result = u->rollback ? RESULT_ROLLED_BACK : RESULT_FAILED;
        for (size_t i = first; i < u->n; i++)
                if (u->rows[i].result == RESULT_PENDING) {
                        u->rows[i].result = result;
                        u->rows[i].error = error;
                }
}

static int update_app(Update *u, const App *app) {
        _cleanup_(spec_freep) Spec *spec = NULL;
        size_t first = u->n, pending = 0;

        /* One whose spec is wrong goes on as it is. */
        if (!app->run.name || spec_load(app->name, NULL, NULL, &spec) < 0)
                return 0;
        for (size_t i = 0; i < spec->n_processes; i++) {
                const SpecProcess *p = spec->processes + i;
                Row *row;

                if (p->auto_update == SPEC_AUTO_UPDATE_NO || !p->image.value)
                        continue;
                row = row_new(u, app, p);
                if (!row)
                        return -ENOMEM;
                check(u, row, p, i == 0 ? app->run.image_id : "");
                pending += row->result == RESULT_PENDING;
        }
        if (pending > 0 && !u->dry_run)
                update(u, first, app->service);
        return 0;
}

static int print_json(const Update *u) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_putc(&b, '[');

        for (size_t i = 0; r >= 0 && i < u->n; i++) {
                const Row *row = u->rows + i;
                const struct {
                        const char *key, *value;
                } members[] = {
                        { "app", row->app },       { "process", row->process }, { "image", row->image },
                        { "source", row->source }, { "result", results[row->result].name }, { "message", row->error.text },
                };

                r = buf_puts(&b, i > 0 ? ",\n " : "");
                for (size_t k = 0; r >= 0 && k < ELEMENTSOF(members); k++) {
                        r = buf_printf(&b, "%c\"%s\":", k == 0 ? '{' : ',', members[k].key);
                        if (r >= 0)
                                r = json_quote(&b, members[k].value);
                }
                if (r >= 0)
                        r = buf_putc(&b, '}');
        }
        if (r >= 0)
                r = buf_putc(&b, ']');
        return r < 0 ? cli_fail("out of memory") : json_print(&b);
}

static int print_table(const Update *u) {
        static const char *const header[] = { "APP", "PROCESS", "IMAGE", "SOURCE", "RESULT" };
        _cleanup_(table_freep) Table *t = table_headed(header, ELEMENTSOF(header));
        int r = t ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < u->n; i++) {
                const Row *row = u->rows + i;
                const char *cells[] = { row->app, *row->process ? row->process : NULL, row->image, row->source };

                for (size_t k = 0; r >= 0 && k < ELEMENTSOF(cells); k++)
                        r = table_add(t, k == 0 ? STYLE_BOLD : STYLE_NORMAL, cells[k]);
                if (r >= 0)
                        r = table_add(t, results[row->result].style, results[row->result].name);
        }
        if (r < 0)
                return cli_fail("out of memory");
        if (u->n > 0)
                table_print(t, stdout);
        return 0;
}

static int run(Update *u, char *const *names, bool json) {
        _cleanup_(apps_clear) Apps apps = { 0 };
        int code, r = apps_load(&apps);

        if (r < 0)
                return cli_fail("cannot read the apps: %s", strerror(-r));
        for (char *const *name = names; *name; name++) {
                bool known = false;

                for (size_t i = 0; i < apps.n; i++)
                        known = known || streq(apps.items[i]->name, *name);
                if (!known)
                        return cli_fail("there is no app '%s'", *name);
        }
        for (size_t i = 0; r >= 0 && i < apps.n; i++)
                if (!*names || strv_contains(names, apps.items[i]->name))
                        r = update_app(u, apps.items[i]);
        if (r < 0)
                return cli_fail("out of memory");
        code = json ? print_json(u) : print_table(u);
        for (size_t i = 0; i < u->n; i++)
                if (u->rows[i].result == RESULT_FAILED || u->rows[i].result == RESULT_ROLLED_BACK)
                        code = cli_fail("app '%s' %s: %s", u->rows[i].app,
                                u->rows[i].result == RESULT_FAILED ? "is not updated" : "runs its old image again", u->rows[i].error.text);
        return code;
}

int cmd_auto_update(int argc, char *argv[]) {
        Update u = { .rollback = true };
        bool json = false;
        int c, r, code;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case OPTION_DRY_RUN:
                        u.dry_run = true;
                        break;
                case OPTION_ROLLBACK:
                        r = parse_boolean(optarg);
                        if (r < 0)
                                return cli_usage("--rollback wants yes or no, not '%s'", optarg);
                        u.rollback = r > 0;
                        break;
                case OPTION_JSON:
                        json = true;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        code = run(&u, argv + optind, json);
        update_clear(&u);
        return code;
}
