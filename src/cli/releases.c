/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/apps.h"
#include "deploy/rollback.h"
#include "util/paths.h"
#include "util/strv.h"

/* releases and rollback. */

/* The app and its releases; 0 or the exit code. */
static int read_app(const char *name, App **ret_app, Releases *ret) {
        int r = app_load(name, ret_app);

        if (r == -ENOENT)
                return cli_fail("there is no app '%s'", name);
        if (r >= 0)
                r = releases_read(name, &ret->items, &ret->n);
        return r < 0 ? cli_fail("cannot read the releases of app '%s': %s", name, strerror(-r)) : 0;
}

/* ---- releases ---- */

static const char releases_help[] =
        "Usage: berth releases [--json] APP\n\n"
        "Shows the releases of an app that are kept, the newest first: what each came to, when it was made, by whom, with what\n"
        "and why.\n\n"
        "  --json      for programs\n"
        "  -h, --help  show this";

static Style fate_style(const ReleaseRecord *r) {
        return streq(r->fate, RELEASE_FAILED) ? STYLE_RED : streq(r->fate, RELEASE_GOOD) ? STYLE_GREEN : STYLE_YELLOW;
}

static int add_row(Table *t, const App *app, const ReleaseRecord *r) {
        _cleanup_free_ char *line = strndup(r->message, strcspn(r->message, "\n"));
        char made[64];
        int q = line ? table_addf(t, STYLE_BOLD, "v%u", r->number) : -ENOMEM;

        if (q >= 0)
                q = table_add(t, fate_style(r), release_is_running(app, r) ? "running" : r->fate);
        if (q >= 0)
                q = table_add(t, STYLE_NORMAL, time_ago(r->made_usec, made, sizeof(made)));
        if (q >= 0)
                q = table_add(t, STYLE_NORMAL, r->author);
        if (q >= 0)
                q = table_add(t, STYLE_NORMAL, r->means);
        if (q >= 0)
                q = table_add(t, STYLE_NORMAL, r->reason);
        return q < 0 ? q : table_add(t, STYLE_NORMAL, line);
}

static int print_table(const App *app, const Releases *releases) {
        static const char *const header[] = { "RELEASE", "STATE", "MADE", "BY", "WITH", "WHY", "NOTE" };
        _cleanup_(table_freep) Table *t = table_headed(header, ELEMENTSOF(header));
        int r = t ? 0 : -ENOMEM;

        if (releases->n == 0) {
                fprintf(stderr, "No releases. The first is made when app '%s' starts.\n", app->name);
                return 0;
        }
        for (size_t i = releases->n; r >= 0 && i-- > 0;)
                r = add_row(t, app, &releases->items[i]);
        if (r < 0)
                return cli_fail("out of memory");
        table_print(t, stdout);
        return 0;
}

static int put_member(Buf *b, const char *name, const char *value) {
        int r = buf_printf(b, ",\"%s\":", name);

        return r < 0 ? r : json_quote(b, value);
}

static int put_images(Buf *b, const char *images) {
        _cleanup_free_ char *copy = strdup(images);
        char *rest = copy, *word;
        bool first = true;
        int r = copy ? buf_puts(b, ",\"images\":{") : -ENOMEM;

        while (r >= 0 && (word = strsep(&rest, " "))) {
                char *equals = strchr(word, '=');

                if (!equals)
                        continue;
                *equals = 0;
                r = first ? 0 : buf_putc(b, ',');
                first = false;
                if (r >= 0)
                        r = json_quote(b, word);
                if (r >= 0)
                        r = buf_putc(b, ':');
                if (r >= 0)
                        r = json_quote(b, equals + 1);
        }
        return r < 0 ? r : buf_putc(b, '}');
}

static int release_json(Buf *b, const App *app, const ReleaseRecord *r) {
        int q = buf_printf(b, "{\"release\":%u,\"equals\":%u,\"running\":%s,\"made_usec\":%" PRIu64, r->number, r->equals,
                release_is_running(app, r) ? "true" : "false", r->made_usec);

        if (q >= 0)
                q = put_member(b, "author", r->author);
        if (q >= 0)
                q = put_member(b, "means", r->means);
        if (q >= 0)
                q = put_member(b, "reason", r->reason);
        if (q >= 0)
                q = put_member(b, "state", r->fate);
        if (q >= 0)
                q = put_member(b, "message", r->message);
        if (q >= 0)
                q = put_images(b, r->images);
        return q < 0 ? q : buf_putc(b, '}');
}

static int print_json(const App *app, const Releases *releases) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_putc(&b, '[');

        for (size_t i = releases->n; r >= 0 && i-- > 0;) {
                r = release_json(&b, app, &releases->items[i]);
                if (r >= 0 && i > 0)
                        r = buf_puts(&b, ",\n ");
        }
        if (r >= 0)
                r = buf_putc(&b, ']');
        return r < 0 ? cli_fail("out of memory") : json_print(&b);
}

int cmd_releases(int argc, char *argv[]) {
        _cleanup_releases_ Releases releases = { 0 };
        _cleanup_(app_freep) App *app = NULL;
        bool json = false;
        int code = cli_options(argc, argv, releases_help, &json);

        if (code >= 0)
                return code;
        if (argc - optind != 1)
                return cli_usage("'releases' needs one app; 'berth list' shows all");
        code = read_app(argv[optind], &app, &releases);
        if (code != 0)
                return code;
        return json ? print_json(app, &releases) : print_table(app, &releases);
}

/* ---- rollback ---- */

static const char rollback_help[] =
        "Usage: berth rollback APP [vN|off]\n\n"
        "Has an app run again what its release vN was, with the very images, and waits until that is ready: it is a new release.\n"
        "Without vN it is the last good one before what runs. It stays so, whatever else the app's files say, until off.\n\n"
        "  -h, --help  show this";

/* number 0: what the files say. */
static int change(App *app, unsigned number) {
        _cleanup_free_ char *reason = rollback_reason(number);
        _cleanup_drop_in_ DropIn c = DROP_IN_INIT;
        unsigned old = app->run.release;
        Error error = { 0 };
        int r = reason ? drop_in_begin(app->name, ROLLBACK_DROP_IN, &c, &error) : -ENOMEM;

        if (r >= 0)
                r = rollback_set(&c, number);
        if (r >= 0)
                r = drop_in_write(&c, &error);
        if (r > 0) {
                r = rollback_check(&c, number, &error);
                if (r < 0)
                        drop_in_undo(&c);
        }
        if (r >= 0)
                r = drop_in_apply(&c, "berth rollback", reason, false, &error);
        if (r < 0)
                return cli_fail("app '%s' is not rolled back: %s", app->name, *error.text ? error.text : strerror(-r));
        if (r > 0)
                r = app_read_run(app, BERTH_RUN_DIR, NULL);
        else
                r = -ENOENT;
        if (r < 0)
                printf(number > 0 ? "%s: v%u, when the app starts\n" : "%s: what its files say, when the app starts\n", app->name, number);
        else if (number > 0 && app->run.release != number)
                printf("%s: v%u -> v%u, which is v%u again\n", app->name, old, app->run.release, number);
        else
                printf("%s: v%u -> v%u\n", app->name, old, app->run.release);
        return 0;
}

int cmd_rollback(int argc, char *argv[]) {
        _cleanup_releases_ Releases releases = { 0 };
        _cleanup_(app_freep) App *app = NULL;
        Error error = { 0 };
        unsigned number = 0;
        int r, code = cli_options(argc, argv, rollback_help, NULL);

        if (code >= 0)
                return code;
        if (argc - optind < 1 || argc - optind > 2)
                return cli_usage("'rollback' needs one app, and which release of it");
        code = read_app(argv[optind], &app, &releases);
        if (code != 0)
                return code;
        r = rollback_choose(app, &releases, argv[optind + 1], &number, &error);
        if (r == -EINVAL)
                return cli_usage("%s", error.text);
        return r < 0 ? cli_fail("%s", error.text) : change(app, number);
}
