/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <endian.h>
#include <time.h>

#include "cli/log-lines.h"
#include "util/strv.h"
#include "util/text.h"

#define FIELD_SIZE_MAX (64U * 1024 * 1024) /* of one field; journald takes 768 MiB */
#define STYLE_DIM "\033[2m"
#define STYLE_END "\033[0m"

typedef struct Entry {
        char *time, *message, *priority, *instance, *identifier;
} Entry;

static const struct {
        const char *name;
        size_t offset;
} fields[] = {
        { "__REALTIME_TIMESTAMP", offsetof(Entry, time)       },
        { "MESSAGE",              offsetof(Entry, message)    },
        { "PRIORITY",             offsetof(Entry, priority)   },
        { "BERTH_INSTANCE",       offsetof(Entry, instance)   },
        { "SYSLOG_IDENTIFIER",    offsetof(Entry, identifier) },
};

typedef struct Printer {
        FILE *out;
        const LogLook *look;
        char **names; /* of instances, in the order of their first lines: it chooses their colours */
        size_t width;
} Printer;

static char **field_of(Entry *e, size_t i) {
        return (char **) ((char *) e + fields[i].offset);
}

static void entry_clear(Entry *e) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                free(*field_of(e, i));
        *e = (Entry){ 0 };
}

/* Takes value. One of a name that nobody asked for, or that was there already, is dropped. */
static void entry_set(Entry *e, const char *name, char *value) {
        _cleanup_free_ char *own = value;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(name, fields[i].name) && !*field_of(e, i))
                        *field_of(e, i) = TAKE_PTR(own);
}

/* A value of any bytes: its size, itself, a newline. Zeroes in it end no text. */
static int read_binary(FILE *in, char **ret) {
        _cleanup_free_ char *value = NULL;
        uint64_t size;

        if (fread(&size, sizeof(size), 1, in) != 1)
                return -EBADMSG;
        size = le64toh(size);
        if (size > FIELD_SIZE_MAX)
                return -EBADMSG;
        value = malloc(size + 1);
        if (!value)
                return -ENOMEM;
        if ((size > 0 && fread(value, size, 1, in) != 1) || getc(in) != '\n')
                return -EBADMSG;
        value[size] = 0;
        for (char *zero; (zero = memchr(value, 0, size)); )
                *zero = '\x01';
        *ret = TAKE_PTR(value);
        return 0;
}

/* 1 with an entry, 0 at the end of all. */
static int entry_read(FILE *in, Entry *e) {
        _cleanup_free_ char *line = NULL;
        size_t allocated = 0;
        bool any = false;
        ssize_t n;

        while ((n = getline(&line, &allocated, in)) > 0) {
                char *equals, *value;
                int r;

                if (line[n - 1] == '\n')
                        line[n - 1] = 0;
                if (!*line) {
                        if (any)
                                return 1;
                        continue;
                }
                any = true;
                equals = strchr(line, '=');
                if (equals) {
                        *equals = 0;
                        value = strdup(equals + 1);
                        r = value ? 0 : -ENOMEM;
                } else
                        r = read_binary(in, &value);
                if (r < 0)
                        return r;
                entry_set(e, line, value);
        }
        return ferror(in) ? -EIO : any;
}

/* Nobody's text may move the cursor or change what is on the screen; colours of its own it loses. */
static void put_text(FILE *out, const char *text, size_t n) {
        for (const char *p = text, *end = text + n; p < end;) {
                size_t length = utf8_length(p), skip;

                if (p[0] == '\033' && p[1] == '[') {
                        skip = 2 + strspn(p + 2, "0123456789;");
                        if (p[skip] == 'm') {
                                p += skip + 1;
                                continue;
                        }
                }
                if (length == 0 || (length == 1 && *p != '\t' && iscntrl((unsigned char) *p))) {
                        fputs("\xef\xbf\xbd", out);
                        p++;
                } else {
                        fwrite(p, 1, length, out);
                        p += length;
                }
        }
}

static void put_time(const Printer *p, const char *text) {
        uint64_t usec;
        time_t seconds;
        struct tm tm;
        char date[64];

        if (!text || parse_u64(text, UINT64_MAX, &usec) < 0)
                return;
        seconds = (time_t) (usec / 1000000);
        if (!localtime_r(&seconds, &tm) || strftime(date, sizeof(date), "%b %d %T", &tm) == 0)
                return;
        fprintf(p->out, "%s%s%s ", p->look->colour ? STYLE_DIM : "", date, p->look->colour ? STYLE_END : "");
}

static const char *colour_of(Printer *p, const char *instance) {
        static const char *const colours[] = { "\033[36m", "\033[33m", "\033[32m", "\033[35m", "\033[34m", "\033[96m", "\033[93m", "\033[92m",
                "\033[95m", "\033[94m" };
        size_t i = 0;

        if (!p->look->colour)
                return "";
        if (!instance)
                return STYLE_DIM;
        while (p->names && p->names[i] && !streq(p->names[i], instance))
                i++;
        if (!p->names || !p->names[i])
                (void) strv_append(&p->names, instance);
        return colours[i % ELEMENTSOF(colours)];
}

/* By their priorities, syslog(3): errors, warnings, and what is for debugging. */
static const char *priority_style(const Printer *p, const char *priority) {
        if (!p->look->colour || !priority)
                return "";
        return *priority <= '3' ? "\033[31m" : *priority == '4' ? "\033[33m" : *priority == '7' ? STYLE_DIM : "";
}

/* An instance of the process without a name is just a number. */
static char *name_of(const Printer *p, const Entry *e) {
        if (!e->instance || !*e->instance)
                return strdup(e->identifier ? e->identifier : p->look->app);
        return isdigit((unsigned char) *e->instance) ? str_format("%s/%s", p->look->app, e->instance) : strdup(e->instance);
}

static int entry_print(Printer *p, const Entry *e) {
        _cleanup_free_ char *name = name_of(p, e);
        const char *style = priority_style(p, e->priority), *colour;

        if (!name)
                return -ENOMEM;
        colour = colour_of(p, e->instance && *e->instance ? name : NULL);
        p->width = MAX(p->width, strlen(name));
        for (const char *line = e->message ? e->message : "", *end;; line = end + 1) {
                end = line + strcspn(line, "\n");
                put_time(p, e->time);
                fputs(colour, p->out);
                put_text(p->out, name, strlen(name));
                fprintf(p->out, "%*s |%s %s", (int) (p->width - strlen(name)), "", *colour ? STYLE_END : "", style);
                put_text(p->out, line, (size_t) (end - line));
                fprintf(p->out, "%s\n", *style ? STYLE_END : "");
                if (!*end || !end[1])
                        break;
        }
        if (p->look->flush)
                fflush(p->out);
        return 0;
}

int log_lines(FILE *in, FILE *out, const LogLook *look) {
        Printer p = { .out = out, .look = look, .width = look->width };
        Entry e = { 0 };
        int r;

        while ((r = entry_read(in, &e)) > 0) {
                r = entry_print(&p, &e);
                entry_clear(&e);
                if (r < 0)
                        break;
        }
        entry_clear(&e);
        strv_free(p.names);
        return r;
}
