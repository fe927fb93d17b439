/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/change.h"
#include "bus/objects.h"
#include "deploy/limits.h"
#include "deploy/rollback.h"
#include "deploy/scale.h"
#include "deploy/slice.h"
#include "util/strv.h"

#define ARGUMENTS_MAX 64

struct Change {
        ChangeKind kind;
        char *process;    /* "": all */
        char **arguments;
        DropIn drop_in;
};

Change *change_free(Change *c) {
        if (!c)
                return NULL;
        free(c->process);
        strv_free(c->arguments);
        drop_in_clear(&c->drop_in);
        free(c);
        return NULL;
}

int change_read(sd_bus_message *call, ChangeKind kind, Change **ret) {
        _cleanup_(change_freep) Change *c = calloc(1, sizeof(*c));
        const char *text = "";
        int r = 0;

        if (!c)
                return -ENOMEM;
        c->kind = kind;
        c->drop_in = DROP_IN_INIT;
        if (kind == CHANGE_LIMITS || kind == CHANGE_ROLLBACK)
                r = sd_bus_message_read(call, "s", &text);
        if (r >= 0 && !(c->process = strdup(kind == CHANGE_LIMITS ? text : "")))
                r = -ENOMEM;
        if (r >= 0)
                r = kind == CHANGE_ROLLBACK ? strv_append(&c->arguments, text) : sd_bus_message_read_strv(call, &c->arguments);
        if (r < 0)
                return r;
        if (strv_length(c->arguments) > ARGUMENTS_MAX)
                return -E2BIG;
        *ret = TAKE_PTR(c);
        return 0;
}

static const char *const drop_ins[_CHANGE_KIND_MAX] = {
        [CHANGE_SCALE] = SCALE_DROP_IN, [CHANGE_LIMITS] = LIMITS_DROP_IN, [CHANGE_SLICE] = LIMITS_DROP_IN, [CHANGE_ROLLBACK] = ROLLBACK_DROP_IN,
};

/* 1, or 0 where the drop-in says it already. */
static int scale(Change *c, Error *reterr) {
        size_t n = strv_length(c->arguments);
        _cleanup_free_ ScaleChange *changes = calloc(n + 1, sizeof(*changes));
        int r = changes ? scale_set(&c->drop_in, c->arguments, n, changes, reterr) : -ENOMEM, q;

        if (r >= 0)
                r = drop_in_write(&c->drop_in, reterr);
        if (r <= 0)
                return r;
        q = scale_check(&c->drop_in, changes, n, reterr);
        return q < 0 ? q : r;
}

static int limit(Change *c, Error *reterr) {
        const char *process = *c->process ? c->process : NULL;
        int r;

        if (process && !spec_process(c->drop_in.old, process))
                return error_set(reterr, -ENOENT, "app '%s' has no process '%s'", c->drop_in.app, process);
        r = c->arguments ? limits_set(&c->drop_in, process, c->arguments, reterr) : 0;
        return r < 0 ? r : drop_in_write(&c->drop_in, reterr);
}

static int limit_slice(Change *c, sd_bus *bus, Error *reterr) {
        int r = c->arguments ? limits_set_slice(&c->drop_in, c->arguments, reterr) : 0;

        if (r >= 0)
                r = drop_in_write(&c->drop_in, reterr);
        return r <= 0 ? r : slice_change(bus, c->drop_in.old, c->drop_in.spec, reterr);
}

static int roll_back(Change *c, const App *app, char **ret_reason, Error *reterr) {
        _cleanup_releases_ Releases releases = { 0 };
        unsigned number = 0;
        int r = releases_read(app->name, &releases.items, &releases.n), q;

        if (r >= 0)
                r = rollback_choose(app, &releases, c->arguments[0], &number, reterr);
        if (r >= 0 && !(*ret_reason = rollback_reason(number)))
                r = -ENOMEM;
        if (r >= 0)
                r = rollback_set(&c->drop_in, number);
        if (r >= 0)
                r = drop_in_write(&c->drop_in, reterr);
        if (r <= 0)
                return r;
        q = rollback_check(&c->drop_in, number, reterr);
        return q < 0 ? q : r;
}

static int act(Change *c, sd_bus *bus, const App *app, char **ret_reason, Error *reterr) {
        int r = drop_in_begin(app->name, drop_ins[c->kind], &c->drop_in, reterr);

        if (r < 0)
                return r;
        *ret_reason = NULL;
        switch (c->kind) {
        case CHANGE_SCALE:
                r = scale(c, reterr);
                break;
        case CHANGE_LIMITS:
                r = limit(c, reterr);
                break;
        case CHANGE_SLICE:
                r = limit_slice(c, bus, reterr);
                break;
        case CHANGE_ROLLBACK:
                r = roll_back(c, app, ret_reason, reterr);
                break;
        case CHANGE_NONE:
        case _CHANGE_KIND_MAX:
        case _CHANGE_KIND_INVALID:
                assert(false);
                return -EINVAL;
        }
        if (r >= 0 && !*ret_reason && !(*ret_reason = c->arguments ? strv_join(c->arguments, " ") : strdup("")))
                r = -ENOMEM;
        return r;
}

int change_make(Change *c, sd_bus *bus, const App *app, const char *author, sd_bus_error *reterr) {
        _cleanup_free_ char *reason = NULL;
        Error error = { 0 };
        bool reload = c->kind != CHANGE_SLICE && app_is_up(app);
        int r = act(c, bus, app, &reason, &error);

        if (r >= 0 && reload)
                r = drop_in_ask(&c->drop_in, author, BUS_NAME, reason, c->kind != CHANGE_ROLLBACK, &error);
        if (r >= 0)
                return reload;
        change_undo(c);
        return sd_bus_error_set(reterr, BUS_ERROR_REFUSED, *error.text ? error.text : strerror(-r));
}

void change_undo(Change *c) {
        if (c->drop_in.path)
                drop_in_undo(&c->drop_in);
}
