/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/apps.h"
#include "cli/drop-in.h"
#include "util/nearest.h"
#include "util/strv.h"

#define DROP_IN "50-limits.conf"
#define TEXT_MAX 32

typedef enum LimitKind {
        LIMIT_SIZE,
        LIMIT_CPUS,   /* microseconds a second */
        LIMIT_NUMBER,
        LIMIT_WEIGHT, /* 0: idle */
        _LIMIT_KIND_MAX,
        _LIMIT_KIND_INVALID = -EINVAL,
} LimitKind;

typedef struct Limit {
        const char *key;
        LimitKind kind;
        size_t offset; /* of the SpecNumber in SpecProcess */
        const char *member; /* in JSON */
} Limit;

static const Limit limits[] = {
        { "Memory",     LIMIT_SIZE,   offsetof(SpecProcess, memory),     "memory"     },
        { "MemorySwap", LIMIT_SIZE,   offsetof(SpecProcess, swap),       "swap"       },
        { "CPUs",       LIMIT_CPUS,   offsetof(SpecProcess, cpu_quota),  "cpus"       },
        { "CPUWeight",  LIMIT_WEIGHT, offsetof(SpecProcess, cpu_weight), "cpu_weight" },
        { "IOWeight",   LIMIT_WEIGHT, offsetof(SpecProcess, io_weight),  "io_weight"  },
        { "PidsLimit",  LIMIT_NUMBER, offsetof(SpecProcess, pids),       "pids"       },
};

static const char help[] =
        "Usage: berth limits [--json] APP [PROCESS] [KEY=VALUE…]\n\n"
        "Changes the limits of each instance of an app, or of one of its processes, while it runs; without KEY=VALUE it\n"
        "shows them. KEY is Memory, MemorySwap, CPUs, CPUWeight, IOWeight or PidsLimit, and VALUE as in a spec: 512m, 1.5,\n"
        "infinity. Without a value, what the spec says counts again.\n\n"
        "  --json      for programs\n"
        "  -h, --help  show this";

static const SpecNumber *number_of(const SpecProcess *p, const Limit *l) {
        return (const SpecNumber *) ((const char *) p + l->offset);
}

static const char *size_words(uint64_t size, char text[static TEXT_MAX]) {
        static const char units[] = "bkmgt";
        size_t unit = 0;

        while (size != 0 && size % 1024 == 0 && unit + 1 < STRLEN("bkmgt")) {
                size /= 1024;
                unit++;
        }
        (void) snprintf(text, TEXT_MAX, unit == 0 ? "%" PRIu64 : "%" PRIu64 "%c", size, units[unit]);
        return text;
}

/* As a spec would say it; NULL: nothing is set. MemorySwap= is shown as what it leaves for swap. */
static const char *limit_text(const SpecProcess *p, const Limit *l, char text[static TEXT_MAX]) {
        const SpecNumber *n = number_of(p, l);

        if (!n->set)
                return NULL;
        if (n->value == SPEC_INFINITY)
                return "infinity";
        switch (l->kind) {
        case LIMIT_SIZE:
                return size_words(n->value, text);
        case LIMIT_CPUS:
                (void) snprintf(text, TEXT_MAX, "%g", (double) n->value / 1e6);
                return text;
        case LIMIT_WEIGHT:
        case LIMIT_NUMBER:
                if (l->kind == LIMIT_WEIGHT && n->value == 0)
                        return "idle";
                (void) snprintf(text, TEXT_MAX, "%" PRIu64, n->value);
                return text;
        case _LIMIT_KIND_MAX:
        case _LIMIT_KIND_INVALID:
                break;
        }
        assert(false);
        return NULL;
}

static const Limit *limit_find(const char *key, size_t n) {
        _cleanup_free_ char *name = strndup(key, n);
        Nearest nearest = NEAREST_INIT(name ? name : "");
        const Limit *near;

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                if (strlen(limits[i].key) == n && strncmp(key, limits[i].key, n) == 0)
                        return &limits[i];
                nearest_try(&nearest, limits[i].key, &limits[i]);
        }
        near = nearest_found(&nearest);
        (void) (near ? cli_usage("no limit '%s', did you mean '%s'?", name, near->key) :
                       cli_usage("no limit '%s'; there are Memory, MemorySwap, CPUs, CPUWeight, IOWeight and PidsLimit", name ? name : ""));
        return NULL;
}

/* ---- what there is ---- */

static int show_json(const Spec *s, const char *only) {
        _cleanup_buf_ Buf b = BUF_INIT;
        bool first = true;
        int r = buf_putc(&b, '[');

        for (size_t i = 0; r >= 0 && i < s->n_processes; i++) {
                const SpecProcess *p = &s->processes[i];

                if (only && !streq_ptr(p->name, only))
                        continue;
                r = buf_puts(&b, first ? "{\"process\":" : ",{\"process\":");
                first = false;
                if (r >= 0)
                        r = json_quote(&b, p->name ? p->name : "");
                for (size_t k = 0; r >= 0 && k < ELEMENTSOF(limits); k++) {
                        char text[TEXT_MAX];

                        r = buf_printf(&b, ",\"%s\":", limits[k].member);
                        if (r >= 0)
                                r = json_quote(&b, limit_text(p, &limits[k], text));
                }
                if (r >= 0)
                        r = buf_putc(&b, '}');
        }
        if (r >= 0)
                r = buf_putc(&b, ']');
        return r < 0 ? cli_fail("out of memory") : json_print(&b);
}

static int show_table(const Spec *s, const char *only) {
        static const char *const header[] = { "PROCESS", "MEMORY", "SWAP", "CPUS", "CPUWEIGHT", "IOWEIGHT", "PIDS" };
        _cleanup_(table_freep) Table *t = table_headed(header, ELEMENTSOF(header));
        int r = t ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < s->n_processes; i++) {
                const SpecProcess *p = &s->processes[i];
                char text[TEXT_MAX];

                if (only && !streq_ptr(p->name, only))
                        continue;
                r = table_add(t, STYLE_BOLD, p->name);
                for (size_t k = 0; r >= 0 && k < ELEMENTSOF(limits); k++)
                        r = table_add(t, STYLE_NORMAL, limit_text(p, &limits[k], text));
        }
        if (r < 0)
                return cli_fail("out of memory");
        table_print(t, stdout);
        return 0;
}

/* ---- a change ---- */

static int set_all(DropIn *c, const char *process, char *const *arguments) {
        for (; *arguments; arguments++) {
                const char *equals = strchr(*arguments, '=');
                const Limit *l = limit_find(*arguments, (size_t) (equals - *arguments));

                if (!l)
                        return CLI_USAGE;
                if (strpbrk(equals, "\n\\"))
                        return cli_usage("'%s' is not one line", *arguments);
                if (drop_in_set(c, process, l->key, equals[1] ? equals + 1 : NULL) < 0)
                        return cli_fail("out of memory");
        }
        return 0;
}

static int print_changes(const DropIn *c, bool runs) {
        bool any = false;

        for (size_t i = 0; c->spec && i < c->spec->n_processes; i++) {
                const SpecProcess *now = &c->spec->processes[i], *before = spec_process(c->old, now->name);

                for (size_t k = 0; before && k < ELEMENTSOF(limits); k++) {
                        char text[2][TEXT_MAX];
                        const char *from = limit_text(before, &limits[k], text[0]), *to = limit_text(now, &limits[k], text[1]);

                        if (streq_ptr(from, to))
                                continue;
                        printf("%s: %s %s -> %s%s\n", now->name ? now->name : c->app, limits[k].key, from ? from : "-", to ? to : "-",
                                runs ? "" : ", when the app starts");
                        any = true;
                }
        }
        if (!any)
                puts("nothing has changed");
        return 0;
}

static int change(const char *app, const char *process, char *const *arguments, bool json) {
        _cleanup_free_ char *reason = strv_join(arguments, " ");
        _cleanup_drop_in_ DropIn c = DROP_IN_INIT;
        Error error = { 0 };
        int r = reason ? drop_in_begin(app, DROP_IN, &c, &error) : -ENOMEM, code;

        if (r < 0)
                return cli_fail("%s", *error.text ? error.text : strerror(-r));
        if (process && !spec_process(c.old, process))
                return cli_fail("app '%s' has no process '%s'", app, process);
        code = set_all(&c, process, arguments);
        if (code != 0)
                return code;
        r = drop_in_write(&c, &error);
        if (r >= 0)
                r = drop_in_apply(&c, "berth limits", reason, true, &error);
        if (r < 0)
                return cli_fail("the limits of app '%s' are not changed: %s", app, *error.text ? error.text : strerror(-r));
        return json ? show_json(c.spec ? c.spec : c.old, process) : print_changes(&c, r > 0);
}

static int show(const char *app, const char *process, bool json) {
        _cleanup_(spec_freep) Spec *s = NULL;
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        int r = spec_load(app, NULL, &diags, &s);

        if (r == -ENOENT)
                return cli_fail("there is no app '%s'", app);
        if (r < 0)
                return cli_fail("cannot read app '%s': %s", app, diags.n > 0 ? diags.items[0].text : strerror(-r));
        if (process && !spec_process(s, process))
                return cli_fail("app '%s' has no process '%s'", app, process);
        return json ? show_json(s, process) : show_table(s, process);
}

int cmd_limits(int argc, char *argv[]) {
        const char *app, *process = NULL;
        bool json = false;
        int code, i;

        code = cli_options(argc, argv, help, &json);
        if (code >= 0)
                return code;
        if (optind >= argc)
                return cli_usage("'limits' needs an app; 'berth list' shows all");
        app = argv[optind];
        i = optind + 1;
        if (i < argc && !strchr(argv[i], '='))
                process = argv[i++];
        for (int k = i; k < argc; k++)
                if (!strchr(argv[k], '='))
                        return cli_usage("'%s' is not KEY=VALUE", argv[k]);
        return i < argc ? change(app, process, argv + i, json) : show(app, process, json);
}
