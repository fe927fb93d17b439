/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/name.h"
#include "unit/text-internal.h"
#include "util/strv.h"

#define SUPERVISOR BERTH_LIBEXECDIR "/berth-supervisor"

char *unit_file_name(const Spec *s) {
        return str_format("%s.service", s->service);
}

/* A value of ours, not of a person: what specifiers and quoting would make of it is undone. */
int unit_put_escaped(Buf *b, const char *text, bool quoted) {
        int r = 0;

        for (; r == 0 && *text; text++)
                if (*text == '%')
                        r = buf_puts(b, "%%");
                else if (quoted && (*text == '\\' || *text == '"'))
                        r = buf_printf(b, "\\%c", *text);
                else if (quoted && *text == '$')
                        r = buf_puts(b, "$$");
                else if ((unsigned char) *text < ' ')
                        r = quoted ? buf_printf(b, "\\x%02x", (unsigned) (unsigned char) *text) : buf_putc(b, ' ');
                else
                        r = buf_putc(b, *text);
        return r;
}

/* The app's name as a value; a template's is completed by systemd. */
int unit_put_name(Buf *b, const Spec *s, bool quoted) {
        int r = unit_put_escaped(b, s->name, quoted);

        return r == 0 && s->template ? buf_puts(b, "%i") : r;
}

const char *unit_end_of_options(const Spec *s) {
        return *s->name == '-' ? "-- " : "";
}

/* head: "ExecStart=" with the prefixes that systemd knows; option: of the supervisor, with a space behind it. */
static int put_command(Buf *b, const Spec *s, const char *head, const char *option) {
        int r = buf_printf(b, "%s" SUPERVISOR " %s%s", head, option, unit_end_of_options(s));

        if (r == 0)
                r = unit_put_name(b, s, true);
        return r == 0 ? buf_putc(b, '\n') : r;
}

/* A person's line as it stands. One that ends in an odd number of backslashes would swallow the next; white space keeps
 * that off and is stripped. */
static int put_line(Buf *b, const char *key, const char *value) {
        size_t n = strlen(value), slashes = 0;

        while (slashes < n && value[n - slashes - 1] == '\\')
                slashes++;
        return buf_printf(b, "%s=%s%s\n", key, value, slashes % 2 == 1 ? " " : "");
}

static int put_usec(Buf *b, const char *key, uint64_t usec) {
        if (usec == SPEC_INFINITY)
                return buf_printf(b, "%s=infinity\n", key);
        if (usec % 1000000 == 0)
                return buf_printf(b, "%s=%llu\n", key, (unsigned long long) (usec / 1000000));
        if (usec % 1000 == 0)
                return buf_printf(b, "%s=%llums\n", key, (unsigned long long) (usec / 1000));
        return buf_printf(b, "%s=%lluus\n", key, (unsigned long long) usec);
}

/* The last value that a person gave to one of systemd's keys, or NULL; an empty one takes it back. */
const char *unit_passed(const void *list, const char *key) {
        const SPEC_LIST(SpecPassed) *l = list;
        const char *found = NULL;

        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].key, key))
                        found = *l->items[i].value ? l->items[i].value : NULL;
        return found;
}

int unit_put_passed(Buf *b, const void *list) {
        const SPEC_LIST(SpecPassed) *l = list;
        int r = 0;

        for (size_t i = 0; r == 0 && i < l->n; i++)
                r = put_line(b, l->items[i].key, l->items[i].value);
        return r;
}

int unit_put_head(Buf *b, const Spec *s) {
        static const char *const whats[_SPEC_KIND_MAX] = { [SPEC_CONTAINER] = "App", [SPEC_IMAGE] = "Image", [SPEC_NETWORK] = "Network" };
        int r;

        r = buf_puts(b, "[Unit]\n");
        if (r == 0 && !unit_passed(&s->unit, "Description")) {
                r = buf_printf(b, "Description=%s ", whats[s->kind]);
                if (r == 0)
                        r = unit_put_name(b, s, false);
                if (r == 0)
                        r = buf_putc(b, '\n');
        }
        if (r == 0 && !unit_passed(&s->unit, "Documentation"))
                r = buf_printf(b, "Documentation=man:berth%s(5)\n", spec_kind_suffix(s->kind));
        if (r == 0)
                r = buf_puts(b, "SourcePath=");
        if (r == 0)
                r = unit_put_escaped(b, s->path, false);
        return r == 0 ? buf_putc(b, '\n') : r;
}

int unit_put_part_head(Buf *b, const Spec *s, const char *what) {
        int r = buf_printf(b, "[Unit]\nDescription=%s of app ", what);

        if (r == 0)
                r = unit_put_name(b, s, false);
        if (r == 0)
                r = buf_puts(b, "\nDocumentation=man:berth.container(5)\nSourcePath=");
        if (r == 0)
                r = unit_put_escaped(b, s->path, false);
        return r == 0 ? buf_puts(b, "\n\n") : r;
}

/* However often the supervisor is killed, the next one has to find the app's instances: a limit of the spec is for instances, and
 * the supervisor keeps it. */
static int put_app_head(Buf *b, const Spec *s) {
        int r = unit_put_head(b, s);

        return r == 0 ? buf_puts(b, "StartLimitIntervalSec=0\n") : r;
}

/* The source of a bind mount as systemd shall expand it: as it was written, from the directory of its file where it is
 * relative. NULL when out of memory. */
static char *source_for_systemd(const Spec *s, const SpecMount *m) {
        _cleanup_buf_ Buf b = BUF_INIT;
        const char *file = s->fragments[m->origin.file], *slash = strrchr(file, '/');
        int r = 0;

        if (*m->source_raw != '/' && *m->source_raw != '%') {
                _cleanup_free_ char *dir = strndup(file, slash ? (size_t) (slash - file) : 0);

                r = !dir || unit_put_escaped(&b, dir, false) < 0 || buf_putc(&b, '/') < 0 ? -ENOMEM : 0;
        }
        return r < 0 || buf_puts(&b, m->source_raw) < 0 ? NULL : buf_steal(&b);
}

static int put_mount_for(Buf *b, const Spec *s, const SpecMount *m, char ***done) {
        _cleanup_free_ char *source = source_for_systemd(s, m);
        char quote;

        if (!source)
                return -ENOMEM;
        /* RequiresMountsFor= knows quotes, and no escapes. What has both kinds of quotes cannot be said. */
        quote = strchr(source, '"') ? '\'' : '"';
        if (strchr(source, quote) || strv_contains(*done, source))
                return 0;
        if (buf_printf(b, "RequiresMountsFor=%c%s%c\n", quote, source, quote) < 0)
                return -ENOMEM;
        return strv_consume(done, TAKE_PTR(source));
}

/* What the containers mount from the host has to be there first. */
static int put_mounts_for(Buf *b, const Spec *s) {
        _cleanup_strv_ char **done = NULL;
        int r = 0;

        for (size_t p = 0; r == 0 && p < s->n_processes; p++)
                for (size_t i = 0; r == 0 && i < s->processes[p].mounts.n; i++)
                        if (s->processes[p].mounts.items[i].type == SPEC_MOUNT_BIND)
                                r = put_mount_for(b, s, &s->processes[p].mounts.items[i], &done);
        return r;
}

static int put_need(Buf *b, const char *unit, char ***done) {
        if (!unit || strv_contains(*done, unit))
                return 0;
        return buf_printf(b, "Requires=%s\nAfter=%s\n", unit, unit) < 0 ? -ENOMEM : strv_append(done, unit);
}

/* Without the other there is nothing to be on. */
static int put_bond(Buf *b, const char *unit, char ***done) {
        if (!unit || strv_contains(*done, unit))
                return 0;
        return buf_printf(b, "BindsTo=%s\nAfter=%s\n", unit, unit) < 0 ? -ENOMEM : strv_append(done, unit);
}

/* What Image=NAME.image means is pulled first, and what Network=NAME.network means made. */
static int put_needs(Buf *b, const Spec *s) {
        _cleanup_strv_ char **done = NULL;
        int r = 0;

        for (size_t i = 0; r == 0 && i < s->n_processes; i++) {
                r = put_need(b, s->processes[i].image_unit, &done);
                if (r == 0 && s->processes[i].network == SPEC_NETWORK_CONTAINER)
                        r = put_bond(b, s->processes[i].network_unit, &done);
                else if (r == 0)
                        r = put_need(b, s->processes[i].network_unit, &done);
        }
        return r;
}

static int put_unit(Buf *b, const Spec *s) {
        int r;

        r = put_app_head(b, s);
        if (r == 0)
                r = put_needs(b, s);
        if (r == 0)
                r = put_mounts_for(b, s);
        return r == 0 ? unit_put_passed(b, &s->unit) : r;
}

static const char *restart_of(const Spec *s) {
        switch (s->restart) {
        case SPEC_RESTART_NO:
        case SPEC_RESTART_ON_SUCCESS:
        case SPEC_RESTART_ON_WATCHDOG:
        case SPEC_RESTART_ON_ABORT:
                return "on-abort";
        case SPEC_RESTART_ON_FAILURE:
        case SPEC_RESTART_ON_ABNORMAL:
        case SPEC_RESTART_ALWAYS:
                return "on-abnormal";
        case _SPEC_RESTART_MAX:
        case _SPEC_RESTART_INVALID:
                break;
        }
        return "on-abort";
}

static int put_slice(Buf *b, const Spec *s) {
        _cleanup_free_ char *slice = NULL;
        int r;

        /* systemd cannot escape an instance's name once more, so all of a template have one slice for their supervisors;
         * each instance's scopes are in the slice of its own name. */
        r = unit_slice_name(s->name, &slice);
        return r < 0 ? r : buf_printf(b, "Slice=%s\n", slice);
}

/* With StartTimeout= an instance may take longer than systemd gives a start or a reload by itself, and the process `release` has its
 * time before. What depends on scale the supervisor asks for when it needs it. 0: systemd's time will do. */
static uint64_t start_timeout(const Spec *s) {
        uint64_t longest = 0, release = 0;

        for (size_t i = 0; i < s->n_processes; i++) {
                uint64_t timeout = spec_start_timeout(s, &s->processes[i]);

                if (spec_is_release(&s->processes[i]))
                        release = timeout;
                else
                        longest = MAX(longest, timeout);
        }
        if (__builtin_add_overflow(longest, release, &longest) || __builtin_add_overflow(longest, UNIT_START_MARGIN_USEC, &longest))
                return SPEC_INFINITY;
        return longest <= SPEC_SERVICE_START_TIMEOUT_USEC + UNIT_START_MARGIN_USEC ? 0 : longest;
}

static int put_start_timeout(Buf *b, const Spec *s) {
        uint64_t timeout = s->timeout_start.set ? s->timeout_start.value : s->oneshot ? 0 : start_timeout(s);

        return timeout != 0 || s->timeout_start.set ? put_usec(b, "TimeoutStartSec", timeout) : 0;
}

static int put_timeouts(Buf *b, const Spec *s) {
        uint64_t longest = 0;
        int r = put_start_timeout(b, s);

        if (r == 0 && s->timeout_stop.set)
                return put_usec(b, "TimeoutStopSec", s->timeout_stop.value);
        for (size_t i = 0; i < s->n_processes; i++)
                longest = MAX(longest, spec_stop_timeout(&s->processes[i]));
        if (__builtin_add_overflow(longest, UNIT_STOP_MARGIN_USEC, &longest))
                longest = SPEC_INFINITY;
        return r == 0 ? put_usec(b, "TimeoutStopSec", longest) : r;
}

static int put_service(Buf *b, const Spec *s) {
        int r;

        r = buf_printf(b, "\n[Service]\nType=%s\nNotifyAccess=main\n", s->oneshot ? "oneshot" : "notify");
        if (r == 0)
                r = put_command(b, s, "ExecStart=", "");
        if (r == 0)
                r = put_command(b, s, "ExecReload=", "--reload ");
        if (r == 0)
                r = put_slice(b, s);
        if (r == 0)
                r = buf_printf(b, "KillMode=mixed\nFileDescriptorStoreMax=%d\nLimitNOFILE=%d\nOOMPolicy=continue\nRestart=%s\n", UNIT_FD_STORE_MAX,
                        UNIT_FILES_MAX, restart_of(s));
        if (r == 0)
                r = put_usec(b, "RestartSec", UNIT_RESTART_USEC);
        if (r == 0)
                r = put_timeouts(b, s);
        /* The app's lines are written by the supervisor: all its instances would share one limit. systemd 252 takes 0, which is to
         * mean "none", for "not set". */
        if (r == 0 && !unit_passed(&s->service_keys, "LogRateLimitIntervalSec"))
                r = buf_puts(b, "LogRateLimitIntervalSec=1us\n");
        if (r == 0 && !unit_passed(&s->service_keys, "SyslogIdentifier")) {
                r = buf_puts(b, "SyslogIdentifier=");
                if (r == 0)
                        r = unit_put_name(b, s, false);
                if (r == 0)
                        r = buf_putc(b, '\n');
        }
        return r;
}

/* For people: the links are made already. UpheldBy= is unknown to systemd before version 254, and would be complained of. */
int unit_put_install(Buf *b, const Spec *s, UnitInstall install) {
        bool any = false;
        int r = 0;

        for (size_t i = 0; r == 0 && i < s->install.n; i++) {
                const SpecPassed *p = &s->install.items[i];

                if (streq(p->key, "UpheldBy") || (install != UNIT_INSTALL_ALL && streq(p->key, "Alias") != (install == UNIT_INSTALL_SERVICE)))
                        continue;
                if (!any)
                        r = buf_puts(b, "\n[Install]\n");
                any = true;
                if (r == 0)
                        r = put_line(b, p->key, p->value);
        }
        if (r == 0 && install == UNIT_INSTALL_SOCKET && !unit_socket_is_wanted(s))
                r = buf_puts(b, any ? "WantedBy=sockets.target\n" : "\n[Install]\nWantedBy=sockets.target\n");
        return r;
}

int unit_put_comment(Buf *b) {
        return buf_puts(b, "# Made by berth-generator from the file that SourcePath= names; changes here are lost.\n");
}

int unit_text(const Spec *s, Buf *ret) {
        _cleanup_free_ char *socket = unit_socket_name(s);
        int r;

        r = unit_put_comment(ret);
        if (r == 0)
                r = put_unit(ret, s);
        if (r == 0)
                r = put_service(ret, s);
        /* A start of the service brings the socket up, too: beside a supervisor that listens itself it could not. */
        if (r == 0 && socket)
                r = buf_printf(ret, "Sockets=%s%s.socket\n", s->service, s->template ? "%i" : "");
        if (r == 0)
                r = unit_put_passed(ret, &s->service_keys);
        return r == 0 ? unit_put_install(ret, s, socket ? UNIT_INSTALL_SERVICE : UNIT_INSTALL_ALL) : r;
}

int unit_text_broken(const Spec *s, Buf *ret) {
        int r;

        r = unit_put_comment(ret);
        if (r == 0)
                r = put_app_head(ret, s);
        /* What a person wrote for systemd is left out, for it may be what is wrong. What is ours is whole: the supervisor runs under
         * this unit as soon as the spec is right, with a daemon-reload or without. */
        return r == 0 ? put_service(ret, s) : r;
}

int unit_text_refused(const Spec *s, const char *reason, Buf *ret) {
        int r;

        r = unit_put_comment(ret);
        if (r == 0)
                r = s->kind == SPEC_CONTAINER ? put_app_head(ret, s) : unit_put_head(ret, s);
        if (r == 0)
                r = buf_puts(ret, "\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo \"<3>$$1\" >&2; exit 78' sh \"");
        if (r == 0)
                r = unit_put_escaped(ret, reason, true);
        return r == 0 ? buf_puts(ret, "\"\n") : r;
}
