/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/parse.h"
#include "util/strv.h"

/* The keys Health* but for their commands, which parse-command.c has. */

int parse_health_interval(SpecParse *c, void *place) {
        uint64_t v;
        int r;

        if (streq(c->line->value, "disable"))
                return spec_keep_number(c, place, SPEC_INFINITY);
        r = spec_take_seconds(c, &v);
        return r <= 0 ? r : spec_keep_number(c, place, v == 0 ? SPEC_INFINITY : v);
}

int parse_health_timeout(SpecParse *c, void *place) {
        uint64_t v;
        int r = spec_take_seconds(c, &v);

        if (r <= 0)
                return r;
        if (v == 0)
                return spec_complain(c, c->line->value, "a check needs more time than none");
        return spec_keep_number(c, place, v);
}

int parse_health_retries(SpecParse *c, void *place) {
        uint64_t v;
        int r = spec_take_number(c, 1, UINT32_MAX, &v);

        return r <= 0 ? r : spec_keep_number(c, place, v);
}

int parse_health_action(SpecParse *c, void *place) {
        static const char *const names[_SPEC_HEALTH_ACTION_MAX] = {
                [SPEC_HEALTH_NONE] = "none",
                [SPEC_HEALTH_KILL] = "kill",
                [SPEC_HEALTH_RESTART] = "restart",
                [SPEC_HEALTH_STOP] = "stop",
        };

        return spec_take_choice(c, names, ELEMENTSOF(names), "an action", "none, kill, restart and stop", place);
}

int parse_health_log(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        int r = spec_take_value(c, &text);

        if (r <= 0)
                return r;
        if (streq(text, SPEC_HEALTH_LOG_LOCAL) || streq(text, SPEC_HEALTH_LOG_EVENTS))
                return spec_keep_text(c, place, TAKE_PTR(text));
        if (*text != '/')
                return spec_complain(c, c->line->value, "'%s' is neither " SPEC_HEALTH_LOG_LOCAL " nor " SPEC_HEALTH_LOG_EVENTS
                        " nor the absolute path of a directory", text);
        return parse_path(c, place);
}

/* What may stand in the first line of a request. */
static bool request_path_valid(const char *path) {
        for (; *path; path++)
                if (*path <= ' ' || *path > '~')
                        return false;
        return true;
}

/* [PORT]/PATH */
int parse_health_http(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL, *number = NULL, *path = NULL;
        uint64_t port = 0;
        const char *slash;
        int r = spec_take_value(c, &text);

        if (r <= 0)
                return r;
        slash = strchr(text, '/');
        if (!slash || strstr(text, "://"))
                return spec_complain(c, c->line->value, "'%s' is not [PORT]/PATH, such as /healthz or 8080/healthz", text);
        number = strndup(text, (size_t) (slash - text));
        path = strdup(slash);
        if (!number || !path)
                return -ENOMEM;
        if (*number && (parse_u64(number, UINT16_MAX, &port) < 0 || port == 0))
                return spec_complain(c, c->line->value, "'%s' is not a port: 1 to 65535", number);
        if (!request_path_valid(path))
                return spec_complain(c, c->line->value, "'%s' has characters that a request cannot have; they are written as '%%%%' and two hex digits",
                        path);
        c->process->health_http_port = (uint16_t) port;
        return spec_keep_text(c, place, TAKE_PTR(path));
}
