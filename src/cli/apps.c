/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <time.h>

#include "cli/apps.h"
#include "cli/usage.h"
#include "spec/spec.h"
#include "util/paths.h"
#include "util/strv.h"

#define USEC_PER_SEC 1000000ULL

void apps_clear(Apps *apps) {
        for (size_t i = 0; i < apps->n; i++)
                app_free(apps->items[i]);
        free(apps->items);
        *apps = (Apps){ 0 };
}

static void query_states(App *const *apps, size_t n) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        if (n == 0)
                return;
        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = apps_query(bus, apps, n, &error);
        if (r < 0)
                cli_fail("cannot ask systemd for the states of services: %s",
                        error.message ? error.message : strerror(-r));
}

static int app_read(const char *name, App **ret) {
        _cleanup_(app_freep) App *app = app_new(name);
        int r, q;

        if (!app)
                return -ENOMEM;
        r = app_read_run(app, BERTH_RUN_DIR, NULL);
        if (r < 0 && r != -ENOENT) {
                cli_fail("cannot read the state of app '%s': %s", name, strerror(-r));
                r = -ENOENT;
        }
        q = app_read_spec(app, NULL);
        if (q < 0 && (q != -ENOENT || r == -ENOENT))
                return q;
        *ret = TAKE_PTR(app);
        return 0;
}

int app_load(const char *name, App **ret) {
        int r;

        if (!spec_name_valid(name) || str_ends_with(name, "@"))
                return -ENOENT;
        r = app_read(name, ret);
        if (r < 0)
                return r;
        query_states(ret, 1);
        return 0;
}

int apps_load(Apps *ret) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_(apps_clear) Apps apps = { 0 };
        int r;

        r = app_names(NULL, BERTH_RUN_DIR, &names);
        if (r < 0)
                return r;
        apps.items = calloc(strv_length(names) + 1, sizeof(App *));
        if (!apps.items)
                return -ENOMEM;
        for (char **name = names; *name; name++) {
                r = app_read(*name, apps.items + apps.n);
                if (r == -ENOENT) /* gone since we looked */
                        continue;
                if (r < 0)
                        return r;
                apps.n++;
        }
        query_states(apps.items, apps.n);
        *ret = apps;
        apps = (Apps){ 0 };
        return 0;
}

int app_argument(const char *argument, char **ret_name, char **ret_instance) {
        const char *slash = strchr(argument, '/');
        _cleanup_free_ char *name = slash ? strndup(argument, (size_t) (slash - argument)) : strdup(argument);

        if (!name)
                return -ENOMEM;
        *ret_instance = NULL;
        if (slash && !(*ret_instance = strdup(slash + 1)))
                return -ENOMEM;
        *ret_name = TAKE_PTR(name);
        return 0;
}

const char *app_state_text(const App *app, char *buffer, size_t size) {
        if (*app->problem && !app->run.name && !streq(app->active_state, "active") && !streq(app->active_state, "reloading"))
                return "bad spec";
        snprintf(buffer, size, "%s (%s)", app->active_state, app->sub_state);
        return buffer;
}

Style app_state_style(const App *app) {
        if (streq(app->active_state, "failed") || *app->problem)
                return STYLE_RED;
        if (streq(app->active_state, "active"))
                return STYLE_GREEN;
        return streq(app->active_state, "inactive") ? STYLE_DIM : STYLE_YELLOW;
}

Style instance_state_style(InstanceState state) {
        switch (state) {
        case INSTANCE_READY:
                return STYLE_GREEN;
        case INSTANCE_FAILED:
        case INSTANCE_BACKOFF:
                return STYLE_RED;
        case INSTANCE_IDLE:
        case INSTANCE_EXITED:
                return STYLE_DIM;
        case INSTANCE_SPAWNING:
        case INSTANCE_SCOPING:
        case INSTANCE_EXECING:
        case INSTANCE_STARTING:
        case INSTANCE_STOPPING:
        case INSTANCE_KILLING:
        case INSTANCE_REAPING:
                return STYLE_YELLOW;
        case _INSTANCE_STATE_MAX:
        case _INSTANCE_STATE_INVALID:
                break;
        }
        return STYLE_NORMAL;
}

size_t app_ready_count(const App *app) {
        size_t n = 0;

        for (size_t i = 0; i < app->run.n_instances; i++)
                n += app->run.instances[i].state == INSTANCE_READY;
        return n;
}

const char *time_ago(uint64_t usec, char *buffer, size_t size) {
        static const struct {
                const char *unit;
                uint64_t seconds;
        } units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
        struct timespec now;
        uint64_t seconds;

        if (usec == 0)
                return "";
        clock_gettime(CLOCK_REALTIME, &now);
        seconds = (uint64_t) now.tv_sec > usec / USEC_PER_SEC ? (uint64_t) now.tv_sec - usec / USEC_PER_SEC : 0;
        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                if (seconds < units[i].seconds && i + 1 < ELEMENTSOF(units))
                        continue;
                uint64_t rest = seconds % units[i].seconds;
                if (i + 1 < ELEMENTSOF(units) && rest / units[i + 1].seconds > 0)
                        snprintf(buffer, size, "%" PRIu64 "%s %" PRIu64 "%s ago", seconds / units[i].seconds,
                                units[i].unit, rest / units[i + 1].seconds, units[i + 1].unit);
                else
                        snprintf(buffer, size, "%" PRIu64 "%s ago", seconds / units[i].seconds, units[i].unit);
                break;
        }
        return buffer;
}

static int member(Buf *b, const char *name, const char *value) {
        int r = buf_printf(b, "\"%s\":", name);

        if (r >= 0)
                r = json_quote(b, value ? value : "");
        return r < 0 ? r : buf_putc(b, ',');
}

/* "NAME=VALUE" lines as an object. */
static int pairs_json(Buf *b, const char *name, char *const *lines) {
        int r = buf_printf(b, "\"%s\":{", name);

        for (size_t i = 0; r >= 0 && lines && lines[i]; i++) {
                const char *equals = strchr(lines[i], '=');
                _cleanup_free_ char *key = strndup(lines[i], (size_t) (equals - lines[i]));

                if (!key)
                        return -ENOMEM;
                r = i > 0 ? buf_putc(b, ',') : 0;
                if (r >= 0)
                        r = json_quote(b, key);
                if (r >= 0)
                        r = buf_putc(b, ':');
                if (r >= 0)
                        r = json_quote(b, equals + 1);
        }
        return r < 0 ? r : buf_puts(b, "},");
}

static int instance_json(Buf *b, const App *app, const InstanceStatus *i) {
        Usage u = usage_of(app->name, i);
        int r;

        r = buf_putc(b, '{');
        if (r >= 0)
                r = member(b, "name", i->name);
        if (r >= 0)
                r = member(b, "process", i->process);
        if (r >= 0)
                r = member(b, "state", instance_state_to_string(i->state));
        if (r >= 0)
                r = member(b, "scope", i->scope);
        if (r >= 0)
                r = member(b, "container_name", i->container_name);
        if (r >= 0)
                r = member(b, "network", i->network);
        if (r >= 0)
                r = member(b, "addresses", i->addresses);
        if (r >= 0)
                r = member(b, "ports", i->ports);
        if (r >= 0)
                r = member(b, "health", i->health);
        if (r >= 0)
                r = member(b, "answer", i->answer);
        if (r >= 0)
                r = member(b, "message", i->message);
        if (r >= 0)
                r = buf_printf(b,
                        "\"index\":%u,\"pid\":%d,\"release\":%u,\"restarts\":%u,\"since_usec\":%" PRIu64
                        ",\"exit_code\":%d,\"exit_status\":%d",
                        i->index, (int) i->pid, i->release, i->restarts, i->since_usec, i->exit_code, i->exit_status);
        if (r >= 0)
                r = usage_json(b, &u);
        return r < 0 ? r : buf_putc(b, '}');
}

int app_json(Buf *b, const App *app) {
        Usage u = usage_of_app(app->name);
        int r;

        r = buf_putc(b, '{');
        if (r >= 0)
                r = member(b, "name", app->name);
        if (r >= 0)
                r = member(b, "service", app->service);
        if (r >= 0)
                r = member(b, "source", app->source);
        if (r >= 0)
                r = member(b, "problem", app->problem);
        if (r >= 0)
                r = pairs_json(b, "labels", app->labels);
        if (r >= 0)
                r = pairs_json(b, "annotations", app->annotations);
        if (r >= 0)
                r = member(b, "active_state", app->active_state);
        if (r >= 0)
                r = member(b, "sub_state", app->sub_state);
        if (r >= 0)
                r = member(b, "status", app->run.status);
        if (r >= 0)
                r = member(b, "image", app->image);
        if (r >= 0)
                r = member(b, "image_id", app->run.image_id);
        if (r >= 0)
                r = buf_printf(b, "\"release\":%u,\"since_usec\":%" PRIu64, app->run.release, app->run.since_usec);
        if (r >= 0)
                r = usage_json(b, &u);
        if (r >= 0)
                r = buf_puts(b, ",\"instances\":[");
        for (size_t i = 0; r >= 0 && i < app->run.n_instances; i++) {
                if (i > 0)
                        r = buf_putc(b, ',');
                if (r >= 0)
                        r = instance_json(b, app, app->run.instances + i);
        }
        return r < 0 ? r : buf_puts(b, "]}");
}

int json_print(const Buf *b) {
        puts(b->data);
        return 0;
}
