/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "deploy/app.h"
#include "deploy/drop-in.h"
#include "deploy/job.h"
#include "run/request.h"
#include "spec/document.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

#define BLANKS " \t"

/* ---- the text of a drop-in ---- */

/* A line with those that continue it, and its newlines. */
static size_t line_length(const char *text) {
        size_t n = 0;

        for (;;) {
                size_t part = strcspn(text + n, "\n");
                bool more = part > 0 && text[n + part - 1] == '\\';

                n += part;
                if (!text[n])
                        return n;
                n++;
                if (!more)
                        return n;
        }
}

static bool is_header(const char *line, const char *section) {
        const char *rest = str_after(line, "[");

        if (rest)
                rest = str_after(rest, section);
        return rest && *rest == ']';
}

static bool is_assignment(const char *line, const char *key) {
        const char *rest = str_after(line + strspn(line, BLANKS), key);

        return rest && rest[strspn(rest, BLANKS)] == '=';
}

static bool is_blank(const char *line) {
        return strspn(line, BLANKS "\n") >= strcspn(line, "\n");
}

static bool has_assignment(const char *text) {
        for (size_t n; *text; text += n) {
                const char *start = text + strspn(text, BLANKS);

                n = line_length(text);
                if (!strchr("#;[\n", *start) && memchr(text, '=', n))
                        return true;
        }
        return false;
}

typedef struct Edit {
        Buf out;
        size_t end;   /* of what the section has so far */
        bool there;   /* the section is */
        bool placed;  /* the assignment is */
} Edit;

static int put_assignment(Edit *e, const char *key, const char *value) {
        e->placed = true;
        return buf_printf(&e->out, "%s=%s\n", key, value);
}

static int copy_lines(Edit *e, const char *text, const char *section, const char *key, const char *value) {
        bool inside = false;
        int r = 0;

        for (size_t n; *text && r >= 0; text += n) {
                n = line_length(text);
                if (*text == '[') {
                        inside = is_header(text, section);
                        e->there = e->there || inside;
                } else if (inside && is_assignment(text, key)) {
                        if (value && !e->placed)
                                r = put_assignment(e, key, value);
                        e->end = e->out.size;
                        continue;
                }
                r = buf_append(&e->out, text, n);
                if (r >= 0 && text[n - 1] != '\n')
                        r = buf_putc(&e->out, '\n');
                if (inside && !is_blank(text))
                        e->end = e->out.size;
        }
        return r;
}

/* The assignment as the last one of its section. */
static int add_assignment(Edit *e, const char *section, const char *key, const char *value) {
        _cleanup_free_ char *rest = NULL;
        int r;

        if (!e->there) {
                r = buf_printf(&e->out, "%s[%s]\n", e->out.size > 0 ? "\n" : "", section);
                return r < 0 ? r : put_assignment(e, key, value);
        }
        rest = strdup(e->out.data + e->end);
        if (!rest)
                return -ENOMEM;
        e->out.size = e->end;
        e->out.data[e->end] = 0;
        r = put_assignment(e, key, value);
        return r < 0 ? r : buf_puts(&e->out, rest);
}

int drop_in_edit(const char *text, const char *section, const char *key, const char *value, char **ret) {
        Edit e = { 0 };
        int r = copy_lines(&e, text ? text : "", section, key, value);

        if (r >= 0 && value && !e.placed)
                r = add_assignment(&e, section, key, value);
        if (r >= 0 && (e.out.size == 0 || !has_assignment(e.out.data)))
                *ret = NULL;
        else if (r >= 0) {
                *ret = buf_steal(&e.out);
                r = *ret ? 0 : -ENOMEM;
        }
        buf_clear(&e.out);
        return r;
}

/* ---- the change ---- */

static void unlock(DropIn *c) {
        if (c->lock >= 0)
                (void) rmdir(c->directory); /* where there is nothing in it */
        c->lock = fd_close(c->lock);
}

void drop_in_clear(DropIn *c) {
        unlock(c);
        free(c->app);
        free(c->directory);
        free(c->path);
        free(c->before);
        free(c->after);
        spec_free(c->old);
        spec_free(c->spec);
        *c = DROP_IN_INIT;
}

/* The whole sentence, with the place where one is known. */
static int load(const char *app, Spec **ret, Error *reterr) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        int r = spec_load(app, NULL, &diags, ret);

        for (size_t i = 0; r < 0 && i < diags.n; i++)
                if (diags.items[i].severity == SPEC_ERROR) {
                        _cleanup_free_ char *text = spec_diag_format(&diags.items[i], false);

                        return text ? error_set(reterr, r, "%s", text) : -ENOMEM;
                }
        return r < 0 ? error_set_errno(reterr, r, "cannot read app '%s'", app) : 0;
}

/* Who changes the same app meanwhile waits. */
static int lock_directory(const DropIn *c) {
        _cleanup_close_ int fd = -EBADF;
        int r = mkdir_parents(AT_FDCWD, c->directory, 0755);

        if (r < 0)
                return r;
        fd = open(c->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 || flock(fd, LOCK_EX) < 0 ? -errno : TAKE_FD(fd);
}

static int read_before(DropIn *c, Error *reterr) {
        int r = read_file(AT_FDCWD, c->path, SPEC_FILE_SIZE_MAX, &c->before, NULL);

        if (r < 0 && r != -ENOENT)
                return error_set_errno(reterr, r, "cannot read %s", c->path);
        if (!c->before)
                return 0;
        c->after = strdup(c->before);
        return c->after ? 0 : -ENOMEM;
}

int drop_in_begin(const char *app, const char *file, DropIn *c, Error *reterr) {
        _cleanup_search_ SpecSearch search = { 0 };
        int r = load(app, &c->old, reterr);

        if (r >= 0)
                r = spec_search_open(NULL, &search);
        if (r < 0)
                return r;
        c->directory = str_format("%s/%s.container.d", search.dirs[0], app);
        c->path = str_format("%s/%s.container.d/%s", search.dirs[0], app, file);
        c->app = strdup(app);
        if (!c->directory || !c->path || !c->app)
                return -ENOMEM;
        c->lock = lock_directory(c);
        return c->lock < 0 ? error_set_errno(reterr, c->lock, "cannot write into %s", c->directory) : read_before(c, reterr);
}

int drop_in_set(DropIn *c, const char *process, const char *key, const char *value) {
        _cleanup_free_ char *section = process ? str_format("Process %s", process) : strdup("Container");

        return section ? drop_in_set_in(c, section, key, value) : -ENOMEM;
}

int drop_in_set_in(DropIn *c, const char *section, const char *key, const char *value) {
        char *text;
        int r = drop_in_edit(c->after, section, key, value, &text);

        if (r < 0)
                return r;
        free(c->after);
        c->after = text;
        return 0;
}

static int put(const DropIn *c, const char *text) {
        if (text)
                return write_file(AT_FDCWD, c->path, text, strlen(text), 0644, true);
        return unlink(c->path) < 0 && errno != ENOENT ? -errno : 0;
}

int drop_in_write(DropIn *c, Error *reterr) {
        int r;

        if (streq_ptr(c->before, c->after))
                return 0;
        c->spec = spec_free(c->spec);
        r = put(c, c->after);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write %s", c->path);
        r = load(c->app, &c->spec, reterr);
        if (r < 0) {
                (void) put(c, c->before);
                return r;
        }
        return 1;
}

int drop_in_ask(DropIn *c, const char *author, const char *means, const char *reason, bool formation, Error *reterr) {
        int r;

        /* A later change overtakes this one. */
        unlock(c);
        r = request_write(c->app, author, means, reason, formation);
        if (r >= 0)
                return 0;
        drop_in_undo(c);
        return error_set_errno(reterr, r, "cannot tell the supervisor what to do");
}

/* Its service and that one's state. */
static int find_app(const char *name, App **ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(app_freep) App *app = app_new(name);
        int r;

        if (!app)
                return -ENOMEM;
        r = app_read_run(app, BERTH_RUN_DIR, NULL);
        if (r >= 0 || r == -ENOENT)
                r = app_read_spec(app, NULL);
        if (r < 0)
                return r;
        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = apps_query(bus, &app, 1, NULL);
        /* Where there is no bus nothing runs. */
        if (r < 0 && app->run.name)
                return r;
        *ret = TAKE_PTR(app);
        return 0;
}

int drop_in_apply(DropIn *c, const char *means, const char *reason, bool formation, Error *reterr) {
        UnitJob job = { 0 };
        _cleanup_(app_freep) App *app = NULL;
        int r = find_app(c->app, &app);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot ask for the state of app '%s'", c->app);
        if (!app_is_up(app)) {
                unlock(c);
                return 0;
        }
        r = drop_in_ask(c, NULL, means, reason, formation, reterr);
        if (r < 0)
                return r;
        job = (UnitJob){ .unit = app->service, .app = app->name };
        r = jobs_run("ReloadUnit", &job, 1, reterr);
        if (r >= 0 && job.result < 0) {
                r = job.result;
                if (reterr)
                        *reterr = job.error;
        }
        if (r < 0)
                drop_in_undo(c);
        return r < 0 ? r : 1;
}

void drop_in_undo(DropIn *c) {
        _cleanup_free_ char *now = NULL;

        if (c->lock < 0)
                c->lock = lock_directory(c);
        if (c->lock < 0)
                return;
        if (read_file(AT_FDCWD, c->path, SPEC_FILE_SIZE_MAX, &now, NULL) < 0)
                now = NULL;
        if (streq_ptr(now, c->after))
                (void) put(c, c->before);
}
